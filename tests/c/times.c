/* The times created, accessed and renewed, and when a session that was only read is written again. */
#include "sessions.h"

#define PAYLOAD "[1700000000, 1699999899.75, {\"a\": 1, \"_f_\": [1], \"_csrft_\": \"token\"}]"
#define LATER 1700000060.75

static khufu_factory *factory;

static khufu_session *open_later(const khufu_factory *from, double now) {
    char *value = forge_text(PAYLOAD);
    khufu_session *session = open_value(from, value, now);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    free(value);
    return session;
}

enum { READS = 12, WRITES = 18 };

/* Makes one of the reading calls, by its number. */
static void read_by(khufu_session *session, int call) {
    const char *text, *more;
    size_t len, cursor = 0;
    int64_t integer;
    double number;
    bool flag;
    switch (call) {
    case 0: CHECK_INT(khufu_session_get(session, "a", 1, &text, &len), KHUFU_OK); break;
    case 1: CHECK_INT(khufu_session_get_string(session, "_csrft_", 7, &text, &len), KHUFU_OK); break;
    case 2: CHECK_INT(khufu_session_get_int64(session, "a", 1, &integer), KHUFU_OK); break;
    case 3: CHECK_INT(khufu_session_get_double(session, "a", 1, &number), KHUFU_OK); break;
    case 4: CHECK_INT(khufu_session_get_bool(session, "b", 1, &flag), KHUFU_NOT_FOUND); break;
    case 5: CHECK_INT(khufu_session_contains(session, "b", 1, &flag), KHUFU_OK); break;
    case 6: CHECK_INT(khufu_session_length(session), 3); break;
    case 7: CHECK_INT(khufu_session_next(session, &cursor, &text, &len, &more, &len), KHUFU_OK); break;
    case 8: CHECK_INT(khufu_session_to_json(session, &text, &len), KHUFU_OK); break;
    case 9: CHECK_INT(khufu_session_peek_flash(session, "", 0, &text, &len), KHUFU_OK); break;
    case 10: CHECK_INT(khufu_session_csrf_token(session, &text, &len), KHUFU_OK); break;
    case 11: CHECK_INT(khufu_session_check_csrf_token(session, "x", 1, &flag), KHUFU_OK); break;
    }
}

/* Makes one of the writing calls, by its number. Each changes something. */
static void write_by(khufu_session *session, int call) {
    const char *text;
    size_t len;
    switch (call) {
    case 0: CHECK_INT(khufu_session_set(session, "b", 1, "1", 1), KHUFU_OK); break;
    case 1: CHECK_INT(khufu_session_set_string(session, "b", 1, "1", 1), KHUFU_OK); break;
    case 2: CHECK_INT(khufu_session_set_int64(session, "b", 1, 1), KHUFU_OK); break;
    case 3: CHECK_INT(khufu_session_set_double(session, "b", 1, 1), KHUFU_OK); break;
    case 4: CHECK_INT(khufu_session_set_bool(session, "b", 1, true), KHUFU_OK); break;
    case 5: CHECK_INT(khufu_session_set_null(session, "b", 1), KHUFU_OK); break;
    case 6: CHECK_INT(khufu_session_setdefault(session, "b", 1, "1", 1, NULL, NULL), KHUFU_OK); break;
    case 7: CHECK_INT(khufu_session_update(session, "{\"b\":1}", KHUFU_NTS), KHUFU_OK); break;
    case 8: CHECK_INT(khufu_session_delete(session, "a", 1), KHUFU_OK); break;
    case 9: CHECK_INT(khufu_session_pop(session, "a", 1, &text, &len), KHUFU_OK); break;
    case 10: CHECK_INT(khufu_session_clear(session), KHUFU_OK); break;
    case 11: CHECK_INT(khufu_session_flash(session, "2", 1, "", 0, true), KHUFU_OK); break;
    case 12: CHECK_INT(khufu_session_flash_string(session, "2", 1, "q", 1, false), KHUFU_OK); break;
    case 13: CHECK_INT(khufu_session_pop_flash(session, "", 0, &text, &len), KHUFU_OK); break;
    case 14: CHECK_INT(khufu_session_new_csrf_token(session, &text, &len), KHUFU_OK); break;
    case 15: CHECK_INT(khufu_session_delete(session, "_csrft_", 7), KHUFU_OK); break;
    case 16: CHECK_INT(khufu_session_update(session, "{\"a\":2}", KHUFU_NTS), KHUFU_OK); break;
    case 17: CHECK_INT(khufu_session_set(session, "a", 1, "2", 1), KHUFU_OK); break;
    }
}

TEST(opening_alone_does_not_change_accessed) {
    khufu_session *session = open_later(factory, LATER);
    CHECK_DOUBLE(khufu_session_accessed(session), 1700000000);
    CHECK(!khufu_session_is_changed(session));
    CHECK(commit_cookie(session) == NULL);
    CHECK(!has_vary(session));
    khufu_session_free(session);
}

TEST(reading_sets_accessed_to_the_second_and_renews_the_cookie) {
    for (int call = 0; call < READS; call++) {
        khufu_session *session = open_later(factory, LATER);
        read_by(session, call);
        CHECK_DOUBLE(khufu_session_accessed(session), 1700000060);
        CHECK_DOUBLE(khufu_session_renewed(session), 1700000000);
        if (!khufu_session_is_changed(session)) FAIL("read %d does not renew the cookie", call);
        char *header = next_request(session);
        CHECK(has_vary(session));
        CHECK_DOUBLE(khufu_session_renewed(session), 1700000060);
        read_by(session, call);
        CHECK(!khufu_session_is_changed(session)); /* the cookie was just renewed */
        khufu_session *next = open_at(factory, header, LATER);
        CHECK_DOUBLE(khufu_session_renewed(next), 1700000060);
        CHECK_DOUBLE(khufu_session_created(next), 1699999899.75);
        free(header);
        khufu_session_free(next);
        khufu_session_free(session);
    }
}

TEST(reading_within_the_same_second_renews_nothing) {
    for (int call = 0; call < READS; call++) {
        khufu_session *session = open_later(factory, 1700000000.99);
        read_by(session, call);
        CHECK(!khufu_session_is_changed(session));
        CHECK(commit_cookie(session) == NULL);
        CHECK(has_vary(session)); /* the response may contain what was read */
        khufu_session_free(session);
    }
}

TEST(writing_sets_accessed_and_marks_the_session_changed) {
    for (int call = 0; call < WRITES; call++) {
        khufu_session *session = open_later(factory, LATER);
        write_by(session, call);
        CHECK_DOUBLE(khufu_session_accessed(session), 1700000060);
        if (!khufu_session_is_changed(session)) FAIL("write %d does not mark the session changed", call);
        char *header = next_request(session);
        CHECK(has_vary(session));
        khufu_session *next = open_at(factory, header, LATER);
        CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
        CHECK_DOUBLE(khufu_session_renewed(next), 1700000060);
        CHECK_DOUBLE(khufu_session_created(next), 1699999899.75);
        free(header);
        khufu_session_free(next);
        khufu_session_free(session);
    }
}

TEST(changed_alone_does_not_change_accessed) {
    khufu_session *session = open_later(factory, LATER);
    CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
    CHECK(khufu_session_is_changed(session));
    CHECK_DOUBLE(khufu_session_accessed(session), 1700000000);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, LATER);
    CHECK_DOUBLE(khufu_session_renewed(next), 1700000000);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(a_longer_reissue_time_delays_the_renewal) {
    khufu_factory *patient = FACTORY("secret", SECRET, "reissue_time", "60"), *never = FACTORY("secret", SECRET, "reissue_time", "");
    for (int call = 0; call < READS; call++) {
        const struct {
            const khufu_factory *from;
            double now;
            bool again;
        } reads[] = {{patient, 1700000060.75, false}, {patient, 1700000061, true}, {never, 1700001200, false}};
        for (size_t i = 0; i < 3; i++) {
            khufu_session *session = open_later(reads[i].from, reads[i].now);
            read_by(session, call);
            CHECK(khufu_session_is_changed(session) == reads[i].again);
            char *cookie = commit_cookie(session);
            CHECK((cookie != NULL) == reads[i].again);
            free(cookie);
            khufu_session_free(session);
        }
    }
    for (int call = 0; call < WRITES; call++) {
        khufu_session *session = open_later(never, LATER);
        write_by(session, call);
        char *cookie = commit_cookie(session);
        CHECK(cookie != NULL);
        free(cookie);
        khufu_session_free(session);
    }
    khufu_factory_free(patient);
    khufu_factory_free(never);
}

TEST(a_new_session_is_created_at_now_and_needs_a_cookie_only_after_a_write) {
    for (int call = 4; call < 9; call++) {
        if (call == 6 || call == 7) continue; /* these expect keys */
        khufu_session *session = open_at(factory, NULL, LATER);
        CHECK_DOUBLE(khufu_session_created(session), LATER);
        read_by(session, call);
        CHECK(!khufu_session_is_changed(session));
        CHECK(commit_cookie(session) == NULL);
        CHECK(has_vary(session));
        khufu_session_free(session);
    }
    khufu_session *session = open_at(factory, NULL, LATER);
    write_by(session, 0);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, LATER);
    CHECK_DOUBLE(khufu_session_created(next), LATER);
    CHECK_DOUBLE(khufu_session_renewed(next), 1700000060);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
}

TEST(a_failed_read_makes_the_response_vary) {
    khufu_session *session = open_later(factory, LATER);
    int64_t integer;
    CHECK_INT(khufu_session_get_int64(session, "_csrft_", 7, &integer), KHUFU_ERR_TYPE);
    CHECK(!khufu_session_is_changed(session));
    CHECK(commit_cookie(session) == NULL);
    CHECK(has_vary(session));
    khufu_session_free(session);
}

TEST(a_clock_behind_the_cookie_renews_nothing) {
    khufu_session *session = open_later(factory, 1600000000.5);
    read_by(session, 0);
    CHECK(!khufu_session_is_changed(session));
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(opening_alone_does_not_change_accessed);
    RUN(reading_sets_accessed_to_the_second_and_renews_the_cookie);
    RUN(reading_within_the_same_second_renews_nothing);
    RUN(writing_sets_accessed_and_marks_the_session_changed);
    RUN(changed_alone_does_not_change_accessed);
    RUN(a_longer_reissue_time_delays_the_renewal);
    RUN(a_new_session_is_created_at_now_and_needs_a_cookie_only_after_a_write);
    RUN(a_failed_read_makes_the_response_vary);
    RUN(a_clock_behind_the_cookie_renews_nothing);
    khufu_factory_free(factory);
    return report();
}
