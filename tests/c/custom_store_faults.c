/* A custom store that fails, loses an answer, answers late or writes invalid data: no session is lost, no change is
   made twice, and the error names the callback. */
#include "custom_store_setup.h"

/* A callback may return only the first of these. */
static const int32_t failures[] = {KHUFU_ERR_STORE, -1, 12345, KHUFU_ERR_ARGUMENT, INT32_MIN};

TEST(a_failing_callback_is_named_and_loses_no_session) {
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        START("timeout", "600");
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = NULL;
        const char *data;
        size_t len;
        custom->failure = failures[i];
        custom->failing = LOAD;
        CHECK_INT(khufu_session_open_with(factory, header, KHUFU_NTS, NOW, -1, 0, &session), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "load");
        khufu_session_free(session);

        custom->failing = SAVE | TOUCH | REMOVE;
        session = open_at(factory, header, NOW + 1);
        CHECK_VALUE(session, "a", "1");
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "touch");
        CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "save");
        CHECK(khufu_session_is_changed(session));
        CHECK_STATE(session, "{\"a\":1,\"b\":2}");
        custom->failing = REMOVE;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        CHECK_STORED(factory, header, "{\"a\":1,\"b\":2}");
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "remove");
        CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK); /* its cookie is cleared anyway */
        CHECK(len > 9 && strncmp(data, "session=;", 9) == 0);
        custom->failing = 0;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK); /* the logout is not forgotten */
        CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
        CHECK_INT(count_records(custom), 0);
        khufu_session_free(session);
        free(header);
        finish();
    }
}

/* Only other callbacks may return these statuses. */
TEST(a_status_that_the_callback_must_not_return_is_a_failure) {
    START("timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = NULL;
    const int32_t not_of_load[] = {KHUFU_ERR_GONE, KHUFU_ERR_CONFLICT};
    for (int i = 0; i < 2; i++) {
        custom->failing = LOAD;
        custom->failure = not_of_load[i];
        CHECK_INT(khufu_session_open_with(factory, header, KHUFU_NTS, NOW, -1, 0, &session), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "load");
        khufu_session_free(session);
    }
    custom->failure = KHUFU_NOT_FOUND;
    custom->failing = SAVE | TOUCH | REMOVE;
    session = open_at(factory, header, NOW + 1);
    CHECK_VALUE(session, "a", "1");
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "touch");
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "save");
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "remove");
    CHECK_STORED(factory, header, "{\"a\":1}");
    /* remove with the generation 0 removes any record: a conflict there would let a logout seem to succeed. */
    custom->failure = KHUFU_ERR_CONFLICT;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "remove");
    CHECK_STORED(factory, header, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    finish();
}

/* The callback did its work, but khufu does not know. */
TEST(a_lost_answer_neither_repeats_nor_loses_a_change) {
    START("timeout", "600");
    another = CUSTOM_FACTORY("timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    for (int others = 0; others < 2; others++) { /* in the second round, another request commits in between */
        khufu_session *session = open_at(factory, header, NOW), *other = open_at(another, header, NOW);
        CHECK_INT(khufu_session_flash_string(session, "once", 4, "", 0, true), KHUFU_OK);
        custom->losing = SAVE;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        custom->losing = 0;
        CHECK_INT(khufu_session_set_int64(other, "other", 5, others), KHUFU_OK);
        if (others) CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
        CHECK_INT(khufu_session_set_int64(session, "later", 5, others), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        khufu_session_free(session);
        khufu_session_free(other);
    }
    CHECK_STORED(factory, header, "{\"a\":1,\"_f_\":[\"once\",\"once\"],\"later\":1,\"other\":1}"); /* once per round */

    khufu_session *session = open_at(factory, header, NOW); /* a login */
    CHECK_INT(khufu_session_set_int64(session, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    custom->losing = SAVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    custom->losing = 0;
    char *next_header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, next_header, NOW + 1);
    CHECK_VALUE(session, "user", "42");
    custom->losing = TOUCH | REMOVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(count_records(custom), 0);
    custom->losing = 0;
    char *cleared = commit_cookie(session);
    CHECK(cleared != NULL);
    free(cleared);
    khufu_session_free(session);
    free(header);
    free(next_header);
    finish();
}

TEST(a_first_save_whose_answer_is_lost_leaves_no_second_record) {
    START("timeout", "600");
    khufu_session *session = open_new(factory);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    custom->losing = SAVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(khufu_session_id(session, &data, &len), KHUFU_NOT_FOUND);
    CHECK_INT(count_records(custom), 1);
    custom->losing = 0;
    char *header = next_request(session), *id = id_of(session);
    CHECK_INT(count_records(custom), 1); /* the record without a cookie was removed */
    CHECK_STORED(factory, header, "{\"a\":1}");
    khufu_subject *subject = NULL;
    size_t cursor = 0;
    double created, accessed;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_OK);
    CHECK_INT(khufu_subject_next(subject, &cursor, &data, &len, &created, &accessed), KHUFU_OK);
    CHECK_TEXT(data, len, id);
    CHECK_INT(khufu_subject_next(subject, &cursor, &data, &len, &created, &accessed), KHUFU_NOT_FOUND);
    khufu_subject_free(subject);
    khufu_session_free(session);
    free(header);
    free(id);
    finish();
}

/* store_timeout cannot interrupt a callback, so a late result is used. */
TEST(a_late_answer_counts) {
    START("store_timeout", "0.01");
    custom->delay = 25;
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, header, NOW + 1);
    CHECK_VALUE(session, "a", "1");
    CHECK(commit_cookie(session) == NULL);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STORED(factory, header, "{\"a\":2}");

    khufu_session *slow = open_at(factory, header, NOW + 1), *other = open_at(factory, header, NOW + 1);
    CHECK_INT(khufu_session_set_int64(other, "b", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(slow, "c", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(slow, 0), KHUFU_ERR_CONFLICT); /* there is no time for another try */
    custom->delay = 0;
    khufu_status status = KHUFU_ERR_CONFLICT; /* a slow machine may need several tries */
    for (int tries = 0; tries < 1000 && status == KHUFU_ERR_CONFLICT; tries++) status = khufu_session_commit(slow, 0);
    CHECK_INT(status, KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":2,\"b\":1,\"c\":1}");
    khufu_session_free(slow);
    khufu_session_free(other);

    custom->delay = 25;
    size_t revoked = 0;
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_OK);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(custom->calls, LOAD | SAVE | TOUCH | REMOVE | LIST | UNLIST | MEMBERS); /* each of them was late */
    khufu_subject_free(subject);
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(store_on_error_empty_does_not_overwrite_a_record_that_was_not_read) {
    START("store_on_error", "empty");
    char *header = begin(factory, "{\"a\":1}");
    custom->failing = LOAD;
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_STORE_ERROR, NOW);
    CHECK_CONTAINS(khufu_session_error(session), "load");
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK); /* there is nothing to write */
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    custom->failing = 0;
    forget_calls(custom);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    CHECK_INT(custom->calls, 0);
    CHECK_STATE(session, "{\"a\":2}");
    khufu_session_free(session);
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    finish();
}

TEST(an_invalid_record_opens_a_new_session) {
    START("timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    size_t len = custom->records[0].len;
    char *whole = text_copy(custom->records[0].data, len);
    for (size_t cut = 0; cut < len; cut++) { /* a record that is too short */
        custom->records[0].len = cut;
        khufu_session *session = open_at(factory, header, NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        khufu_session_free(session);
    }
    custom->records[0].len = len;
    memset(custom->records[0].data + 2, 0xff, len - 2); /* everything but the version and the flags */
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    memcpy(custom->records[0].data, whole, len);
    const uint64_t generations[] = {0, INT64_MAX, UINT64_MAX}; /* no save sets 0, and nothing can follow the others */
    for (int i = 0; i < 3; i++) {
        custom->records[0].generation = generations[i];
        session = open_at(factory, header, NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        CHECK_CONTAINS(khufu_session_error(session), "generation");
        khufu_session_free(session);
    }
    custom->records[0].generation = 1;
    custom->records[0].data[0]++; /* written by a later version */
    session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_UNSUPPORTED, NOW);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    khufu_session_free(session);
    CHECK_INT(count_records(custom), 1);
    memcpy(custom->records[0].data, whole, len);
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(whole);
    free(header);
    finish();
}

int main(void) {
    RUN(a_failing_callback_is_named_and_loses_no_session);
    RUN(a_status_that_the_callback_must_not_return_is_a_failure);
    RUN(a_lost_answer_neither_repeats_nor_loses_a_change);
    RUN(a_first_save_whose_answer_is_lost_leaves_no_second_record);
    RUN(a_late_answer_counts);
    RUN(store_on_error_empty_does_not_overwrite_a_record_that_was_not_read);
    RUN(an_invalid_record_opens_a_new_session);
    return report();
}
