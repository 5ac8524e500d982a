/* A user's sessions in a custom store: they are listed before they are saved, and they are found and ended even while
   other requests change them. */
#include "custom_store_setup.h"

static void start_two(const char *store_timeout) {
    START("timeout", "600", "store_timeout", store_timeout);
    another = CUSTOM_FACTORY("timeout", "600", "store_timeout", store_timeout);
}

/* Logs user-42 in. Returns the session's Cookie header, and its id unless `id` is NULL. */
static char *log_in(char **id) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_OK);
    char *header = next_request(session);
    if (id != NULL) *id = id_of(session);
    khufu_session_free(session);
    return header;
}

static khufu_subject *open_subject(const char *name, size_t expected) {
    khufu_subject *subject = NULL;
    const char *id;
    size_t len, cursor = 0, count = 0;
    double created, accessed;
    CHECK_INT(khufu_subject_open(factory, name, KHUFU_NTS, &subject), KHUFU_OK);
    while (khufu_subject_next(subject, &cursor, &id, &len, &created, &accessed) == KHUFU_OK) count++;
    CHECK_INT(count, expected);
    return subject;
}

static void check_count(const char *name, size_t expected) {
    khufu_subject_free(open_subject(name, expected));
}

static void change_subject(const char *header, const char *name) {
    khufu_session *session = open_at(another, header, NOW);
    CHECK_INT(khufu_session_set_subject(session, name, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
}

static void end(const char *header) {
    khufu_session *session = open_at(another, header, NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
}

static khufu_load_result result_of(const char *header) {
    khufu_session *session = open_at(factory, header, NOW);
    khufu_load_result result = khufu_session_load_result(session);
    khufu_session_free(session);
    return result;
}

TEST(a_key_is_listed_before_its_record_is_written_and_unlisted_after_it_is_removed) {
    start_two("60");
    char *header = log_in(NULL);
    CHECK_STRING(custom->order, "Ls");
    CHECK_DOUBLE(custom->list_ttl, custom->ttl + 60); /* the note outlives the record */
    khufu_session *session = open_at(factory, header, NOW + 1);
    CHECK_VALUE(session, "a", "1");
    forget_calls(custom);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(custom->order, "Lt");
    CHECK_DOUBLE(custom->list_ttl, custom->ttl + 60);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    forget_calls(custom);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_STRING(custom->order, "rU");
    for (int i = 0; i < PLACES; i++) CHECK(!custom->notes[i].used);
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(a_session_without_a_timeout_is_listed_for_ever) {
    START("timeout", "");
    free(log_in(NULL));
    CHECK(custom->ttl < 0 && custom->list_ttl < 0);
    finish();
}

TEST(sessions_are_found_and_ended) {
    start_two("60");
    char *ids[3], *headers[3];
    for (int i = 0; i < 3; i++) headers[i] = log_in(&ids[i]);
    khufu_subject *subject = open_subject("user-42", 3);
    size_t revoked = 9;
    CHECK_INT(khufu_subject_revoke(subject, ids[0], KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_subject_revoke(subject, ids[0], KHUFU_NTS), KHUFU_NOT_FOUND);
    /* A text that is not a key never reaches the store, which would report it as wrong. */
    CHECK_INT(khufu_subject_revoke(subject, "../other", KHUFU_NTS), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_subject_revoke(subject, "", 0), KHUFU_NOT_FOUND);
    CHECK_INT(result_of(headers[0]), KHUFU_LOAD_MISSING);
    CHECK_INT(khufu_subject_revoke_all(subject, ids[2], KHUFU_NTS, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(result_of(headers[1]), KHUFU_LOAD_MISSING);
    CHECK_INT(result_of(headers[2]), KHUFU_LOAD_LOADED);
    khufu_subject_free(subject);
    check_count("user-42", 1);
    for (int i = 0; i < 3; i++) free(ids[i]), free(headers[i]);
    finish();
}

/* A note that a change of subject left behind is ignored: only the record's header counts. */
TEST(a_session_belongs_to_its_last_subject_alone) {
    start_two("60");
    char *id, *header = log_in(&id);
    change_subject(header, "user-43");
    check_count("user-42", 0);
    check_count("user-43", 1);
    khufu_subject *former = open_subject("user-42", 0);
    size_t revoked = 9;
    CHECK_INT(khufu_subject_revoke(former, id, KHUFU_NTS), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_subject_revoke_all(former, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 0);
    CHECK_INT(result_of(header), KHUFU_LOAD_LOADED);
    khufu_subject_free(former);
    change_subject(header, "user-42");
    check_count("user-42", 1);
    check_count("user-43", 0);
    free(id);
    free(header);
    finish();
}

TEST(a_change_of_subject_that_fails_leaves_the_session_listed) {
    start_two("60");
    char *header = log_in(NULL);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_subject(session, "user-43", 7), KHUFU_OK);
    const int callbacks[] = {LIST, SAVE};
    const char *names[] = {"list", "save"};
    for (int i = 0; i < 2; i++) {
        custom->failing = callbacks[i];
        forget_calls(custom);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), names[i]);
        CHECK_INT((custom->calls & SAVE) != 0, i); /* a session that is not listed is not saved */
        custom->failing = 0;
        check_count("user-42", 1);
        check_count("user-43", 0);
    }
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    check_count("user-42", 0);
    check_count("user-43", 1);
    khufu_session_free(session);
    free(header);
    finish();
}

/* Another request changes this session after a revocation has loaded its record and before it removes it. */
static char *victim;

static void write_it(void) {
    khufu_session *session = open_at(another, victim, NOW);
    CHECK_INT(khufu_session_set_int64(session, "b", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *header = next_request(session);
    free(victim);
    victim = header;
    khufu_session_free(session);
}

static void give_it_away(void) { change_subject(victim, "user-43"); }

static void end_it(void) { end(victim); }

TEST(a_revocation_tries_again_when_another_request_was_first) {
    start_two("60");
    victim = log_in(NULL);
    khufu_subject *subject = open_subject("user-42", 1);
    size_t revoked = 9;
    custom->meanwhile = write_it;
    custom->meanwhile_before = REMOVE;
    forget_calls(custom);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(result_of(victim), KHUFU_LOAD_MISSING); /* also under its new id */
    CHECK_INT(count_records(custom), 0);
    free(victim);

    victim = log_in(NULL);
    custom->meanwhile = give_it_away;
    custom->meanwhile_before = REMOVE;
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 0);
    CHECK_INT(result_of(victim), KHUFU_LOAD_LOADED); /* by then it belonged to another subject */
    change_subject(victim, "user-42");

    custom->meanwhile = end_it;
    custom->meanwhile_before = REMOVE;
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 0); /* the session's own logout came first */
    CHECK_INT(count_records(custom), 0);
    free(victim);
    khufu_subject_free(subject);
    finish();
}

TEST(a_revocation_that_tries_for_too_long_fails) {
    start_two("0.05");
    char *id, *header = log_in(&id);
    khufu_subject *subject = open_subject("user-42", 1);
    size_t revoked = 9;
    custom->failing = REMOVE;
    custom->failure = KHUFU_ERR_CONFLICT;
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_ERR_STORE);
    CHECK_INT(revoked, 0);
    CHECK_CONTAINS(khufu_subject_error(subject), "kept changing");
    CHECK_INT(khufu_subject_revoke(subject, id, KHUFU_NTS), KHUFU_ERR_STORE);
    custom->failing = 0;
    CHECK_INT(khufu_subject_revoke(subject, id, KHUFU_NTS), KHUFU_OK);
    khufu_subject_free(subject);
    free(id);
    free(header);
    finish();
}

TEST(a_failing_callback_is_named_and_ends_the_call) {
    start_two("60");
    char *id, *header = log_in(&id);
    khufu_subject *subject = open_subject("user-42", 1), *broken = NULL;
    const int32_t failures[] = {KHUFU_ERR_STORE, KHUFU_NOT_FOUND, KHUFU_ERR_GONE, -1};
    const int callbacks[] = {MEMBERS, LOAD, REMOVE};
    const char *names[] = {"members", "load", "remove"};
    for (int i = 0; i < 3; i++) {
        for (int n = 0; n < 4; n++) {
            size_t revoked = 9;
            if (callbacks[i] == LOAD && failures[n] == KHUFU_NOT_FOUND) continue; /* these two are not failures */
            if (callbacks[i] == REMOVE && failures[n] == KHUFU_ERR_GONE) continue;
            custom->failing = callbacks[i];
            custom->failure = failures[n];
            CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_ERR_STORE);
            CHECK_CONTAINS(khufu_subject_error(subject), names[i]);
            CHECK_INT(revoked, 0);
            khufu_status opened = khufu_subject_open(factory, "user-42", 7, &broken);
            CHECK_INT(opened, callbacks[i] == REMOVE ? KHUFU_OK : KHUFU_ERR_STORE);
            if (opened != KHUFU_OK) CHECK_CONTAINS(khufu_subject_error(broken), names[i]);
            khufu_subject_free(broken);
        }
    }
    custom->failing = UNLIST; /* the record is gone, and a note that stays is ignored */
    CHECK_INT(khufu_subject_revoke(subject, id, KHUFU_NTS), KHUFU_OK);
    custom->failing = 0;
    check_count("user-42", 0);
    khufu_subject_free(subject);
    free(id);
    free(header);
    finish();
}

static const char *written;
static size_t written_len;

static int32_t write_members(void *data, const char *subject, size_t subject_len, khufu_sink *sink) {
    (void)data, (void)subject, (void)subject_len;
    return khufu_sink_write(sink, written, written_len);
}

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(members_must_be_keys_and_keys_without_a_record_are_skipped) {
    khufu_store_vtable table = custom_callbacks;
    table.members = write_members;
    start(&table, (const char *const[]){"secret", SECRET, NULL});
    char *id, *header = log_in(&id);
    const struct {
        const char *text;
        size_t len;
    } invalid[] = {{"x", 1},        {KEY "0", 65},   {KEY, 63}, {KEY "\n" KEY, 129}, {KEY KEY "x", 129},
                   {"0x" KEY, 64}, {"", 64 /* zeros */}, {"\xff\xfe" KEY, 64}};
    char zeros[KEY_LEN] = {0};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        khufu_subject *subject = NULL;
        written = invalid[i].text[0] == 0 ? zeros : invalid[i].text;
        written_len = invalid[i].len;
        CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_subject_error(subject), "members");
        khufu_subject_free(subject);
    }
    char *twice = joined(id, KEY, id);
    const char *valid[] = {"", KEY, twice};
    for (int i = 0; i < 3; i++) {
        written = valid[i];
        written_len = strlen(written);
        khufu_subject_free(open_subject("user-42", i == 2)); /* a key that is listed twice is one session */
    }
    khufu_subject_free(open_subject("user-43", 0)); /* the record says whose session it is */
    CHECK_INT(result_of(header), KHUFU_LOAD_LOADED);
    free(twice);
    free(id);
    free(header);
    finish();
}

TEST(a_store_without_list_unlist_and_members_refuses_subjects) {
    khufu_store_vtable table = custom_callbacks;
    table.list = NULL;
    table.unlist = NULL;
    table.members = NULL;
    start(&table, (const char *const[]){"secret", SECRET, NULL});
    khufu_session *session = open_new(factory);
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_ERR_ARGUMENT);
    CHECK(*khufu_session_error(session) != 0);
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_ERR_ARGUMENT);
    CHECK(*khufu_subject_error(subject) != 0);
    khufu_subject_free(subject);
    char *header = next_request(session); /* the session still works */
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    khufu_session_free(session);
    finish();
}

int main(void) {
    RUN(a_key_is_listed_before_its_record_is_written_and_unlisted_after_it_is_removed);
    RUN(a_session_without_a_timeout_is_listed_for_ever);
    RUN(sessions_are_found_and_ended);
    RUN(a_session_belongs_to_its_last_subject_alone);
    RUN(a_change_of_subject_that_fails_leaves_the_session_listed);
    RUN(a_revocation_tries_again_when_another_request_was_first);
    RUN(a_revocation_that_tries_for_too_long_fails);
    RUN(a_failing_callback_is_named_and_ends_the_call);
    RUN(members_must_be_keys_and_keys_without_a_record_are_skipped);
    RUN(a_store_without_list_unlist_and_members_refuses_subjects);
    return report();
}
