/* Factories of the type store, on memory, or on a database or a Redis in a folder of the test's own. */
#ifndef STORES_H
#define STORES_H

#include "redis_server.h"
#include "sessions.h"

#include <unistd.h>

#define MEMORY "memory:"
#define SQLITE NULL

static char folder[] = "/tmp/khufu-c-XXXXXX";
static char store[128] = MEMORY;

static inline void make_folder(void) {
    REQUIRE(mkdtemp(folder) != NULL);
}

static inline void remove_folder(void) {
    const char *ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char *path = joined(folder, "/sessions.db", ends[i]);
        (void)unlink(path);
        free(path);
    }
    CHECK_INT(rmdir(folder), 0);
}

/* What STORED makes its factories with from now on: MEMORY, SQLITE for the database in the folder, or a Redis' URL. */
static inline void use_store(const char *url) {
    if (url == SQLITE) snprintf(store, sizeof store, "sqlite:%s/sessions.db", folder);
    else snprintf(store, sizeof store, "%s", url);
}

/* FACTORY with a secret and the store that is in use. */
#define STORED(...) FACTORY("secret", SECRET, "type", "store", "store", store, __VA_ARGS__)

/* The Cookie header of a session that has been stored with this state. */
static inline char *begin(const khufu_factory *factory, const char *state) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_update(session, state, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_changed(session), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    return header;
}

static inline char *id_of(khufu_session *session) {
    const char *id = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_id(session, &id, &len), KHUFU_OK);
    REQUIRE(id != NULL);
    return text_copy(id, len);
}

/* The state that a request with this Cookie header finds. */
#define CHECK_STORED(factory, header, expected)                                     \
    do {                                                                            \
        khufu_session *stored_ = open_at(factory, header, NOW);                     \
        CHECK(!khufu_session_is_new(stored_));                                      \
        CHECK_STATE(stored_, expected);                                             \
        khufu_session_free(stored_);                                                \
    } while (0)

#endif
