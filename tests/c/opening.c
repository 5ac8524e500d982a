/* Opening: each kind of cookie, and its load result. */
#include "sessions.h"

#include <math.h>

static khufu_factory *factory;

/* Opens a payload at NOW and checks the load result. A refused payload must set an error and open a new and empty
   session. */
static void check_payload(const char *payload, size_t len, khufu_load_result expected) {
    char *value = forge_signed(payload, len);
    khufu_session *session = open_value(factory, value, NOW);
    khufu_load_result result = khufu_session_load_result(session);
    if (result != expected)
        FAIL("%.80s: %s, not %s", payload, khufu_load_result_name(result), khufu_load_result_name(expected));
    bool loaded = expected == KHUFU_LOAD_LOADED;
    CHECK(khufu_session_is_new(session) == !loaded);
    if (!loaded) CHECK_INT(khufu_session_length(session), 0);
    if ((*khufu_session_error(session) == 0) != loaded) FAIL("%.80s: error \"%s\"", payload, khufu_session_error(session));
    khufu_session_free(session);
    free(value);
}

TEST(a_cookie_that_verifies_is_the_session) {
    khufu_session *session = open_payload(factory, "[1700000000, 1699999899.75, {\"a\": 1}]");
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK(!khufu_session_is_new(session));
    CHECK(!khufu_session_is_changed(session));
    CHECK_DOUBLE(khufu_session_created(session), 1699999899.75);
    CHECK_DOUBLE(khufu_session_renewed(session), 1700000000);
    CHECK_DOUBLE(khufu_session_accessed(session), 1700000000);
    CHECK_STRING(khufu_session_error(session), "");
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
}

TEST(open_reads_the_clock_once) {
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open(factory, NULL, 0, &session), KHUFU_OK);
    double created = khufu_session_created(session);
    CHECK(created > 1700000000 && created < 1e11);
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    CHECK_DOUBLE(khufu_session_accessed(session), floor(created));
    char *header = next_request(session);
    khufu_session *again = NULL;
    CHECK_INT(khufu_session_open(factory, header, KHUFU_NTS, &again), KHUFU_OK);
    CHECK_INT(khufu_session_load_result(again), KHUFU_LOAD_LOADED);
    CHECK_DOUBLE(khufu_session_created(again), created);
    free(header);
    khufu_session_free(again);
    khufu_session_free(session);
}

TEST(a_session_idle_for_longer_than_the_timeout_has_expired) {
    khufu_factory *brief = FACTORY("secret", SECRET, "timeout", "60");
    char *value = forge_text("[1700000000,1700000000.0,{\"a\":1}]");
    const struct {
        double now;
        khufu_load_result expected;
    } opened[] = {{1700000000, KHUFU_LOAD_LOADED},     {1700000060, KHUFU_LOAD_LOADED},
                  {1700000060.125, KHUFU_LOAD_EXPIRED}, {1700000061, KHUFU_LOAD_EXPIRED},
                  {4e9, KHUFU_LOAD_EXPIRED},           {1600000000, KHUFU_LOAD_LOADED}};
    for (size_t i = 0; i < sizeof opened / sizeof *opened; i++) {
        khufu_session *session = open_value(brief, value, opened[i].now);
        CHECK_INT(khufu_session_load_result(session), opened[i].expected);
        if (opened[i].expected == KHUFU_LOAD_EXPIRED) {
            CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, opened[i].now);
            CHECK(*khufu_session_error(session) != 0);
        }
        khufu_session_free(session);
    }
    free(value);
    khufu_factory_free(brief);
}

TEST(the_timeout_is_1200_seconds_by_default_and_may_be_unset) {
    khufu_factory *endless = FACTORY("secret", SECRET, "timeout", "");
    khufu_session *in_time = open_payload(factory, "[1699998860,1,{}]"), *late = open_payload(factory, "[1699998859,1,{}]");
    khufu_session *ancient = open_payload(endless, "[0,0,{}]");
    CHECK_INT(khufu_session_load_result(in_time), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_session_load_result(late), KHUFU_LOAD_EXPIRED);
    CHECK_INT(khufu_session_load_result(ancient), KHUFU_LOAD_LOADED);
    khufu_session_free(in_time);
    khufu_session_free(late);
    khufu_session_free(ancient);
    khufu_factory_free(endless);
}

TEST(a_previous_secret_opens_and_is_replaced_at_commit) {
    khufu_factory *rotated = FACTORY("secret", "new", "previous_secret", "older", "previous_secret", SECRET,
                                     "previous_secret_hex", "ff00ff");
    khufu_session *session = open_payload(rotated, "[1700000060,1700000060.0,{\"a\":1}]");
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
    CHECK(!khufu_session_is_new(session));
    char *header = next_request(session); /* neither read nor written */
    khufu_session *next = open_at(rotated, header, NOW);
    CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
    CHECK_STATE(next, "{\"a\":1}");
    khufu_session *old = open_at(factory, header, NOW);
    CHECK_EMPTY(old, KHUFU_LOAD_BAD_SIGNATURE, NOW);
    free(header);
    khufu_session_free(old);
    khufu_session_free(next);
    khufu_session_free(session);
    khufu_factory_free(rotated);
}

TEST(a_wrong_signature_is_bad) {
    const char *payload = "[1700000060,1700000060.0,{\"a\":1}]";
    char *values[] = {forge_signed_as(SALT, "another", payload, strlen(payload)),
                      forge_signed_as("another.", SECRET, payload, strlen(payload)),
                      forge_signed_as("", "", payload, strlen(payload)), forge_signed_as(SALT, "x", "", 0)};
    for (size_t i = 0; i < 4; i++) {
        khufu_session *session = open_value(factory, values[i], NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_BAD_SIGNATURE, NOW);
        CHECK(*khufu_session_error(session) != 0);
        CHECK(strstr(khufu_session_error(session), values[i]) == NULL);
        khufu_session_free(session);
        free(values[i]);
    }
}

TEST(a_cookie_that_is_not_base64_or_too_short_is_malformed) {
    char *good = forge_text("[1700000060,1700000060,{}]");
    size_t length = strlen(good);
    REQUIRE(length % 4 != 1);
    char *values[] = {
        joined("", "", ""),        joined("x", "", ""),         joined("xyz", "", ""),        joined("====", "", ""),
        joined(good, "!", ""),     joined("*", good, ""),       joined(good, "\xc3\xa4", ""), joined(good, "\xff", ""),
        joined(good, "====", ""),  joined("=", good, ""),       joined(good, "=A", ""),       joined("%41", good, ""),
        text_copy(good, 80),       joined(good, "+", "AB"),     joined(good, "/", "AB"),
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        khufu_session *session = open_value(factory, values[i], NOW);
        if (khufu_session_load_result(session) != KHUFU_LOAD_MALFORMED)
            FAIL("%s: %s", values[i], khufu_load_result_name(khufu_session_load_result(session)));
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        CHECK(*khufu_session_error(session) != 0);
        khufu_session_free(session);
        free(values[i]);
    }
    free(good);
}

TEST(padding_is_optional_and_trailing_bits_must_be_zero) {
    for (int spaces = 0; spaces < 3; spaces++) {
        char payload[40];
        int len = snprintf(payload, sizeof payload, "[1700000060,1700000060,{}%*s]", spaces, "");
        char *value = forge_signed(payload, (size_t)len);
        size_t length = strlen(value), padding = (4 - length % 4) % 4;
        char *padded = joined(value, &"=="[2 - padding], "");
        khufu_session *session = open_value(factory, padded, NOW);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        khufu_session_free(session);
        if (padding > 0) {
            const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            value[length - 1] = strchr(alphabet, value[length - 1])[1];
            session = open_value(factory, value, NOW);
            CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
            khufu_session_free(session);
        }
        free(padded);
        free(value);
    }
}

TEST(a_payload_of_another_shape_is_malformed) {
    const char *payloads[] = {
        "", " ", "null", "{}", "[]", "[1700000060]", "[1700000060,1700000060]", "[1700000060,1700000060,{},0]",
        "[1700000060,1700000060,[]]", "[1700000060,1700000060,null]", "[1700000060,1700000060,\"{}\"]",
        "[\"1700000060\",1700000060,{}]", "[1700000060,\"1700000060\",{}]", "[null,1700000060,{}]",
        "[1700000060,null,{}]", "[[],1700000060,{}]", "[true,1700000060,{}]", "[1700000060,false,{}]",
        "[NaN,1700000060,{}]", "[1700000060,NaN,{}]", "[Infinity,1700000060,{}]", "[1700000060,-Infinity,{}]",
        "[1e400,1700000060,{}]", "[1700000060,-1e400,{}]", "[1700000060,1700000060,{}",
        "[1700000060,1700000060,{}]]", "[1700000060,1700000060,{}]x", "[1700000060,1700000060,{}],",
        "[1700000060 1700000060,{}]", "[1700000060,1700000060,{},]", "[,1700000060,{}]", "[01,1700000060,{}]",
        "[+1,1700000060,{}]", "[1.,1700000060,{}]", "[.5,1700000060,{}]", "[1e,1700000060,{}]", "[-,1700000060,{}]",
        "[0x1,1700000060,{}]", "['1',1700000060,{}]", "1700000060,1700000060,{}",
        "\xef\xbb\xbf[1700000060,1700000060,{}]",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        check_payload(payloads[i], strlen(payloads[i]), KHUFU_LOAD_MALFORMED);
    check_payload("[1700000060,1700000060,{}]\0", 27, KHUFU_LOAD_MALFORMED);
}

TEST(a_state_that_is_not_json_is_malformed) {
    const char *states[] = {
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
        "{\"a\":tru}", "{\"a\":True}", "{\"a\":nul}", "{\"a\":nan}", "{\"a\":inf}", "{\"a\":+Infinity}", "{\"a\":01}",
        "{\"a\":-}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e+}", "{\"a\":1_000}", "{\"a\":0x10}", "{\"a\":\"}",
        "{\"a\":\"\\x41\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u123\"}", "{\"a\":\"\\\"}", "{\"a\":\"\n\"}",
        "{\"a\":\"\t\"}", "{\"a\n\":1}", "{\"a\":\"\x01\"}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":{]}",
        "{\"a\":\"\xff\"}", "{\"a\":\"\xc3\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"\xff\":1}", "{\"a\":/**/1}", "{\"a\":1}}", "{\"a\":1;\"b\":2}",
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        char *payload = joined("[1700000060,1700000060.0,", states[i], "]");
        check_payload(payload, strlen(payload), KHUFU_LOAD_MALFORMED);
        free(payload);
    }
    check_payload("[1700000060,1700000060,{\"a\":\"\0\"}]", 33, KHUFU_LOAD_MALFORMED);
}

/* A payload with a value of `levels` nested arrays. */
static char *nested_payload(size_t levels) {
    char *payload = allocate(2 * levels + 64), *at = payload;
    at += sprintf(at, "[1700000060,1700000060,{\"a\":");
    memset(at, '[', levels);
    memset(at + levels, ']', levels);
    strcpy(at + 2 * levels, "}]");
    return payload;
}

TEST(a_thousand_levels_open_and_more_do_not) {
    const struct {
        size_t levels;
        khufu_load_result expected;
    } nested[] = {{500, KHUFU_LOAD_LOADED}, {1000, KHUFU_LOAD_LOADED}, {1001, KHUFU_LOAD_UNSUPPORTED}, {1400, KHUFU_LOAD_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) {
        char *payload = nested_payload(nested[i].levels);
        check_payload(payload, strlen(payload), nested[i].expected);
        free(payload);
    }
    char *deep = allocate(300001);
    memset(deep, '[', 300000);
    deep[300000] = 0;
    check_payload(deep, 300000, KHUFU_LOAD_MALFORMED); /* nested instead of the time */
    free(deep);
}

/* A payload with nested lists and objects in an irregular order. The level `wrong` closes as the other kind. */
static char *mixed_payload(size_t levels, size_t wrong) {
    char *payload = allocate(7 * levels + 64), *at = payload;
    at += sprintf(at, "[1700000060,1700000060,{\"a\":");
    for (size_t level = 0; level < levels; level++) at += sprintf(at, level * level % 3 == 0 ? "[" : "{\"b\":");
    at += sprintf(at, "0");
    for (size_t level = levels; level-- > 0;) *at++ = (level * level % 3 == 0) != (level == wrong) ? ']' : '}';
    strcpy(at, "}]");
    return payload;
}

TEST(every_level_closes_as_it_opened) {
    const size_t depths[] = {1, 2, 63, 64, 65, 128, 999, 1000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        for (size_t wrong = 0; wrong <= depths[i]; wrong += depths[i] < 100 ? 1 : 37) {
            char *payload = mixed_payload(depths[i], wrong);
            check_payload(payload, strlen(payload), wrong == depths[i] ? KHUFU_LOAD_LOADED : KHUFU_LOAD_MALFORMED);
            free(payload);
        }
        char *payload = mixed_payload(depths[i], SIZE_MAX);
        check_payload(payload, strlen(payload), KHUFU_LOAD_LOADED);
        free(payload);
    }
}

TEST(json_that_only_python_writes_opens) {
    const char *payloads[] = {"[1700000060,1700000060.0,{\"a\":NaN,\"b\":[Infinity,{\"c\":-Infinity}]}]",
                              "[1700000060,1700000060.0,{\"a\":\"\\ud800\",\"\\udfff\":1}]",
                              " [ 1700000060 , 17e8 ,\n{ \"a\" : 1 , \"a\" : 2 } ]\t\r\n", "[-0,-0.0,{}]"};
    khufu_factory *endless = FACTORY("secret", SECRET, "timeout", "");
    for (size_t i = 0; i < 4; i++) {
        khufu_session *session = open_payload(endless, payloads[i]);
        if (khufu_session_load_result(session) != KHUFU_LOAD_LOADED) FAIL("%s", payloads[i]);
        khufu_session_free(session);
    }
    khufu_factory_free(endless);
}

TEST(an_invalid_time_is_an_argument_error) {
    const double clocks[] = {NAN, INFINITY, 253402300800.0};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        khufu_session *session = NULL;
        CHECK_INT(khufu_session_open_with(factory, NULL, 0, clocks[i], -1, 0, &session), KHUFU_ERR_ARGUMENT);
        CHECK_CONTAINS(khufu_session_error(session), "1970");
        khufu_session_free(session);
    }
}

TEST(a_negative_time_is_the_clocks_and_any_other_is_the_sessions) {
    const double clocks[] = {-1, -1e-300, -INFINITY}, given[] = {0, -0.0, NOW, 253402300799.0};
    khufu_session *session = NULL;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        CHECK_INT(khufu_session_open_with(factory, NULL, 0, clocks[i], -1, 0, &session), KHUFU_OK);
        CHECK(khufu_session_created(session) > NOW && khufu_session_created(session) < 1e11);
        khufu_session_free(session);
    }
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        CHECK_INT(khufu_session_open_with(factory, NULL, 0, given[i], -1, 0, &session), KHUFU_OK);
        CHECK_DOUBLE(khufu_session_created(session), given[i]);
        khufu_session_free(session);
    }
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_cookie_that_verifies_is_the_session);
    RUN(open_reads_the_clock_once);
    RUN(a_session_idle_for_longer_than_the_timeout_has_expired);
    RUN(the_timeout_is_1200_seconds_by_default_and_may_be_unset);
    RUN(a_previous_secret_opens_and_is_replaced_at_commit);
    RUN(a_wrong_signature_is_bad);
    RUN(a_cookie_that_is_not_base64_or_too_short_is_malformed);
    RUN(padding_is_optional_and_trailing_bits_must_be_zero);
    RUN(a_payload_of_another_shape_is_malformed);
    RUN(a_state_that_is_not_json_is_malformed);
    RUN(a_thousand_levels_open_and_more_do_not);
    RUN(every_level_closes_as_it_opened);
    RUN(json_that_only_python_writes_opens);
    RUN(an_invalid_time_is_an_argument_error);
    RUN(a_negative_time_is_the_clocks_and_any_other_is_the_sessions);
    khufu_factory_free(factory);
    return report();
}
