/* The attributes of Set-Cookie values equal those that WebOb writes. */
#include "sessions.h"
#include "vectors.h"

#include <time.h>

/* A Set-Cookie value without the session and without the time: "session=…; Path=/; expires=…". The caller frees it. */
static char *outline_of(const char *set_cookie) {
    const char *expires = strstr(set_cookie, "; expires="), *rest = set_cookie + strcspn(set_cookie, ";");
    char *name = text_copy(set_cookie, strcspn(set_cookie, "="));
    char *middle = expires != NULL ? text_copy(rest, (size_t)(expires - rest)) : text_copy(rest, strlen(rest));
    char *outline = joined(name, "=…", middle);
    if (expires != NULL) {
        char *before = outline;
        outline = joined(before, "; expires=…", expires + 2 + strcspn(expires + 2, ";"));
        free(before);
    }
    free(middle);
    free(name);
    return outline;
}

static void check_outline(const char *set_cookie, const char *expected) {
    char *found = outline_of(set_cookie);
    CHECK_STRING(found, expected);
    free(found);
}

/* The Set-Cookie value at an index after a commit; the caller frees it. */
static char *cookie_at(khufu_session *session, size_t index) {
    const char *data = NULL;
    size_t len = 0;
    if (nth_cookie(session, index, &data, &len) != KHUFU_OK) FAIL("there is no cookie %zu", index);
    return text_copy(data, len);
}

/* The time of the expires attribute, -1 if there is none, or -2 if it is not in the format that RFC 9110 prefers. */
static double expires_of(const char *set_cookie) {
    const char *expires = strstr(set_cookie, "; expires=");
    struct tm parts = {0};
    if (expires == NULL) return -1;
    const char *end = strptime(expires + strlen("; expires="), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end != NULL && (*end == ';' || *end == 0) ? (double)timegm(&parts) : -2;
}

/* Makes a factory from a vector's options. Python's True, False and None become khufu's words. */
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

TEST(attributes_equal_webobs_byte_for_byte) {
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
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        char *cookie = cookie_at(session, 0), *written = outline_of(text_of(vector, "set_cookie"));
        char *expected = joined(written, clearing ? "; SameSite=Lax" : "", ""); /* WebOb omits SameSite */
        check_outline(cookie, expected);
        free(expected);
        free(written);
        free(cookie);
        free(header);
        khufu_session_free(session);
        khufu_factory_free(named);
    }
    cJSON_Delete(vectors);
}

TEST(attributes_have_webobs_order_and_spelling) {
    khufu_factory *full = FACTORY("secret", SECRET, "cookie_name", "sid", "max_age", "3600", "domain", "example.com", "path",
                                  "/app", "secure", "true", "httponly", "true", "samesite", "Strict");
    khufu_session *session = open_at(full, NULL, 1795442478);
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    char *cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    CHECK_CONTAINS(cookie, "sid=");
    CHECK_STRING(cookie + strcspn(cookie, ";"), "; Domain=example.com; Max-Age=3600; Path=/app; "
                                                "expires=Mon, 23 Nov 2026 15:01:18 GMT; secure; HttpOnly; SameSite=Strict");
    CHECK_INT(strspn(cookie + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strcspn(cookie, ";") - 4);
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(full);
}

TEST(expires_is_set_only_with_max_age) {
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

TEST(clearing_cookies_have_the_same_path_and_flags) {
    khufu_factory *full = FACTORY("secret", SECRET, "cookie_name", "sid", "max_age", "3600", "domain", ".example.com", "path",
                                  "/app", "secure", "true", "httponly", "true", "samesite", "None");
    khufu_session *session = open_at(full, "sid=x", NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    char *cookies[] = {cookie_at(session, 0), cookie_at(session, 1)};
    check_outline(cookies[0], "sid=…; Domain=example.com; Max-Age=0; Path=/app; expires=…; secure; HttpOnly; SameSite=None");
    check_outline(cookies[1], "sid=…; Max-Age=0; Path=/app; expires=…; secure; HttpOnly; SameSite=None");
    for (size_t i = 0; i < 2; i++) {
        double expires = expires_of(cookies[i]);
        CHECK(expires >= 0 && expires < NOW);
        CHECK(strncmp(cookies[i], "sid=;", 5) == 0);
        free(cookies[i]);
    }
    const char *data = "";
    size_t len = 1;
    CHECK_INT(nth_cookie(session, 2, &data, &len), KHUFU_NOT_FOUND);
    khufu_session_free(session);
    khufu_factory_free(full);
}

int main(void) {
    RUN(attributes_equal_webobs_byte_for_byte);
    RUN(attributes_have_webobs_order_and_spelling);
    RUN(expires_is_set_only_with_max_age);
    RUN(clearing_cookies_have_the_same_path_and_flags);
    return report();
}
