/* Values: which texts are JSON, which numbers and strings are accepted, and that each is read as it was set. */
#include "sessions.h"

#include <float.h>
#include <math.h>

static khufu_factory *factory;

static khufu_status set(khufu_session *session, const char *key, const char *json) {
    return khufu_session_set(session, key, KHUFU_NTS, json, KHUFU_NTS);
}

TEST(numbers_are_read_if_they_fit_the_type) {
    const struct {
        const char *json;
        khufu_status integer_status;
        int64_t integer;
        khufu_status number_status;
        double number;
    } numbers[] = {
        {"0", KHUFU_OK, 0, KHUFU_OK, 0},
        {"-0", KHUFU_OK, 0, KHUFU_OK, 0},
        {"-7", KHUFU_OK, -7, KHUFU_OK, -7},
        {"9223372036854775807", KHUFU_OK, INT64_MAX, KHUFU_OK, 9223372036854775808.0},
        {"-9223372036854775808", KHUFU_OK, INT64_MIN, KHUFU_OK, -9223372036854775808.0},
        {"9223372036854775808", KHUFU_ERR_RANGE, 0, KHUFU_OK, 9223372036854775808.0},
        {"-9223372036854775809", KHUFU_ERR_RANGE, 0, KHUFU_OK, -9223372036854775808.0},
        {"1180591620717411303424", KHUFU_ERR_RANGE, 0, KHUFU_OK, 1180591620717411303424.0},
        {"9007199254740993", KHUFU_OK, 9007199254740993, KHUFU_OK, 9007199254740992.0},
        {"1.0", KHUFU_ERR_TYPE, 0, KHUFU_OK, 1},
        {"1e3", KHUFU_ERR_TYPE, 0, KHUFU_OK, 1000},
        {"1E+300", KHUFU_ERR_TYPE, 0, KHUFU_OK, 1e300},
        {"5e-324", KHUFU_ERR_TYPE, 0, KHUFU_OK, 5e-324},
        {"1e-400", KHUFU_ERR_TYPE, 0, KHUFU_OK, 0},
        {"0.1", KHUFU_ERR_TYPE, 0, KHUFU_OK, 0.1},
    };
    khufu_session *session = open_new(factory);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t integer = 9;
        double number = 9;
        CHECK_INT(set(session, "n", numbers[i].json), KHUFU_OK);
        CHECK_VALUE(session, "n", numbers[i].json); /* every digit is kept */
        CHECK_INT(khufu_session_get_int64(session, "n", 1, &integer), numbers[i].integer_status);
        CHECK_INT(integer, numbers[i].integer);
        CHECK_INT(khufu_session_get_double(session, "n", 1, &number), numbers[i].number_status);
        CHECK_DOUBLE(number, numbers[i].number);
    }
    char digits[402];
    memset(digits, '9', 400);
    digits[400] = 0;
    double number = 9;
    int64_t integer = 9;
    CHECK_INT(set(session, "n", digits), KHUFU_OK);
    CHECK_INT(khufu_session_get_double(session, "n", 1, &number), KHUFU_ERR_RANGE);
    CHECK_INT(khufu_session_get_int64(session, "n", 1, &integer), KHUFU_ERR_RANGE);
    CHECK_DOUBLE(number, 0);
    CHECK_INT(integer, 0);
    khufu_session_free(session);
}

TEST(a_number_that_overflows_is_kept_as_text_and_cannot_be_set) {
    khufu_session *session = open_state(factory, "{\"n\":-1e400}");
    double number = 9;
    const char *json = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_get_double(session, "n", 1, &number), KHUFU_ERR_RANGE);
    CHECK_DOUBLE(number, 0);
    CHECK_VALUE(session, "n", "-1e400");
    CHECK_INT(set(session, "n", "[1e400]"), KHUFU_ERR_RANGE);
    CHECK_CONTAINS(khufu_session_error(session), "\"n\"");
    CHECK_CONTAINS(khufu_session_error(session), "1.7976931348623157e308");
    CHECK_INT(khufu_session_setdefault(session, "m", 1, "1e400", 5, &json, &len), KHUFU_ERR_RANGE);
    CHECK_INT(khufu_session_update(session, "{\"m\":{\"k\":1e400}}", KHUFU_NTS), KHUFU_ERR_RANGE);
    CHECK_CONTAINS(khufu_session_error(session), "\"m\"");
    CHECK_INT(khufu_session_flash(session, "1e400", 5, "", 0, true), KHUFU_ERR_RANGE);
    CHECK_STATE(session, "{\"n\":-1e400}");
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
}

TEST(a_double_is_written_with_a_fraction_or_an_exponent) {
    const double numbers[] = {0, -0.0, 1, -1, 0.1, 1e15, 1e16, 1e21, 1e22, 1e300, DBL_MAX, DBL_MIN, 5e-324, 1.0 / 3, 123456789.125};
    khufu_session *session = open_new(factory);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *json = NULL;
        size_t len = 0;
        double number = 9;
        CHECK_INT(khufu_session_set_double(session, "n", 1, numbers[i]), KHUFU_OK);
        CHECK_INT(khufu_session_get(session, "n", 1, &json, &len), KHUFU_OK);
        char *text = text_copy(json, len);
        CHECK(strpbrk(text, ".e") != NULL);
        CHECK_INT(khufu_session_get_double(session, "n", 1, &number), KHUFU_OK);
        CHECK_DOUBLE(number, numbers[i]);
        CHECK(signbit(number) == signbit(numbers[i]));
        free(text);
    }
    CHECK_INT(khufu_session_set_double(session, "n", 1, 1.5), KHUFU_OK);
    const double not_finite[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(khufu_session_set_double(session, "n", 1, not_finite[i]), KHUFU_ERR_RANGE);
        CHECK(*khufu_session_error(session) != 0);
        CHECK_VALUE(session, "n", "1.5");
    }
    khufu_session_free(session);
}

TEST(text_that_is_not_json_is_refused_and_changes_nothing) {
    const char *texts[] = {"", " ", "x", "nul", "True", "'a'", "\"a", "[1,]", "{\"a\":1,}", "{a:1}", "1 2", "01", "1.", ".5",
                           "+1", "0x1", "1e", "--1", "[", "]", "{\"a\"}", "\"\n\"", "\"\\x\"", "\"\\u12\"", "NaN", "Infinity",
                           "-Infinity", "[NaN]", "{\"a\":[1,-Infinity]}", "//", "1//", "undefined", "\xef\xbb\xbf" "1"};
    khufu_session *session = open_state(factory, "{\"a\":1,\"_f_\":[1]}");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *value = "";
        size_t len = 1;
        khufu_status statuses[] = {
            set(session, "a", texts[i]), set(session, "b", texts[i]), khufu_session_update(session, texts[i], KHUFU_NTS),
            khufu_session_setdefault(session, "c", 1, texts[i], KHUFU_NTS, &value, &len),
            khufu_session_flash(session, texts[i], KHUFU_NTS, NULL, 0, true),
        };
        for (size_t at = 0; at < 5; at++)
            if (statuses[at] != KHUFU_ERR_JSON) FAIL("%s, call %zu: %d", texts[i], at, statuses[at]);
        CHECK(value == NULL && len == 0);
        CHECK(*khufu_session_error(session) != 0);
    }
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":1,\"_f_\":[1]}");
    khufu_session_free(session);
}

TEST(bytes_that_are_not_utf8_are_refused_and_change_nothing) {
    const char *texts[] = {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"};
    khufu_session *session = open_state(factory, "{\"a\":1}");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = texts[i], *view = NULL;
        size_t len = 0;
        int64_t integer;
        double number;
        bool flag;
        char *quoted = joined("\"", text, "\"");
        const khufu_status statuses[] = {
            khufu_session_get(session, text, KHUFU_NTS, &view, &len),
            khufu_session_get_string(session, text, KHUFU_NTS, &view, &len),
            khufu_session_get_int64(session, text, KHUFU_NTS, &integer),
            khufu_session_get_double(session, text, KHUFU_NTS, &number),
            khufu_session_get_bool(session, text, KHUFU_NTS, &flag),
            khufu_session_contains(session, text, KHUFU_NTS, &flag),
            khufu_session_set(session, text, KHUFU_NTS, "1", 1),
            khufu_session_set_string(session, text, KHUFU_NTS, "1", 1),
            khufu_session_set_string(session, "a", 1, text, KHUFU_NTS),
            khufu_session_set_int64(session, text, KHUFU_NTS, 1),
            khufu_session_set_double(session, text, KHUFU_NTS, 1),
            khufu_session_set_bool(session, text, KHUFU_NTS, true),
            khufu_session_set_null(session, text, KHUFU_NTS),
            khufu_session_setdefault(session, text, KHUFU_NTS, "1", 1, NULL, NULL),
            khufu_session_delete(session, text, KHUFU_NTS),
            khufu_session_pop(session, text, KHUFU_NTS, &view, &len),
            khufu_session_flash(session, "1", 1, text, KHUFU_NTS, true),
            khufu_session_flash_string(session, "1", 1, text, KHUFU_NTS, true),
            khufu_session_flash_string(session, text, KHUFU_NTS, "", 0, true),
            khufu_session_pop_flash(session, text, KHUFU_NTS, &view, &len),
            khufu_session_peek_flash(session, text, KHUFU_NTS, &view, &len),
        };
        for (size_t at = 0; at < sizeof statuses / sizeof *statuses; at++)
            if (statuses[at] != KHUFU_ERR_UTF8) FAIL("text %zu, call %zu: %d", i, at, statuses[at]);
        CHECK_INT(set(session, "a", quoted), KHUFU_ERR_UTF8);
        CHECK(*khufu_session_error(session) != 0);
        free(quoted);
    }
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
}

TEST(a_value_may_nest_five_hundred_levels) {
    khufu_session *session = open_new(factory);
    for (size_t levels = 499; levels <= 501; levels++) {
        char json[1100];
        memset(json, '[', levels);
        memset(json + levels, ']', levels);
        CHECK_INT(khufu_session_set(session, "deep", 4, json, 2 * levels), levels <= 500 ? KHUFU_OK : KHUFU_ERR_JSON);
    }
    char *deepest = allocate(2000000);
    memset(deepest, '[', 1000000);
    memset(deepest + 1000000, ']', 1000000);
    CHECK_INT(khufu_session_set(session, "deep", 4, deepest, 2000000), KHUFU_ERR_JSON);
    CHECK_INT(khufu_session_flash(session, deepest, 2000000, "", 0, false), KHUFU_ERR_JSON);
    free(deepest);
    const char *json = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_get(session, "deep", 4, &json, &len), KHUFU_OK);
    CHECK_INT(len, 1000);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

/* Sets JSON from a block of exactly its size, so that valgrind detects a read beyond it. */
static khufu_status set_exactly(khufu_session *session, const char *json, size_t len) {
    char *exact = allocate(len);
    memcpy(exact, json, len);
    khufu_status status = khufu_session_set(session, "a", 1, exact, len);
    free(exact);
    return status;
}

TEST(every_byte_of_a_text_is_checked_at_every_position) {
    enum { LONGEST = 150 };
    const struct {
        const char *piece;
        khufu_status status;
    } pieces[] = {{"x", KHUFU_OK},          {"\\\"", KHUFU_OK},    {"\\u00eb", KHUFU_OK},   {"\xc3\xab", KHUFU_OK},
                  {"\x7f", KHUFU_OK},       {"\x01", KHUFU_ERR_JSON}, {"\n", KHUFU_ERR_JSON},    {"\x1f", KHUFU_ERR_JSON},
                  {"\"", KHUFU_ERR_JSON},   {"\\x", KHUFU_ERR_JSON}, {"\\u00e", KHUFU_ERR_JSON}, {"\\", KHUFU_ERR_JSON},
                  {"\xff", KHUFU_ERR_UTF8}, {"\xc3", KHUFU_ERR_UTF8}, {"\xed\xa0\x80", KHUFU_ERR_UTF8}};
    khufu_session *session = open_new(factory);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t before = 0; before < LONGEST; before++) {
            for (size_t after = 0; after < 70; after += 23) {
                char json[LONGEST + 100], pad[LONGEST + 1];
                memset(pad, 'z', LONGEST);
                int len = snprintf(json, sizeof json, "\"%.*s%s%.*s\"", (int)before, pad, pieces[i].piece, (int)after, pad);
                khufu_status status = set_exactly(session, json, (size_t)len);
                if (status != pieces[i].status) FAIL("%.*s gives %d, not %d", len, json, status, pieces[i].status);
                if (status != KHUFU_OK) continue;
                const char *text = NULL, *value = NULL;
                size_t text_len = 0, value_len = 0;
                CHECK_INT(khufu_session_get(session, "a", 1, &value, &value_len), KHUFU_OK);
                CHECK(same_json(value, value_len, json, (size_t)len));
                CHECK_INT(khufu_session_get_string(session, "a", 1, &text, &text_len), KHUFU_OK);
                CHECK_INT(khufu_session_set_string(session, "b", 1, text, text_len), KHUFU_OK);
                CHECK_INT(khufu_session_get(session, "b", 1, &value, &value_len), KHUFU_OK);
                CHECK(same_json(value, value_len, json, (size_t)len));
            }
        }
    }
    khufu_session_free(session);
}

TEST(every_character_is_escaped_at_every_position) {
    khufu_session *session = open_new(factory);
    for (int byte = 0; byte < 128; byte++) {
        for (size_t at = 0; at < 70; at++) {
            char text[71], json[100];
            memset(text, 'z', sizeof text);
            text[at] = (char)byte;
            CHECK_INT(khufu_session_set_string(session, "a", 1, text, sizeof text), KHUFU_OK);
            int len = snprintf(json, sizeof json, "\"%.*s\\u%04x%.*s\"", (int)at, text, byte, (int)(70 - at), text + at + 1);
            const char *value = NULL, *again = NULL;
            size_t value_len = 0, again_len = 0;
            CHECK_INT(khufu_session_get(session, "a", 1, &value, &value_len), KHUFU_OK);
            if (!same_json(value, value_len, json, (size_t)len)) FAIL("byte %d at %zu: %.*s", byte, at, (int)value_len, value);
            CHECK_INT(khufu_session_get_string(session, "a", 1, &again, &again_len), KHUFU_OK);
            CHECK(again_len == sizeof text && memcmp(again, text, sizeof text) == 0);
        }
    }
    khufu_session_free(session);
}

TEST(values_that_json_does_not_have_are_kept) {
    const char *state = "{\"nan\":NaN,\"up\":Infinity,\"down\":-Infinity,\"in\":[1,{\"a\":NaN}],\"lone\":\"\\ud800\",\"\\udc00\":1,\"ok\":1}";
    khufu_session *session = open_state(factory, state);
    const char *text = "";
    size_t len = 1;
    double number = 0;
    CHECK_INT(khufu_session_get_double(session, "nan", 3, &number), KHUFU_OK);
    CHECK(isnan(number));
    CHECK_INT(khufu_session_get_double(session, "up", 2, &number), KHUFU_OK);
    CHECK_DOUBLE(number, INFINITY);
    CHECK_INT(khufu_session_get_double(session, "down", 4, &number), KHUFU_OK);
    CHECK_DOUBLE(number, -INFINITY);
    const char *keys[] = {"nan", "up", "down", "in"};
    for (size_t i = 0; i < 4; i++) {
        text = "", len = 1;
        CHECK_INT(khufu_session_get(session, keys[i], KHUFU_NTS, &text, &len), KHUFU_ERR_TYPE);
        CHECK(text == NULL && len == 0);
    }
    int64_t integer;
    CHECK_INT(khufu_session_get_int64(session, "nan", 3, &integer), KHUFU_ERR_TYPE);
    CHECK_INT(khufu_session_get_string(session, "lone", 4, &text, &len), KHUFU_ERR_TYPE);
    CHECK_INT(khufu_session_get(session, "lone", 4, &text, &len), KHUFU_OK);
    CHECK(same_json(text, len, "\"\\ud800\"", 8));
    CHECK_STATE(session, "{\"nan\":null,\"up\":null,\"down\":null,\"in\":[1,{\"a\":null}],\"lone\":\"\\ud800\",\"\\udc00\":1,\"ok\":1}");
    CHECK_INT(set(session, "ok", "2"), KHUFU_OK);
    char *header = next_request(session);
    size_t bytes_len = 0;
    unsigned char *bytes = base64_decode(header + strlen("session="), &bytes_len);
    char *payload = text_copy((char *)bytes + MAC_SIZE, bytes_len - MAC_SIZE), *written = strchr(payload, '{');
    REQUIRE(written != NULL);
    const char *expected = "{\"nan\":NaN,\"up\":Infinity,\"down\":-Infinity,\"in\":[1,{\"a\":NaN}],\"lone\":\"\\ud800\",\"\\udc00\":1,\"ok\":2}";
    CHECK(same_json(written, strlen(written) - 1, expected, strlen(expected)));
    free(payload);
    free(bytes);
    free(header);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_number_that_overflows_is_kept_as_text_and_cannot_be_set);
    RUN(numbers_are_read_if_they_fit_the_type);
    RUN(a_double_is_written_with_a_fraction_or_an_exponent);
    RUN(text_that_is_not_json_is_refused_and_changes_nothing);
    RUN(bytes_that_are_not_utf8_are_refused_and_change_nothing);
    RUN(a_value_may_nest_five_hundred_levels);
    RUN(every_byte_of_a_text_is_checked_at_every_position);
    RUN(every_character_is_escaped_at_every_position);
    RUN(values_that_json_does_not_have_are_kept);
    khufu_factory_free(factory);
    return report();
}
