/* After a fork, a child can use its parent's factory and sessions. It generates other random bytes, makes its own
   connections to a store, and finds its memory store empty. */
#include "stores.h"

#include <sys/wait.h>
#include <unistd.h>

static khufu_factory *factory;

/* Runs `work` in a child, which writes its result to a pipe. An alarm ends a child that hangs. */
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

TEST(parent_and_children_generate_different_secrets) {
    char own[KHUFU_SIGNING_SECRET_SIZE];
    CHECK_INT(khufu_generate_secret(own, sizeof own), KHUFU_OK);
    char *first = in_child(draw), *second = in_child(draw);
    CHECK_INT(khufu_generate_secret(own, sizeof own), KHUFU_OK);
    CHECK_INT(strlen(first), 128);
    CHECK(strcmp(first, second) != 0 && strcmp(first, own) != 0 && strcmp(second, own) != 0);
    free(first);
    free(second);
}

static khufu_factory *stored;
static char *stored_header;

/* Sends the load result of the parent's session, and the header of a session that the child begins. */
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

TEST(a_childs_memory_store_is_empty) {
    use_store(MEMORY);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{\"from\":\"parent\"}");
    char *result = in_child(visit_store);
    CHECK(strncmp(result, "missing session=", 16) == 0);
    CHECK_STORED(stored, stored_header, "{\"from\":\"parent\"}");
    khufu_session *session = open_at(stored, result + 8, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MISSING, NOW);
    khufu_session_free(session);
    free(result);
    free(stored_header);
    khufu_factory_free(stored);
}

TEST(a_child_shares_its_parents_database) {
    use_store(SQLITE);
    stored = STORED("store_timeout", "60");
    stored_header = begin(stored, "{\"from\":\"parent\"}");
    char *result = in_child(visit_store);
    CHECK(strncmp(result, "loaded session=", 15) == 0);
    CHECK_STORED(stored, stored_header, "{\"from\":\"parent\"}");
    CHECK_STORED(stored, result + 7, "{\"from\":\"child\"}");
    free(result);
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
    char *result = in_child(commit_shared);
    CHECK_STRING(result, "committed");
    CHECK_INT(khufu_session_set_int64(shared_session, "parent", 6, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(shared_session, 0), KHUFU_OK);
    CHECK_STORED(stored, stored_header, "{\"before\":1,\"child\":1,\"parent\":1}");
    khufu_session_free(shared_session);
    free(result);
    free(stored_header);
    khufu_factory_free(stored);
}

int main(void) {
    make_folder();
    factory = FACTORY("secret", SECRET);
    RUN(a_child_uses_its_parents_factory);
    RUN(a_child_has_its_own_copy_of_a_session);
    RUN(parent_and_children_generate_different_secrets);
    khufu_factory_free(factory);
    RUN(a_childs_memory_store_is_empty);
    RUN(a_child_shares_its_parents_database);
    RUN(parent_and_child_commit_what_was_opened_before_the_fork);
    remove_folder();
    return report();
}
