/* A store of the caller's own: what its callbacks get, what each of their answers comes to, and when it is released. */
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>

enum { KEY_LEN = 64, RECORDS = 16, LOAD = 1, SAVE = 2, TOUCH = 4, REMOVE = 8 };

/* A few records, and what the tests want to know of the calls or have them answer. */
struct own {
    pthread_mutex_t lock;
    struct {
        char key[KEY_LEN];
        char *data; /* NULL: the place is free */
        size_t len;
        uint64_t generation;
    } records[RECORDS];
    int calls, failing; /* LOAD | SAVE … */
    int32_t failure;
    bool wrong; /* a call was not as the header promises */
    double ttl; /* of the last call */
    atomic_int released;
};

static int32_t enter(struct own *own, int call, const char *key, size_t key_len) {
    pthread_mutex_lock(&own->lock);
    own->calls |= call;
    if (key == NULL || key_len != KEY_LEN || own->released > 0) own->wrong = true;
    for (size_t i = 0; i < key_len; i++) {
        if (strchr("0123456789abcdef", key[i]) == NULL) own->wrong = true;
    }
    return (own->failing & call) != 0 ? own->failure : KHUFU_OK;
}

static int32_t leave(struct own *own, int32_t status) {
    pthread_mutex_unlock(&own->lock);
    return status;
}

/* The record's place, or -1. */
static int find(const struct own *own, const char *key) {
    for (int i = 0; i < RECORDS; i++) {
        if (own->records[i].data != NULL && memcmp(own->records[i].key, key, KEY_LEN) == 0) return i;
    }
    return -1;
}

static void put(struct own *own, int at, const char *key, uint64_t generation, const char *data, size_t len) {
    for (int i = 0; at < 0; i++) {
        REQUIRE(i < RECORDS);
        if (own->records[i].data == NULL) at = i;
    }
    free(own->records[at].data);
    memcpy(own->records[at].key, key, KEY_LEN);
    own->records[at].data = text_copy(data, len);
    own->records[at].len = len;
    own->records[at].generation = generation;
}

static int32_t own_load(void *data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    struct own *own = data;
    int32_t failure = enter(own, LOAD, key, key_len);
    int at = find(own, key);
    if (sink == NULL || generation == NULL) own->wrong = true;
    if (failure != KHUFU_OK) {
        (void)khufu_sink_write(sink, "what is written before a failure", 8); /* counts for nothing */
        return leave(own, failure);
    }
    if (at < 0) return leave(own, KHUFU_NOT_FOUND);
    *generation = own->records[at].generation;
    size_t half = own->records[at].len / 2; /* in pieces */
    if (khufu_sink_write(sink, own->records[at].data, half) != KHUFU_OK || khufu_sink_write(sink, NULL, 0) != KHUFU_OK ||
        khufu_sink_write(sink, NULL, 1) != KHUFU_ERR_ARGUMENT ||
        khufu_sink_write(sink, own->records[at].data + half, own->records[at].len - half) != KHUFU_OK)
        own->wrong = true;
    return leave(own, KHUFU_OK);
}

static int32_t own_save(void *data, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                        const char *record, size_t record_len, double ttl) {
    struct own *own = data;
    int32_t failure = enter(own, SAVE, key, key_len);
    int at = find(own, key);
    own->ttl = ttl;
    if (generation <= expected || record == NULL) own->wrong = true;
    if (failure != KHUFU_OK) return leave(own, failure);
    if (at < 0 && expected != 0) return leave(own, KHUFU_ERR_GONE);
    if (at >= 0 && own->records[at].generation != expected) return leave(own, KHUFU_ERR_CONFLICT);
    put(own, at, key, generation, record, record_len);
    return leave(own, KHUFU_OK);
}

static int32_t own_touch(void *data, const char *key, size_t key_len, uint64_t generation, const char *record,
                         size_t record_len, double ttl) {
    struct own *own = data;
    int32_t failure = enter(own, TOUCH, key, key_len);
    int at = find(own, key);
    own->ttl = ttl;
    if (failure != KHUFU_OK) return leave(own, failure);
    if (at >= 0 && own->records[at].generation == generation) put(own, at, key, generation, record, record_len);
    return leave(own, KHUFU_OK);
}

static int32_t own_remove(void *data, const char *key, size_t key_len) {
    struct own *own = data;
    int32_t failure = enter(own, REMOVE, key, key_len);
    int at = find(own, key);
    if (failure != KHUFU_OK) return leave(own, failure);
    if (at >= 0) {
        free(own->records[at].data);
        own->records[at].data = NULL;
    }
    return leave(own, KHUFU_OK);
}

static void own_release(void *data) {
    struct own *own = data;
    own->released++;
}

static const khufu_store_vtable callbacks = {sizeof callbacks, own_load, own_save, own_touch, own_remove, own_release};

static struct own *new_own(void) {
    struct own *own = calloc(1, sizeof *own);
    REQUIRE(own != NULL && pthread_mutex_init(&own->lock, NULL) == 0);
    own->failure = KHUFU_ERR_STORE;
    return own;
}

/* Once everything that used it is gone. */
static void check_and_free(struct own *own) {
    CHECK_INT(own->released, 1);
    CHECK(!own->wrong);
    for (int i = 0; i < RECORDS; i++) free(own->records[i].data);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

#define OWN_FACTORY(own, ...) make_own_factory(own, (const char *const[]){"secret", SECRET, __VA_ARGS__, NULL})

static khufu_factory *make_own_factory(struct own *own, const char *const *words) {
    khufu_options *options = make_options(words);
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_options_set_store(options, &callbacks, own), KHUFU_OK);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    REQUIRE(factory != NULL);
    khufu_options_free(options);
    return factory;
}

static int count_records(const struct own *own) {
    int count = 0;
    for (int i = 0; i < RECORDS; i++) count += own->records[i].data != NULL;
    return count;
}

TEST(each_callback_has_its_place) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "timeout", "600");
    CHECK_INT(own->calls, 0);
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(own->calls, 0); /* nothing is asked for a browser without a cookie */
    char *header = next_request(session), *id = id_of(session);
    CHECK_INT(own->calls, SAVE);
    CHECK_DOUBLE(own->ttl, 601);
    CHECK_INT(own->records[0].generation, 1);
    CHECK(memcmp(own->records[0].key, id, KEY_LEN) == 0); /* which tells nobody the cookie */
    CHECK(memmem(header, strlen(header), own->records[0].key, KEY_LEN) == NULL);
    khufu_session_free(session);

    own->calls = 0;
    session = open_at(factory, header, NOW + 1);
    CHECK_INT(own->calls, LOAD); /* one round trip to open, one to commit */
    CHECK_VALUE(session, "a", "1");
    own->calls = own->ttl = 0;
    CHECK(commit_cookie(session) == NULL);
    CHECK_INT(own->calls, TOUCH);
    CHECK_DOUBLE(own->ttl, 601);
    CHECK_INT(own->records[0].generation, 1);
    khufu_session_free(session);

    session = open_at(factory, header, NOW + 2);
    own->calls = 0;
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    CHECK_INT(own->calls, SAVE);
    CHECK_INT(own->records[0].generation, 2);
    own->calls = 0;
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(own->calls, LOAD | REMOVE); /* a logout looks whether another request has moved the session */
    CHECK_INT(count_records(own), 0);
    khufu_session_free(session);
    free(header);
    free(id);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_session_without_a_timeout_is_kept_for_ever) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "timeout", "");
    free(begin(factory, "{\"a\":1}"));
    CHECK(own->ttl < 0);
    khufu_factory_free(factory);
    check_and_free(own);
    own = new_own();
    factory = OWN_FACTORY(own, "timeout", "600", "absolute_timeout", "300");
    free(begin(factory, "{\"a\":1}"));
    CHECK_DOUBLE(own->ttl, 301); /* the sooner of both */
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(two_requests_are_merged_and_a_logout_is_final) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *one = open_at(factory, header, NOW), *other = open_at(factory, header, NOW);
    khufu_session *late = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(one, "one", 3, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(other, "other", 5, 2), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(late, "late", 4, 3), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
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

TEST(a_regenerated_session_moves) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "regenerate_grace", "7");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(session, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *next_header = next_request(session);
    CHECK_INT(count_records(own), 2);
    CHECK_DOUBLE(own->ttl, 7); /* of the old record, written last */
    CHECK_STORED(factory, header, "{\"a\":1}");
    CHECK_STORED(factory, next_header, "{\"a\":1,\"user\":42}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(a_merge_that_never_ends_is_a_conflict_and_the_session_stays) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "store_timeout", "0.05");
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

/* Not one of them is a status that the callback may return, but for the first. */
static const int32_t failures[] = {KHUFU_ERR_STORE, -1, 12345, KHUFU_ERR_ARGUMENT, INT32_MIN};

TEST(a_failing_callback_is_named_and_costs_no_session) {
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct own *own = new_own();
        khufu_factory *factory = OWN_FACTORY(own, "timeout", "600");
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

TEST(with_store_on_error_empty_nothing_is_saved_over_what_could_not_be_read) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "store_on_error", "empty");
    char *header = begin(factory, "{\"a\":1}");
    own->failing = LOAD;
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_STORE_ERROR, NOW);
    CHECK_CONTAINS(khufu_session_error(session), "load");
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK); /* nothing to write */
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    own->failing = 0;
    own->calls = 0;
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
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "timeout", "600");
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
    memset(own->records[0].data, 0xff, len);
    memcpy(own->records[0].data, whole, 1);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    memcpy(own->records[0].data, whole, len);
    own->records[0].data[0] = 2; /* written by a later version */
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

TEST(it_keeps_no_subjects) {
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "timeout", "600");
    khufu_session *session = open_new(factory);
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, "user-42", 7), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "subjects");
    CHECK_INT(count_records(own), 0);
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &subject), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_subject_error(subject), "subjects");
    khufu_subject_free(subject);
    khufu_session_free(session);
    khufu_factory_free(factory);
    check_and_free(own);
}

TEST(it_is_released_once_when_all_that_uses_it_is_gone) {
    const int orders[][4] = {{0, 1, 2, 3}, {0, 1, 3, 2}, {0, 3, 1, 2}, {1, 0, 2, 3}, {1, 2, 0, 3}, {1, 2, 3, 0},
                             {2, 1, 0, 3}, {2, 3, 1, 0}, {2, 0, 3, 1}, {3, 2, 1, 0}, {3, 0, 2, 1}, {3, 1, 0, 2}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct own *own = new_own();
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
        khufu_factory *factories[2] = {NULL, NULL};
        CHECK_INT(khufu_options_set_store(options, &callbacks, own), KHUFU_OK);
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

TEST(a_store_that_another_replaces_is_released) {
    struct own *first = new_own(), *second = new_own(), *third = new_own();
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_options_set_store(options, &callbacks, first), KHUFU_OK);
    CHECK_INT(khufu_options_set_store(options, &callbacks, second), KHUFU_OK);
    check_and_free(first);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    CHECK_INT(khufu_options_set_store(options, &callbacks, third), KHUFU_OK);
    CHECK_INT(second->released, 0); /* the factory has it */
    khufu_options_free(options);
    check_and_free(third);
    free(begin(factory, "{\"a\":1}"));
    CHECK_INT(count_records(second), 1);
    khufu_factory_free(factory);
    check_and_free(second);
}

TEST(a_table_is_copied_and_needs_no_release) {
    struct own *own = new_own();
    khufu_store_vtable table = callbacks;
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
    struct own *own = new_own();
    khufu_factory *factory = OWN_FACTORY(own, "store_timeout", "60");
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
    RUN(two_requests_are_merged_and_a_logout_is_final);
    RUN(a_regenerated_session_moves);
    RUN(a_merge_that_never_ends_is_a_conflict_and_the_session_stays);
    RUN(a_failing_callback_is_named_and_costs_no_session);
    RUN(with_store_on_error_empty_nothing_is_saved_over_what_could_not_be_read);
    RUN(a_record_that_is_none_makes_a_new_session);
    RUN(it_keeps_no_subjects);
    RUN(it_is_released_once_when_all_that_uses_it_is_gone);
    RUN(a_store_that_another_replaces_is_released);
    RUN(a_table_is_copied_and_needs_no_release);
    RUN(threads_on_one_session_lose_nothing);
    return report();
}
