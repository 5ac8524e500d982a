/* Many threads write to one session at the same time. No write may be lost. */
#include "bench.h"

#include <pthread.h>
#include <sys/wait.h>

enum { THREADS = 8, PROCESSES = 4 };

static int requests; /* of each thread */

struct load {
    const khufu_factory *factory;
    const char *header;
    int thread;
};

static void *send_requests(void *data) {
    const struct load *load = data;
    for (int request = 0; request < requests; request++) {
        char key[32];
        snprintf(key, sizeof key, "%d %d", load->thread, request);
        khufu_session *session = open_session(load->factory, load->header);
        must(khufu_session_set_int64(session, key, KHUFU_NTS, request), "set", key);
        must(khufu_session_flash_string(session, key, KHUFU_NTS, "", 0, true), "flash", key);
        must(khufu_session_flash_string(session, key, KHUFU_NTS, "queue", 5, true), "queue", key);
        commit(session);
        khufu_session_free(session);
    }
    return NULL;
}

static void run_threads(const khufu_factory *factory, const char *header, int first, int count) {
    pthread_t threads[THREADS];
    struct load loads[THREADS];
    for (int i = 0; i < count; i++) {
        loads[i] = (struct load){factory, header, first + i};
        if (pthread_create(&threads[i], NULL, send_requests, &loads[i]) != 0) exit(1);
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static void run_processes(const char *store, const char *header) {
    pid_t children[PROCESSES];
    fflush(NULL);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            khufu_factory *factory = make_factory(store, 600);
            run_threads(factory, header, i * (THREADS / PROCESSES), THREADS / PROCESSES);
            khufu_factory_free(factory);
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        if (waitpid(children[i], &status, 0) != children[i] || status != 0) exit(1);
    }
}

/* Returns true if a list of messages contains this one. No message contains a quote. */
static bool holds(const char *list, size_t length, const char *message) {
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\"", message);
    return memmem(list, length, quoted, strlen(quoted)) != NULL;
}

static int count_lost(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_session(factory, header);
    const char *lists[2];
    size_t lengths[2];
    int lost = 0;
    must(khufu_session_peek_flash(session, "", 0, &lists[0], &lengths[0]), "messages", "");
    must(khufu_session_peek_flash(session, "queue", 5, &lists[1], &lengths[1]), "queue", "");
    for (int n = 0; n < THREADS * requests; n++) {
        char key[32];
        int64_t value;
        snprintf(key, sizeof key, "%d %d", n / requests, n % requests);
        bool kept = khufu_session_get_int64(session, key, KHUFU_NTS, &value) == KHUFU_OK && value == n % requests;
        lost += !kept + !holds(lists[0], lengths[0], key) + !holds(lists[1], lengths[1], key);
    }
    khufu_session_free(session);
    return lost;
}

static bool contend(const char *name, const char *store, bool processes) {
    khufu_factory *factory = make_factory(store, 600);
    char header[HEADER_SIZE];
    begin(factory, "{}", header, sizeof header);
    double began = seconds();
    if (processes) run_processes(store, header);
    else run_threads(factory, header, 0, THREADS);
    double took = seconds() - began;
    int lost = count_lost(factory, header);
    printf("%-40s %8d %8d %10.0f", name, 3 * THREADS * requests, lost, THREADS * requests / took);
    verdict(lost == 0);
    khufu_factory_free(factory);
    return lost == 0;
}

/* Puts the same load on pyramid_session_redis, for comparison. original.py prints the line. */
static void contend_with_original(const struct server *server, const char *python, const char *processes) {
    char threads_each[16], requests_each[16];
    snprintf(threads_each, sizeof threads_each, "%d", THREADS / atoi(processes));
    snprintf(requests_each, sizeof requests_each, "%d", requests);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execl(python, python, "benches/store/original.py", server->url, processes, threads_each, requests_each, NULL);
        _exit(127);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

bool load_stores(const char *folder, const struct server *server, const char *python, int requests_per_thread) {
    char threads[URL_SIZE], processes[URL_SIZE];
    snprintf(threads, sizeof threads, "sqlite:%s/threads.db", folder);
    snprintf(processes, sizeof processes, "sqlite:%s/processes.db", folder);
    requests = requests_per_thread;
    printf("%d threads send %d requests each to one session. Each request sets its own key and flashes a message to each of two\n"
           "queues, so the session grows to %d keys and as many messages in each queue. Target: 0 writes lost.\n\n",
           THREADS, requests, THREADS * requests);
    printf("%-40s %8s %8s %10s\n", "", "writes", "lost", "requests/s");
    bool none_lost = contend("memory:", "memory:", false);
    none_lost &= contend("sqlite:", threads, false);
    none_lost &= contend("redis:", server->url, false);
    none_lost &= contend("sqlite:, 4 processes", processes, true);
    none_lost &= contend("redis:, 4 processes", server->url, true);
    contend_with_original(server, python, "1");
    contend_with_original(server, python, "4");
    return none_lost;
}
