/* Commit: the Set-Cookie value that a response carries, or why there is none. */
#include "sessions.h"
#include "vectors.h"

#include <strings.h>
#include <time.h>

static khufu_factory *factory;

static int compare_texts(const void *left, const void *right) {
    return strcasecmp(*(char *const *)left, *(char *const *)right);
}

/* A Set-Cookie value's attributes, sorted, one a line, without what is after Expires=. The caller frees it. */
static char *attributes_of(const char *set_cookie) {
    char *copy = text_copy(set_cookie, strlen(set_cookie)), *parts[10], *rest = copy, *sorted = allocate(strlen(copy) + 20);
    size_t count = 0;
    (void)strtok_r(copy, ";", &rest);
    for (char *part; count < 10 && (part = strtok_r(NULL, ";", &rest)) != NULL;) {
        part += strspn(part, " ");
        if (strncasecmp(part, "expires=", 8) == 0) part[8] = 0;
        parts[count++] = part;
    }
    qsort(parts, count, sizeof *parts, compare_texts);
    *sorted = 0;
    for (size_t i = 0; i < count; i++) strcat(strcat(sorted, parts[i]), "\n");
    free(copy);
    return sorted;
}

/* The time of an Expires attribute in the form that RFC 9110 prefers; -1 where there is none. */
static double expires_of(const char *set_cookie) {
    const char *expires = strstr(set_cookie, "; Expires=");
    struct tm parts = {0};
    if (expires == NULL) return -1;
    const char *end = strptime(expires + strlen("; Expires="), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end != NULL && (*end == ';' || *end == 0) ? (double)timegm(&parts) : -2;
}

/* A factory of a vector's options: Python's true, false and None in khufu's words. */
static khufu_factory *factory_of(const cJSON *chosen) {
    const char *words[40] = {"secret", SECRET};
    char numbers[10][32];
    size_t count = 2;
    const cJSON *option;
    cJSON_ArrayForEach(option, chosen) {
        if (strcmp(option->string, "delete") == 0) continue;
        words[count] = option->string;
        words[count + 1] = cJSON_IsString(option) ? option->valuestring
                           : cJSON_IsNull(option) ? ""
                           : cJSON_IsTrue(option) ? "true"
                                                  : numbers[count / 2];
        if (cJSON_IsNumber(option)) snprintf(numbers[count / 2], sizeof numbers[0], "%.0f", option->valuedouble);
        count += 2;
    }
    words[count] = NULL;
    return make_factory(words);
}

TEST(attributes_are_those_that_webob_writes) {
    cJSON *vectors = read_vectors("set_cookie.json");
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        const cJSON *chosen = cJSON_GetObjectItem(vector, "options");
        bool clearing = cJSON_GetObjectItem(chosen, "delete") != NULL;
        khufu_factory *named = factory_of(chosen);
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(chosen, "cookie_name"));
        char *header = joined(name ? name : "session", "=", "refused");
        khufu_session *session = open_at(named, clearing ? header : NULL, NOW);
        CHECK_INT(clearing ? khufu_session_invalidate(session) : khufu_session_set_null(session, "a", 1), KHUFU_OK);
        char *cookie = commit_cookie(session);
        REQUIRE(cookie != NULL);
        CHECK(strncmp(cookie, header, strlen(header) - strlen("refused")) == 0);
        char *found = attributes_of(cookie), *written = attributes_of(text_of(vector, "set_cookie"));
        char *expected = joined(written, clearing ? "SameSite=Lax\n" : "", ""); /* what WebOb leaves out, we clear with */
        if (strcasecmp(found, expected) != 0) FAIL("%s\nhas\n%snot\n%s", cookie, found, expected);
        free(expected);
        free(written);
        free(found);
        free(cookie);
        free(header);
        khufu_session_free(session);
        khufu_factory_free(named);
    }
    cJSON_Delete(vectors);
}

TEST(attributes_stand_in_our_order_and_spelling) {
    khufu_factory *full = FACTORY("secret", SECRET, "cookie_name", "sid", "max_age", "3600", "domain", "example.com", "path",
                                  "/app", "secure", "true", "httponly", "true", "samesite", "Strict");
    khufu_session *session = open_at(full, NULL, 1795442478);
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    char *cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    CHECK_CONTAINS(cookie, "sid=");
    CHECK_STRING(cookie + strcspn(cookie, ";"), "; Max-Age=3600; Domain=example.com; Path=/app; "
                                                "Expires=Mon, 23 Nov 2026 15:01:18 GMT; Secure; HttpOnly; SameSite=Strict");
    CHECK_INT(strspn(cookie + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strcspn(cookie, ";") - 4);
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(full);
}

TEST(expires_comes_with_max_age_alone) {
    const char *ages[] = {"", "0", "1", "86400", "315360000"};
    for (size_t i = 0; i < 5; i++) {
        khufu_factory *aged = FACTORY("secret", SECRET, "max_age", ages[i]);
        khufu_session *session = open_at(aged, NULL, NOW + 0.75);
        CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
        char *cookie = commit_cookie(session), *max_age = joined("; Max-Age=", ages[i], ";");
        CHECK((strstr(cookie, max_age) != NULL) == (i > 0));
        CHECK_DOUBLE(expires_of(cookie), i > 0 ? NOW + atof(ages[i]) : -1);
        free(max_age);
        free(cookie);
        khufu_session_free(session);
        khufu_factory_free(aged);
    }
}

TEST(an_unchanged_session_gives_no_cookie) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK(commit_cookie(session) == NULL);
    CHECK(!khufu_session_vary(session));
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
    CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    CHECK(data == NULL && len == 0);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_OK);
    const size_t beyond[] = {1, 2, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        data = "", len = 1;
        CHECK_INT(khufu_session_set_cookie(session, beyond[i], &data, &len), KHUFU_NOT_FOUND);
        CHECK(data == NULL && len == 0);
    }
    khufu_session_free(session);
}

TEST(a_second_commit_gives_what_changed_since) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *first = next_request(session);
    CHECK(!khufu_session_is_changed(session));
    CHECK(commit_cookie(session) == NULL);
    CHECK(khufu_session_vary(session));
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

TEST(exceptions_write_unless_set_on_exception_is_off) {
    khufu_factory *careful = FACTORY("secret", SECRET, "set_on_exception", "false");
    for (int off = 0; off < 2; off++) {
        khufu_session *session = open_new(off ? careful : factory);
        const char *data;
        size_t len;
        CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, KHUFU_COMMIT_EXCEPTION), KHUFU_OK);
        CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), off ? KHUFU_NOT_FOUND : KHUFU_OK);
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
    /* 4064 characters are 3048 bytes: the signature, 64, then [1700000060,1700000060.0,{"pad":"…"}] */
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

TEST(too_large_a_session_loses_nothing) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK_INT(set_pad(session, 5000), KHUFU_OK);
    const char *json = NULL, *data = "";
    size_t len = 0;
    CHECK_INT(khufu_session_get(session, "a", 1, &json, &len), KHUFU_OK);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
        CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
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

TEST(a_failed_commit_takes_back_the_last_cookie) {
    khufu_session *session = open_new(factory);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(set_pad(session, 5000), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    khufu_session_free(session);
}

TEST(invalidate_starts_over) {
    khufu_session *session = open_payload(factory, "[1700000000, 1699999899.75, {\"a\": 1, \"_csrft_\": \"x\"}]");
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK(khufu_session_is_new(session));
    CHECK_INT(khufu_session_length(session), 0);
    CHECK_DOUBLE(khufu_session_created(session), NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED); /* what opening found is a matter of record */
    CHECK_INT(khufu_session_set(session, "b", 1, "2", 1), KHUFU_OK);
    char *header = next_request(session);
    CHECK(khufu_session_vary(session));
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_STATE(next, "{\"b\":2}");
    CHECK_DOUBLE(khufu_session_created(next), NOW);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(an_invalidated_session_clears_the_browsers_cookie_once) {
    const char *headers[] = {"session=x", "session=x; session=y"};
    for (size_t i = 0; i < 3; i++) {
        khufu_session *session = i < 2 ? open_at(factory, headers[i], NOW) : open_state(factory, "{\"a\":1}");
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        char *cookie = commit_cookie(session);
        REQUIRE(cookie != NULL);
        CHECK(strncmp(cookie, "session=;", 9) == 0);
        CHECK_CONTAINS(cookie, "; Max-Age=0;");
        double expires = expires_of(cookie);
        CHECK(expires >= 0 && expires < NOW);
        CHECK(khufu_session_vary(session));
        CHECK(commit_cookie(session) == NULL);
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK(commit_cookie(session) == NULL); /* the browser has none any more */
        free(cookie);
        khufu_session_free(session);
    }
}

TEST(the_clearing_cookie_has_the_same_place_and_flags) {
    khufu_factory *full = FACTORY("secret", SECRET, "cookie_name", "sid", "max_age", "3600", "domain", "example.com", "path",
                                  "/app", "secure", "true", "httponly", "true", "samesite", "None");
    khufu_session *session = open_at(full, "sid=x", NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    char *cookie = commit_cookie(session), *found = attributes_of(cookie);
    CHECK_STRING(found, "Domain=example.com\nExpires=\nHttpOnly\nMax-Age=0\nPath=/app\nSameSite=None\nSecure\n");
    free(found);
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(full);
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
    cookie = commit_cookie(session); /* what this response set, it takes back */
    CHECK(cookie != NULL && strncmp(cookie, "session=;", 9) == 0);
    free(cookie);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(attributes_are_those_that_webob_writes);
    RUN(attributes_stand_in_our_order_and_spelling);
    RUN(expires_comes_with_max_age_alone);
    RUN(an_unchanged_session_gives_no_cookie);
    RUN(before_commit_there_is_no_cookie);
    RUN(a_second_commit_gives_what_changed_since);
    RUN(the_payload_is_accessed_created_and_the_state);
    RUN(exceptions_write_unless_set_on_exception_is_off);
    RUN(an_unknown_flag_is_an_argument_error);
    RUN(a_cookie_of_4064_bytes_is_written_and_a_longer_one_is_not);
    RUN(too_large_a_session_loses_nothing);
    RUN(a_failed_commit_takes_back_the_last_cookie);
    RUN(invalidate_starts_over);
    RUN(an_invalidated_session_clears_the_browsers_cookie_once);
    RUN(the_clearing_cookie_has_the_same_place_and_flags);
    RUN(without_a_cookie_there_is_nothing_to_clear);
    khufu_factory_free(factory);
    return report();
}
