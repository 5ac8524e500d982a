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
        size_t cursor = 0;
        json = "", len = 1;
        CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &json, &len), KHUFU_ERR_TYPE);
        CHECK(json == NULL && len == 0);
        CHECK(*khufu_session_error(session) != 0);
        CHECK(!khufu_session_is_changed(session));
        CHECK_STATE(session, expected);
        khufu_session_free(session);
    }
}

/* Checks the messages that a loop over the queue gives as texts, with a | after each. */
#define CHECK_NEXT(session, queue, expected)                                                                              \
    do {                                                                                                                  \
        char found_[400] = "";                                                                                            \
        const char *string_ = NULL;                                                                                       \
        size_t string_len_ = 0, cursor_ = 0, end_ = 0;                                                                    \
        while (khufu_session_next_flash(session, queue, KHUFU_NTS, &cursor_, &string_, &string_len_) == KHUFU_OK)         \
            end_ += (size_t)snprintf(found_ + end_, sizeof found_ - end_, "%.*s|", (int)string_len_, string_);            \
        CHECK(string_ == NULL && string_len_ == 0);                                                                       \
        CHECK_STRING(found_, expected);                                                                                   \
    } while (0)

TEST(messages_are_read_as_text_one_by_one) {
    khufu_session *session = open_state(factory, "{ \"_f_\" : [ \"one\" , \"two \\\"\\u00eb\\n\" , \"\" ] , \"_f_error\" : [ \"three\" ] }");
    for (int round = 0; round < 2; round++) CHECK_NEXT(session, "", "one|two \"\xc3\xab\n||"); /* the messages stay in the queue */
    CHECK_NEXT(session, "error", "three|");
    CHECK_NEXT(session, "none", "");
    CHECK_PEEK(session, "error", "[ \"three\" ]");
    CHECK(!khufu_session_is_changed(session));
    CHECK_POP(session, "error", "[ \"three\" ]");
    CHECK_NEXT(session, "error", "");
    khufu_session_free(session);
}

TEST(a_message_that_is_not_a_string_is_read_as_json) {
    khufu_session *session = open_state(factory, "{\"_f_\":[1,1.50,null,true,{ \"a\" : [ \"b\", 1 ] },[],1180591620717411303424]}");
    CHECK_NEXT(session, "", "1|1.50|null|true|{ \"a\" : [ \"b\", 1 ] }|[]|1180591620717411303424|");
    khufu_session_free(session);
    session = open_state(factory, "{\"_f_\":[NaN,[Infinity],\"NaN\"]}"); /* as in khufu_session_next */
    CHECK_NEXT(session, "", "null|[null]|NaN|");
    khufu_session_free(session);
}

TEST(a_message_may_hold_nuls_and_lone_surrogates) {
    khufu_session *session = open_state(factory, "{\"_f_\":[\"a\\u0000b\",\"\\ud800\",\"x\\udfffy\\ud83d\\ude00\"]}");
    const char *string = NULL;
    size_t len = 0, cursor = 0;
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &string, &len), KHUFU_OK);
    CHECK(len == 3 && memcmp(string, "a\0b", 3) == 0);
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &string, &len), KHUFU_OK);
    CHECK_TEXT(string, len, "\xef\xbf\xbd");
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &string, &len), KHUFU_OK);
    CHECK_TEXT(string, len, "x\xef\xbf\xbdy\xf0\x9f\x98\x80");
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &string, &len), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &string, &len), KHUFU_NOT_FOUND);
    khufu_session_free(session);
}

TEST(texts_of_messages_stay_while_the_session_is_read) {
    khufu_session *session = open_state(factory, "{\"_f_\":[\"fi\\u0072st\",\"s\\u0065cond\"]}");
    const char *first = NULL, *second = NULL;
    size_t first_len = 0, second_len = 0, cursor = 0;
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &first, &first_len), KHUFU_OK);
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &second, &second_len), KHUFU_OK);
    CHECK_NEXT(session, "", "first|second|");
    CHECK_TEXT(first, first_len, "first");
    CHECK_TEXT(second, second_len, "second");
    CHECK_INT(khufu_session_flash_string(session, first, first_len, second, second_len, true), KHUFU_OK); /* they may be passed back in */
    CHECK_NEXT(session, "second", "first|");
    khufu_session_free(session);
}

TEST(any_cursor_is_safe) {
    khufu_session *session = open_state(factory, "{\"_f_\":[\"one\",[2,\"\xc3\xab\xe2\x82\xac\"],{\"a\":\"\\u00eb\"},\"\xf0\x9f\x94\x91\"]}");
    for (size_t start = 0; start < 200; start++) {
        const char *string = NULL;
        size_t len = 0, cursor = start < 100 ? start : SIZE_MAX - (start - 100), calls = 0;
        khufu_status status;
        while ((status = khufu_session_next_flash(session, "", 0, &cursor, &string, &len)) == KHUFU_OK && calls < 100) calls++;
        CHECK_INT(status, KHUFU_NOT_FOUND);
    }
    khufu_session_free(session);
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
    RUN(messages_are_read_as_text_one_by_one);
    RUN(a_message_that_is_not_a_string_is_read_as_json);
    RUN(a_message_may_hold_nuls_and_lone_surrogates);
    RUN(texts_of_messages_stay_while_the_session_is_read);
    RUN(any_cursor_is_safe);
    RUN(messages_that_pyramid_wrote_are_read);
    khufu_factory_free(factory);
    return report();
}
