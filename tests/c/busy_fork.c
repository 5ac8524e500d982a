/* A process forks while its threads open and commit sessions. Its children inherit no locked locks, and no write is
   lost.

   This test runs without sanitizers, because children inherit locked locks of the address sanitizer's own allocator
   (until LLVM 18 and GCC 14, llvm-project#75290). Valgrind runs one thread at a time, so it would find nothing more. */
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, FORKS = 5, CHILDREN = 4, ROUNDS = 5 };

static khufu_factory *factory;
static char *header;
static atomic_bool stopped;
static atomic_int thread_commits;

/* Forks several children at once, several times, while threads are busy. Returns how many children failed. */
static int fork_while_threads(void *(*are_busy)(void *), void (*work)(int child)) {
    int wrong = 0, number = 0;
    pthread_t threads[THREADS];
    stopped = false;
    thread_commits = 0;
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, are_busy, NULL) == 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t children[CHILDREN];
        for (int c = 0; c < CHILDREN; c++, number++) {
            fflush(NULL);
            children[c] = fork();
            REQUIRE(children[c] >= 0);
            if (children[c] == 0) {
                alarm(60);
                counts.test_failed = false;
                work(number);
                khufu_factory_free(factory);
                fflush(NULL);
                _exit(counts.test_failed);
            }
        }
        for (int c = 0; c < CHILDREN; c++) {
            int status = 0;
            REQUIRE(waitpid(children[c], &status, 0) == children[c]);
            wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        }
    }
    stopped = true;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return wrong;
}

static void visit(int child) {
    (void)child;
    khufu_session *session = open_new(factory);
    const char *token;
    size_t len;
    CHECK_INT(khufu_session_csrf_token(session, &token, &len), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
}

static void *keep_visiting(void *unused) {
    (void)unused;
    while (!stopped) visit(0);
    return NULL;
}

TEST(children_of_a_busy_process_inherit_no_locked_factory) {
    factory = FACTORY("secret", SECRET);
    CHECK_INT(fork_while_threads(keep_visiting, visit), 0);
    khufu_factory_free(factory);
}

static void set_key(const char *key) {
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_set_null(session, key, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
}

/* Sets key after key, so that at any time a thread uses the store or waits for its turn. */
static void *keep_storing(void *unused) {
    (void)unused;
    while (!stopped) {
        char key[32];
        snprintf(key, sizeof key, "thread %d", atomic_fetch_add(&thread_commits, 1));
        set_key(key);
        usleep(200);
    }
    return NULL;
}

static void begin_new_session(int child) {
    (void)child;
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_MISSING);
    khufu_session_free(session);
    free(begin(factory, "{\"a\":1}"));
}

static void set_keys(int child) {
    for (int round = 0; round < ROUNDS; round++) {
        char key[32];
        snprintf(key, sizeof key, "child %d, round %d", child, round);
        set_key(key);
    }
}

/* Forks while threads write to one session. It must then have all keys that the threads and the children set. */
static void lose_nothing(void (*work)(int child), int set_by_children) {
    factory = STORED("store_timeout", "60");
    header = begin(factory, "{}");
    CHECK_INT(fork_while_threads(keep_storing, work), 0);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_length(session), thread_commits + set_by_children);
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(children_of_a_busy_process_inherit_no_locked_memory_store) {
    use_store(MEMORY);
    lose_nothing(begin_new_session, 0);
}

TEST(a_busy_process_and_its_children_lose_no_write_in_a_database) {
    use_store(SQLITE);
    lose_nothing(set_keys, FORKS * CHILDREN * ROUNDS);
}

int main(void) {
    make_folder();
    RUN(children_of_a_busy_process_inherit_no_locked_factory);
    RUN(children_of_a_busy_process_inherit_no_locked_memory_store);
    RUN(a_busy_process_and_its_children_lose_no_write_in_a_database);
    remove_folder();
    return report();
}
