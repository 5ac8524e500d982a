/* The session as a dictionary: values are read as they were set, in order and with their types. A failed call changes
   nothing. */
#include "sessions.h"

static khufu_factory *factory;

static khufu_status set(khufu_session *session, const char *key, const char *json) {
    return khufu_session_set(session, key, KHUFU_NTS, json, KHUFU_NTS);
}

TEST(set_values_can_be_read) {
    khufu_session *session = open_new(factory);
    int64_t integer = 0;
    double number = 0;
    bool flag = true;
    const char *text = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_set_string(session, "name", 4, "Zo\xc3\xab \"\\\n\x01", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "least", 5, INT64_MIN), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "most", 4, INT64_MAX), KHUFU_OK);
    CHECK_INT(khufu_session_set_double(session, "third", 5, 1.0 / 3), KHUFU_OK);
    CHECK_INT(khufu_session_set_bool(session, "yes", 3, true), KHUFU_OK);
    CHECK_INT(khufu_session_set_bool(session, "no", 2, false), KHUFU_OK);
    CHECK_INT(khufu_session_set_null(session, "nothing", 7), KHUFU_OK);
    CHECK_INT(set(session, "cart", " { \"A-1\" : [ 1 , 2 ] } "), KHUFU_OK);
    CHECK_INT(khufu_session_get_string(session, "name", 4, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "Zo\xc3\xab \"\\\n\x01");
    CHECK_INT(khufu_session_get_int64(session, "least", 5, &integer), KHUFU_OK);
    CHECK_INT(integer, INT64_MIN);
    CHECK_INT(khufu_session_get_int64(session, "most", 4, &integer), KHUFU_OK);
    CHECK_INT(integer, INT64_MAX);
    CHECK_INT(khufu_session_get_double(session, "third", 5, &number), KHUFU_OK);
    CHECK_DOUBLE(number, 1.0 / 3);
    CHECK_INT(khufu_session_get_bool(session, "yes", 3, &flag), KHUFU_OK);
    CHECK(flag);
    CHECK_INT(khufu_session_get_bool(session, "no", 2, &flag), KHUFU_OK);
    CHECK(!flag);
    CHECK_VALUE(session, "nothing", "null");
    CHECK_VALUE(session, "cart", "{\"A-1\":[1,2]}"); /* compact */
    CHECK_INT(khufu_session_length(session), 8);
    khufu_session_free(session);
}

TEST(the_next_request_reads_the_same_values) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_string(session, "text", 4, "\x01\x1f\"\\/\x7f\xc2\x80\xe2\x80\xa8\xf0\x9f\x94\x91", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(session, "nul", 3, "a\0b", 3), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(session, "empty", 5, NULL, 0), KHUFU_OK);
    CHECK_INT(set(session, "", "1180591620717411303424"), KHUFU_OK);
    CHECK_INT(khufu_session_set_null(session, "a\0b\"", 4), KHUFU_OK);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    const char *text = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_get_string(next, "text", 4, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "\x01\x1f\"\\/\x7f\xc2\x80\xe2\x80\xa8\xf0\x9f\x94\x91");
    CHECK_INT(khufu_session_get_string(next, "nul", 3, &text, &len), KHUFU_OK);
    CHECK(len == 3 && memcmp(text, "a\0b", 3) == 0);
    CHECK_INT(khufu_session_get_string(next, "empty", 5, &text, &len), KHUFU_OK);
    CHECK_INT(len, 0);
    CHECK_VALUE(next, "", "1180591620717411303424");
    bool found = false;
    CHECK_INT(khufu_session_contains(next, "a\0b\"", 4, &found), KHUFU_OK);
    CHECK(found);
    CHECK_STATE(next, "{\"text\":\"\\u0001\\u001f\\\"\\\\/\\u007f\\u0080\\u2028\\ud83d\\udd11\",\"nul\":\"a\\u0000b\",\"empty\":\"\","
                      "\"\":1180591620717411303424,\"a\\u0000b\\\"\":null}");
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(a_missing_key_is_not_found) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    const char *text = "untouched";
    size_t len = 9;
    int64_t integer = 9;
    double number = 9;
    bool flag = true;
    CHECK_INT(khufu_session_get(session, "b", 1, &text, &len), KHUFU_NOT_FOUND);
    CHECK(text == NULL && len == 0);
    text = "untouched", len = 9;
    CHECK_INT(khufu_session_get_string(session, "", 0, &text, &len), KHUFU_NOT_FOUND);
    CHECK(text == NULL && len == 0);
    CHECK_INT(khufu_session_get_int64(session, "A", 1, &integer), KHUFU_NOT_FOUND);
    CHECK_INT(integer, 0);
    CHECK_INT(khufu_session_get_double(session, "a\0", 2, &number), KHUFU_NOT_FOUND);
    CHECK_DOUBLE(number, 0);
    CHECK_INT(khufu_session_get_bool(session, "aa", 2, &flag), KHUFU_NOT_FOUND);
    CHECK(!flag);
    flag = true;
    CHECK_INT(khufu_session_contains(session, "b", 1, &flag), KHUFU_OK);
    CHECK(!flag);
    text = "untouched", len = 9;
    CHECK_INT(khufu_session_pop(session, "b", 1, &text, &len), KHUFU_NOT_FOUND);
    CHECK(text == NULL && len == 0);
    CHECK_INT(khufu_session_delete(session, "b", 1), KHUFU_NOT_FOUND);
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
}

#define STATE "{\"s\":\"1\",\"i\":1,\"f\":1.0,\"t\":true,\"n\":null,\"l\":[1],\"o\":{\"a\":1}}"

TEST(a_typed_get_of_another_type_is_a_type_error) {
    khufu_session *session = open_state(factory, STATE);
    for (const char *key = "siftnlo"; *key != 0; key++) {
        const char *text = "";
        size_t len = 1;
        int64_t integer = 9;
        double number = 9;
        bool flag = true;
        CHECK_INT(khufu_session_get_string(session, key, 1, &text, &len), *key == 's' ? KHUFU_OK : KHUFU_ERR_TYPE);
        CHECK((text == NULL && len == 0) == (*key != 's'));
        CHECK_INT(khufu_session_get_int64(session, key, 1, &integer), *key == 'i' ? KHUFU_OK : KHUFU_ERR_TYPE);
        CHECK_INT(integer, *key == 'i');
        bool is_number = *key == 'i' || *key == 'f';
        CHECK_INT(khufu_session_get_double(session, key, 1, &number), is_number ? KHUFU_OK : KHUFU_ERR_TYPE);
        CHECK_DOUBLE(number, is_number);
        CHECK_INT(khufu_session_get_bool(session, key, 1, &flag), *key == 't' ? KHUFU_OK : KHUFU_ERR_TYPE);
        CHECK(flag == (*key == 't'));
        if (*key != 't') CHECK(*khufu_session_error(session) != 0);
    }
    CHECK_STATE(session, STATE);
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
}

TEST(the_order_of_keys_is_kept) {
    khufu_session *session = open_state(factory, "{\"z\":1,\"y\":2,\"\\u0078\":3}");
    CHECK_INT(set(session, "a", "4"), KHUFU_OK);
    CHECK_INT(set(session, "y", "20"), KHUFU_OK);
    CHECK_INT(khufu_session_delete(session, "z", 1), KHUFU_OK);
    CHECK_INT(set(session, "z", "10"), KHUFU_OK);
    CHECK_STATE(session, "{\"y\":20,\"x\":3,\"a\":4,\"z\":10}");
    CHECK_INT(khufu_session_update(session, "{\"x\":30,\"b\":[5]}", KHUFU_NTS), KHUFU_OK);
    CHECK_STATE(session, "{\"y\":20,\"x\":30,\"a\":4,\"z\":10,\"b\":[5]}");
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_STATE(next, "{\"y\":20,\"x\":30,\"a\":4,\"z\":10,\"b\":[5]}");
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(iterating_gives_every_pair_in_order) {
    khufu_session *session = open_state(factory, "{\"b\":1,\"\\u0061\\n\":\"\\u00eb\",\"\":[ 1, 2 ],\"c\":NaN,\"d\":{\"e\":[Infinity]}}");
    CHECK_INT(set(session, "f", "0"), KHUFU_OK);
    CHECK_INT(khufu_session_delete(session, "b", 1), KHUFU_OK);
    const char *expected[][2] = {{"a\n", "\"\xc3\xab\""}, {"", "[1,2]"}, {"c", "null"}, {"d", "{\"e\":[null]}"}, {"f", "0"}};
    for (int round = 0; round < 2; round++) {
        size_t cursor = 0, key_len, json_len;
        const char *key, *json;
        for (size_t i = 0; i < 5; i++) {
            CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &json, &json_len), KHUFU_OK);
            CHECK_TEXT(key, key_len, expected[i][0]);
            if (!same_json(json, json_len, expected[i][1], strlen(expected[i][1]))) FAIL("%.*s", (int)json_len, json);
        }
        for (int end = 0; end < 3; end++) {
            CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &json, &json_len), KHUFU_NOT_FOUND);
            CHECK(key == NULL && key_len == 0 && json == NULL && json_len == 0);
        }
    }
    size_t cursor = SIZE_MAX, len;
    const char *text;
    CHECK_INT(khufu_session_next(session, &cursor, &text, &len, &text, &len), KHUFU_NOT_FOUND);
    khufu_session_free(session);
}

TEST(a_duplicate_key_keeps_its_place_and_the_last_value) {
    khufu_session *session = open_state(factory, "{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4,\"b\":5}");
    CHECK_INT(khufu_session_length(session), 3);
    CHECK_STATE(session, "{\"a\":3,\"b\":5,\"c\":4}");
    CHECK_INT(khufu_session_delete(session, "a", 1), KHUFU_OK);
    CHECK_STATE(session, "{\"b\":5,\"c\":4}");
    khufu_session_free(session);
}

TEST(a_duplicate_is_found_among_any_number_of_keys) {
    const int counts_of_keys[] = {1, 2, 7, 8, 9, 40, 127, 128, 129, 400};
    for (size_t i = 0; i < sizeof counts_of_keys / sizeof *counts_of_keys; i++) {
        for (int escaped = 0; escaped < 2; escaped++) {
            int count = counts_of_keys[i], twice = count / 2;
            char *state = allocate(60 * (size_t)count + 100), *expected = allocate(60 * (size_t)count + 100);
            char *at = state + sprintf(state, "{"), *expected_at = expected + sprintf(expected, "{");
            for (int key = 0; key < count; key++) {
                at += sprintf(at, "\"key%d\":%d,", key, key);
                expected_at += sprintf(expected_at, "%s\"key%d\":%d", key > 0 ? "," : "", key, key == twice ? 8 : key);
            }
            sprintf(at, "\"%sey%d\":7,\"key%d\":8}", escaped ? "\\u006b" : "k", twice, twice);
            strcpy(expected_at, "}");
            khufu_session *session = open_state(factory, state);
            CHECK_INT(khufu_session_length(session), count);
            CHECK_STATE(session, expected);
            khufu_session_free(session);
            free(state);
            free(expected);
        }
    }
}

TEST(update_takes_all_of_an_object_or_nothing) {
    khufu_session *session = open_state(factory, "{\"a\":{\"x\":1},\"b\":2}");
    CHECK_INT(khufu_session_update(session, "{}", 2), KHUFU_OK);
    CHECK(!khufu_session_is_changed(session));
    const char *refused[] = {"[]", "null", "1", "\"a\"", "{\"b\":3,\"c\":}", "{\"b\":3,\"c\":NaN}", "{\"b\":3}x", "{\"b\":3"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_INT(khufu_session_update(session, refused[i], KHUFU_NTS), KHUFU_ERR_JSON);
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":{\"x\":1},\"b\":2}");
    CHECK_INT(khufu_session_update(session, " {\"\\u0061\":{\"y\":2},\"c\":3,\"c\":4} ", KHUFU_NTS), KHUFU_OK);
    CHECK(khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":{\"y\":2},\"b\":2,\"c\":4}");
    khufu_session_free(session);
}

TEST(setdefault_returns_the_existing_value_or_sets_it) {
    khufu_session *session = open_state(factory, "{\"a\":null}");
    const char *value = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_setdefault(session, "a", 1, "[]", 2, &value, &len), KHUFU_OK);
    CHECK_TEXT(value, len, "null");
    CHECK(!khufu_session_is_changed(session));
    CHECK_INT(khufu_session_setdefault(session, "b", 1, " [ 1 ] ", KHUFU_NTS, &value, &len), KHUFU_OK);
    CHECK_TEXT(value, len, "[1]");
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(khufu_session_setdefault(session, "c", 1, "2", 1, NULL, NULL), KHUFU_OK);
    CHECK_STATE(session, "{\"a\":null,\"b\":[1],\"c\":2}");
    khufu_session_free(session);
}

TEST(pop_and_delete_remove_a_key) {
    khufu_session *session = open_state(factory, "{\"a\":[1],\"b\":2,\"c\":3}");
    const char *value = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_pop(session, "a", 1, &value, &len), KHUFU_OK);
    CHECK_TEXT(value, len, "[1]");
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(khufu_session_delete(session, "b", 1), KHUFU_OK);
    CHECK_INT(khufu_session_delete(session, "b", 1), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_pop(session, "a", 1, &value, &len), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_length(session), 1);
    CHECK_STATE(session, "{\"c\":3}");
    khufu_session_free(session);
}

TEST(clear_empties_the_session_and_keeps_its_age) {
    khufu_session *session = open_payload(factory, "[1700000000,1699999899.75,{\"a\":1,\"_f_\":[1]}]");
    CHECK_INT(khufu_session_clear(session), KHUFU_OK);
    CHECK_INT(khufu_session_length(session), 0);
    CHECK(khufu_session_is_changed(session) && !khufu_session_is_new(session));
    CHECK_DOUBLE(khufu_session_created(session), 1699999899.75);
    CHECK_STATE(session, "{}");
    khufu_session_free(session);
    session = open_payload(factory, "[1700000000,1699999899.75,{}]");
    CHECK_INT(khufu_session_clear(session), KHUFU_OK);
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
}

TEST(each_write_marks_the_session_changed) {
    for (int call = 0; call < 9; call++) {
        khufu_session *session = open_state(factory, "{\"a\":1}");
        CHECK(!khufu_session_is_changed(session));
        switch (call) {
        case 0: CHECK_INT(khufu_session_set(session, "b", 1, "1", 1), KHUFU_OK); break;
        case 1: CHECK_INT(khufu_session_set_string(session, "b", 1, "1", 1), KHUFU_OK); break;
        case 2: CHECK_INT(khufu_session_set_int64(session, "b", 1, 1), KHUFU_OK); break;
        case 3: CHECK_INT(khufu_session_set_double(session, "b", 1, 1), KHUFU_OK); break;
        case 4: CHECK_INT(khufu_session_set_bool(session, "b", 1, true), KHUFU_OK); break;
        case 5: CHECK_INT(khufu_session_set_null(session, "b", 1), KHUFU_OK); break;
        case 6: CHECK_INT(khufu_session_update(session, "{\"b\":1}", KHUFU_NTS), KHUFU_OK); break;
        case 7: CHECK_INT(khufu_session_delete(session, "a", 1), KHUFU_OK); break;
        case 8: CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK); break;
        }
        CHECK(khufu_session_is_changed(session));
        khufu_session_free(session);
    }
}

TEST(thousands_of_keys_are_kept_in_order) {
    enum { KEYS = 3000 };
    khufu_session *session = open_new(factory);
    char key[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < KEYS; i++) {
            int len = snprintf(key, sizeof key, "key%d", i);
            CHECK_INT(khufu_session_set_int64(session, key, (size_t)len, i + round), KHUFU_OK);
        }
    CHECK_INT(khufu_session_length(session), KEYS);
    for (int i = 0; i < KEYS; i += 2) {
        int len = snprintf(key, sizeof key, "key%d", i);
        CHECK_INT(khufu_session_delete(session, key, (size_t)len), KHUFU_OK);
    }
    CHECK_INT(khufu_session_length(session), KEYS / 2);
    size_t cursor = 0, key_len, json_len;
    const char *found, *json;
    for (int i = 1; i < KEYS; i += 2) {
        char expected[16];
        CHECK_INT(khufu_session_next(session, &cursor, &found, &key_len, &json, &json_len), KHUFU_OK);
        snprintf(key, sizeof key, "key%d", i);
        snprintf(expected, sizeof expected, "%d", i + 1);
        CHECK_TEXT(found, key_len, key);
        CHECK_TEXT(json, json_len, expected);
    }
    CHECK_INT(khufu_session_next(session, &cursor, &found, &key_len, &json, &json_len), KHUFU_NOT_FOUND);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(set_values_can_be_read);
    RUN(the_next_request_reads_the_same_values);
    RUN(a_missing_key_is_not_found);
    RUN(a_typed_get_of_another_type_is_a_type_error);
    RUN(the_order_of_keys_is_kept);
    RUN(iterating_gives_every_pair_in_order);
    RUN(a_duplicate_key_keeps_its_place_and_the_last_value);
    RUN(a_duplicate_is_found_among_any_number_of_keys);
    RUN(update_takes_all_of_an_object_or_nothing);
    RUN(setdefault_returns_the_existing_value_or_sets_it);
    RUN(pop_and_delete_remove_a_key);
    RUN(clear_empties_the_session_and_keeps_its_age);
    RUN(each_write_marks_the_session_changed);
    RUN(thousands_of_keys_are_kept_in_order);
    khufu_factory_free(factory);
    return report();
}
