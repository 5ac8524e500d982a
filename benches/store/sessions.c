#include "bench.h"

double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

void must(khufu_status status, const char *what, const char *why) {
    if (status == KHUFU_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, khufu_status_message(status), why);
    exit(1);
}

static void set(khufu_options *options, const char *name, const char *value) {
    must(khufu_options_set(options, name, KHUFU_NTS, value, KHUFU_NTS), name, khufu_options_error(options));
}

khufu_factory *make_factory(const char *store, int timeout) {
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    char limit[16];
    snprintf(limit, sizeof limit, "%d", timeout);
    set(options, "secret", "itsaseekreet");
    set(options, "reissue_time", "600");
    if (store != NULL) {
        set(options, "type", "store");
        set(options, "store", store);
        set(options, "store_timeout", limit);
        set(options, "store_max_bytes", "17179869184");
    }
    must(khufu_factory_new(options, &factory), "factory", khufu_options_error(options));
    khufu_options_free(options);
    return factory;
}

khufu_session *open_session(const khufu_factory *factory, const char *header) {
    khufu_session *session = NULL;
    khufu_status status = khufu_session_open(factory, header, KHUFU_NTS, &session);
    must(status, "open", khufu_session_error(session));
    return session;
}

khufu_session *try_open(const khufu_factory *factory, const char *header) {
    khufu_session *session = NULL;
    khufu_status status = khufu_session_open(factory, header, KHUFU_NTS, &session);
    if (status == KHUFU_ERR_STORE) {
        khufu_session_free(session);
        return NULL;
    }
    must(status, "open", khufu_session_error(session));
    return session;
}

void commit(khufu_session *session) {
    must(khufu_session_commit(session, 0), "commit", khufu_session_error(session));
}

void begin(const khufu_factory *factory, const char *state, char *header, size_t size) {
    const char *name, *cookie; /* the first header is Set-Cookie */
    size_t name_length, length;
    khufu_session *session = open_session(factory, "");
    must(khufu_session_update(session, state, KHUFU_NTS), "state", state);
    must(khufu_session_mark_changed(session), "state", "");
    commit(session);
    must(khufu_session_header(session, 0, &name, &name_length, &cookie, &length), "cookie", "");
    size_t end = strcspn(cookie, ";");
    if (end >= size) exit(1);
    memcpy(header, cookie, end);
    header[end] = 0;
    khufu_session_free(session);
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

double median(double *numbers, size_t count) {
    qsort(numbers, count, sizeof *numbers, by_size);
    return numbers[count / 2];
}

void verdict(bool reached) {
    puts(reached ? "  reached" : "  NOT REACHED");
    fflush(stdout);
}
