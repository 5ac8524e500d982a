/* Kills a process under load with SIGKILL and restarts it. Everything that was committed must still be there. */
#include "bench.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { WRITERS = 4, KILLS = 3, MAX_NOTES = 1000000 };

#define BETWEEN_KILLS 0.5

/* A write whose commit has returned. */
struct note {
    int round, writer, number;
};

struct writer {
    const khufu_factory *factory;
    const char *header;
    int round, number, notes;
};

static void write_key(const struct note *note, char *key, size_t size) {
    snprintf(key, size, "%d %d %d", note->round, note->writer, note->number);
}

/* Writes to the one session until the process is killed. Failures while the store is away are ignored. */
static void *write_on(void *data) {
    const struct writer *writer = data;
    struct note note = {writer->round, writer->number, 0};
    for (;; note.number++) {
        char key[48];
        write_key(&note, key, sizeof key);
        khufu_session *session = try_open(writer->factory, writer->header);
        if (session == NULL) {
            pause_for(0.001);
            continue;
        }
        must(khufu_session_set_bool(session, key, KHUFU_NTS, true), "set", key);
        khufu_status status = khufu_session_commit(session, 0);
        if (status == KHUFU_OK) {
            if (write(writer->notes, &note, sizeof note) != sizeof note) exit(1);
        } else if (status != KHUFU_ERR_STORE && status != KHUFU_ERR_CONFLICT) {
            must(status, "commit", khufu_session_error(session));
        }
        khufu_session_free(session);
    }
    return NULL;
}

static pid_t start_writers(const char *store, const char *header, int round, int notes[2]) {
    if (pipe(notes) != 0) exit(1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[WRITERS];
        struct writer writers[WRITERS];
        khufu_factory *factory = make_factory(store, 1);
        close(notes[0]);
        for (int i = 0; i < WRITERS; i++) {
            writers[i] = (struct writer){factory, header, round, i, notes[1]};
            if (pthread_create(&threads[i], NULL, write_on, &writers[i]) != 0) _exit(1);
        }
        pthread_join(threads[0], NULL);
        _exit(1);
    }
    close(notes[1]);
    return child;
}

/* Reads notes of commits for `time` seconds, or until the writers have ended. Returns the new number of notes. */
static size_t read_notes(int pipe, double time, struct note *notes, size_t count) {
    struct pollfd ready = {pipe, POLLIN, 0};
    for (double end = seconds() + time; seconds() < end;) {
        if (poll(&ready, 1, 10) != 1) continue;
        if (read(pipe, &notes[count], sizeof *notes) != sizeof *notes) break;
        if (++count == MAX_NOTES) exit(1);
    }
    return count;
}

static size_t count_lost(const char *store, const char *header, const struct note *notes, size_t count) {
    khufu_factory *factory = make_factory(store, 10);
    khufu_session *session = open_session(factory, header);
    size_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        char key[48];
        bool kept;
        write_key(&notes[i], key, sizeof key);
        must(khufu_session_contains(session, key, KHUFU_NTS, &kept), "contains", key);
        lost += !kept;
    }
    khufu_session_free(session);
    khufu_factory_free(factory);
    return lost;
}

/* Kills the server under load or, if `server` is NULL, the process that writes. */
static bool kill_one(const char *name, const char *store, struct server *server) {
    struct note *notes = malloc(MAX_NOTES * sizeof *notes);
    char header[HEADER_SIZE];
    size_t count = 0;
    khufu_factory *factory = make_factory(store, 10);
    begin(factory, "{}", header, sizeof header);
    khufu_factory_free(factory);
    for (int round = 0; round < KILLS; round++) {
        int pipe[2];
        pid_t child = start_writers(store, header, round, pipe);
        count = read_notes(pipe[0], BETWEEN_KILLS, notes, count);
        if (server != NULL) {
            end_server(server, SIGKILL);
            restart_server(server);
            count = read_notes(pipe[0], BETWEEN_KILLS, notes, count);
        }
        int status;
        if (kill(child, SIGKILL) != 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) exit(1);
        count = read_notes(pipe[0], 60, notes, count);
        close(pipe[0]);
    }
    size_t lost = count_lost(store, header, notes, count);
    printf("%-40s %8d %10zu %8zu", name, KILLS, count, lost);
    verdict(lost == 0 && count > 0);
    free(notes);
    return lost == 0 && count > 0;
}

bool kill_processes(const char *folder) {
    char sqlite[URL_SIZE];
    snprintf(sqlite, sizeof sqlite, "sqlite:%s/killed.db", folder);
    struct server server = start_server(folder, "killed", true);
    printf("\nkill -9 while %d threads write to one session, then a restart. Target: 0 committed writes lost.\n\n", WRITERS);
    printf("%-40s %8s %10s %8s\n", "killed", "times", "committed", "lost");
    bool none_lost = kill_one("the process, sqlite:", sqlite, NULL);
    none_lost &= kill_one("the process, redis:", server.url, NULL);
    none_lost &= kill_one("redis-server (appendfsync always)", server.url, &server);
    end_server(&server, SIGKILL);
    return none_lost;
}
