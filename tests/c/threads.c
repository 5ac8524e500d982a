/* Many threads share one factory, which is immutable. */
#include "sessions.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 200 };

static khufu_factory *factory;

/* A visitor's requests, each with the cookie of the one before. Returns how many calls failed. */
static void *visit(void *name) {
    uintptr_t wrong = 0;
    char header[2000] = "", key[16];
    int key_len = snprintf(key, sizeof key, "%s", (const char *)name);
    for (int64_t round = 0; round < ROUNDS; round++) {
        khufu_session *session = NULL;
        const char *data, *token;
        size_t len, token_len;
        int64_t count = 0;
        bool valid = false;
        wrong += khufu_session_open_with(factory, header, KHUFU_NTS, NOW + (double)round, -1, 0, &session) != KHUFU_OK;
        wrong += khufu_session_load_result(session) != (round == 0 ? KHUFU_LOAD_NONE : KHUFU_LOAD_LOADED);
        (void)khufu_session_get_int64(session, key, (size_t)key_len, &count);
        wrong += count != round || khufu_session_length(session) != (round == 0 ? 0 : 2);
        wrong += khufu_session_set_int64(session, key, (size_t)key_len, count + 1) != KHUFU_OK;
        wrong += khufu_session_csrf_token(session, &token, &token_len) != KHUFU_OK;
        wrong += khufu_session_check_csrf_token(session, token, token_len, &valid) != KHUFU_OK || !valid;
        wrong += khufu_session_set(session, "x", 1, "not json", 8) != KHUFU_ERR_JSON || *khufu_session_error(session) == 0;
        wrong += khufu_session_commit(session, 0) != KHUFU_OK;
        wrong += nth_cookie(session, 0, &data, &len) != KHUFU_OK || len >= sizeof header;
        memcpy(header, data, len);
        header[len] = 0;
        header[strcspn(header, ";")] = 0;
        khufu_session_free(session);
    }
    return (void *)wrong;
}

TEST(threads_share_a_factory) {
    char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, visit, names[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        REQUIRE(pthread_join(threads[i], &wrong) == 0);
        CHECK_INT((uintptr_t)wrong, 0);
    }
}

static void *commit_and_free(void *session) {
    char *cookie = commit_cookie(session);
    khufu_session_free(session);
    return cookie;
}

TEST(a_session_may_move_to_another_thread_and_outlive_its_factory) {
    khufu_factory *brief = FACTORY("secret", SECRET);
    khufu_session *sessions[THREADS];
    pthread_t threads[THREADS];
    for (int64_t i = 0; i < THREADS; i++) {
        sessions[i] = open_new(brief);
        CHECK_INT(khufu_session_set_int64(sessions[i], "a", 1, i), KHUFU_OK);
    }
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, commit_and_free, sessions[i]) == 0);
    khufu_factory_free(brief);
    for (int i = 0; i < THREADS; i++) {
        void *cookie;
        REQUIRE(pthread_join(threads[i], &cookie) == 0);
        CHECK(cookie != NULL);
        free(cookie);
    }
}

int main(void) {
    factory = FACTORY("secret", SECRET, "previous_secret", "another");
    RUN(threads_share_a_factory);
    RUN(a_session_may_move_to_another_thread_and_outlive_its_factory);
    khufu_factory_free(factory);
    return report();
}
