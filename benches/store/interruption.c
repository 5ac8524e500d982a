/* Takes Redis away for five seconds under load. Measures how soon service resumes, and looks for wrong sessions. */
#include "bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { VISITORS = 8, AWAY = 5 };

/* A thread with its own session, in which it counts its requests. */
struct visitor {
    const khufu_factory *factory;
    char header[HEADER_SIZE];
    int number;
    int64_t tried, committed; /* the highest count that it tried to write, and the highest that it committed */
    int failed, wrong;
    double resumed; /* when the first commit after Redis returned succeeded */
};

static _Atomic double returned;
static atomic_bool over;

static int64_t read_number(khufu_session *session, const char *key) {
    int64_t number = -1;
    khufu_session_get_int64(session, key, KHUFU_NTS, &number);
    return number;
}

/* Makes one request. Returns true if its commit succeeded. */
static bool visit(struct visitor *visitor) {
    khufu_session *session = try_open(visitor->factory, visitor->header);
    if (session == NULL) return false;
    int64_t count = read_number(session, "count");
    /* A commit that timed out may still have taken effect. */
    bool right = khufu_session_load_result(session) == KHUFU_LOAD_LOADED &&
                 read_number(session, "visitor") == visitor->number && count >= visitor->committed &&
                 count <= visitor->tried;
    visitor->wrong += !right;
    visitor->tried = count + 1;
    must(khufu_session_set_int64(session, "count", KHUFU_NTS, count + 1), "count", "");
    khufu_status status = khufu_session_commit(session, 0);
    if (status == KHUFU_OK) visitor->committed = count + 1;
    else if (status != KHUFU_ERR_STORE && status != KHUFU_ERR_CONFLICT) visitor->wrong++;
    khufu_session_free(session);
    return status == KHUFU_OK;
}

static void *visit_on(void *data) {
    struct visitor *visitor = data;
    while (!over) {
        double back = returned;
        if (!visit(visitor)) {
            visitor->failed++;
            pause_for(0.001);
        } else if (back > 0 && visitor->resumed == 0) {
            visitor->resumed = seconds();
        }
    }
    return NULL;
}

static void stop(struct server *server) {
    signal_server(server, SIGSTOP);
    pause_for(AWAY);
    signal_server(server, SIGCONT);
}

static void end_and_restart(struct server *server) {
    end_server(server, SIGTERM);
    pause_for(AWAY);
    restart_server(server);
}

static bool interrupt_by(const char *name, struct server *server, void (*interrupt)(struct server *)) {
    khufu_factory *factory = make_factory(server->url, 1);
    pthread_t threads[VISITORS];
    struct visitor visitors[VISITORS];
    over = false;
    returned = 0;
    for (int i = 0; i < VISITORS; i++) {
        char state[64];
        visitors[i] = (struct visitor){.factory = factory, .number = i};
        snprintf(state, sizeof state, "{\"visitor\":%d,\"count\":0}", i);
        begin(factory, state, visitors[i].header, HEADER_SIZE);
        if (pthread_create(&threads[i], NULL, visit_on, &visitors[i]) != 0) exit(1);
    }
    pause_for(1);
    interrupt(server);
    returned = seconds();
    pause_for(3);
    over = true;
    alarm(30); /* a thread that hangs ends the benchmark */
    int64_t committed = 0;
    int failed = 0, wrong = 0;
    double longest = 0;
    bool all_resumed = true;
    for (int i = 0; i < VISITORS; i++) {
        pthread_join(threads[i], NULL);
        struct visitor *visitor = &visitors[i];
        visitor->wrong += !visit(visitor);
        committed += visitor->committed;
        failed += visitor->failed;
        wrong += visitor->wrong;
        double time = visitor->resumed - returned;
        all_resumed &= visitor->resumed > 0;
        longest = time > longest ? time : longest;
    }
    alarm(0);
    printf("%-40s %10lld %8d %8d %8.0f ms", name, (long long)committed, failed, wrong, longest * 1e3);
    verdict(wrong == 0 && all_resumed && longest <= 1);
    khufu_factory_free(factory);
    return wrong == 0 && all_resumed;
}

bool interrupt_server(const char *folder) {
    struct server server = start_server(folder, "interrupted", true);
    printf("\nRedis is away for %d seconds while %d threads write, each to its own session (store_timeout 1). \"resumed\" is the time\n"
           "from its return until every thread has committed again. Target: 0 wrong sessions, resumed within 1000 ms.\n\n",
           AWAY, VISITORS);
    printf("%-40s %10s %8s %8s %11s\n", "", "committed", "failed", "wrong", "resumed");
    bool none_wrong = interrupt_by("stopped and continued", &server, stop);
    none_wrong &= interrupt_by("ended and started again", &server, end_and_restart);
    end_server(&server, SIGKILL);
    return none_wrong;
}
