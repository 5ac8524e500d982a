/* Flash messages: queues of JSON values that are shown once. */
#include "sessions.h"

static khufu_factory *factory;

static khufu_status flash(khufu_session *session, const char *json, const char *queue, bool allow_duplicate) {
    return khufu_session_flash(session, json, KHUFU_NTS, queue, KHUFU_NTS, allow_duplicate);
}

#define CHECK_PEEK(session, queue, expected)                                                          \
    do {                                                                                              \
        const char *json_ = NULL;                                                                     \
        size_t json_len_ = 0;                                                                         \
        CHECK_INT(khufu_session_peek_flash(session, queue, KHUFU_NTS, &json_, &json_len_), KHUFU_OK); \
        CHECK_TEXT(json_, json_len_, expected);                                                       \
    } while (0)

#define CHECK_POP(session, queue, expected)                                                          \
    do {                                                                                             \
        const char *json_ = NULL;                                                                    \
        size_t json_len_ = 0;                                                                        \
        CHECK_INT(khufu_session_pop_flash(session, queue, KHUFU_NTS, &json_, &json_len_), KHUFU_OK); \
        CHECK_TEXT(json_, json_len_, expected);                                                      \
    } while (0)

TEST(messages_are_kept_in_order_until_popped) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_flash_string(session, "one \"\xc3\xab\"", KHUFU_NTS, NULL, 0, true), KHUFU_OK);
    CHECK_INT(flash(session, " { \"code\" : 500 } ", "", true), KHUFU_OK);
    CHECK_INT(flash(session, "null", "", false), KHUFU_OK);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_PEEK(next, "", "[\"one \\\"\xc3\xab\\\"\",{\"code\":500},null]");
    CHECK_PEEK(next, "", "[\"one \\\"\xc3\xab\\\"\",{\"code\":500},null]");
    CHECK_POP(next, "", "[\"one \\\"\xc3\xab\\\"\",{\"code\":500},null]");
    CHECK_POP(next, "", "[]");
    CHECK_STATE(next, "{}");
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(each_queue_has_its_own_key) {
    khufu_session *session = open_new(factory);
    CHECK_INT(flash(session, "1", "error", true), KHUFU_OK);
    CHECK_INT(flash(session, "2", "", true), KHUFU_OK);
    CHECK_INT(flash(session, "3", "\xc3\xab \"", true), KHUFU_OK);
    CHECK_INT(khufu_session_flash(session, "4", 1, "errors", 5, true), KHUFU_OK);
    CHECK_STATE(session, "{\"_f_error\":[1,4],\"_f_\":[2],\"_f_\\u00eb \\\"\":[3]}");
    CHECK_POP(session, "error", "[1,4]");
    CHECK_PEEK(session, "error", "[]");
    CHECK_STATE(session, "{\"_f_\":[2],\"_f_\\u00eb \\\"\":[3]}");
    khufu_session_free(session);
}

TEST(popping_or_peeking_an_empty_queue_changes_nothing) {
    khufu_session *session = open_state(factory, "{\"_f_\":[],\"a\":1}");
    CHECK_PEEK(session, "none", "[]");
    CHECK_POP(session, "none", "[]");
    CHECK_PEEK(session, "", "[]");
    CHECK(!khufu_session_is_changed(session));
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);
}

TEST(duplicates_are_found_by_value) {
    const char *queue = "{\"_f_\":[\"a\\u00eb\",1,[1,{\"x\":1,\"y\":[]}],null,true,1180591620717411303424,{},0.1,\"\\ud83d\\udd11\",{\"a\":1,\"a\":2}]}";
    const char *duplicates[] = {"\"a\xc3\xab\"", "\"\\u0061\xc3\xab\"", "1", "1.0", "10e-1", "0.1e1", "[1.0,{\"y\":[],\"x\":1}]",
                                "null", "true", "1180591620717411303424", " { } ", "0.10", "1e-1", "\"\xf0\x9f\x94\x91\"", "{\"a\":2}"};
    const char *others[] = {"\"a\"", "\"a\\u00eb \"", "\"1\"", "2", "[1]", "[1,{\"x\":1,\"y\":[null]}]", "[{\"x\":1,\"y\":[]},1]",
                            "false", "1180591620717411303425", "[]", "0.100000001", "\"null\"", "\"\"", "{\"a\":1}",
                            "[1,{\"x\":1}]", "[1,{\"x\":1,\"y\":[],\"z\":1}]"};
    for (size_t i = 0; i < sizeof duplicates / sizeof *duplicates; i++) {
        khufu_session *session = open_state(factory, queue);
        CHECK_INT(flash(session, duplicates[i], "", false), KHUFU_OK);
        if (khufu_session_is_changed(session)) FAIL("%s was added", duplicates[i]);
        CHECK_INT(khufu_session_length(session), 1);
        CHECK_INT(flash(session, duplicates[i], "", true), KHUFU_OK);
        CHECK(khufu_session_is_changed(session));
        CHECK_INT(flash(session, duplicates[i], "other", false), KHUFU_OK);
        CHECK_INT(khufu_session_length(session), 2);
        khufu_session_free(session);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        khufu_session *session = open_state(factory, queue);
        CHECK_INT(flash(session, others[i], "", false), KHUFU_OK);
        if (!khufu_session_is_changed(session)) FAIL("%s was not added", others[i]);
        khufu_session_free(session);
    }
}

TEST(a_string_is_a_duplicate_of_its_json) {
    khufu_session *session = open_state(factory, "{\"_f_\":[\"say \\u0022hi\\u0022\"]}");
    CHECK_INT(khufu_session_flash_string(session, "say \"hi\"", KHUFU_NTS, "", 0, false), KHUFU_OK);
    CHECK(!khufu_session_is_changed(session));
    CHECK_INT(khufu_session_flash_string(session, "say hi", KHUFU_NTS, "", 0, false), KHUFU_OK);
    CHECK_STATE(session, "{\"_f_\":[\"say \\\"hi\\\"\",\"say hi\"]}");
    khufu_session_free(session);
}

TEST(a_queue_key_that_is_not_a_list_is_kept) {
    const char *states[] = {"{\"_f_\":\"text\"}", "{\"_f_\":{\"a\":[]}}", "{\"_f_\":null}", "{\"_f_\":1}"};
    for (size_t i = 0; i < 4; i++) {
        khufu_session *session = open_state(factory, states[i]);
        const char *json = "", *expected = states[i];
        size_t len = 1;
        CHECK_INT(flash(session, "1", "", true), KHUFU_ERR_TYPE);
        CHECK_INT(flash(session, "1", "", false), KHUFU_ERR_TYPE);
        CHECK_INT(khufu_session_flash_string(session, "1", 1, "", 0, true), KHUFU_ERR_TYPE);
        CHECK_INT(khufu_session_peek_flash(session, "", 0, &json, &len), KHUFU_ERR_TYPE);
        CHECK(json == NULL && len == 0);
        json = "", len = 1;
        CHECK_INT(khufu_session_pop_flash(session, "", 0, &json, &len), KHUFU_ERR_TYPE);
        CHECK(json == NULL && len == 0);
        CHECK(*khufu_session_error(session) != 0);
        CHECK(!khufu_session_is_changed(session));
        CHECK_STATE(session, expected);
        khufu_session_free(session);
    }
}

TEST(messages_that_pyramid_wrote_are_read) {
    khufu_session *session = open_state(factory, "{ \"_f_\" : [ \"one\" , \"two\" ] , \"_f_error\" : [ { \"code\" : 500 } ] }");
    const char *json = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_pop_flash(session, "", 0, &json, &len), KHUFU_OK);
    CHECK(same_json(json, len, "[\"one\",\"two\"]", 13));
    CHECK_INT(flash(session, "2", "error", true), KHUFU_OK);
    CHECK_STATE(session, "{\"_f_error\":[{\"code\":500},2]}");
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(messages_are_kept_in_order_until_popped);
    RUN(each_queue_has_its_own_key);
    RUN(popping_or_peeking_an_empty_queue_changes_nothing);
    RUN(duplicates_are_found_by_value);
    RUN(a_string_is_a_duplicate_of_its_json);
    RUN(a_queue_key_that_is_not_a_list_is_kept);
    RUN(messages_that_pyramid_wrote_are_read);
    khufu_factory_free(factory);
    return report();
}
