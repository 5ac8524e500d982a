/* CSRF tokens: a session has one, which is made when it is first requested. */
#include "sessions.h"

static khufu_factory *factory;

/* Calls a function that returns a token, and copies the token. */
static char *token_of(khufu_session *session, khufu_status (*call)(khufu_session *, const char **, size_t *)) {
    const char *token = NULL;
    size_t len = 0;
    CHECK_INT(call(session, &token, &len), KHUFU_OK);
    REQUIRE(token != NULL);
    return text_copy(token, len);
}

static bool is_valid(khufu_session *session, const char *token) {
    bool valid = true;
    CHECK_INT(khufu_session_check_csrf_token(session, token, KHUFU_NTS, &valid), KHUFU_OK);
    return valid;
}

TEST(a_token_is_made_once_and_kept) {
    khufu_session *session = open_new(factory);
    char *first = token_of(session, khufu_session_csrf_token), *second = token_of(session, khufu_session_csrf_token);
    CHECK_INT(strlen(first), 40);
    CHECK_INT(strspn(first, "0123456789abcdef"), 40);
    CHECK_STRING(first, second);
    CHECK(khufu_session_is_changed(session));
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    char *third = token_of(next, khufu_session_csrf_token);
    CHECK_STRING(third, first);
    CHECK(!khufu_session_is_changed(next));
    CHECK(is_valid(next, first));
    char *state = joined("{\"_csrft_\":\"", first, "\"}");
    CHECK_STATE(next, state);
    free(state);
    free(first);
    free(second);
    free(third);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(a_new_token_replaces_the_old_one) {
    khufu_session *session = open_state(factory, "{\"_csrft_\":\"00112233445566778899aabbccddeeff00112233\"}");
    char *token = token_of(session, khufu_session_new_csrf_token);
    CHECK_INT(strspn(token, "0123456789abcdef"), 40);
    CHECK(khufu_session_is_changed(session));
    CHECK(is_valid(session, token));
    CHECK(!is_valid(session, "00112233445566778899aabbccddeeff00112233"));
    char *other = token_of(session, khufu_session_new_csrf_token);
    CHECK(strcmp(token, other) != 0);
    CHECK(!is_valid(session, token));
    free(token);
    free(other);
    khufu_session_free(session);
}

TEST(only_the_whole_token_is_valid) {
    khufu_session *session = open_state(factory, "{\"_csrft_\":\"00112233445566778899aabbccddeeff00112233\"}");
    CHECK(is_valid(session, "00112233445566778899aabbccddeeff00112233"));
    const char *wrong[] = {"", " ", "0", "00112233445566778899aabbccddeeff0011223", "00112233445566778899aabbccddeeff001122333",
                           "00112233445566778899AABBCCDDEEFF00112233", "\xff\xfe", "\"00112233445566778899aabbccddeeff00112233\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (is_valid(session, wrong[i])) FAIL("%s", wrong[i]);
    bool valid = true;
    CHECK_INT(khufu_session_check_csrf_token(session, NULL, 0, &valid), KHUFU_OK);
    CHECK(!valid);
    CHECK_INT(khufu_session_check_csrf_token(session, "00112233445566778899aabbccddeeff00112233\0", 41, &valid), KHUFU_OK);
    CHECK(!valid);
    CHECK_INT(khufu_session_check_csrf_token(session, "00112233445566778899aabbccddeeff00112233!", 40, &valid), KHUFU_OK);
    CHECK(valid);
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
}

TEST(any_existing_text_is_the_token) {
    khufu_session *session = open_state(factory, "{\"_csrft_\":\"gr\\u00fcn \\u0022\"}");
    char *token = token_of(session, khufu_session_csrf_token);
    CHECK_STRING(token, "gr\xc3\xbcn \"");
    CHECK(is_valid(session, token));
    CHECK(!is_valid(session, "gr\\u00fcn \\u0022"));
    CHECK(!khufu_session_is_changed(session));
    free(token);
    khufu_session_free(session);
}

TEST(a_session_without_a_token_refuses_every_token) {
    const char *states[] = {"{}", "{\"_csrft_\":\"\"}", "{\"_csrft_\":null}", "{\"_csrft_\":[\"x\"]}", "{\"_csrft_\":1}"};
    const char *tokens[] = {"", "null", "x", "1", "[\"x\"]", "00112233445566778899aabbccddeeff00112233"};
    for (size_t i = 0; i < 5; i++) {
        khufu_session *session = open_state(factory, states[i]);
        for (size_t t = 0; t < 6; t++)
            if (is_valid(session, tokens[t])) FAIL("%s accepts \"%s\"", states[i], tokens[t]);
        CHECK(!khufu_session_is_changed(session));
        CHECK_STATE(session, states[i]);
        char *token = token_of(session, khufu_session_csrf_token); /* a value that is not a token is replaced */
        CHECK_INT(strspn(token, "0123456789abcdef"), 40);
        CHECK(is_valid(session, token));
        CHECK(khufu_session_is_changed(session));
        free(token);
        khufu_session_free(session);
    }
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_token_is_made_once_and_kept);
    RUN(a_new_token_replaces_the_old_one);
    RUN(only_the_whole_token_is_valid);
    RUN(any_existing_text_is_the_token);
    RUN(a_session_without_a_token_refuses_every_token);
    khufu_factory_free(factory);
    return report();
}
