/* Whole Cookie headers as browsers and proxies send them: which cookie is the session's. */
#include "sessions.h"

static khufu_factory *factory;

TEST(a_request_without_the_cookie_is_a_new_session) {
    const char *headers[] = {"",         "other=1",      "Session=1",   "sessio=1",  "session2=1", "xsession=1",
                             "=session", "session",      "a=session=1", "a=\"session=1\"", ";;;", "   "};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        khufu_session *session = open_at(factory, headers[i], NOW);
        if (khufu_session_load_result(session) != KHUFU_LOAD_NONE) FAIL("%s", headers[i]);
        CHECK_EMPTY(session, KHUFU_LOAD_NONE, NOW);
        bool has_cookies = strchr(headers[i], '=') != NULL; /* the error mentions them without names or values */
        if (has_cookies) CHECK_CONTAINS(khufu_session_error(session), "none with the name in the option cookie_name");
        else CHECK_STRING(khufu_session_error(session), "");
        CHECK(!khufu_session_is_changed(session));
        khufu_session_free(session);
    }
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, NULL, 0, NOW, -1, 0, &session), KHUFU_OK);
    CHECK_EMPTY(session, KHUFU_LOAD_NONE, NOW);
    khufu_session_free(session);
}

TEST(the_cookie_is_found_in_a_whole_header) {
    const struct {
        const char *before, *after;
    } headers[] = {
        {"session=", ""}, {"a=b; session=", ""}, {"session=", "; a=b"}, {"a=b; session=", "; c=d"}, {"a=b;session=", ";c=d"},
        {"session=\"", "\""}, {"a=\"b\"; session=\"", "\"; c=d"}, {"  session=", "  "}, {"a=b;  session=", " ; c=d"},
        {"; ;; session=", ";;"}, {"=; a; =b; session=", "; d=; ="}, {"$Version=1; session=", "; $Path=/"},
        {"a=b=c==; session=", ""}, {"a=\"x y\"; session=", ""}, {"a={\"b\":1}; session=", ""}, {"a=\x80\xff; session=", "; \xfe"},
        {"sessio=1; session2=2; Session=3; session=", "; xsession=4"}, {"a=\x01\x7f; session=", ""},
        {"a=\"; session=", ""}, {"a=b, session=", ""}, {"a=\"b;c\";session=", ""}, {"a=b;\tsession=", "\t"}, {"session; session=", ""}, {"session=", "; session"},
    };
    char *value = forge_text("[1700000060,1700000060.0,{\"a\":1}]");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char *header = joined(headers[i].before, value, headers[i].after);
        khufu_session *session = open_at(factory, header, NOW);
        if (khufu_session_load_result(session) != KHUFU_LOAD_LOADED)
            FAIL("%s…%s: %s", headers[i].before, headers[i].after, khufu_load_result_name(khufu_session_load_result(session)));
        khufu_session_free(session);
        free(header);
    }
    free(value);
}

TEST(a_header_may_hold_any_bytes) {
    char *value = forge_text("[1700000060,1700000060.0,{\"a\":1}]"), header[600];
    memcpy(header, "a=\0b; session=", 14);
    size_t len = 14 + strlen(value);
    memcpy(header + 14, value, len - 14);
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, header, len, NOW, -1, 0, &session), KHUFU_OK);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    for (int byte = 0; byte < 256; byte++) { /* as the value, before the name, and after the name */
        char *texts[] = {text_copy("session=?", 9), text_copy("?session=x", 10), text_copy("session?=x", 10)};
        for (size_t i = 0; i < 3; i++) {
            size_t length = strlen(texts[i]);
            *strchr(texts[i], '?') = (char)byte;
            CHECK_INT(khufu_session_open_with(factory, texts[i], length, NOW, -1, 0, &session), KHUFU_OK);
            khufu_load_result result = khufu_session_load_result(session);
            CHECK(result == KHUFU_LOAD_NONE || result == KHUFU_LOAD_MALFORMED);
            khufu_session_free(session);
            free(texts[i]);
        }
    }
    free(value);
}

TEST(a_very_long_header_is_read) {
    size_t size = 1000000;
    char *value = forge_text("[1700000060,1700000060.0,{\"a\":1}]"), *header = allocate(size + 1000);
    memset(header, 'x', size);
    strcpy(header, "a=");
    header[2] = 'x';
    size_t len = size + (size_t)sprintf(header + size, "; session=%s", value);
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, header, len, NOW, -1, 0, &session), KHUFU_OK);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    memcpy(header, "session=", 8);
    CHECK_INT(khufu_session_open_with(factory, header, size, NOW, -1, 0, &session), KHUFU_OK);
    CHECK(khufu_session_is_new(session));
    khufu_session_free(session);
    for (size_t i = 0; i + 2 <= size; i += 2) memcpy(header + i, "a;", 2);
    CHECK_INT(khufu_session_open_with(factory, header, len, NOW, -1, 0, &session), KHUFU_OK);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    free(header);
    free(value);
}

/* Opens a header of cookies that are all named `session`, one for each letter. The states of a and b have a key with
   that letter; E has expired, x has a bad signature, and ! is malformed. */
static void check_cookies(const char *letters, khufu_load_result expected, const char *state) {
    char *header = allocate(strlen(letters) * 300);
    *header = 0;
    for (const char *letter = letters; *letter != 0; letter++) {
        char payload[80];
        int len = snprintf(payload, sizeof payload, "[%d,1600000000.0,{\"%c\":1}]", *letter == 'E' ? 1600000000 : 1700000060, *letter);
        char *value = *letter == '!'   ? joined("not base64", "", "")
                      : *letter == 'x' ? forge_signed_as("", "", payload, (size_t)len)
                                       : forge_signed(payload, (size_t)len);
        if (letter > letters) strcat(header, "; ");
        strcat(strcat(header, "session="), value);
        free(value);
    }
    khufu_session *session = open_at(factory, header, NOW);
    khufu_load_result result = khufu_session_load_result(session);
    if (result != expected)
        FAIL("%s: %s, not %s", letters, khufu_load_result_name(result), khufu_load_result_name(expected));
    CHECK_STATE(session, state);
    khufu_session_free(session);
    free(header);
}

TEST(the_last_cookie_that_verifies_and_has_not_expired_is_used) {
    check_cookies("ab", KHUFU_LOAD_LOADED, "{\"b\":1}");
    check_cookies("ax", KHUFU_LOAD_LOADED, "{\"a\":1}");
    check_cookies("xa", KHUFU_LOAD_LOADED, "{\"a\":1}");
    check_cookies("aE", KHUFU_LOAD_LOADED, "{\"a\":1}");
    check_cookies("a!", KHUFU_LOAD_LOADED, "{\"a\":1}");
    check_cookies("axE!b!Ex", KHUFU_LOAD_LOADED, "{\"b\":1}");
    check_cookies("EE", KHUFU_LOAD_EXPIRED, "{}");
    check_cookies("xx", KHUFU_LOAD_BAD_SIGNATURE, "{}");
    check_cookies("!!", KHUFU_LOAD_MALFORMED, "{}");
    check_cookies("!Ex", KHUFU_LOAD_EXPIRED, "{}"); /* the most informative result */
    check_cookies("x!", KHUFU_LOAD_BAD_SIGNATURE, "{}");
}

TEST(at_most_eight_cookies_are_tried) {
    check_cookies("axxxxxxx", KHUFU_LOAD_LOADED, "{\"a\":1}");
    check_cookies("axxxxxxxx", KHUFU_LOAD_BAD_SIGNATURE, "{}");
    check_cookies("aaaaaaaab", KHUFU_LOAD_LOADED, "{\"b\":1}");
    check_cookies("bxxxxxxxxxxxxxxxxxxxxxxxxxxxxxa", KHUFU_LOAD_LOADED, "{\"a\":1}");
}

TEST(another_name_is_another_cookie) {
    khufu_factory *named = FACTORY("secret", SECRET, "cookie_name", "sid");
    char *value = forge_text("[1700000060,1700000060.0,{\"a\":1}]"), *header = joined("session=x; sid=", value, "; SID=x");
    khufu_session *session = open_at(named, header, NOW);
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    session = open_value(named, value, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_NONE, NOW);
    khufu_session_free(session);
    khufu_factory_free(named);
    free(value);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_request_without_the_cookie_is_a_new_session);
    RUN(the_cookie_is_found_in_a_whole_header);
    RUN(a_header_may_hold_any_bytes);
    RUN(a_very_long_header_is_read);
    RUN(the_last_cookie_that_verifies_and_has_not_expired_is_used);
    RUN(at_most_eight_cookies_are_tried);
    RUN(another_name_is_another_cookie);
    khufu_factory_free(factory);
    return report();
}
