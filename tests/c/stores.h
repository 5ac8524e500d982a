/* Factories of the type `store`: in memory, in an SQLite database or a Redis in a temporary folder, or in a custom
   store. */
#ifndef STORES_H
#define STORES_H

#include "custom_store.h"
#include "redis_server.h"
#include "sessions.h"

#include <unistd.h>

#define MEMORY "memory:"
#define SQLITE NULL
#define CUSTOM "custom"

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

/* The custom store that all factories on CUSTOM share. */
static struct custom_store *shared_custom_store;

/* Sets the store of the factories that STORED makes from now on: MEMORY, SQLITE (the database in the folder), CUSTOM,
   or the URL of a Redis. */
static inline void use_store(const char *url) {
    if (url == SQLITE) snprintf(store, sizeof store, "sqlite:%s/sessions.db", folder);
    else snprintf(store, sizeof store, "%s", url);
}

/* Makes a factory with a secret and the store that use_store set. */
#define STORED(...) make_stored_factory((const char *const[]){"secret", SECRET, __VA_ARGS__, NULL})

static inline khufu_factory *make_stored_factory(const char *const *words) {
    khufu_options *options = make_options(words);
    if (strcmp(store, CUSTOM) == 0) {
        khufu_store_vtable table = custom_callbacks;
        table.release = NULL;
        if (shared_custom_store == NULL) shared_custom_store = new_custom_store();
        set_custom_store(options, &table, shared_custom_store);
    } else {
        CHECK_INT(khufu_options_set(options, "type", KHUFU_NTS, "store", KHUFU_NTS), KHUFU_OK);
        CHECK_INT(khufu_options_set(options, "store", KHUFU_NTS, store, KHUFU_NTS), KHUFU_OK);
    }
    return factory_from(options);
}

/* Call this after all factories and sessions on CUSTOM are freed. */
static inline void free_shared_custom_store(void) {
    if (shared_custom_store == NULL) return;
    check_and_free(shared_custom_store);
    shared_custom_store = NULL;
}

/* Stores a new session with this state. Returns its Cookie header. */
static inline char *begin(const khufu_factory *factory, const char *state) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_update(session, state, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
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

/* Checks the state that a request with this Cookie header loads. */
#define CHECK_STORED(factory, header, expected)                                     \
    do {                                                                            \
        khufu_session *stored_ = open_at(factory, header, NOW);                     \
        CHECK(!khufu_session_is_new(stored_));                                      \
        CHECK_STATE(stored_, expected);                                             \
        khufu_session_free(stored_);                                                \
    } while (0)

#endif
