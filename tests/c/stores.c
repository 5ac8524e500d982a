/* Sessions in a store. Most tests run with memory, Redis, SQLite and a custom store: concurrent requests lose no write,
   a session that has ended stays ended, a subject's sessions are found, and a store that fails or is slow loses no
   session. */
#include "stores.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(the_next_request_reads_what_was_set) {
    khufu_factory *factory = STORED("reissue_time", "");
    char *header = begin(factory, "{\"user\":\"zo\xc3\xab\",\"n\":1.10}");
    CHECK_INT(strlen(header), strlen("session=") + 86); /* base64 of a MAC and an id, 32 bytes each */
    khufu_session *session = open_at(factory, header, NOW + 1);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK(!khufu_session_is_new(session));
    CHECK_DOUBLE(khufu_session_created(session), NOW);
    CHECK_VALUE(session, "n", "1.10");
    CHECK(commit_cookie(session) == NULL); /* the browser has the cookie */
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);
    CHECK_STORED(factory, header, "{\"user\":\"zo\xc3\xab\",\"n\":1.10,\"a\":null}");
    free(header);
    khufu_factory_free(factory);
}

TEST(a_record_may_be_larger_than_any_cookie) {
    khufu_factory *factory = STORED("httponly", "true");
    enum { SIZE = 1000000 };
    char *large = allocate(SIZE);
    memset(large, 'x', SIZE);
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_string(session, "large", 5, large, SIZE), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_get_string(session, "large", 5, &data, &len), KHUFU_OK);
    CHECK(len == SIZE && memcmp(data, large, SIZE) == 0);
    khufu_session_free(session);
    free(header);
    free(large);
    khufu_factory_free(factory);
}

TEST(two_concurrent_requests_keep_each_others_changes) {
    khufu_factory *factory = STORED("timeout", "600");
    char *header = begin(factory, "{\"gone\":1,\"kept\":[],\"_f_\":[\"old\"]}");
    khufu_session *one = open_at(factory, header, NOW), *other = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_int64(one, "one", 3, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(one, "same", 4, "one", 3), KHUFU_OK);
    CHECK_INT(khufu_session_flash_string(one, "from one", 8, "", 0, true), KHUFU_OK);
    CHECK_INT(khufu_session_setdefault(one, "theme", 5, "\"dark\"", 6, NULL, NULL), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(other, "other", 5, 2), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(other, "same", 4, "other", 5), KHUFU_OK);
    CHECK_INT(khufu_session_pop_flash(other, "", 0, &data, &len), KHUFU_OK);
    CHECK_TEXT(data, len, "[\"old\"]");
    CHECK_INT(khufu_session_flash_string(other, "from other", 10, "", 0, true), KHUFU_OK);
    CHECK_INT(khufu_session_delete(other, "gone", 4), KHUFU_OK);
    CHECK_INT(khufu_session_setdefault(other, "theme", 5, "\"light\"", 7, NULL, NULL), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    const char *both = "{\"kept\":[],\"_f_\":[\"from one\",\"from other\"],\"one\":1,\"same\":\"other\",\"theme\":\"dark\","
                       "\"other\":2}";
    CHECK_STATE(other, both); /* the second commit merged the first one's changes */
    CHECK_STORED(factory, header, both);
    CHECK_INT(khufu_session_set_int64(one, "again", 5, 3), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_VALUE(one, "other", "2");
    khufu_session_free(one);
    khufu_session_free(other);
    free(header);
    khufu_factory_free(factory);
}

TEST(concurrent_requests_share_one_csrf_token) {
    khufu_factory *factory = STORED("timeout", "600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *one = open_at(factory, header, NOW), *other = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    bool valid = false;
    CHECK_INT(khufu_session_csrf_token(one, &data, &len), KHUFU_OK);
    char *token = text_copy(data, len);
    CHECK_INT(khufu_session_csrf_token(other, &data, &len), KHUFU_OK);
    CHECK_INT(khufu_session_commit(one, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    CHECK_INT(khufu_session_check_csrf_token(other, token, KHUFU_NTS, &valid), KHUFU_OK);
    CHECK(valid);
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_check_csrf_token(next, token, KHUFU_NTS, &valid), KHUFU_OK);
    CHECK(valid);
    khufu_session_free(next);
    khufu_session_free(one);
    khufu_session_free(other);
    free(token);
    free(header);
    khufu_factory_free(factory);
}

enum { THREADS = 4, ROUNDS = 25 };

static struct {
    const khufu_factory *factory;
    const char *header;
    atomic_int next;
} load;

/* Sends requests. Each sets its own key and flashes a message to each of two queues. Returns how many calls failed. */
static void *send_requests(void *unused) {
    (void)unused;
    uintptr_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        khufu_session *session = NULL;
        char key[32], number[16];
        int n = atomic_fetch_add(&load.next, 1);
        snprintf(key, sizeof key, "key %d", n);
        snprintf(number, sizeof number, "%d", n);
        wrong += khufu_session_open_with(load.factory, load.header, KHUFU_NTS, NOW + 1, -1, 0, &session) != KHUFU_OK;
        wrong += khufu_session_set_int64(session, key, KHUFU_NTS, n) != KHUFU_OK;
        wrong += khufu_session_flash_string(session, key, KHUFU_NTS, "", 0, true) != KHUFU_OK;
        wrong += khufu_session_flash(session, number, KHUFU_NTS, "queue", 5, true) != KHUFU_OK;
        wrong += khufu_session_commit(session, 0) != KHUFU_OK;
        khufu_session_free(session);
    }
    return (void *)wrong;
}

TEST(threads_on_one_session_lose_no_write) {
    khufu_factory *factory = STORED("store_timeout", "60");
    char *header = begin(factory, "{}");
    pthread_t threads[THREADS];
    load.factory = factory;
    load.header = header;
    load.next = 0;
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, send_requests, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        REQUIRE(pthread_join(threads[i], &wrong) == 0);
        CHECK_INT((uintptr_t)wrong, 0);
    }
    khufu_session *session = open_at(factory, header, NOW + 2);
    CHECK_INT(khufu_session_length(session), THREADS * ROUNDS + 2);
    for (int n = 0; n < THREADS * ROUNDS; n++) {
        char key[32];
        int64_t value = -1;
        snprintf(key, sizeof key, "key %d", n);
        CHECK_INT(khufu_session_get_int64(session, key, KHUFU_NTS, &value), KHUFU_OK);
        CHECK_INT(value, n);
    }
    const char *queues[] = {"", "queue"};
    for (int i = 0; i < 2; i++) {
        const char *data;
        size_t len;
        CHECK_INT(khufu_session_peek_flash(session, queues[i], KHUFU_NTS, &data, &len), KHUFU_OK);
        cJSON *messages = cJSON_ParseWithLength(data, len);
        CHECK_INT(cJSON_GetArraySize(messages), THREADS * ROUNDS);
        cJSON_Delete(messages);
    }
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_logout_is_final) {
    khufu_factory *factory = STORED("timeout", "600");
    char *header = begin(factory, "{\"user\":1}");
    khufu_session *slow = open_at(factory, header, NOW), *reader = open_at(factory, header, NOW);
    khufu_session *logout = open_at(factory, header, NOW);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_int64(slow, "seen", 4, 1), KHUFU_OK);
    CHECK_VALUE(reader, "user", "1");
    CHECK_INT(khufu_session_invalidate(logout), KHUFU_OK);
    char *cleared = commit_cookie(logout);
    CHECK(cleared != NULL && strncmp(cleared, "session=; Max-Age=0", 19) == 0);
    for (int again = 0; again < 2; again++) {
        CHECK_INT(khufu_session_commit(slow, 0), KHUFU_ERR_GONE);
        CHECK(*khufu_session_error(slow) != 0);
        CHECK_INT(nth_cookie(slow, 0, &data, &len), KHUFU_NOT_FOUND);
        CHECK_STATE(slow, "{\"user\":1,\"seen\":1}"); /* its data can still be read */
    }
    CHECK(commit_cookie(reader) == NULL); /* a request that only read does not restore it */
    khufu_session *next = open_at(factory, header, NOW);
    CHECK_EMPTY(next, KHUFU_LOAD_MISSING, NOW);
    CHECK(*khufu_session_error(next) != 0);
    khufu_session_free(next);
    khufu_session_free(slow);
    khufu_session_free(reader);
    khufu_session_free(logout);
    free(cleared);
    free(header);
    khufu_factory_free(factory);
}

TEST(an_id_from_the_browser_is_never_reused) {
    khufu_factory *factory = STORED("timeout", "600");
    char *header = begin(factory, "{\"user\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    char *old = id_of(session);
    const char *data;
    size_t len;
    CHECK_INT(strlen(old), 64);
    CHECK_INT(strspn(old, "0123456789abcdef"), 64);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "fresh", 5, 1), KHUFU_OK);
    char *next_header = next_request(session);
    char *new = id_of(session);
    CHECK(strcmp(new, old) != 0 && strcmp(next_header, header) != 0);
    CHECK_STORED(factory, next_header, "{\"fresh\":1}");
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_MISSING);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_id(session, &data, &len), KHUFU_NOT_FOUND); /* it has no id before its first commit */
    free(next_header);
    next_header = next_request(session);
    CHECK(strcmp(next_header, header) != 0);
    free(new);
    new = id_of(session);
    CHECK(strcmp(new, old) != 0);
    khufu_session_free(session);
    free(next_header);
    free(new);
    free(old);
    free(header);
    khufu_factory_free(factory);
}

static khufu_load_result load_result(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_at(factory, header, NOW + 10);
    khufu_load_result result = khufu_session_load_result(session);
    khufu_session_free(session);
    return result;
}

/* Sets the user of a session and gives it a new id. Returns its next Cookie header. */
static char *log_in_over(const khufu_factory *factory, const char *header, int64_t user) {
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(session, "user", 4, user), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *next_header = next_request(session);
    khufu_session_free(session);
    return next_header;
}

static void log_out(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    char *cleared = commit_cookie(session);
    CHECK(cleared != NULL && strncmp(cleared, "session=;", 9) == 0);
    free(cleared);
    khufu_session_free(session);
}

TEST(after_a_new_id_the_key_stays_and_the_old_id_can_only_read) {
    khufu_factory *factory = STORED("regenerate_grace", "60");
    char *header = begin(factory, "{\"cart\":[1]}");
    khufu_session *login = open_at(factory, header, NOW), *late = open_at(factory, header, NOW);
    char *key = id_of(login);
    CHECK_INT(khufu_session_set_int64(login, "user", 4, 42), KHUFU_OK);
    CHECK_INT(khufu_session_regenerate_id(login), KHUFU_OK);
    char *next_header = next_request(login), *next_key = id_of(login);
    CHECK(strcmp(next_header, header) != 0);
    CHECK_STRING(next_key, key);
    CHECK_STORED(factory, next_header, "{\"cart\":[1],\"user\":42}");
    khufu_session *old = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(old), KHUFU_LOAD_LOADED);
    CHECK_STATE(old, "{\"cart\":[1]}"); /* the state before the new id */
    CHECK(commit_cookie(old) == NULL);
    CHECK_INT(khufu_session_set_int64(old, "x", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(old, 0), KHUFU_ERR_GONE);
    CHECK_INT(khufu_session_set_int64(late, "late", 4, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(late, 0), KHUFU_ERR_GONE);
    CHECK_INT(khufu_session_set_int64(login, "more", 4, 1), KHUFU_OK);
    char *again = next_request(login); /* the response still needs the new id */
    CHECK_STRING(again, next_header);
    free(again);
    CHECK_STORED(factory, next_header, "{\"cart\":[1],\"user\":42,\"more\":1}");
    CHECK_STORED(factory, header, "{\"cart\":[1]}"); /* never the newer state */
    khufu_session_free(old);
    khufu_session_free(late);
    khufu_session_free(login);
    free(key);
    free(next_key);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
}

/* The grace period is measured with the times that the requests pass. */
TEST(the_old_id_is_missing_when_its_grace_is_over) {
    const char *graces[] = {"0", "10"};
    for (int i = 0; i < 2; i++) {
        khufu_factory *factory = STORED("regenerate_grace", graces[i]);
        char *header = begin(factory, "{\"a\":1}"), *next_header = log_in_over(factory, header, 42);
        if (i == 1) CHECK_STORED(factory, header, "{\"a\":1}");
        CHECK_INT(load_result(factory, header), KHUFU_LOAD_MISSING);
        CHECK_STORED(factory, next_header, "{\"a\":1,\"user\":42}");
        free(header);
        free(next_header);
        khufu_factory_free(factory);
    }
}

TEST(a_logout_by_any_id_ends_the_session_for_every_id) {
    khufu_factory *factory = STORED("regenerate_grace", "60");
    for (int by = 0; by < 4; by++) {
        char *headers[3] = {begin(factory, "{\"a\":1}")};
        khufu_session *before = open_at(factory, headers[0], NOW);
        for (int i = 1; i < 3; i++) headers[i] = log_in_over(factory, headers[i - 1], i);
        CHECK_INT(load_result(factory, headers[0]), KHUFU_LOAD_MISSING); /* replaced two logins ago */
        if (by == 0) {
            log_out(factory, headers[2]);
        } else if (by == 1) {
            log_out(factory, headers[1]); /* the old one */
        } else if (by == 2) { /* by a request that was open before both logins */
            CHECK_INT(khufu_session_invalidate(before), KHUFU_OK);
            CHECK_INT(khufu_session_commit(before, 0), KHUFU_OK);
        } else { /* the oldest id is no longer valid and ends nothing */
            khufu_session *planted = open_at(factory, headers[0], NOW);
            CHECK_INT(khufu_session_invalidate(planted), KHUFU_OK);
            CHECK_INT(khufu_session_commit(planted, 0), KHUFU_OK);
            khufu_session_free(planted);
            CHECK_STORED(factory, headers[2], "{\"a\":1,\"user\":2}");
        }
        for (int i = 0; i < 3 && by < 3; i++) CHECK_INT(load_result(factory, headers[i]), KHUFU_LOAD_MISSING);
        khufu_session_free(before);
        for (int i = 0; i < 3; i++) free(headers[i]);
    }
    khufu_factory_free(factory);
}

/* With max_age, each use of a session sends its cookie again. */
TEST(a_request_that_only_read_does_not_restore_an_old_cookie) {
    khufu_factory *factory = STORED("max_age", "3600");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *first = open_at(factory, header, NOW + 1), *second = open_at(factory, header, NOW + 1);
    khufu_session *third = open_at(factory, header, NOW + 1);
    CHECK_VALUE(first, "a", "1");
    CHECK_VALUE(second, "a", "1");
    CHECK_VALUE(third, "a", "1");
    char *cookie = commit_cookie(first);
    CHECK(cookie != NULL);
    char *next_header = log_in_over(factory, header, 42);
    CHECK(commit_cookie(second) == NULL); /* no cookie, and no error */
    khufu_session *old = open_at(factory, header, NOW + 2);
    CHECK_VALUE(old, "a", "1");
    CHECK(commit_cookie(old) == NULL);
    log_out(factory, next_header);
    CHECK(commit_cookie(third) == NULL);
    CHECK_INT(load_result(factory, header), KHUFU_LOAD_MISSING);
    khufu_session_free(first);
    khufu_session_free(second);
    khufu_session_free(third);
    khufu_session_free(old);
    free(cookie);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
}

enum { RACES = 100 };

static struct {
    const khufu_factory *factory;
    const char *header;
    char *next_header; /* NULL if the login was too late */
    pthread_barrier_t start;
} race;

static void *log_in_at_once(void *unused) {
    (void)unused;
    khufu_session *session = NULL;
    const char *cookie;
    size_t len;
    uintptr_t wrong = khufu_session_open_with(race.factory, race.header, KHUFU_NTS, NOW, -1, 0, &session) != KHUFU_OK;
    wrong += khufu_session_set_int64(session, "user", 4, 42) != KHUFU_OK;
    wrong += khufu_session_regenerate_id(session) != KHUFU_OK;
    pthread_barrier_wait(&race.start);
    khufu_status status = khufu_session_commit(session, 0);
    race.next_header = NULL;
    if (status == KHUFU_OK && nth_cookie(session, 0, &cookie, &len) == KHUFU_OK) {
        race.next_header = text_copy(cookie, len);
        race.next_header[strcspn(race.next_header, ";")] = 0;
    }
    wrong += status != KHUFU_OK && status != KHUFU_ERR_GONE;
    khufu_session_free(session);
    return (void *)wrong;
}

/* A logout or a revocation happens at the same time as a login. */
TEST(a_login_survives_neither_a_logout_nor_a_revocation_at_the_same_time) {
    khufu_factory *factory = STORED("store_timeout", "60");
    REQUIRE(pthread_barrier_init(&race.start, NULL, 2) == 0);
    for (int round = 0; round < RACES; round++) {
        khufu_session *session = open_new(factory);
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        CHECK_INT(khufu_session_set_subject(session, "racer", 5), KHUFU_OK);
        char *header = next_request(session);
        pthread_t login;
        race.factory = factory;
        race.header = header;
        REQUIRE(pthread_create(&login, NULL, log_in_at_once, NULL) == 0);
        khufu_subject *subject = NULL;
        if (round % 2 == 0) {
            CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
            pthread_barrier_wait(&race.start);
            CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        } else {
            CHECK_INT(khufu_subject_open(factory, "racer", 5, &subject), KHUFU_OK);
            pthread_barrier_wait(&race.start);
            CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, NULL), KHUFU_OK);
        }
        void *wrong;
        REQUIRE(pthread_join(login, &wrong) == 0);
        CHECK_INT((uintptr_t)wrong, 0);
        CHECK_INT(load_result(factory, header), KHUFU_LOAD_MISSING);
        if (race.next_header != NULL) CHECK_INT(load_result(factory, race.next_header), KHUFU_LOAD_MISSING);
        khufu_subject_free(subject);
        khufu_session_free(session);
        free(race.next_header);
        free(header);
    }
    pthread_barrier_destroy(&race.start);
    khufu_factory_free(factory);
}

TEST(bad_cookies_are_told_apart) {
    khufu_factory *factory = STORED("timeout", "600"), *another = STORED("secret", "another");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(another, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_BAD_SIGNATURE, NOW);
    khufu_session_free(session);
    char *changed = text_copy(header, strlen(header));
    changed[50] = changed[50] == 'A' ? 'B' : 'A';
    session = open_at(factory, changed, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_BAD_SIGNATURE, NOW);
    khufu_session_free(session);
    changed[strlen(changed) - 4] = 0;
    session = open_at(factory, changed, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    session = open_payload(factory, "[1700000060,1700000060.0,{\"a\":1}]"); /* a format that is not accepted */
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    free(changed);
    free(header);
    khufu_factory_free(another);
    khufu_factory_free(factory);
}

TEST(a_session_expires_when_it_is_idle_or_too_old) {
    khufu_factory *factory = STORED("timeout", "60", "absolute_timeout", "100");
    char *header = begin(factory, "{\"a\":1}");
    const double busy[] = {50, 99};
    for (int i = 0; i < 2; i++) {
        khufu_session *session = open_at(factory, header, NOW + busy[i]);
        CHECK_VALUE(session, "a", "1"); /* the read renews it */
        CHECK(commit_cookie(session) == NULL);
        khufu_session_free(session);
    }
    khufu_session *session = open_at(factory, header, NOW + 101);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 101);
    khufu_session_free(session);
    free(header);
    header = begin(factory, "{\"a\":1}");
    session = open_at(factory, header, NOW + 61);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 61);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(an_expired_record_is_missing) {
    khufu_factory *factory = STORED("timeout", "0");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    pause_for(1050); /* the store uses its own clock, and keeps a record for one more second */
    session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_request_that_ended_in_an_exception_saves_nothing) {
    khufu_factory *factory = STORED("set_on_exception", "false");
    char *header = begin(factory, "{\"a\":1}");
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit_with(session, KHUFU_COMMIT_EXCEPTION, 1), KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":1}");
    CHECK_INT(khufu_session_commit_with(session, 0, 1), KHUFU_OK);
    CHECK_STORED(factory, header, "{\"a\":2}");
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, KHUFU_COMMIT_EXCEPTION), KHUFU_OK);
    khufu_session_free(session);
    session = open_at(factory, header, NOW); /* a logout takes effect anyway */
    CHECK_EMPTY(session, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_session_moves_from_a_cookie_into_the_store) {
    khufu_factory *factory = STORED("secret", "another", "accept.before.secret", SECRET);
    khufu_session *session = open_payload(factory, "[1700000060,1700000060.0,{\"a\":1}]");
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_OTHER_FORMAT);
    CHECK_STRING(khufu_session_load_format(session), "before");
    char *header = next_request(session);
    CHECK_STORED(factory, header, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

/* Logs a user in. Returns the Cookie header and the session's id. */
static char *log_in(const khufu_factory *factory, const char *subject, char **id) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, subject, KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    *id = id_of(session);
    khufu_session_free(session);
    return header;
}

static khufu_subject *open_subject(const khufu_factory *factory, const char *name) {
    khufu_subject *subject = NULL;
    CHECK_INT(khufu_subject_open(factory, name, KHUFU_NTS, &subject), KHUFU_OK);
    REQUIRE(subject != NULL);
    return subject;
}

static size_t count_sessions(khufu_subject *subject) {
    const char *id;
    size_t len, cursor = 0, count = 0;
    double created, accessed;
    while (khufu_subject_next(subject, &cursor, &id, &len, &created, &accessed) == KHUFU_OK) count++;
    return count;
}

TEST(sessions_of_a_subject_are_listed_and_revoked) {
    khufu_factory *factory = STORED("timeout", "600");
    char *ids[4], *headers[4];
    for (int i = 0; i < 3; i++) headers[i] = log_in(factory, "user-42", &ids[i]);
    headers[3] = log_in(factory, "user-43", &ids[3]);
    khufu_session *session = open_at(factory, headers[1], NOW + 10);
    CHECK_VALUE(session, "a", "1");
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);

    khufu_subject *subject = open_subject(factory, "user-42");
    CHECK_INT(count_sessions(subject), 3);
    const char *id;
    size_t len, cursor = 0, revoked = 9;
    double created = 0, accessed = 0;
    CHECK_INT(khufu_subject_next(subject, &cursor, &id, &len, &created, &accessed), KHUFU_OK);
    CHECK_TEXT(id, len, ids[1]); /* the session that was used last comes first */
    CHECK_DOUBLE(created, NOW);
    CHECK_DOUBLE(accessed, NOW + 10);

    CHECK_INT(khufu_subject_revoke(subject, ids[3], KHUFU_NTS), KHUFU_NOT_FOUND); /* it belongs to another subject */
    CHECK_INT(load_result(factory, headers[3]), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_subject_revoke(subject, ids[0], KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_subject_revoke(subject, ids[0], KHUFU_NTS), KHUFU_NOT_FOUND);
    CHECK_INT(load_result(factory, headers[0]), KHUFU_LOAD_MISSING);
    CHECK_INT(count_sessions(subject), 3); /* as when the subject was opened */

    CHECK_INT(khufu_subject_revoke_all(subject, ids[2], KHUFU_NTS, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(load_result(factory, headers[1]), KHUFU_LOAD_MISSING);
    CHECK_INT(load_result(factory, headers[2]), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, NULL), KHUFU_OK);
    CHECK_INT(load_result(factory, headers[2]), KHUFU_LOAD_MISSING);
    CHECK_INT(load_result(factory, headers[3]), KHUFU_LOAD_LOADED);
    khufu_subject_free(subject);
    subject = open_subject(factory, "user-42");
    CHECK_INT(count_sessions(subject), 0);
    khufu_subject_free(subject);
    for (int i = 0; i < 4; i++) free(ids[i]), free(headers[i]);
    khufu_factory_free(factory);
}

TEST(a_revoked_session_is_not_written_back) {
    khufu_factory *factory = STORED("timeout", "600");
    char *id, *header = log_in(factory, "revoked", &id);
    khufu_session *slow = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_int64(slow, "b", 1, 1), KHUFU_OK);
    khufu_subject *subject = open_subject(factory, "revoked");
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, NULL), KHUFU_OK);
    CHECK_INT(khufu_session_commit(slow, 0), KHUFU_ERR_GONE);
    CHECK_INT(load_result(factory, header), KHUFU_LOAD_MISSING);
    khufu_session_free(slow);
    khufu_factory_free(factory); /* the subject still works */
    size_t revoked = 9;
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 0);
    khufu_subject_free(subject);
    free(id);
    free(header);
}

TEST(a_subject_stays_with_a_session_that_gets_a_new_id_and_ends_with_a_logout) {
    khufu_factory *factory = STORED("timeout", "600");
    char *id, *header = log_in(factory, "visitor", &id);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    char *next_header = next_request(session);
    khufu_subject *subject = open_subject(factory, "visitor");
    const char *listed;
    size_t len, cursor = 0;
    double created, accessed;
    CHECK_INT(count_sessions(subject), 1);
    CHECK_INT(khufu_subject_next(subject, &cursor, &listed, &len, &created, &accessed), KHUFU_OK);
    CHECK_TEXT(listed, len, id); /* the same session */
    khufu_subject_free(subject);
    CHECK_INT(khufu_session_set_subject(session, NULL, 0), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    subject = open_subject(factory, "visitor");
    CHECK_INT(count_sessions(subject), 0); /* the session has no subject */
    khufu_subject_free(subject);
    CHECK_INT(khufu_session_set_subject(session, "visitor", 7), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    subject = open_subject(factory, "visitor");
    CHECK_INT(count_sessions(subject), 0);
    khufu_subject_free(subject);
    khufu_session_free(session);
    free(id);
    free(header);
    free(next_header);
    khufu_factory_free(factory);
}

TEST(a_record_beyond_store_max_bytes_is_refused_and_the_session_kept) {
    khufu_factory *factory = FACTORY("secret", SECRET, "type", "store", "store_max_bytes", "10000");
    khufu_session *session = open_new(factory);
    char large[20000];
    const char *data;
    size_t len;
    memset(large, 'x', sizeof large);
    CHECK_INT(khufu_session_set_string(session, "large", 5, large, sizeof large), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_STORE);
    CHECK_CONTAINS(khufu_session_error(session), "store_max_bytes");
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    CHECK_INT(khufu_session_set_int64(session, "large", 5, 1), KHUFU_OK);
    char *header = next_request(session);
    CHECK_STORED(factory, header, "{\"large\":1}");
    free(header);
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(a_database_is_shared_and_outlives_its_factories) {
    khufu_factory *one = STORED("timeout", "600"), *other = STORED("timeout", "600");
    char *header = begin(one, "{\"a\":1}");
    khufu_session *session = open_at(other, header, NOW), *slow = open_at(one, header, NOW);
    CHECK_INT(khufu_session_set_int64(session, "b", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(slow, "c", 1, 3), KHUFU_OK);
    CHECK_INT(khufu_session_commit(slow, 0), KHUFU_OK);
    khufu_factory_free(one);
    khufu_factory_free(other);
    CHECK_INT(khufu_session_set_int64(slow, "d", 1, 4), KHUFU_OK); /* a session keeps its store open */
    CHECK_INT(khufu_session_commit(slow, 0), KHUFU_OK);
    khufu_session_free(session);
    khufu_session_free(slow);
    one = STORED("timeout", "600");
    CHECK_STORED(one, header, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}");
    khufu_factory_free(one);
    free(header);
}

TEST(an_id_sealed_with_a_previous_secret_is_sealed_again) {
    khufu_factory *before = STORED("secret", "before"), *now = STORED("previous_secret", "before");
    char *header = begin(before, "{\"a\":1}");
    khufu_session *session = open_at(now, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
    char *next_header = next_request(session);
    CHECK(strcmp(header, next_header) != 0);
    CHECK_STORED(now, next_header, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    free(next_header);
    khufu_factory_free(before);
    khufu_factory_free(now);
}

/* The steps of docs/rotate-a-secret.md. The factories share a store, so it cannot be in memory. */
TEST(a_rotation_of_the_secret_loses_no_session_of_a_user) {
    khufu_factory *before = STORED("secret", "old"), *first = STORED("secret", "old", "previous_secret", "new");
    khufu_factory *second = STORED("secret", "new", "previous_secret", "old"), *third = STORED("secret", "new");
    char *ids[3], *headers[3];
    for (int i = 0; i < 3; i++) headers[i] = log_in(before, "rotated", &ids[i]);
    khufu_factory *both[] = {first, second};
    for (int i = 0; i < 2; i++) {
        khufu_subject *subject = open_subject(both[i], "rotated");
        CHECK_INT(count_sessions(subject), 3);
        khufu_subject_free(subject);
    }
    khufu_session *session = open_at(second, headers[0], NOW); /* a read lists the session with the new secret and sets a new cookie */
    CHECK_VALUE(session, "a", "1");
    char *next_header = next_request(session);
    khufu_session_free(session);
    for (int i = 0; i < 2; i++) { /* one session is listed with the new secret, the others with the old one */
        khufu_subject *subject = open_subject(both[i], "rotated");
        CHECK_INT(count_sessions(subject), 3 - i);
        CHECK_INT(khufu_subject_revoke(subject, ids[1 + i], KHUFU_NTS), KHUFU_OK);
        CHECK_INT(load_result(both[i], headers[1 + i]), KHUFU_LOAD_MISSING);
        khufu_subject_free(subject);
    }
    khufu_subject *subject = open_subject(third, "rotated");
    CHECK_INT(count_sessions(subject), 1);
    size_t revoked = 0;
    CHECK_INT(khufu_subject_revoke_all(subject, NULL, 0, &revoked), KHUFU_OK);
    CHECK_INT(revoked, 1);
    CHECK_INT(load_result(third, next_header), KHUFU_LOAD_MISSING);
    khufu_subject_free(subject);
    for (int i = 0; i < 3; i++) free(ids[i]), free(headers[i]);
    free(next_header);
    khufu_factory_free(before);
    khufu_factory_free(first);
    khufu_factory_free(second);
    khufu_factory_free(third);
}

/* The database's folder is moved away, so that no connection can be made. */
TEST(an_unreachable_store_loses_no_session) {
    khufu_factory *fails = STORED("timeout", "600"), *empty = STORED("store_on_error", "empty");
    char *header = begin(fails, "{\"a\":1}");
    char *elsewhere = joined(folder, "-elsewhere", "");
    REQUIRE(rename(folder, elsewhere) == 0);
    khufu_session *session = NULL;
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_open_with(fails, header, KHUFU_NTS, NOW, -1, 0, &session), KHUFU_ERR_STORE);
    REQUIRE(session != NULL);
    CHECK_CONTAINS(khufu_session_error(session), "sessions.db");
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_ERR_ARGUMENT);
    khufu_session_free(session);
    khufu_session *fresh = open_new(fails); /* a request without a cookie needs no store */
    CHECK_INT(khufu_session_load_result(fresh), KHUFU_LOAD_NONE);
    khufu_session_free(fresh);
    session = open_at(empty, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_STORE_ERROR, NOW);
    CHECK(*khufu_session_error(session) != 0);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    REQUIRE(rename(elsewhere, folder) == 0);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED); /* still protected */
    khufu_session_free(session);
    CHECK_STORED(fails, header, "{\"a\":1}");
    CHECK_STORED(empty, header, "{\"a\":1}");
    free(elsewhere);
    free(header);
    khufu_factory_free(fails);
    khufu_factory_free(empty);
}

/* Another process that holds the lock of SQLite's writers (in WAL mode) until it is told to release it. */
static struct {
    pid_t process;
    int orders, answers;
} writer;

static void start_writer(void) {
    int orders[2], answers[2];
    char byte;
    REQUIRE(pipe(orders) == 0 && pipe(answers) == 0);
    fflush(NULL);
    writer.process = fork();
    REQUIRE(writer.process >= 0);
    if (writer.process == 0) {
        close(orders[1]);
        alarm(120);
        while (read(orders[0], &byte, 1) == 1) {
            char *path = joined(folder, "/sessions.db-shm", "");
            int file = open(path, O_RDWR);
            struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1};
            byte = file >= 0 && fcntl(file, F_SETLKW, &lock) == 0 ? 'y' : 'n';
            if (write(answers[1], &byte, 1) != 1 || read(orders[0], &byte, 1) != 1) _exit(1);
            close(file);
            free(path);
            if (write(answers[1], "y", 1) != 1) _exit(1);
        }
        _exit(0);
    }
    close(orders[0]);
    close(answers[1]);
    writer.orders = orders[1];
    writer.answers = answers[0];
}

/* Tells the other process to take the lock, or to release it. */
static void order_writer(void) {
    char answer = 'n';
    REQUIRE(write(writer.orders, "!", 1) == 1 && read(writer.answers, &answer, 1) == 1 && answer == 'y');
}

static void stop_writer(void) {
    close(writer.orders);
    close(writer.answers);
    REQUIRE(waitpid(writer.process, NULL, 0) == writer.process);
}

TEST(a_commit_ends_by_its_deadline) {
    khufu_factory *patient = STORED("store_timeout", "60"), *hasty = STORED("store_timeout", "0.1");
    char *header = begin(patient, "{\"a\":1}");
    khufu_session *one = open_at(patient, header, NOW), *other = open_at(hasty, header, NOW);
    CHECK_INT(khufu_session_set_int64(one, "one", 3, 1), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(other, "other", 5, 2), KHUFU_OK);
    order_writer();
    double began = seconds_now();
    CHECK_INT(khufu_session_commit_with(one, 0, 0.1), KHUFU_ERR_STORE);
    double took = seconds_now() - began;
    CHECK(took > 0.09 && took < 5);
    CHECK(*khufu_session_error(one) != 0);
    CHECK(khufu_session_is_changed(one));
    CHECK_STATE(one, "{\"a\":1,\"one\":1}");
    began = seconds_now();
    CHECK_INT(khufu_session_commit_with(other, 0, 100), KHUFU_ERR_STORE); /* store_timeout is shorter */
    took = seconds_now() - began;
    CHECK(took > 0.09 && took < 5);
    khufu_session *reader = NULL;
    CHECK_INT(khufu_session_open_with(patient, header, KHUFU_NTS, -1, 5, 0, &reader), KHUFU_OK); /* reading does not wait */
    khufu_session_free(reader);
    order_writer();
    CHECK_INT(khufu_session_commit_with(one, 0, 30), KHUFU_OK);
    CHECK_INT(khufu_session_commit(other, 0), KHUFU_OK);
    CHECK_STORED(patient, header, "{\"a\":1,\"one\":1,\"other\":2}");
    khufu_session_free(one);
    khufu_session_free(other);
    free(header);
    khufu_factory_free(patient);
    khufu_factory_free(hasty);
}

TEST(keys_in_redis_begin_with_the_prefix) {
    CHECK_STRING(redis("FLUSHALL"), "+OK");
    khufu_factory *shop = FACTORY("secret", SECRET, "type", "store", "store", redis_server.url, "store_prefix", "shop:");
    khufu_factory *other = FACTORY("secret", SECRET, "type", "store", "store", redis_server.url);
    char *header = begin(shop, "{\"a\":1}");
    CHECK_STRING(redis("EVAL \"return #redis.call('KEYS', 'shop:*')\" 0"), ":1");
    CHECK_STRING(redis("DBSIZE"), ":1");
    CHECK_STORED(shop, header, "{\"a\":1}");
    khufu_session *session = open_at(other, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(other);
    khufu_factory_free(shop);
}

int main(void) {
    make_folder();
    start_writer();
    start_redis(folder);
    const char *stores[] = {MEMORY, CUSTOM, redis_server.url, SQLITE};
    for (int i = 0; i < 4; i++) {
        use_store(stores[i]);
        RUN(the_next_request_reads_what_was_set);
        RUN(a_record_may_be_larger_than_any_cookie);
        RUN(two_concurrent_requests_keep_each_others_changes);
        RUN(concurrent_requests_share_one_csrf_token);
        RUN(threads_on_one_session_lose_no_write);
        RUN(a_logout_is_final);
        RUN(an_id_from_the_browser_is_never_reused);
        RUN(after_a_new_id_the_key_stays_and_the_old_id_can_only_read);
        RUN(the_old_id_is_missing_when_its_grace_is_over);
        RUN(a_logout_by_any_id_ends_the_session_for_every_id);
        RUN(a_request_that_only_read_does_not_restore_an_old_cookie);
        RUN(a_login_survives_neither_a_logout_nor_a_revocation_at_the_same_time);
        RUN(bad_cookies_are_told_apart);
        RUN(a_session_expires_when_it_is_idle_or_too_old);
        RUN(an_expired_record_is_missing);
        RUN(a_request_that_ended_in_an_exception_saves_nothing);
        RUN(a_session_moves_from_a_cookie_into_the_store);
        RUN(sessions_of_a_subject_are_listed_and_revoked);
        RUN(a_revoked_session_is_not_written_back);
        RUN(a_subject_stays_with_a_session_that_gets_a_new_id_and_ends_with_a_logout);
        if (i > 0) RUN(a_rotation_of_the_secret_loses_no_session_of_a_user);
    }
    free_shared_custom_store();
    RUN(keys_in_redis_begin_with_the_prefix);
    RUN(a_record_beyond_store_max_bytes_is_refused_and_the_session_kept);
    RUN(a_database_is_shared_and_outlives_its_factories);
    RUN(an_id_sealed_with_a_previous_secret_is_sealed_again);
    RUN(an_unreachable_store_loses_no_session);
    RUN(a_commit_ends_by_its_deadline);
    stop_redis();
    stop_writer();
    remove_folder();
    return report();
}
