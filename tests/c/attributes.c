/* The attributes of Set-Cookie values, held against those that WebOb writes. */
#include "sessions.h"
#include "vectors.h"

#include <strings.h>
#include <time.h>

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

TEST(the_clearing_cookie_has_the_same_place_and_flags) {
    khufu_factory *full = FACTORY("secret", SECRET, "cookie_name", "sid", "max_age", "3600", "domain", "example.com", "path",
                                  "/app", "secure", "true", "httponly", "true", "samesite", "None");
    khufu_session *session = open_at(full, "sid=x", NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    char *cookie = commit_cookie(session), *found = attributes_of(cookie);
    double expires = expires_of(cookie);
    CHECK(expires >= 0 && expires < NOW);
    CHECK_STRING(found, "Domain=example.com\nExpires=\nHttpOnly\nMax-Age=0\nPath=/app\nSameSite=None\nSecure\n");
    free(found);
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(full);
}

int main(void) {
    RUN(attributes_are_those_that_webob_writes);
    RUN(attributes_stand_in_our_order_and_spelling);
    RUN(expires_comes_with_max_age_alone);
    RUN(the_clearing_cookie_has_the_same_place_and_flags);
    return report();
}
