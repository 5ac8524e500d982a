/* Sessions in stores under load, through the C ABI: whether a write is lost, and what a stored session costs.

   scripts/bench-store runs it with a folder for its databases, the number of sessions to keep in memory, and the number
   of requests that each thread makes. */
#include <khufu.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECRET "itsaseekreet"
#define STATE                                                                                             \
    "{\"user_id\":42,\"name\":\"Zoe Example\",\"_csrft_\":\"00112233445566778899aabbccddeeff00112233\"," \
    "\"seen\":1699999999}"

enum { THREADS = 8, PROCESSES = 4, HEADER_SIZE = 112, BATCHES = 41, BATCH = 5000 };

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(khufu_status status, const char *what, const char *why) {
    if (status == KHUFU_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, khufu_status_message(status), why);
    exit(1);
}

static khufu_factory *make_factory(const char *type, const char *store) {
    const char *settings[][2] = {{"secret", SECRET},        {"type", type},           {"store", store},
                                 {"store_timeout", "600"}, {"reissue_time", "600"}, {"store_max_bytes", "17179869184"}};
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        khufu_status status = khufu_options_set(options, settings[i][0], KHUFU_NTS, settings[i][1], KHUFU_NTS);
        must(status, settings[i][0], khufu_options_error(options));
    }
    khufu_status status = khufu_factory_new(options, &factory);
    must(status, "factory", khufu_options_error(options));
    khufu_options_free(options);
    return factory;
}

static khufu_session *open_session(const khufu_factory *factory, const char *header) {
    khufu_session *session = NULL;
    khufu_status status = khufu_session_open(factory, header, KHUFU_NTS, &session);
    must(status, "open", khufu_session_error(session));
    return session;
}

static void commit(khufu_session *session) {
    khufu_status status = khufu_session_commit(session, 0);
    must(status, "commit", khufu_session_error(session));
}

/* Stores a new session and writes its Cookie header. */
static void begin(const khufu_factory *factory, const char *state, char *header, size_t size) {
    const char *cookie;
    size_t len;
    khufu_session *session = open_session(factory, "");
    must(khufu_session_update(session, state, KHUFU_NTS), "state", state);
    must(khufu_session_changed(session), "state", "");
    commit(session);
    must(khufu_session_set_cookie(session, 0, &cookie, &len), "cookie", "");
    size_t end = strcspn(cookie, ";");
    if (end >= size) exit(1);
    memcpy(header, cookie, end);
    header[end] = 0;
    khufu_session_free(session);
}

/* One session that many write to at once. */

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
            khufu_factory *factory = make_factory("store", store);
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

/* Whether a list of the messages, none of which holds a quote, has this one. */
static bool holds(const char *list, size_t len, const char *message) {
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\"", message);
    return memmem(list, len, quoted, strlen(quoted)) != NULL;
}

static int count_lost(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_session(factory, header);
    const char *lists[2];
    size_t lens[2];
    int lost = 0;
    must(khufu_session_peek_flash(session, "", 0, &lists[0], &lens[0]), "messages", "");
    must(khufu_session_peek_flash(session, "queue", 5, &lists[1], &lens[1]), "queue", "");
    for (int n = 0; n < THREADS * requests; n++) {
        char key[32];
        int64_t value;
        snprintf(key, sizeof key, "%d %d", n / requests, n % requests);
        bool kept = khufu_session_get_int64(session, key, KHUFU_NTS, &value) == KHUFU_OK && value == n % requests;
        lost += !kept + !holds(lists[0], lens[0], key) + !holds(lists[1], lens[1], key);
    }
    khufu_session_free(session);
    return lost;
}

static int contend(const char *name, const char *store, bool processes) {
    khufu_factory *factory = make_factory("store", store);
    char header[HEADER_SIZE];
    begin(factory, "{}", header, sizeof header);
    double began = seconds();
    if (processes) run_processes(store, header);
    else run_threads(factory, header, 0, THREADS);
    double took = seconds() - began;
    int lost = count_lost(factory, header);
    printf("%-22s %8d %6d %10.0f\n", name, THREADS * requests, lost, THREADS * requests / took);
    fflush(stdout);
    khufu_factory_free(factory);
    return lost;
}

/* Many sessions in memory. */

static double resident_bytes(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) exit(1);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void visit(const khufu_factory *factory, const char *header) {
    const char *data;
    size_t len;
    khufu_session *session = open_session(factory, header);
    must(khufu_session_get(session, "user_id", 7, &data, &len), "user_id", "");
    must(khufu_session_get(session, "_csrft_", 7, &data, &len), "_csrft_", "");
    must(khufu_session_set_int64(session, "seen", 4, 1700000001), "seen", "");
    commit(session);
    khufu_session_free(session);
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static double median(double *times) {
    qsort(times, BATCHES, sizeof *times, by_size);
    return times[BATCHES / 2];
}

static void keep(size_t count) {
    khufu_factory *factory = make_factory("store", "memory:"), *cookies = make_factory("signed_cookie", "memory:");
    char (*headers)[HEADER_SIZE] = malloc(count * HEADER_SIZE), cookie[4096];
    if (headers == NULL) exit(1);
    memset(headers, 1, count * HEADER_SIZE);
    double before = resident_bytes();
    for (size_t i = 0; i < count; i++) begin(factory, STATE, headers[i], HEADER_SIZE);
    double bytes = (resident_bytes() - before) / (double)count;
    begin(cookies, STATE, cookie, sizeof cookie);

    double stored_times[BATCHES], cookie_times[BATCHES];
    uint64_t random = 1;
    for (int batch = 0; batch < BATCHES; batch++) { /* by turns, so that both have the same neighbours */
        double began = seconds();
        for (int i = 0; i < BATCH; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            visit(factory, headers[(random >> 33) % count]);
        }
        double between = seconds();
        for (int i = 0; i < BATCH; i++) visit(cookies, cookie);
        stored_times[batch] = (between - began) / BATCH;
        cookie_times[batch] = (seconds() - between) / BATCH;
    }
    double stored = median(stored_times), in_cookie = median(cookie_times);
    printf("\nmemory: with %zu sessions live, each a state of %zu bytes: %.0f bytes per session\n", count,
           strlen(STATE), bytes);
    printf("open, read two keys, set one, commit (median): memory: %.2f µs, in a signed cookie %.2f µs, ratio %.2f\n",
           stored * 1e6, in_cookie * 1e6, stored / in_cookie);
    free(headers);
    khufu_factory_free(factory);
    khufu_factory_free(cookies);
}

int main(int argc, char **argv) {
    size_t sessions = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    requests = argc == 4 ? atoi(argv[3]) : 0;
    if (sessions < 1 || requests < 1) {
        fprintf(stderr, "usage: %s FOLDER SESSIONS REQUESTS\n", argv[0]);
        return 2;
    }
    char threads[4096], processes[4096];
    snprintf(threads, sizeof threads, "sqlite:%s/threads.db", argv[1]);
    snprintf(processes, sizeof processes, "sqlite:%s/processes.db", argv[1]);
    printf("One session, %d threads with %d requests each: a request sets a key of its own, flashes a message and adds\n"
           "to a queue, so the session grows to %d keys and as many messages.\n\n",
           THREADS, requests, THREADS * requests);
    printf("%-22s %8s %6s %10s\n", "store", "requests", "lost", "requests/s");
    int lost = contend("memory:", "memory:", false);
    lost += contend("sqlite:", threads, false);
    lost += contend("sqlite:, 4 processes", processes, true);
    keep(sessions);
    return lost != 0;
}
