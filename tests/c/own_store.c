/* A store of the caller's own: what its callbacks get and when, and when it is released. */
#include "stores.h"

TEST(each_callback_has_its_place) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    CHECK_INT(own->calls, 0);
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(own->calls, 0); /* nothing is asked for a browser without a cookie */
    char *header = next_request(session), *id = id_of(session);
    CHECK_STRING(own->order, "s");
    CHECK_DOUBLE(own->ttl, 601);
    CHECK_INT(own->records[0].generation, 1);
    CHECK(memcmp(own->records[0].key, id, KEY_LEN) == 0); /* which tells nobody the cookie */
    CHECK(memmem(header, strlen(header), own->records[0].key, KEY_LEN) == NULL);
    khufu_session_free(session);

    forget_calls(own);
    session = open_at(factory, header, NOW + 1);
    CHECK_STRING(own->order, "l"); /* one round trip to open, one to commit */
    CHECK_VALUE(session, "a", "1");
    forget_calls(own);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(own->order, "t");
    CHECK_DOUBLE(own->ttl, 601);
    CHECK_INT(own->records[0].generation, 1);
    khufu_session_free(session);

    session = open_at(factory, header, NOW + 2);
    forget_calls(own);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(own->order, "s");
    CHECK_INT(own->records[0].generation, 2);
    forget_calls(own);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_STRING(own->order, "r");
    CHECK_INT(count_records(own), 0);
    khufu_session_free(session);
    free(header);
    free(id);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_session_without_a_timeout_is_kept_for_ever) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "");
    free(begin(factory, "{\"a\":1}"));
    CHECK(own->ttl < 0);
    khufu_factory_free(factory);
    check_and_free(own);
    own = new_custom_store();
    factory = CUSTOM_FACTORY(own, "timeout", "600", "absolute_timeout", "300");
    free(begin(factory, "{\"a\":1}"));
    CHECK_DOUBLE(own->ttl, 301); /* the sooner of both */
    khufu_factory_free(factory);
    check_and_free(own);
}

/* check_and_free sees to it that no callback gets less. */
TEST(a_record_is_kept_for_at_least_a_second) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "0", "regenerate_grace", "0");
    char *header = begin(factory, "{\"a\":1}");
    CHECK_DOUBLE(own->ttl, 1);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *next_header = next_request(session);
    CHECK_DOUBLE(own->ttl, 1);
    CHECK_STORED(factory, next_header, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
    check_and_free(own);

    own = new_custom_store();
    factory = CUSTOM_FACTORY(own, "timeout", "600", "absolute_timeout", "10");
    header = begin(factory, "{\"a\":1}");
    session = open_at(factory, header, NOW + 10);
    CHECK_VALUE(session, "a", "1");
    forget_calls(own);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(own->order, "t");
    CHECK_DOUBLE(own->ttl, 1); /* its last one */
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(two_requests_are_merged_and_a_logout_is_final) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *one = open_at(factory, header, NOW), *other = open_at(factory, header, NOW);
    khufu_session *late = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(one, "one", 3, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(other, "other", 5, 2), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(late, "late", 4, 3), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    forget_calls(own);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    CHECK_STRING(own->order, "sls"); /* a conflict, the newer record, and its merge */
    CHECK_STORED(factory, header, "{\"a\":1,\"one\":1,\"other\":2}");
    CHECK_INT(own->records[0].generation, 3);
    CHECK_INT(khufu_session_invalidate(one), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(late, 0), KHUFU_ERR_GONE);
    CHECK_INT(count_records(own), 0);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_EMPTY(next, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(next);
    khufu_session_free(one);
    khufu_session_free(other);
    khufu_session_free(late);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_session_with_a_new_id_keeps_its_key) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600", "regenerate_grace", "7");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    char *id = id_of(session);
    CHECK_INT(khufu_session_set_int64(session, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    forget_calls(own);
    char *next_header = next_request(session), *next_id = id_of(session);
    CHECK_STRING(own->order, "ls"); /* the record before is looked at, for the old id still shows it */
    CHECK_STRING(next_id, id);
    CHECK(strcmp(next_header, header) != 0);
    CHECK_INT(count_records(own), 1);
    CHECK_INT(own->records[0].generation, 2);
    CHECK_DOUBLE(own->ttl, 601);
    CHECK_STORED(factory, header, "{\"a\":1}");
    CHECK_STORED(factory, next_header, "{\"a\":1,\"user\":42}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    free(id);
    free(next_id);
    khufu_factory_free(factory);
    check_and_free(own);
}

/* The browser keeps a cookie of this factory's for an hour, so that each use of the session sends it again. */
TEST(a_touch_that_misses_sends_no_cookie) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "max_age", "3600");
    char *header = begin(factory, "{\"a\":1}");
    for (int ended = 0; ended < 2; ended++) {
        khufu_session *reader = open_at(factory, header, NOW + 1 + 2 * ended), *other = open_at(factory, header, NOW + 1);
        CHECK_VALUE(reader, "a", "1");
        if (ended) {
            CHECK_INT(khufu_session_invalidate(other), KHUFU_OK);
        } else {
            CHECK_INT(khufu_session_set_int64(other, "b", 1, 2), KHUFU_OK);
            CHECK_INT(khufu_session_regenerate_id(other), KHUFU_OK);
        }
        char *cookie = commit_cookie(other);
        CHECK(cookie != NULL);
        forget_calls(own);
        CHECK(commit_cookie(reader) == NULL);
        CHECK_STRING(own->order, "t");
        if (!ended) {
            free(header);
            cookie[strcspn(cookie, ";")] = 0;
            header = text_copy(cookie, strlen(cookie));
            khufu_session *next = open_at(factory, header, NOW + 2);
            CHECK_VALUE(next, "b", "2");
            char *again = commit_cookie(next);
            CHECK(again != NULL); /* a touch that hits sends it */
            free(again);
            khufu_session_free(next);
        }
        free(cookie);
        khufu_session_free(reader);
        khufu_session_free(other);
    }
    CHECK_INT(count_records(own), 0);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_merge_that_never_ends_is_a_conflict_and_the_session_stays) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "store_timeout", "0.05");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
    own->failing = SAVE;
    own->failure = KHUFU_ERR_CONFLICT;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_CONFLICT);
    CHECK_INT(khufu_session_commit_deadline(session, 0, 0.01), KHUFU_ERR_CONFLICT);
    CHECK(*khufu_session_error(session) != 0);
    CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    CHECK(khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":1,\"b\":2}");
    own->failing = 0;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":1,\"b\":2}");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(it_is_released_once_when_all_that_uses_it_is_gone) {
    const int orders[][4] = {{0, 1, 2, 3}, {0, 1, 3, 2}, {0, 3, 1, 2}, {1, 0, 2, 3}, {1, 2, 0, 3}, {1, 2, 3, 0},
                             {2, 1, 0, 3}, {2, 3, 1, 0}, {2, 0, 3, 1}, {3, 2, 1, 0}, {3, 0, 2, 1}, {3, 1, 0, 2}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct custom_store *own = new_custom_store();
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
        khufu_factory *factories[2] = {NULL, NULL};
        CHECK_INT(khufu_options_set_store(options, &custom_callbacks, own), KHUFU_OK);
        for (int n = 0; n < 2; n++) CHECK_INT(khufu_factory_new(options, &factories[n]), KHUFU_OK);
        khufu_session *session = open_new(factories[0]);
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        for (int n = 0; n < 4; n++) {
            CHECK_INT(own->released, 0);
            switch (orders[i][n]) {
            case 0: khufu_options_free(options); break;
            case 1: khufu_factory_free(factories[0]); break;
            case 2: khufu_factory_free(factories[1]); break;
            default:
                CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
                khufu_session_free(session);
            }
        }
        check_and_free(own);
    }
}

TEST(a_subject_keeps_the_store_until_it_is_freed) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "timeout", "600");
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_OK);
    khufu_factory_free(factory);
    CHECK_INT(own->released, 0);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, NULL), KHUFU_OK);
    khufu_subject_free(subject);
    check_and_free(own);
}

TEST(a_store_that_another_replaces_is_released) {
    struct custom_store *first = new_custom_store(), *second = new_custom_store(), *third = new_custom_store();
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_options_set_store(options, &custom_callbacks, first), KHUFU_OK);
    CHECK_INT(khufu_options_set_store(options, &custom_callbacks, second), KHUFU_OK);
    check_and_free(first);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    CHECK_INT(khufu_options_set_store(options, &custom_callbacks, third), KHUFU_OK);
    CHECK_INT(second->released, 0); /* the factory has it */
    khufu_options_free(options);
    check_and_free(third);
    free(begin(factory, "{\"a\":1}"));
    CHECK_INT(count_records(second), 1);
    khufu_factory_free(factory);
    check_and_free(second);
}

TEST(a_table_is_copied_and_needs_no_release) {
    struct custom_store *own = new_custom_store();
    khufu_store_vtable table = custom_callbacks;
    table.release = NULL;
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_options_set_store(options, &table, own), KHUFU_OK);
    memset(&table, 0, sizeof table);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    khufu_options_free(options);
    char *header = begin(factory, "{\"a\":1}");
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    khufu_factory_free(factory);
    CHECK_INT(own->released, 0);
    own->released = 1;
    check_and_free(own);
}

enum { THREADS = 4, ROUNDS = 50 };

static struct {
    const khufu_factory *factory;
    const char *header;
} load;

static void *send_requests(void *name) {
    uintptr_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        khufu_session *session = NULL;
        char key[32];
        snprintf(key, sizeof key, "%s %d", (const char *)name, round);
        wrong += khufu_session_open_at(load.factory, load.header, KHUFU_NTS, NOW + 1, &session) != KHUFU_OK;
        wrong += khufu_session_set_int64(session, key, KHUFU_NTS, round) != KHUFU_OK;
        wrong += khufu_session_flash_string(session, key, KHUFU_NTS, "", 0, true) != KHUFU_OK;
        wrong += khufu_session_commit(session, 0) != KHUFU_OK;
        khufu_session_free(session);
    }
    return (void *)wrong;
}

TEST(threads_on_one_session_lose_nothing) {
    struct custom_store *own = new_custom_store();
    khufu_factory *factory = CUSTOM_FACTORY(own, "store_timeout", "60");
    char *header = begin(factory, "{}");
    char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    load.factory = factory;
    load.header = header;
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, send_requests, names[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        REQUIRE(pthread_join(threads[i], &wrong) == 0);
        CHECK_INT((uintptr_t)wrong, 0);
    }
    khufu_session *session = open_at(factory, header, NOW + 2);
    CHECK_INT(khufu_session_length(session), THREADS * ROUNDS + 1);
    CHECK_INT(own->records[0].generation, THREADS * ROUNDS + 1); /* each was saved once */
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
    check_and_free(own);
}

int main(void) {
    RUN(each_callback_has_its_place);
    RUN(a_session_without_a_timeout_is_kept_for_ever);
    RUN(a_record_is_kept_for_at_least_a_second);
    RUN(two_requests_are_merged_and_a_logout_is_final);
    RUN(a_session_with_a_new_id_keeps_its_key);
    RUN(a_touch_that_misses_sends_no_cookie);
    RUN(a_merge_that_never_ends_is_a_conflict_and_the_session_stays);
    RUN(it_is_released_once_when_all_that_uses_it_is_gone);
    RUN(a_subject_keeps_the_store_until_it_is_freed);
    RUN(a_store_that_another_replaces_is_released);
    RUN(a_table_is_copied_and_needs_no_release);
    RUN(threads_on_one_session_lose_nothing);
    return report();
}
