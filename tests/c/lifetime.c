/* How long texts and handles live. Valgrind finds a view that outlives its text. */
#include "sessions.h"

static khufu_factory *factory;

enum { VIEWS = 200 };

/* Gets views of many values that must be unescaped, and calls every reading function. Then checks the views. */
TEST(reading_leaves_every_view_valid) {
    khufu_session *session = open_new(factory);
    char key[32], expected[64];
    for (int i = 0; i < VIEWS; i++) {
        snprintf(key, sizeof key, "k\xc3\xa9y \"%d\"", i);
        snprintf(expected, sizeof expected, "line\n%d\t\"\xc3\xab\xf0\x9f\x94\x91\"", i);
        CHECK_INT(khufu_session_set_string(session, key, KHUFU_NTS, expected, KHUFU_NTS), KHUFU_OK);
    }
    const char *views[VIEWS], *texts[VIEWS], *keys[VIEWS], *values[VIEWS], *whole, *queue, *text;
    size_t view_lens[VIEWS], text_lens[VIEWS], key_lens[VIEWS], value_lens[VIEWS], whole_len, queue_len, len, cursor = 0;
    int64_t integer;
    double number;
    bool flag;
    CHECK_INT(khufu_session_to_json(session, &whole, &whole_len), KHUFU_OK);
    CHECK_INT(khufu_session_peek_flash(session, "none", 4, &queue, &queue_len), KHUFU_OK);
    char *whole_before = text_copy(whole, whole_len);
    for (int i = 0; i < VIEWS; i++) {
        int key_len = snprintf(key, sizeof key, "k\xc3\xa9y \"%d\"", i);
        CHECK_INT(khufu_session_get(session, key, (size_t)key_len, &views[i], &view_lens[i]), KHUFU_OK);
        CHECK_INT(khufu_session_get_string(session, key, (size_t)key_len, &texts[i], &text_lens[i]), KHUFU_OK);
        CHECK_INT(khufu_session_next(session, &cursor, &keys[i], &key_lens[i], &values[i], &value_lens[i]), KHUFU_OK);
        CHECK_INT(khufu_session_get_int64(session, key, (size_t)key_len, &integer), KHUFU_ERR_TYPE);
        CHECK_INT(khufu_session_get_double(session, "none", 4, &number), KHUFU_NOT_FOUND);
        CHECK_INT(khufu_session_get_bool(session, "\xff", 1, &flag), KHUFU_ERR_UTF8);
        CHECK_INT(khufu_session_check_csrf_token(session, "x", 1, &flag), KHUFU_OK);
        CHECK_INT(khufu_session_contains(session, key, (size_t)key_len, &flag), KHUFU_OK);
        CHECK_INT(khufu_session_to_json(session, &text, &len), KHUFU_OK);
        CHECK_INT(khufu_session_length(session), VIEWS);
    }
    CHECK_TEXT(whole, whole_len, whole_before);
    CHECK_TEXT(queue, queue_len, "[]");
    for (int i = 0; i < VIEWS; i++) {
        snprintf(key, sizeof key, "k\xc3\xa9y \"%d\"", i);
        snprintf(expected, sizeof expected, "line\n%d\t\"\xc3\xab\xf0\x9f\x94\x91\"", i);
        CHECK_TEXT(keys[i], key_lens[i], key);
        CHECK_TEXT(texts[i], text_lens[i], expected);
        CHECK(view_lens[i] == value_lens[i] && memcmp(views[i], values[i], view_lens[i]) == 0);
        snprintf(expected, sizeof expected, "\"line\\n%d\\t\\\"\\u00eb\\ud83d\\udd11\\\"\"", i);
        CHECK(same_json(views[i], view_lens[i], expected, strlen(expected)));
    }
    free(whole_before);
    khufu_session_free(session);
}

TEST(a_view_may_be_passed_back_into_its_own_session) {
    khufu_session *session = open_state(factory, "{\"a\\n\":\"b\\n\",\"json\":[ 1, \"\\u00eb\" ]}");
    const char *text, *json, *key, *value;
    size_t text_len, json_len, key_len, value_len, cursor = 0;
    for (int round = 0; round < 50; round++) { /* so that the text's buffer grows while it is read */
        CHECK_INT(khufu_session_get_string(session, "a\n", 2, &text, &text_len), KHUFU_OK);
        CHECK_INT(khufu_session_set_string(session, text, text_len, text, text_len), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "json", 4, &json, &json_len), KHUFU_OK);
        CHECK_INT(khufu_session_set(session, "copy", 4, json, json_len), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "json", 4, &json, &json_len), KHUFU_OK);
        CHECK_INT(khufu_session_set(session, "json", 4, json, json_len), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "json", 4, &json, &json_len), KHUFU_OK);
        CHECK_INT(khufu_session_flash(session, json, json_len, "", 0, true), KHUFU_OK);
        CHECK_INT(khufu_session_get_string(session, "a\n", 2, &text, &text_len), KHUFU_OK);
        CHECK_INT(khufu_session_flash_string(session, text, text_len, text, text_len, round % 2 == 0), KHUFU_OK);
        CHECK_INT(khufu_session_to_json(session, &json, &json_len), KHUFU_OK);
        CHECK_INT(khufu_session_update(session, json, json_len), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "copy", 4, &json, &json_len), KHUFU_OK);
        CHECK_INT(khufu_session_setdefault(session, "default", 7, json, json_len, &value, &value_len), KHUFU_OK);
        CHECK(same_json(value, value_len, "[1,\"\\u00eb\"]", 12));
    }
    CHECK_VALUE(session, "b\n", "\"b\\n\"");
    CHECK_INT(khufu_session_peek_flash(session, "", 0, &json, &json_len), KHUFU_OK);
    CHECK(json_len > 50 * strlen("[1,\"\xc3\xab\"]"));
    cursor = 0;
    CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &value, &value_len), KHUFU_OK);
    CHECK_INT(khufu_session_set(session, "key", 3, value, value_len), KHUFU_OK);
    cursor = 0;
    CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &value, &value_len), KHUFU_OK);
    CHECK_INT(khufu_session_delete(session, key, key_len), KHUFU_OK);
    CHECK_INT(khufu_session_pop(session, "copy", 4, &json, &json_len), KHUFU_OK);
    CHECK_INT(khufu_session_set(session, "copy", 4, json, json_len), KHUFU_OK);
    CHECK_INT(khufu_session_csrf_token(session, &text, &text_len), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(session, "token", 5, text, text_len), KHUFU_OK);
    bool valid = false;
    CHECK_INT(khufu_session_get_string(session, "token", 5, &text, &text_len), KHUFU_OK);
    CHECK_INT(khufu_session_check_csrf_token(session, text, text_len, &valid), KHUFU_OK);
    CHECK(valid);
    khufu_session_free(session);
}

TEST(texts_from_pop_and_commit_last_until_the_next_change) {
    khufu_session *session = open_state(factory, "{\"a\":\"x\\n\",\"_f_\":[1],\"b\":2}");
    const char *popped, *cookie, *json, *messages;
    size_t popped_len, cookie_len, json_len, messages_len;
    CHECK_INT(khufu_session_pop_flash(session, "", 0, &messages, &messages_len), KHUFU_OK);
    CHECK_INT(khufu_session_to_json(session, &json, &json_len), KHUFU_OK);
    CHECK_INT(khufu_session_length(session), 2);
    CHECK_TEXT(messages, messages_len, "[1]");
    CHECK_INT(khufu_session_pop(session, "a", 1, &popped, &popped_len), KHUFU_OK);
    CHECK_INT(khufu_session_to_json(session, &json, &json_len), KHUFU_OK);
    CHECK_VALUE(session, "b", "2");
    CHECK(same_json(popped, popped_len, "\"x\\n\"", 5));
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(nth_cookie(session, 0, &cookie, &cookie_len), KHUFU_OK);
    char *copy = text_copy(cookie, cookie_len);
    CHECK_INT(khufu_session_to_json(session, &json, &json_len), KHUFU_OK);
    CHECK_VALUE(session, "b", "2");
    CHECK(has_vary(session));
    CHECK_TEXT(cookie, cookie_len, copy);
    free(copy);
    khufu_session_free(session);
}

TEST(the_header_and_all_inputs_may_be_freed_after_the_call) {
    char *value = forge_text("[1700000060,1700000060.0,{\"a\":\"b\"}]"), *header = joined("session=", value, "");
    khufu_session *session = open_at(factory, header, NOW);
    memset(header, 'x', strlen(header));
    free(header);
    free(value);
    char *key = text_copy("key", 3), *json = text_copy("[1,2]", 5);
    CHECK_INT(khufu_session_set(session, key, 3, json, 5), KHUFU_OK);
    memset(key, 'x', 3);
    memset(json, 'x', 5);
    free(key);
    free(json);
    CHECK_STATE(session, "{\"a\":\"b\",\"key\":[1,2]}");
    khufu_session_free(session);
}

TEST(a_session_outlives_its_factory) {
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, "cookie_name", "sid", "domain", "example.com", NULL});
    khufu_factory *brief = NULL;
    CHECK_INT(khufu_factory_new(options, &brief), KHUFU_OK);
    khufu_options_free(options);
    khufu_session *first = open_new(brief), *second = open_at(brief, "sid=x", NOW);
    khufu_factory_free(brief);
    CHECK_INT(khufu_session_set(first, "a", 1, "1", 1), KHUFU_OK);
    char *cookie = commit_cookie(first);
    CHECK_CONTAINS(cookie, "Domain=example.com");
    free(cookie);
    khufu_session_free(first);
    CHECK_INT(khufu_session_load_result(second), KHUFU_LOAD_MALFORMED);
    CHECK_INT(khufu_session_invalidate(second), KHUFU_OK);
    CHECK_INT(khufu_session_commit(second, 0), KHUFU_OK);
    for (size_t i = 0; i < 2; i++) { /* with the domain and without it */
        const char *data = "";
        size_t len;
        CHECK_INT(nth_cookie(second, i, &data, &len), KHUFU_OK);
        CHECK(strncmp(data, "sid=;", 5) == 0);
    }
    khufu_session_free(second);
}

TEST(error_texts_end_at_a_nul_and_last_until_the_next_call) {
    khufu_session *session = open_at(factory, "session=x", NOW);
    const char *refused = khufu_session_error(session);
    CHECK(strlen(refused) > 0);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_MALFORMED);
    CHECK_INT(khufu_session_set(session, "a", 1, "?", 1), KHUFU_ERR_JSON);
    CHECK_CONTAINS(khufu_session_error(session), "JSON");
    int64_t integer;
    CHECK_INT(khufu_session_set_string(session, "a\0key", 5, "text", 4), KHUFU_OK);
    CHECK_INT(khufu_session_get_int64(session, "a\0key", 5, &integer), KHUFU_ERR_TYPE);
    CHECK_CONTAINS(khufu_session_error(session), "key"); /* a NUL inside does not end the text */
    khufu_session_free(session);
    khufu_options *options = khufu_options_new();
    CHECK_INT(khufu_options_set(options, "time\0out", 8, "1", 1), KHUFU_ERR_OPTION);
    CHECK_CONTAINS(khufu_options_error(options), "out");
    khufu_options_free(options);
}

TEST(factories_and_options_leak_nothing) {
    for (int i = 0; i < 20; i++) {
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, "previous_secret", "a", "previous_secret",
            "b", "accept.old.secret", "c", "accept.old.serializer", "pickle", "domain", "example.com", NULL});
        khufu_factory *first = NULL, *second = NULL;
        CHECK_INT(khufu_factory_new(options, &first), KHUFU_OK);
        CHECK_INT(khufu_factory_new(options, &second), KHUFU_OK);
        CHECK_INT(khufu_options_set(options, "nothing", KHUFU_NTS, "1", 1), KHUFU_ERR_OPTION);
        khufu_session *session = open_at(second, "session=x; session=y", NOW);
        CHECK_INT(khufu_session_set(session, "a", 1, "?", 1), KHUFU_ERR_JSON);
        khufu_options_free(options);
        khufu_factory_free(first);
        khufu_session_free(session);
        khufu_factory_free(second);
    }
}

/* Sets so much text that unused text is freed again and again, while views of the session are passed back. */
TEST(a_view_stays_valid_while_other_text_is_freed) {
    khufu_session *session = open_state(factory, "{\"opened\":\"text\"}");
    char value[3001];
    const char *view, *key, *other;
    size_t len, key_len, other_len, cursor;
    for (int round = 0; round < 200; round++) {
        memset(value, 'a' + round % 26, sizeof value);
        CHECK_INT(khufu_session_set_string(session, "a", 1, value, 3000), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "a", 1, &view, &len), KHUFU_OK);
        CHECK_INT(khufu_session_set(session, "b", 1, view, len), KHUFU_OK);
        CHECK_INT(khufu_session_get_string(session, "b", 1, &view, &len), KHUFU_OK);
        CHECK(len == 3000 && memcmp(view, value, len) == 0);
        CHECK_INT(khufu_session_get(session, "b", 1, &view, &len), KHUFU_OK);
        CHECK_INT(khufu_session_setdefault(session, "c", 1, view, len, &other, &other_len), KHUFU_OK);
        CHECK(other_len == 3002 && memcmp(other + 1, value, 3000) == 0);
        CHECK_INT(khufu_session_flash(session, other, other_len, "", 0, round % 2 == 0), KHUFU_OK);
        CHECK_INT(khufu_session_pop(session, "c", 1, &other, &other_len), KHUFU_OK);
        CHECK(other_len == 3002 && memcmp(other + 1, value, 3000) == 0);
        CHECK_INT(khufu_session_set(session, "d", 1, other, other_len), KHUFU_OK);
        cursor = 1;
        CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &view, &len), KHUFU_OK);
        CHECK_INT(khufu_session_set_string(session, key, key_len, value, 2000), KHUFU_OK);
        if (round % 8 == 7) {
            CHECK_INT(khufu_session_peek_flash(session, "", 0, &view, &len), KHUFU_OK);
            CHECK_INT(khufu_session_flash(session, view, len, "", 0, false), KHUFU_OK);
            CHECK_INT(khufu_session_pop_flash(session, "", 0, &view, &len), KHUFU_OK);
            CHECK(len > 2 * 8 * 3000 && memcmp(view + len - 3003, value, 3000) == 0);
        }
    }
    CHECK_VALUE(session, "opened", "\"text\"");
    CHECK_INT((int)khufu_session_length(session), 4);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(reading_leaves_every_view_valid);
    RUN(a_view_may_be_passed_back_into_its_own_session);
    RUN(a_view_stays_valid_while_other_text_is_freed);
    RUN(texts_from_pop_and_commit_last_until_the_next_change);
    RUN(the_header_and_all_inputs_may_be_freed_after_the_call);
    RUN(a_session_outlives_its_factory);
    RUN(error_texts_end_at_a_nul_and_last_until_the_next_call);
    RUN(factories_and_options_leak_nothing);
    khufu_factory_free(factory);
    return report();
}
