/* Append and increment. If two requests call them at the same time, their changes add up. */
#include "stores.h"

static khufu_status append(khufu_session *session, const char *key, const char *json) {
    return khufu_session_append(session, key, KHUFU_NTS, json, KHUFU_NTS);
}

static khufu_status increment(khufu_session *session, const char *key, int64_t by, int64_t *result) {
    return khufu_session_increment(session, key, KHUFU_NTS, by, result);
}

TEST(an_element_is_added_to_the_end_of_a_list) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_state(factory, "{\"list\":[ 1 , 2 ],\"empty\":[]}");
    CHECK_INT(append(session, "list", " { \"a\" : [ 3 ] } "), KHUFU_OK);
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(append(session, "list", "\"\xc3\xab\""), KHUFU_OK);
    CHECK_INT(append(session, "empty", "null"), KHUFU_OK);
    CHECK_INT(append(session, "new", "1"), KHUFU_OK);
    CHECK_INT(append(session, "new", "1"), KHUFU_OK); /* duplicates are added, too */
    CHECK_INT(khufu_session_append(session, "nul\0", 4, "true", 4), KHUFU_OK);
    CHECK_STATE(session, "{\"list\":[1,2,{\"a\":[3]},\"\\u00eb\"],\"empty\":[null],\"new\":[1,1],\"nul\\u0000\":[true]}");
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_STATE(next, "{\"list\":[1,2,{\"a\":[3]},\"\\u00eb\"],\"empty\":[null],\"new\":[1,1],\"nul\\u0000\":[true]}");
    khufu_session_free(next);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_refused_element_adds_nothing) {
    const char *wrong[] = {"", " ", "{", "1 2", "NaN", "'a'", "[1,]", "\"\\ud8\"", "\xef\xbb\xbf" "1"};
    const char *others[] = {"\"text\"", "1", "1.5", "null", "true", "{}"};
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_state(factory, "{\"list\":[1]}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_INT(append(session, "list", wrong[i]), KHUFU_ERR_JSON);
    CHECK_INT(append(session, "new", "{"), KHUFU_ERR_JSON);
    CHECK_INT(append(session, "list", "\"\xff\""), KHUFU_ERR_UTF8);
    CHECK_INT(append(session, "\xff", "1"), KHUFU_ERR_UTF8);
    CHECK_INT(append(session, "list", "1e400"), KHUFU_ERR_RANGE);
    CHECK(*khufu_session_error(session) != 0);
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"list\":[1]}");
    khufu_session_free(session);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *state = joined("{\"list\":", others[i], "}");
        session = open_state(factory, state);
        CHECK_INT(append(session, "list", "1"), KHUFU_ERR_TYPE);
        CHECK(!khufu_session_is_changed(session));
        CHECK_STATE(session, state);
        khufu_session_free(session);
        free(state);
    }
    khufu_factory_free(factory);
}

TEST(an_element_nests_as_deep_as_a_value) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    for (size_t levels = 499; levels <= 501; levels++) {
        khufu_session *session = open_new(factory);
        char *json = allocate(2 * levels + 1);
        memset(json, '[', levels);
        memset(json + levels, ']', levels);
        CHECK_INT(khufu_session_append(session, "a", 1, json, 2 * levels), levels > 500 ? KHUFU_ERR_JSON : KHUFU_OK);
        char *cookie = commit_cookie(session);
        CHECK((cookie == NULL) == (levels > 500));
        free(cookie);
        free(json);
        khufu_session_free(session);
    }
    khufu_factory_free(factory);
}

TEST(an_integer_is_incremented) {
    const struct {
        const char *before;
        int64_t by, after;
    } sums[] = {
        {"0", 1, 1}, {"5", -7, -2}, {"-0", 0, 0}, {"1", 0, 1},
        {"9223372036854775806", 1, INT64_MAX}, {"-9223372036854775807", -1, INT64_MIN},
        {"-1", INT64_MIN + 1, INT64_MIN}, {"-1", INT64_MAX, INT64_MAX - 1}, {"9223372036854775807", INT64_MIN, -1},
    };
    khufu_factory *factory = FACTORY("secret", SECRET);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        char *state = joined("{\"n\":", sums[i].before, "}");
        khufu_session *session = open_state(factory, state);
        int64_t result = 99;
        CHECK_INT(increment(session, "n", sums[i].by, &result), KHUFU_OK);
        CHECK_INT(result, sums[i].after);
        CHECK(khufu_session_is_changed(session) == (sums[i].by != 0));
        CHECK_INT(khufu_session_get_int64(session, "n", 1, &result), KHUFU_OK);
        CHECK_INT(result, sums[i].after);
        CHECK_INT(increment(session, "new", sums[i].by, &result), KHUFU_OK); /* a missing key counts as 0 */
        CHECK_INT(result, sums[i].by);
        CHECK_INT(khufu_session_length(session), sums[i].by != 0 ? 2 : 1); /* adding 0 sets nothing */
        khufu_session_free(session);
        free(state);
    }
    khufu_factory_free(factory);
}

TEST(a_value_that_cannot_be_incremented_is_kept) {
    const struct {
        const char *before;
        int64_t by;
        khufu_status expected;
    } wrong[] = {
        {"\"1\"", 1, KHUFU_ERR_TYPE}, {"1.0", 1, KHUFU_ERR_TYPE}, {"1e2", 1, KHUFU_ERR_TYPE}, {"null", 1, KHUFU_ERR_TYPE},
        {"true", 1, KHUFU_ERR_TYPE}, {"[1]", 1, KHUFU_ERR_TYPE}, {"{}", 1, KHUFU_ERR_TYPE}, {"NaN", 1, KHUFU_ERR_TYPE},
        {"9223372036854775807", 1, KHUFU_ERR_RANGE}, {"-9223372036854775808", -1, KHUFU_ERR_RANGE},
        {"-1", INT64_MIN, KHUFU_ERR_RANGE}, {"9223372036854775808", -1, KHUFU_ERR_RANGE},
        {"9223372036854775808", 0, KHUFU_ERR_RANGE}, {"1180591620717411303424", -1, KHUFU_ERR_RANGE},
    };
    khufu_factory *factory = FACTORY("secret", SECRET);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *state = joined("{\"n\":", wrong[i].before, "}");
        khufu_session *session = open_state(factory, state);
        int64_t result = 99;
        CHECK_INT(increment(session, "n", wrong[i].by, &result), wrong[i].expected);
        CHECK_INT(result, 0);
        CHECK_INT(increment(session, "n", wrong[i].by, NULL), wrong[i].expected);
        CHECK(*khufu_session_error(session) != 0);
        CHECK(!khufu_session_is_changed(session));
        khufu_session_free(session);
        free(state);
    }
    khufu_factory_free(factory);
}

/* Two requests that open the same record change it. `first` commits before `second`. */
static char *open_both(const khufu_factory *factory, const char *state, khufu_session *both[2]) {
    char *header = begin(factory, state);
    for (int i = 0; i < 2; i++) both[i] = open_at(factory, header, NOW);
    return header;
}

TEST(the_additions_of_two_requests_add_up) {
    khufu_factory *factory = STORED("store_timeout", "30");
    khufu_session *both[2];
    char *header = open_both(factory, "{\"list\":[0],\"n\":10}", both);
    for (int i = 0; i < 2; i++) {
        int64_t result = 0;
        CHECK_INT(append(both[i], "list", i == 0 ? "1" : "2"), KHUFU_OK);
        CHECK_INT(append(both[i], "new", i == 0 ? "1" : "2"), KHUFU_OK);
        CHECK_INT(increment(both[i], "n", i == 0 ? 5 : -100, &result), KHUFU_OK);
        CHECK_INT(result, i == 0 ? 15 : -90); /* computed from the value that this request saw */
        CHECK_INT(increment(both[i], "m", 1, NULL), KHUFU_OK);
        CHECK_INT(increment(both[i], "m", 1, NULL), KHUFU_OK);
    }
    for (int i = 0; i < 2; i++) CHECK(commit_cookie(both[i]) == NULL);
    CHECK_STORED(factory, header, "{\"list\":[0,1,2],\"n\":-85,\"new\":[1,2],\"m\":4}");
    CHECK_VALUE(both[1], "n", "-85"); /* after its commit, the second request also has the sum */
    CHECK_VALUE(both[1], "list", "[0,1,2]");
    for (int i = 0; i < 2; i++) khufu_session_free(both[i]);
    free(header);
    khufu_factory_free(factory);
}

TEST(an_addition_that_does_not_fit_the_newer_record_is_an_error) {
    const char *now_there[] = {"{\"list\":\"text\",\"n\":1}", "{\"list\":[0],\"n\":\"text\"}", "{\"list\":[0],\"n\":9223372036854775807}"};
    const khufu_status expected[] = {KHUFU_ERR_CONFLICT, KHUFU_ERR_CONFLICT, KHUFU_ERR_RANGE};
    for (int i = 0; i < 3; i++) {
        khufu_factory *factory = STORED("store_timeout", "30");
        khufu_session *both[2];
        char *header = open_both(factory, "{\"list\":[0],\"n\":10}", both);
        CHECK_INT(append(both[1], "list", "1"), KHUFU_OK);
        CHECK_INT(increment(both[1], "n", 1, NULL), KHUFU_OK);
        CHECK_INT(khufu_session_update(both[0], now_there[i], KHUFU_NTS), KHUFU_OK);
        CHECK(commit_cookie(both[0]) == NULL);
        CHECK_INT(khufu_session_commit(both[1], 0), expected[i]);
        CHECK(*khufu_session_error(both[1]) != 0);
        CHECK(khufu_session_is_changed(both[1])); /* nothing is lost */
        CHECK_VALUE(both[1], "n", "11");
        CHECK_STORED(factory, header, now_there[i]);
        for (int each = 0; each < 2; each++) khufu_session_free(both[each]);
        free(header);
        khufu_factory_free(factory);
    }
}

int main(void) {
    RUN(an_element_is_added_to_the_end_of_a_list);
    RUN(a_refused_element_adds_nothing);
    RUN(an_element_nests_as_deep_as_a_value);
    RUN(an_integer_is_incremented);
    RUN(a_value_that_cannot_be_incremented_is_kept);
    make_folder();
    start_redis(folder);
    const char *stores[] = {MEMORY, SQLITE, CUSTOM, redis_server.url};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        use_store(stores[i]);
        RUN(the_additions_of_two_requests_add_up);
        RUN(an_addition_that_does_not_fit_the_newer_record_is_an_error);
    }
    free_shared_custom_store();
    stop_redis();
    remove_folder();
    return report();
}
