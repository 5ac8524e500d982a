/* A custom store: which callbacks are called with which arguments, and when the store is released. */
#include "custom_store_setup.h"

TEST(each_request_makes_only_the_calls_it_needs) {
    START("timeout", "600");
    CHECK_INT(custom->calls, 0);
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(custom->calls, 0); /* a browser without a cookie needs no call */
    char *header = next_request(session), *id = id_of(session);
    CHECK_STRING(custom->order, "s");
    CHECK_DOUBLE(custom->ttl, 601);
    CHECK_INT(custom->records[0].generation, 1);
    CHECK(memcmp(custom->records[0].key, id, KEY_LEN) == 0); /* the key does not reveal the cookie */
    CHECK(memmem(header, strlen(header), custom->records[0].key, KEY_LEN) == NULL);
    khufu_session_free(session);

    forget_calls(custom);
    session = open_at(factory, header, NOW + 1);
    CHECK_STRING(custom->order, "l"); /* one round trip to open, one to commit */
    CHECK_VALUE(session, "a", "1");
    forget_calls(custom);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(custom->order, "t");
    CHECK_DOUBLE(custom->ttl, 601);
    CHECK_INT(custom->records[0].generation, 1);
    khufu_session_free(session);

    session = open_at(factory, header, NOW + 2);
    forget_calls(custom);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(custom->order, "s");
    CHECK_INT(custom->records[0].generation, 2);
    forget_calls(custom);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_STRING(custom->order, "r");
    CHECK_INT(count_records(custom), 0);
    khufu_session_free(session);
    free(header);
    free(id);
    finish();
}

TEST(a_session_without_a_timeout_is_kept_for_ever) {
    START("timeout", "");
    free(begin(factory, "{\"a\":1}"));
    CHECK(custom->ttl < 0);
    finish();
    START("timeout", "600", "absolute_timeout", "300");
    free(begin(factory, "{\"a\":1}"));
    CHECK_DOUBLE(custom->ttl, 301); /* the shorter of the two */
    finish();
}

/* check_and_free checks that no callback got a shorter time. */
TEST(a_record_is_kept_for_at_least_a_second) {
    START("timeout", "0", "regenerate_grace", "0");
    char *header = begin(factory, "{\"a\":1}");
    CHECK_DOUBLE(custom->ttl, 1);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *next_header = next_request(session);
    CHECK_DOUBLE(custom->ttl, 1);
    CHECK_STORED(factory, next_header, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    finish();

    START("timeout", "600", "absolute_timeout", "10");
    header = begin(factory, "{\"a\":1}");
    session = open_at(factory, header, NOW + 10);
    CHECK_VALUE(session, "a", "1");
    forget_calls(custom);
    CHECK(commit_cookie(session) == NULL);
    CHECK_STRING(custom->order, "t");
    CHECK_DOUBLE(custom->ttl, 1); /* its last second */
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(two_requests_are_merged_and_a_logout_is_final) {
    START("timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *one = open_at(factory, header, NOW), *other = open_at(factory, header, NOW);
    khufu_session *late = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(one, "one", 3, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(other, "other", 5, 2), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(late, "late", 4, 3), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    forget_calls(custom);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    CHECK_STRING(custom->order, "sls"); /* a conflict, a load of the newer record, and a save of the merge */
    CHECK_STORED(factory, header, "{\"a\":1,\"one\":1,\"other\":2}");
    CHECK_INT(custom->records[0].generation, 3);
    CHECK_INT(khufu_session_invalidate(one), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(late, 0), KHUFU_ERR_GONE);
    CHECK_INT(count_records(custom), 0);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_EMPTY(next, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(next);
    khufu_session_free(one);
    khufu_session_free(other);
    khufu_session_free(late);
    free(header);
    finish();
}

TEST(a_session_with_a_new_id_keeps_its_key) {
    START("timeout", "600", "regenerate_grace", "7");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    char *id = id_of(session);
    CHECK_INT(khufu_session_set_int64(session, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    forget_calls(custom);
    char *next_header = next_request(session), *next_id = id_of(session);
    CHECK_STRING(custom->order, "ls"); /* the previous record is loaded because the old id still shows it */
    CHECK_STRING(next_id, id);
    CHECK(strcmp(next_header, header) != 0);
    CHECK_INT(count_records(custom), 1);
    CHECK_INT(custom->records[0].generation, 2);
    CHECK_DOUBLE(custom->ttl, 601);
    CHECK_STORED(factory, header, "{\"a\":1}");
    CHECK_STORED(factory, next_header, "{\"a\":1,\"user\":42}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    free(id);
    free(next_id);
    finish();
}

/* The browser keeps the cookie for an hour, so each use of the session sends it again. */
TEST(a_touch_of_a_changed_or_removed_record_sends_no_cookie) {
    START("max_age", "3600");
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
        forget_calls(custom);
        CHECK(commit_cookie(reader) == NULL);
        CHECK_STRING(custom->order, "t");
        if (!ended) {
            free(header);
            cookie[strcspn(cookie, ";")] = 0;
            header = text_copy(cookie, strlen(cookie));
            khufu_session *next = open_at(factory, header, NOW + 2);
            CHECK_VALUE(next, "b", "2");
            char *again = commit_cookie(next);
            CHECK(again != NULL); /* a touch that succeeds sends the cookie */
            free(again);
            khufu_session_free(next);
        }
        free(cookie);
        khufu_session_free(reader);
        khufu_session_free(other);
    }
    CHECK_INT(count_records(custom), 0);
    free(header);
    finish();
}

TEST(a_commit_that_always_conflicts_fails_and_keeps_the_session) {
    START("store_timeout", "0.05");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
    custom->failing = SAVE;
    custom->failure = KHUFU_ERR_CONFLICT;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_CONFLICT);
    CHECK_INT(khufu_session_commit_with(session, 0, 0.01), KHUFU_ERR_CONFLICT);
    CHECK(*khufu_session_error(session) != 0);
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    CHECK(khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":1,\"b\":2}");
    custom->failing = 0;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":1,\"b\":2}");
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(it_is_released_once_after_everything_that_uses_it_is_freed) {
    const int orders[][4] = {{0, 1, 2, 3}, {0, 1, 3, 2}, {0, 3, 1, 2}, {1, 0, 2, 3}, {1, 2, 0, 3}, {1, 2, 3, 0},
                             {2, 1, 0, 3}, {2, 3, 1, 0}, {2, 0, 3, 1}, {3, 2, 1, 0}, {3, 0, 2, 1}, {3, 1, 0, 2}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        custom = new_custom_store();
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
        khufu_factory *factories[2] = {NULL, NULL};
        set_custom_store(options, &custom_callbacks, custom);
        for (int n = 0; n < 2; n++) CHECK_INT(khufu_factory_new(options, &factories[n]), KHUFU_OK);
        khufu_session *session = open_new(factories[0]);
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        for (int n = 0; n < 4; n++) {
            CHECK_INT(custom->released, 0);
            switch (orders[i][n]) {
            case 0: khufu_options_free(options); break;
            case 1: khufu_factory_free(factories[0]); break;
            case 2: khufu_factory_free(factories[1]); break;
            default:
                CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
                khufu_session_free(session);
            }
        }
        check_and_free(custom);
    }
}

TEST(a_subject_keeps_the_store_until_it_is_freed) {
    START("timeout", "600");
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_OK);
    khufu_factory_free(factory);
    CHECK_INT(custom->released, 0);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, NULL), KHUFU_OK);
    khufu_subject_free(subject);
    check_and_free(custom);
}

TEST(a_replaced_store_is_released) {
    struct custom_store *first = new_custom_store(), *second = new_custom_store(), *third = new_custom_store();
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    set_custom_store(options, &custom_callbacks, first);
    set_custom_store(options, &custom_callbacks, second);
    check_and_free(first);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    set_custom_store(options, &custom_callbacks, third);
    CHECK_INT(second->released, 0); /* the factory uses it */
    khufu_options_free(options);
    check_and_free(third);
    free(begin(factory, "{\"a\":1}"));
    CHECK_INT(count_records(second), 1);
    khufu_factory_free(factory);
    check_and_free(second);
}

TEST(the_table_is_copied_and_release_is_optional) {
    custom = new_custom_store();
    khufu_store_vtable table = custom_callbacks;
    table.release = NULL;
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    set_custom_store(options, &table, custom);
    memset(&table, 0, sizeof table);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    khufu_options_free(options);
    char *header = begin(factory, "{\"a\":1}");
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    finish();
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
        wrong += khufu_session_open_with(load.factory, load.header, KHUFU_NTS, NOW + 1, -1, 0, &session) != KHUFU_OK;
        wrong += khufu_session_set_int64(session, key, KHUFU_NTS, round) != KHUFU_OK;
        wrong += khufu_session_flash_string(session, key, KHUFU_NTS, "", 0, true) != KHUFU_OK;
        wrong += khufu_session_commit(session, 0) != KHUFU_OK;
        khufu_session_free(session);
    }
    return (void *)wrong;
}

TEST(threads_on_one_session_lose_no_write) {
    START("store_timeout", "60");
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
    CHECK_INT(custom->records[0].generation, THREADS * ROUNDS + 1); /* each request saved once */
    khufu_session_free(session);
    free(header);
    finish();
}

int main(void) {
    RUN(each_request_makes_only_the_calls_it_needs);
    RUN(a_session_without_a_timeout_is_kept_for_ever);
    RUN(a_record_is_kept_for_at_least_a_second);
    RUN(two_requests_are_merged_and_a_logout_is_final);
    RUN(a_session_with_a_new_id_keeps_its_key);
    RUN(a_touch_of_a_changed_or_removed_record_sends_no_cookie);
    RUN(a_commit_that_always_conflicts_fails_and_keeps_the_session);
    RUN(it_is_released_once_after_everything_that_uses_it_is_freed);
    RUN(a_subject_keeps_the_store_until_it_is_freed);
    RUN(a_replaced_store_is_released);
    RUN(the_table_is_copied_and_release_is_optional);
    RUN(threads_on_one_session_lose_no_write);
    return report();
}
