/* Passive opening: reading renews and extends nothing, and writing works. */
#include "custom_store_setup.h"
#include "kinds.h"

/* Makes every call that reads a session. */
static void read_all(khufu_session *session) {
    const char *text, *more;
    size_t len, more_len, cursor = 0;
    int64_t integer;
    double number;
    bool flag;
    CHECK_INT(khufu_session_get(session, "a", 1, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_get_string(session, "b", 1, &text, &len), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_get_int64(session, "a", 1, &integer), KHUFU_OK);
    CHECK_INT(khufu_session_get_double(session, "a", 1, &number), KHUFU_OK);
    CHECK_INT(khufu_session_get_bool(session, "b", 1, &flag), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_contains(session, "a", 1, &flag), KHUFU_OK);
    CHECK_INT(khufu_session_length(session), 1);
    CHECK_INT(khufu_session_next(session, &cursor, &text, &len, &more, &more_len), KHUFU_OK);
    CHECK_INT(khufu_session_to_json(session, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_peek_flash(session, "", 0, &text, &len), KHUFU_OK);
    cursor = 0;
    CHECK_INT(khufu_session_next_flash(session, "", 0, &cursor, &text, &len), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_check_csrf_token(session, "x", 1, &flag), KHUFU_OK);
}

TEST(reading_does_not_renew_a_cookie) {
    for (int kind = SIGNED; kind <= ENCRYPTED; kind++) {
        khufu_factory *factory = KIND(kind, "reissue_time", "10", "max_age", "600");
        char *header = begin(factory, "{\"a\":1}");
        for (int passive = 0; passive < 2; passive++) {
            khufu_session *session = open_flagged(factory, header, NOW + 60, passive ? KHUFU_OPEN_PASSIVE : 0);
            read_all(session);
            CHECK(khufu_session_is_changed(session) == !passive);
            CHECK_DOUBLE(khufu_session_accessed(session), passive ? NOW : NOW + 60);
            char *cookie = commit_cookie(session);
            CHECK((cookie == NULL) == passive);
            CHECK(has_vary(session)); /* the response still depended on the session */
            free(cookie);
            khufu_session_free(session);
        }
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(reading_does_not_touch_a_store) {
    START("max_age", "600");
    char *header = begin(factory, "{\"a\":1}");
    for (int passive = 1; passive >= 0; passive--) {
        custom->calls = 0;
        khufu_session *session = open_flagged(factory, header, NOW + 60, passive ? KHUFU_OPEN_PASSIVE : 0);
        read_all(session);
        char *cookie = commit_cookie(session);
        CHECK((cookie == NULL) == passive);
        CHECK_INT(custom->calls, passive ? LOAD : LOAD | TOUCH);
        free(cookie);
        khufu_session_free(session);
    }
    free(header);
    finish();
}

TEST(reading_does_not_extend_the_life_of_a_session) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, "timeout", "60");
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = open_flagged(factory, header, NOW + 50, KHUFU_OPEN_PASSIVE);
        read_all(session);
        CHECK(commit_cookie(session) == NULL);
        khufu_session_free(session);
        session = open_at(factory, header, NOW + 61);
        CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 61);
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(writing_works) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, "timeout", "60", "max_age", "600");
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = open_flagged(factory, header, NOW + 50, KHUFU_OPEN_PASSIVE);
        CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
        CHECK(khufu_session_is_changed(session));
        CHECK_DOUBLE(khufu_session_accessed(session), NOW + 50);
        char *next = next_request(session);
        khufu_session_free(session);
        session = open_at(factory, next, NOW + 100); /* writing extends its life */
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        CHECK_STATE(session, "{\"a\":1,\"b\":2}");
        khufu_session_free(session);
        session = open_flagged(factory, next, NOW + 100, KHUFU_OPEN_PASSIVE); /* a logout ends the session, too */
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        char *cookie = commit_cookie(session);
        CHECK_CONTAINS(cookie, "session=; Max-Age=0; ");
        free(cookie);
        khufu_session_free(session);
        free(next);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(a_new_session_opens_passively) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        khufu_session *session = open_flagged(factory, "", NOW, KHUFU_OPEN_PASSIVE);
        CHECK_EMPTY(session, KHUFU_LOAD_NONE, NOW);
        CHECK(commit_cookie(session) == NULL);
        CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
        char *cookie = commit_cookie(session);
        CHECK(cookie != NULL);
        free(cookie);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(a_previous_secret_or_another_format_is_replaced_only_by_a_write) {
    khufu_factory *factories[] = {
        FACTORY("secret", "new", "previous_secret", SECRET),
        FACTORY("secret", "new", "accept.old.secret", SECRET),
    };
    for (size_t i = 0; i < 2; i++) {
        char *value = forge_text("[1700000060,1700000060.0,{\"a\":1}]"), *header = joined("session=", value, "");
        khufu_session *session = open_flagged(factories[i], header, NOW + 60, KHUFU_OPEN_PASSIVE);
        khufu_load_result outdated = i == 0 ? KHUFU_LOAD_LOADED_PREVIOUS_SECRET : KHUFU_LOAD_LOADED_OTHER_FORMAT;
        CHECK_INT(khufu_session_load_result(session), outdated);
        read_all(session);
        CHECK(!khufu_session_is_changed(session));
        CHECK(commit_cookie(session) == NULL);
        CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
        char *next = next_request(session);
        khufu_session_free(session);
        session = open_at(factories[i], next, NOW + 60);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        khufu_session_free(session);
        free(next);
        free(header);
        free(value);
        khufu_factory_free(factories[i]);
    }
}

TEST(a_previous_secret_of_a_store_is_replaced_only_by_a_write) {
    START("reissue_time", "");
    another = CUSTOM_FACTORY("secret", "new", "previous_secret", SECRET);
    char *header = begin(factory, "{\"a\":1}");
    for (int passive = 1; passive >= 0; passive--) {
        khufu_session *session = open_flagged(another, header, NOW, passive ? KHUFU_OPEN_PASSIVE : 0);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
        CHECK_VALUE(session, "a", "1");
        char *cookie = commit_cookie(session);
        CHECK((cookie == NULL) == passive);
        free(cookie);
        khufu_session_free(session);
    }
    free(header);
    finish();
}

int main(void) {
    RUN(reading_does_not_renew_a_cookie);
    RUN(reading_does_not_touch_a_store);
    RUN(reading_does_not_extend_the_life_of_a_session);
    RUN(writing_works);
    RUN(a_new_session_opens_passively);
    RUN(a_previous_secret_or_another_format_is_replaced_only_by_a_write);
    RUN(a_previous_secret_of_a_store_is_replaced_only_by_a_write);
    return report();
}
