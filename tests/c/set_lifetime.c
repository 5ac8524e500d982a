/* khufu_session_set_lifetime sets the lifetime of one session ("remember me"): a store keeps the lifetime, and the
   cookie's Max-Age is equal to it. */
#include "custom_store_setup.h"
#include "kinds.h"

#define DAY 86400

/* Commits a new session with this lifetime at NOW. Returns its Set-Cookie value, which the caller frees. */
static char *begin_for(const khufu_factory *from, uint64_t seconds) {
    khufu_session *session = open_new(from);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_lifetime(session, seconds), KHUFU_OK);
    char *cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    khufu_session_free(session);
    return cookie;
}

static char *header_of(const char *set_cookie) {
    return text_copy(set_cookie, strcspn(set_cookie, ";"));
}

static void check_max_age(const char *set_cookie, const char *seconds) {
    char *max_age = joined("; Max-Age=", seconds, "; ");
    if (*seconds != 0) CHECK_CONTAINS(set_cookie, max_age);
    else CHECK(strstr(set_cookie, "Max-Age") == NULL);
    free(max_age);
}

TEST(a_lifetime_applies_to_a_stored_session_and_its_cookie) {
    START("timeout", "60");
    char *cookie = begin_for(factory, 30 * DAY), *header = header_of(cookie);
    check_max_age(cookie, "2592000");
    CHECK_CONTAINS(cookie, "; expires=Thu, 14 Dec 2023 22:14:20 GMT");
    CHECK_DOUBLE(custom->ttl, 30 * DAY + 1);
    free(cookie);

    double now = NOW + 29 * DAY; /* long after the timeout */
    khufu_session *session = open_at(factory, header, now);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    forget_calls(custom);
    CHECK_VALUE(session, "a", "1"); /* a read extends the life of the session and its cookie */
    cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    check_max_age(cookie, "2592000");
    CHECK_STRING(custom->order, "t");
    CHECK_DOUBLE(custom->ttl, 30 * DAY + 1);
    free(cookie);
    khufu_session_free(session);

    now += 29 * DAY;
    session = open_at(factory, header, now);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    check_max_age(cookie, "2592000");
    CHECK_DOUBLE(custom->ttl, 30 * DAY + 1);
    free(cookie);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK); /* a login keeps the lifetime */
    cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    check_max_age(cookie, "2592000");
    free(header);
    header = header_of(cookie);
    free(cookie);
    khufu_session_free(session);

    session = open_at(factory, header, now + 30 * DAY + 1);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, now + 30 * DAY + 1);
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(a_lifetime_may_be_shorter_than_the_timeout) {
    START("timeout", "1200", "max_age", "9000");
    char *cookie = begin_for(factory, 60), *header = header_of(cookie);
    check_max_age(cookie, "60");
    CHECK_DOUBLE(custom->ttl, 61);
    khufu_session *session = open_at(factory, header, NOW + 61);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 61);
    khufu_session_free(session);
    free(header);
    free(cookie);
    finish();
}

TEST(an_absolute_timeout_limits_the_lifetime) {
    START("timeout", "60", "absolute_timeout", "1000");
    char *cookie = begin_for(factory, DAY), *header = header_of(cookie);
    CHECK_DOUBLE(custom->ttl, 1001);
    khufu_session *session = open_at(factory, header, NOW + 1000);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    session = open_at(factory, header, NOW + 1001);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 1001);
    khufu_session_free(session);
    free(header);
    free(cookie);
    finish();
}

TEST(lifetime_zero_restores_the_options) {
    const char *ages[] = {"", "9000"};
    for (size_t i = 0; i < 2; i++) {
        START("timeout", "60", "max_age", ages[i]);
        char *cookie = begin_for(factory, DAY), *header = header_of(cookie);
        free(cookie);
        khufu_session *session = open_at(factory, header, NOW + 1000);
        CHECK_INT(khufu_session_set_lifetime(session, 0), KHUFU_OK);
        CHECK(khufu_session_is_changed(session));
        cookie = commit_cookie(session);
        CHECK(cookie != NULL); /* so that the browser does not keep the cookie for the old lifetime */
        if (*ages[i] != 0) check_max_age(cookie, ages[i]);
        if (*ages[i] == 0) CHECK(strstr(cookie, "Max-Age") == NULL);
        CHECK_DOUBLE(custom->ttl, 61);
        free(cookie);
        khufu_session_free(session);
        session = open_at(factory, header, NOW + 1061);
        CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 1061);
        khufu_session_free(session);
        free(header);
        finish();
    }
}

TEST(a_commit_keeps_the_lifetime_that_another_request_set) {
    START("timeout", "60");
    another = CUSTOM_FACTORY("timeout", "60");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *slow = open_at(factory, header, NOW + 1), *quick = open_at(another, header, NOW + 1);
    CHECK_INT(khufu_session_set_lifetime(quick, DAY), KHUFU_OK);
    free(commit_cookie(quick));
    CHECK_INT(khufu_session_set_int64(slow, "b", 1, 2), KHUFU_OK);
    char *cookie = commit_cookie(slow);
    if (cookie != NULL) check_max_age(cookie, "86400");
    CHECK_DOUBLE(custom->ttl, DAY + 1);
    free(cookie);
    khufu_session *later = open_at(factory, header, NOW + 10000);
    CHECK_INT(khufu_session_load_result(later), KHUFU_LOAD_LOADED);
    CHECK_STATE(later, "{\"a\":1,\"b\":2}");
    khufu_session_free(later);
    khufu_session_free(quick);
    khufu_session_free(slow);
    free(header);
    finish();
}

TEST(a_new_session_after_a_logout_has_no_lifetime) {
    START("timeout", "60");
    char *cookie = begin_for(factory, DAY), *header = header_of(cookie);
    free(cookie);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    check_max_age(cookie, "");
    CHECK_DOUBLE(custom->ttl, 61);
    free(cookie);
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(in_a_cookie_the_lifetime_is_the_max_age_of_one_commit) {
    for (int kind = SIGNED; kind <= ENCRYPTED; kind++) {
        const char *ages[] = {"", "9000"};
        for (size_t i = 0; i < 2; i++) {
            khufu_factory *kept = KIND(kind, "timeout", "60", "max_age", ages[i]);
            char *cookie = begin_for(kept, DAY), *header = header_of(cookie);
            check_max_age(cookie, "86400");
            free(cookie);
            khufu_session *session = open_at(kept, header, NOW + 1);
            CHECK_VALUE(session, "a", "1");
            cookie = commit_cookie(session);
            REQUIRE(cookie != NULL);
            check_max_age(cookie, ages[i]);
            free(cookie);
            khufu_session_free(session);
            session = open_at(kept, header, NOW + 61); /* the payload does not hold the lifetime */
            CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 61);
            khufu_session_free(session);
            free(header);
            cookie = begin_for(kept, 0);
            check_max_age(cookie, ages[i]);
            free(cookie);
            khufu_factory_free(kept);
        }
    }
}

TEST(a_lifetime_may_be_very_long) {
    const uint64_t lifetimes[] = {1, 400 * DAY, 10000000000};
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *kept = KIND(kind, NULL);
        for (size_t i = 0; i < sizeof lifetimes / sizeof *lifetimes; i++) {
            char *cookie = begin_for(kept, lifetimes[i]), *header = header_of(cookie);
            char *expires = strstr(cookie, "; expires=");
            REQUIRE(expires != NULL);
            CHECK_INT(strcspn(expires + 2, ";"), strlen("expires=Thu, 14 Dec 2023 22:14:20 GMT")); /* no year of five digits */
            khufu_session *session = open_at(kept, header, NOW + 1);
            CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
            khufu_session_free(session);
            free(header);
            free(cookie);
        }
        khufu_factory_free(kept);
    }
}

TEST(a_lifetime_that_is_too_long_is_refused_and_changes_nothing) {
    const uint64_t lifetimes[] = {10000000001, INT64_MAX, UINT64_MAX};
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *kept = KIND(kind, NULL);
        khufu_session *session = open_new(kept);
        for (size_t i = 0; i < sizeof lifetimes / sizeof *lifetimes; i++) {
            CHECK_INT(khufu_session_set_lifetime(session, lifetimes[i]), KHUFU_ERR_RANGE);
            CHECK_CONTAINS(khufu_session_error(session), "10000000000");
        }
        CHECK(!khufu_session_is_changed(session));
        CHECK(commit_cookie(session) == NULL);
        khufu_session_free(session);
        khufu_factory_free(kept);
    }
}

int main(void) {
    RUN(a_lifetime_applies_to_a_stored_session_and_its_cookie);
    RUN(a_lifetime_may_be_shorter_than_the_timeout);
    RUN(an_absolute_timeout_limits_the_lifetime);
    RUN(lifetime_zero_restores_the_options);
    RUN(a_commit_keeps_the_lifetime_that_another_request_set);
    RUN(a_new_session_after_a_logout_has_no_lifetime);
    RUN(in_a_cookie_the_lifetime_is_the_max_age_of_one_commit);
    RUN(a_lifetime_may_be_very_long);
    RUN(a_lifetime_that_is_too_long_is_refused_and_changes_nothing);
    return report();
}
