/* After fork a child goes on with its parent's factory and sessions, and draws random bytes of its own. */
#include "sessions.h"

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

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_child_uses_its_parents_factory);
    RUN(a_child_has_its_own_copy_of_a_session);
    RUN(parent_and_children_draw_different_random_bytes);
    RUN(forking_while_threads_use_the_factory_leaves_no_lock_behind);
    khufu_factory_free(factory);
    return report();
}
