/* After fork a child goes on with its parent's factory and sessions, draws random bytes of its own, and uses a store
   by connections of its own; one in memory is empty. */
#include "stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static khufu_factory *factory;

/* Runs `work` in a child, which writes its result to a pipe; a child that hangs is ended by an alarm. */
static char *in_child(void (*work)(int pipe)) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        alarm(60);
        close(ends[0]);
        counts.test_failed = false;
        work(ends[1]);
        _exit(counts.test_failed);
    }
    close(ends[1]);
    char *result = allocate(5000);
    size_t len = 0;
    for (ssize_t got; len < 4999 && (got = read(ends[0], result + len, 4999 - len)) > 0;) len += (size_t)got;
    result[len] = 0;
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) FAIL("the child ended with status %d", status);
    return result;
}

static void send_text(int pipe, const char *text) {
    CHECK_INT(write(pipe, text, strlen(text)), strlen(text));
}

static void visit(int pipe) {
    khufu_session *session = open_new(factory);
    const char *token;
    size_t len;
    CHECK_INT(khufu_session_set(session, "from", 4, "\"child\"", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_csrf_token(session, &token, &len), KHUFU_OK);
    char *header = next_request(session);
    send_text(pipe, header);
    free(header);
    khufu_session_free(session);
}

TEST(a_child_uses_its_parents_factory) {
    char *header = in_child(visit);
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK_VALUE(session, "from", "\"child\"");
    khufu_session_free(session);
    free(header);
}

static khufu_session *shared_session;

static void change_and_free(int pipe) {
    CHECK_INT(khufu_session_set(shared_session, "from", 4, "\"child\"", KHUFU_NTS), KHUFU_OK);
    char *header = next_request(shared_session);
    send_text(pipe, header);
    free(header);
    khufu_session_free(shared_session);
    khufu_factory_free(factory);
}

TEST(a_child_has_its_own_copy_of_a_session) {
    shared_session = open_state(factory, "{\"from\":\"parent\"}");
    char *header = in_child(change_and_free);
    CHECK_STATE(shared_session, "{\"from\":\"parent\"}");
    CHECK(!khufu_session_is_changed(shared_session));
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_STATE(session, "{\"from\":\"child\"}");
    khufu_session_free(session);
    khufu_session_free(shared_session);
    free(header);
}

static void draw(int pipe) {
    char secret[KHUFU_SIGNING_SECRET_SIZE];
    CHECK_INT(khufu_generate_secret(secret, sizeof secret), KHUFU_OK);
    send_text(pipe, secret);
}

TEST(parent_and_children_draw_different_random_bytes) {
    char own[KHUFU_SIGNING_SECRET_SIZE];
    CHECK_INT(khufu_generate_secret(own, sizeof own), KHUFU_OK);
    char *first = in_child(draw), *second = in_child(draw);
    CHECK_INT(khufu_generate_secret(own, sizeof own), KHUFU_OK);
    CHECK_INT(strlen(first), 128);
    CHECK(strcmp(first, second) != 0 && strcmp(first, own) != 0 && strcmp(second, own) != 0);
    free(first);
    free(second);
}

static atomic_bool stopped;

static void *keep_busy(void *unused) {
    (void)unused;
    while (!stopped) {
        khufu_session *session = NULL;
        const char *token;
        size_t len;
        (void)khufu_session_open(factory, NULL, 0, &session);
        (void)khufu_session_csrf_token(session, &token, &len);
        (void)khufu_session_commit(session, 0);
        khufu_session_free(session);
    }
    return NULL;
}

TEST(forking_while_threads_use_the_factory_leaves_no_lock_behind) {
    pthread_t threads[2];
    stopped = false;
    for (int i = 0; i < 2; i++) REQUIRE(pthread_create(&threads[i], NULL, keep_busy, NULL) == 0);
    for (int i = 0; i < 30; i++) {
        char *header = in_child(visit);
        CHECK(*header != 0);
        free(header);
    }
    stopped = true;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

static khufu_factory *stored;
static char *stored_header;

/* What a child sees under its parent's id, and a session that it begins. */
static void visit_store(int pipe) {
    khufu_session *session = open_at(stored, stored_header, NOW);
    send_text(pipe, khufu_load_result_name(khufu_session_load_result(session)));
    send_text(pipe, " ");
    khufu_session_free(session);
    char *header = begin(stored, "{\"from\":\"child\"}");
    CHECK_STORED(stored, header, "{\"from\":\"child\"}");
    send_text(pipe, header);
    free(header);
    khufu_factory_free(stored);
}

TEST(a_childs_memory_begins_empty) {
    use_store(MEMORY);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{\"from\":\"parent\"}");
    char *told = in_child(visit_store);
    CHECK(strncmp(told, "missing session=", 16) == 0);
    CHECK_STORED(stored, stored_header, "{\"from\":\"parent\"}");
    khufu_session *session = open_at(stored, told + 8, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(session);
    free(told);
    free(stored_header);
    khufu_factory_free(stored);
}

TEST(a_child_shares_its_parents_database) {
    use_store(SQLITE);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{\"from\":\"parent\"}");
    char *told = in_child(visit_store);
    CHECK(strncmp(told, "loaded session=", 15) == 0);
    CHECK_STORED(stored, stored_header, "{\"from\":\"parent\"}");
    CHECK_STORED(stored, told + 7, "{\"from\":\"child\"}");
    free(told);
    free(stored_header);
    khufu_factory_free(stored);
}

static void commit_shared(int pipe) {
    CHECK_INT(khufu_session_set_int64(shared_session, "child", 5, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(shared_session, 0), KHUFU_OK);
    khufu_session_free(shared_session);
    khufu_factory_free(stored);
    send_text(pipe, "committed");
}

TEST(parent_and_child_commit_what_was_opened_before_the_fork) {
    use_store(SQLITE);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{}");
    shared_session = open_at(stored, stored_header, NOW);
    CHECK_INT(khufu_session_set_int64(shared_session, "before", 6, 1), KHUFU_OK);
    char *told = in_child(commit_shared);
    CHECK_STRING(told, "committed");
    CHECK_INT(khufu_session_set_int64(shared_session, "parent", 6, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(shared_session, 0), KHUFU_OK);
    CHECK_STORED(stored, stored_header, "{\"before\":1,\"child\":1,\"parent\":1}");
    khufu_session_free(shared_session);
    free(told);
    free(stored_header);
    khufu_factory_free(stored);
}

enum { THREADS = 2, FORKS = 5, CHILDREN = 4, ROUNDS = 5 };

static atomic_int thread_commits;

static void set_key(const char *key) {
    khufu_session *session = open_at(stored, stored_header, NOW);
    CHECK_INT(khufu_session_set_null(session, key, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
}

/* Sets key after key, so that some thread is always in the store or waits for its turn. */
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

/* Forks several children at once, several times, while threads store; gives how many children came to grief. */
static int fork_while_threads_store(void (*work)(int child)) {
    int wrong = 0, number = 0;
    pthread_t threads[THREADS];
    stopped = false;
    thread_commits = 0;
    for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, keep_storing, NULL) == 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t children[CHILDREN];
        for (int c = 0; c < CHILDREN; c++, number++) {
            fflush(NULL);
            children[c] = fork();
            REQUIRE(children[c] >= 0);
            if (children[c] == 0) {
                alarm(120);
                counts.test_failed = false;
                work(number);
                khufu_factory_free(stored);
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

static void begin_anew(int child) {
    (void)child;
    khufu_session *session = open_at(stored, stored_header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_MISSING);
    khufu_session_free(session);
    free(begin(stored, "{\"a\":1}"));
}

static void set_keys(int child) {
    for (int round = 0; round < ROUNDS; round++) {
        char key[32];
        snprintf(key, sizeof key, "child %d, round %d", child, round);
        set_key(key);
    }
}

TEST(a_busy_parent_leaves_no_lock_of_its_memory_to_its_children) {
    use_store(MEMORY);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{}");
    CHECK_INT(fork_while_threads_store(begin_anew), 0);
    khufu_session *session = open_at(stored, stored_header, NOW);
    CHECK_INT(khufu_session_length(session), thread_commits);
    khufu_session_free(session);
    free(stored_header);
    khufu_factory_free(stored);
}

TEST(a_busy_parent_and_its_children_lose_nothing_in_a_database) {
    use_store(SQLITE);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{}");
    CHECK_INT(fork_while_threads_store(set_keys), 0);
    khufu_session *session = open_at(stored, stored_header, NOW);
    CHECK_INT(khufu_session_length(session), thread_commits + FORKS * CHILDREN * ROUNDS);
    khufu_session_free(session);
    free(stored_header);
    khufu_factory_free(stored);
}

int main(void) {
    make_folder();
    factory = FACTORY("secret", SECRET);
    RUN(a_child_uses_its_parents_factory);
    RUN(a_child_has_its_own_copy_of_a_session);
    RUN(parent_and_children_draw_different_random_bytes);
    RUN(forking_while_threads_use_the_factory_leaves_no_lock_behind);
    khufu_factory_free(factory);
    RUN(a_childs_memory_begins_empty);
    RUN(a_child_shares_its_parents_database);
    RUN(parent_and_child_commit_what_was_opened_before_the_fork);
    RUN(a_busy_parent_leaves_no_lock_of_its_memory_to_its_children);
    RUN(a_busy_parent_and_its_children_lose_nothing_in_a_database);
    remove_folder();
    return report();
}
