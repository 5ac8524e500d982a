/* Commit: which cookie a response sets for its session, and when it sets none. */
#include "sessions.h"

static khufu_factory *factory;

TEST(an_unchanged_session_gives_no_cookie) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK(commit_cookie(session) == NULL);
    CHECK(!has_vary(session));
    khufu_session_free(session);
    const char *refused[] = {NULL, "session=", "session=x", "other=1"};
    for (size_t i = 0; i < 4; i++) {
        session = open_at(factory, refused[i], NOW);
        CHECK(commit_cookie(session) == NULL);
        khufu_session_free(session);
    }
}

TEST(before_commit_there_is_no_cookie) {
    khufu_session *session = open_new(factory);
    const char *data = "";
    size_t len = 1;
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    CHECK(data == NULL && len == 0);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
    const size_t beyond[] = {1, 2, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        data = "", len = 1;
        CHECK_INT(nth_cookie(session, beyond[i], &data, &len), KHUFU_NOT_FOUND);
        CHECK(data == NULL && len == 0);
    }
    khufu_session_free(session);
}

TEST(each_commit_writes_all_changes_so_far) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *first = next_request(session);
    CHECK(!khufu_session_is_changed(session));
    char *again = next_request(session); /* the response still needs it */
    CHECK_STRING(again, first);
    free(again);
    CHECK(has_vary(session));
    CHECK_INT(khufu_session_set(session, "b", 1, "2", 1), KHUFU_OK);
    char *second = next_request(session);
    CHECK(strcmp(first, second) != 0);
    khufu_session *next = open_at(factory, second, NOW);
    CHECK_STATE(next, "{\"a\":1,\"b\":2}");
    CHECK_STATE(session, "{\"a\":1,\"b\":2}");
    free(first);
    free(second);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(the_payload_is_accessed_created_and_the_state) {
    khufu_session *session = open_payload(factory, "[1700000000, 1699999899.75, {\"z\": 1.10, \"big\": 1180591620717411303424}]");
    CHECK_INT(khufu_session_set(session, "a", 1, " [ \"\\u00eb\" , 1 ] ", KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    size_t len;
    unsigned char *bytes = base64_decode(header + strlen("session="), &len);
    REQUIRE(len > MAC_SIZE);
    char *payload = text_copy((char *)bytes + MAC_SIZE, len - MAC_SIZE);
    CHECK_CONTAINS(payload, "[1700000060,1699999899.75,{\"z\":1.10,\"big\":1180591620717411303424,\"a\":[\"");
    char *again = forge_signed(payload, len - MAC_SIZE);
    CHECK_STRING(again, header + strlen("session="));
    free(again);
    free(payload);
    free(bytes);
    free(header);
    khufu_session_free(session);
}

TEST(after_an_exception_the_session_is_written_unless_set_on_exception_is_off) {
    khufu_factory *careful = FACTORY("secret", SECRET, "set_on_exception", "false");
    for (int off = 0; off < 2; off++) {
        khufu_session *session = open_new(off ? careful : factory);
        const char *data;
        size_t len;
        CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, KHUFU_COMMIT_EXCEPTION), KHUFU_OK);
        CHECK_INT(nth_cookie(session, 0, &data, &len), off ? KHUFU_NOT_FOUND : KHUFU_OK);
        CHECK_STATE(session, "{\"a\":1}");
        khufu_session_free(session);
    }
    khufu_session *session = open_new(careful);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *cookie = commit_cookie(session);
    CHECK(cookie != NULL);
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(careful);
}

static void check_clearing(const khufu_session *session) {
    const char *data = NULL;
    size_t len = 0;
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
    REQUIRE(data != NULL);
    CHECK(len > 9 && strncmp(data, "session=;", 9) == 0);
}

TEST(a_logout_takes_effect_when_the_request_ends_in_an_exception) {
    khufu_factory *careful = FACTORY("secret", SECRET, "set_on_exception", "false");
    char *value = forge_text("[1700000060,1700000060.0,{\"user\":1}]");
    khufu_session *session = open_value(careful, value, NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, KHUFU_COMMIT_EXCEPTION), KHUFU_OK);
    check_clearing(session);
    CHECK_STATE(session, "{}"); /* later changes are dropped */
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
    free(value);
    khufu_factory_free(careful);
}

TEST(an_unknown_flag_is_an_argument_error) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    for (uint32_t flag = 2; flag != 0; flag <<= 1) CHECK_INT(khufu_session_commit(session, flag | 1), KHUFU_ERR_ARGUMENT);
    CHECK(khufu_session_is_changed(session));
    char *cookie = commit_cookie(session);
    CHECK(cookie != NULL);
    free(cookie);
    khufu_session_free(session);
}

static khufu_status set_pad(khufu_session *session, size_t size) {
    char *pad = allocate(size);
    memset(pad, 'x', size);
    khufu_status status = khufu_session_set_string(session, "pad", 3, pad, size);
    free(pad);
    return status;
}

TEST(a_cookie_of_4064_bytes_is_written_and_a_longer_one_is_not) {
    /* 4064 characters are 3048 bytes: 64 of the signature, then [1700000060,1700000060.0,{"pad":"…"}] */
    size_t most = 3048 - 64 - strlen("[1700000060,1700000060.0,{\"pad\":\"\"}]");
    khufu_session *session = open_new(factory);
    CHECK_INT(set_pad(session, most), KHUFU_OK);
    char *header = next_request(session);
    CHECK_INT(strlen(header), strlen("session=") + 4064);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
    CHECK_INT(set_pad(next, most + 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(next, 0), KHUFU_ERR_TOO_LARGE);
    CHECK_CONTAINS(khufu_session_error(next), "4066");
    CHECK_CONTAINS(khufu_session_error(next), "4064");
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(a_session_that_is_too_large_loses_nothing) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK_INT(set_pad(session, 5000), KHUFU_OK);
    const char *json = NULL, *data = "";
    size_t len = 0;
    CHECK_INT(khufu_session_get(session, "a", 1, &json, &len), KHUFU_OK);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
        CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
        CHECK(khufu_session_is_changed(session));
        CHECK_INT(khufu_session_length(session), 2);
    }
    CHECK_INT(khufu_session_delete(session, "pad", 3), KHUFU_OK);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_STATE(next, "{\"a\":1}");
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(with_a_long_name_the_value_must_be_shorter) {
    char name[41];
    memset(name, 'n', 40);
    name[40] = 0;
    khufu_factory *long_name = FACTORY("secret", SECRET, "cookie_name", name);
    khufu_session *session = open_new(long_name);
    /* the name has 40 characters, so the value may have 4056; the next possible length is 4058 */
    size_t most = 4056 / 4 * 3 - 64 - strlen("[1700000060,1700000060.0,{\"pad\":\"\"}]");
    CHECK_INT(set_pad(session, most + 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    const char *parts[] = {"4058 bytes", "limit is 4056", "4064", "4096", "has 40"};
    for (size_t i = 0; i < 5; i++) CHECK_CONTAINS(khufu_session_error(session), parts[i]);
    CHECK_INT(set_pad(session, most), KHUFU_OK);
    char *header = next_request(session);
    CHECK_INT(strlen(header), 4096 + strlen("="));
    free(header);
    khufu_session_free(session);
    khufu_factory_free(long_name);
}

TEST(a_failed_commit_keeps_the_cookie_of_an_earlier_one) {
    khufu_session *session = open_new(factory);
    const char *data = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    char *first = commit_cookie(session);
    CHECK_INT(set_pad(session, 5000), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
    char *there = text_copy(data, len);
    CHECK_STRING(there, first);
    free(there);
    free(first);
    khufu_session_free(session);
}

TEST(a_logout_reaches_the_browser_when_the_new_session_cannot_be_written) {
    khufu_session *session = open_state(factory, "{\"user\":1}");
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(set_pad(session, 5000), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    check_clearing(session);
    CHECK(khufu_session_is_changed(session));
    khufu_session_free(session);
}

TEST(invalidate_starts_over) {
    khufu_session *session = open_payload(factory, "[1700000000, 1699999899.75, {\"a\": 1, \"_csrft_\": \"x\"}]");
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK(khufu_session_is_new(session));
    CHECK_INT(khufu_session_length(session), 0);
    CHECK_DOUBLE(khufu_session_created(session), NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED); /* the result of opening stays */
    CHECK_INT(khufu_session_set(session, "b", 1, "2", 1), KHUFU_OK);
    char *header = next_request(session);
    CHECK(has_vary(session));
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_STATE(next, "{\"b\":2}");
    CHECK_DOUBLE(khufu_session_created(next), NOW);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(an_invalidated_session_clears_the_browsers_cookie) {
    const char *headers[] = {"session=x", "session=x; session=y"};
    for (size_t i = 0; i < 3; i++) {
        khufu_session *session = i < 2 ? open_at(factory, headers[i], NOW) : open_state(factory, "{\"a\":1}");
        for (int again = 0; again < 3; again++) { /* the response still needs it */
            if (again < 2) CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
            char *cookie = commit_cookie(session);
            REQUIRE(cookie != NULL);
            CHECK(strncmp(cookie, "session=;", 9) == 0);
            CHECK_CONTAINS(cookie, "; Max-Age=0;");
            CHECK(has_vary(session));
            free(cookie);
        }
        khufu_session_free(session);
    }
}

TEST(without_a_cookie_there_is_nothing_to_clear) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *cookie = commit_cookie(session);
    CHECK(cookie != NULL && strncmp(cookie, "session=;", 9) != 0);
    free(cookie);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    cookie = commit_cookie(session); /* the response now clears the cookie that it set */
    CHECK(cookie != NULL && strncmp(cookie, "session=;", 9) == 0);
    free(cookie);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(an_unchanged_session_gives_no_cookie);
    RUN(before_commit_there_is_no_cookie);
    RUN(each_commit_writes_all_changes_so_far);
    RUN(the_payload_is_accessed_created_and_the_state);
    RUN(after_an_exception_the_session_is_written_unless_set_on_exception_is_off);
    RUN(a_logout_takes_effect_when_the_request_ends_in_an_exception);
    RUN(an_unknown_flag_is_an_argument_error);
    RUN(a_cookie_of_4064_bytes_is_written_and_a_longer_one_is_not);
    RUN(a_session_that_is_too_large_loses_nothing);
    RUN(with_a_long_name_the_value_must_be_shorter);
    RUN(a_failed_commit_keeps_the_cookie_of_an_earlier_one);
    RUN(a_logout_reaches_the_browser_when_the_new_session_cannot_be_written);
    RUN(invalidate_starts_over);
    RUN(an_invalidated_session_clears_the_browsers_cookie);
    RUN(without_a_cookie_there_is_nothing_to_clear);
    khufu_factory_free(factory);
    return report();
}
