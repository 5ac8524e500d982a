/* A store of the caller's own that fails, loses an answer, answers late or writes rubbish: it costs no session, nothing is
   done twice, and the error names the callback. */
#include "stores.h"

/* Not one of them is a status that the callback may return, but for the first. */
static const int32_t failures[] = {KHUFU_ERR_STORE, -1, 12345, KHUFU_ERR_ARGUMENT, INT32_MIN};

TEST(a_failing_callback_is_named_and_costs_no_session) {
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct custom_store *own = new_custom_store();
        khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = NULL;
        const char *data;
        size_t len;
        own->failure = failures[i];
        own->failing = LOAD;
        CHECK_INT(khufu_session_open_at(factory, header, KHUFU_NTS, NOW, &session), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "load");
        khufu_session_free(session);

        own->failing = SAVE | TOUCH | REMOVE;
        session = open_at(factory, header, NOW + 1);
        CHECK_VALUE(session, "a", "1");
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "touch");
        CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "save");
        CHECK(khufu_session_is_changed(session));
        CHECK_STATE(session, "{\"a\":1,\"b\":2}");
        own->failing = REMOVE;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        CHECK_STORED(factory, header, "{\"a\":1,\"b\":2}");
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "remove");
        CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_OK); /* the browser forgets it all the same */
        CHECK(len > 9 && strncmp(data, "session=;", 9) == 0);
        own->failing = 0;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK); /* the logout is not forgotten */
        CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_OK);
        CHECK_INT(count_records(own), 0);
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
        check_and_free(own);
    }
}

/* Each of these is a status of another callback's. */
TEST(an_answer_that_is_not_a_callbacks_own_is_a_failure) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = NULL;
    const int32_t of_load[] = {KHUFU_ERR_GONE, KHUFU_ERR_CONFLICT};
    for (int i = 0; i < 2; i++) {
        own->failing = LOAD;
        own->failure = of_load[i];
        CHECK_INT(khufu_session_open_at(factory, header, KHUFU_NTS, NOW, &session), KHUFU_ERR_STORE);
        CHECK_CONTAINS(khufu_session_error(session), "load");
        khufu_session_free(session);
    }
    own->failure = KHUFU_NOT_FOUND;
    own->failing = SAVE | TOUCH | REMOVE;
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
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

/* The callback has done its work, and the caller of khufu does not know. */
TEST(an_answer_that_is_lost_neither_doubles_nor_loses_anything) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600"), *another = CUSTOM_FACTORY(own, "timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    for (int others = 0; others < 2; others++) { /* with another request's commit in between, too */
        khufu_session *session = open_at(factory, header, NOW), *other = open_at(another, header, NOW);
        CHECK_INT(khufu_session_flash_string(session, "once", 4, "", 0, true), KHUFU_OK);
        own->losing = SAVE;
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
        own->losing = 0;
        CHECK_INT(khufu_session_set_int64(other, "other", 5, others), KHUFU_OK);
        if (others) CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
        CHECK_INT(khufu_session_set_int64(session, "later", 5, others), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        khufu_session_free(session);
        khufu_session_free(other);
    }
    CHECK_STORED(factory, header, "{\"a\":1,\"_f_\":[\"once\",\"once\"],\"later\":1,\"other\":1}"); /* once a round */

    khufu_session *session = open_at(factory, header, NOW); /* a login */
    CHECK_INT(khufu_session_set_int64(session, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    own->losing = SAVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    own->losing = 0;
    char *next_header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, next_header, NOW + 1);
    CHECK_VALUE(session, "user", "42");
    own->losing = TOUCH | REMOVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(count_records(own), 0);
    own->losing = 0;
    char *cleared = commit_cookie(session);
    CHECK(cleared != NULL);
    free(cleared);
    khufu_session_free(session);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
    khufu_factory_free(another);
    CHECK_INT(own->released, 2); /* once a factory */
    own->released = 1;
    check_and_free(own);
}

TEST(a_first_save_whose_answer_is_lost_leaves_no_second_record) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    khufu_session *session = open_new(factory);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    own->losing = SAVE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_INT(khufu_session_id(session, &data, &len), KHUFU_NOT_FOUND);
    CHECK_INT(count_records(own), 1);
    own->losing = 0;
    char *header = next_request(session), *id = id_of(session);
    CHECK_INT(count_records(own), 1); /* the one that nobody knows of is removed */
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
    khufu_factory_free(factory);
    check_and_free(own);
}

/* store_timeout cannot interrupt a callback, and what it has done counts. */
TEST(a_late_answer_counts) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "store_timeout", "0.01");
    own->delay = 25;
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
    CHECK_INT(khufu_session_commit(slow, 0), KHUFU_ERR_CONFLICT); /* there is no time to try again */
    own->delay = 0;
    khufu_status status = KHUFU_ERR_CONFLICT; /* a slow machine may not make it in the time either */
    for (int tries = 0; tries < 1000 && status == KHUFU_ERR_CONFLICT; tries++) status = khufu_session_commit(slow, 0);
    CHECK_INT(status, KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":2,\"b\":1,\"c\":1}");
    khufu_session_free(slow);
    khufu_session_free(other);

    own->delay = 25;
    size_t revoked = 0;
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_OK);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(own->calls, LOAD | SAVE | TOUCH | REMOVE | LIST | UNLIST | MEMBERS); /* each of them was late */
    khufu_subject_free(subject);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(with_store_on_error_empty_nothing_is_saved_over_what_could_not_be_read) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "store_on_error", "empty");
    char *header = begin(factory, "{\"a\":1}");
    own->failing = LOAD;
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_STORE_ERROR, NOW);
    CHECK_CONTAINS(khufu_session_error(session), "load");
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK); /* nothing to write */
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    own->failing = 0;
    forget_calls(own);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    CHECK_INT(own->calls, 0);
    CHECK_STATE(session, "{\"a\":2}");
    khufu_session_free(session);
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_record_that_is_none_makes_a_new_session) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    size_t len = own->records[0].len;
    char *whole = text_copy(own->records[0].data, len);
    for (size_t cut = 0; cut < len; cut++) { /* cut short anywhere */
        own->records[0].len = cut;
        khufu_session *session = open_at(factory, header, NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        khufu_session_free(session);
    }
    own->records[0].len = len;
    memset(own->records[0].data + 2, 0xff, len - 2); /* but for the version and the flags */
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    memcpy(own->records[0].data, whole, len);
    const uint64_t generations[] = {0, INT64_MAX, UINT64_MAX}; /* one that no save gives, and two that none could follow */
    for (int i = 0; i < 3; i++) {
        own->records[0].generation = generations[i];
        session = open_at(factory, header, NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        CHECK_CONTAINS(khufu_session_error(session), "generation");
        khufu_session_free(session);
    }
    own->records[0].generation = 1;
    own->records[0].data[0]++; /* written by a later version */
    session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_UNSUPPORTED, NOW);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    khufu_session_free(session);
    CHECK_INT(count_records(own), 1);
    memcpy(own->records[0].data, whole, len);
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(whole);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

int main(void) {
    RUN(a_failing_callback_is_named_and_costs_no_session);
    RUN(an_answer_that_is_not_a_callbacks_own_is_a_failure);
    RUN(an_answer_that_is_lost_neither_doubles_nor_loses_anything);
    RUN(a_first_save_whose_answer_is_lost_leaves_no_second_record);
    RUN(a_late_answer_counts);
    RUN(with_store_on_error_empty_nothing_is_saved_over_what_could_not_be_read);
    RUN(a_record_that_is_none_makes_a_new_session);
    return report();
}
