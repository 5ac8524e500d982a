/* A custom store for tests: an array of records. A test can make its callbacks fail, answer late or lose an answer. */
#ifndef CUSTOM_STORE_H
#define CUSTOM_STORE_H

#include "sessions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { KEY_LEN = 64, PLACES = 256 };

/* The callbacks, as bits. */
enum { LOAD = 1, SAVE = 2, TOUCH = 4, REMOVE = 8, LIST = 16, UNLIST = 32, MEMBERS = 64 };

struct custom_store {
    pthread_mutex_t lock;
    struct {
        char key[KEY_LEN];
        char *data; /* NULL if the place is free */
        size_t len;
        uint64_t generation;
        double expires;
    } records[PLACES];
    struct {
        char subject[KEY_LEN], key[KEY_LEN];
        double expires;
        bool used;
    } notes[PLACES];
    int calls;               /* the callbacks that were called */
    char order[64];          /* their letters, in the order of the calls: "ls" is a load, then a save */
    int failing, losing;     /* the callbacks that fail, and those that do their work and then fail */
    int32_t failure;         /* the status that a failing callback returns */
    long delay;              /* the delay of each call, in milliseconds */
    int meanwhile_before;    /* the callbacks before whose next call `meanwhile` runs, once */
    void (*meanwhile)(void); /* another request */
    bool wrong;              /* a call broke a promise of the header */
    double ttl, list_ttl;    /* of the last save or touch, and of the last list */
    atomic_int released, releases_due; /* how often `release` was called, and how often it must be */
};

static inline double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void pause_for(long milliseconds) {
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static inline bool is_name(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (strchr("0123456789abcdef", text[i]) == NULL || text[i] == 0) return false;
    }
    return text != NULL && len == KEY_LEN;
}

static inline double expiry(struct custom_store *custom, double ttl) {
    if (ttl >= 0 && ttl < 1) custom->wrong = true;
    return ttl < 0 ? 1e300 : seconds_now() + ttl;
}

/* Begins a call and takes the lock. Returns the failure that the call must return, or KHUFU_OK. */
static inline int32_t enter(struct custom_store *custom, int call, const char *key, size_t key_len) {
    void (*meanwhile)(void) = NULL;
    pthread_mutex_lock(&custom->lock);
    custom->calls |= call;
    for (int bit = 0, calls = strlen(custom->order); bit < 7 && calls + 1 < (int)sizeof custom->order; bit++) {
        if (call == 1 << bit) custom->order[calls] = "lstrLUM"[bit], custom->order[calls + 1] = 0;
    }
    if (!is_name(key, key_len) || custom->released > 0) custom->wrong = true;
    if ((custom->meanwhile_before & call) != 0) {
        meanwhile = custom->meanwhile;
        custom->meanwhile_before = 0;
    }
    pthread_mutex_unlock(&custom->lock);
    if (meanwhile != NULL) meanwhile();
    if (custom->delay > 0) pause_for(custom->delay);
    pthread_mutex_lock(&custom->lock);
    return (custom->failing & call) != 0 ? custom->failure : KHUFU_OK;
}

static inline int32_t leave(struct custom_store *custom, int call, int32_t status) {
    if ((custom->losing & call) != 0) status = custom->failure;
    pthread_mutex_unlock(&custom->lock);
    return status;
}

static inline void remove_record(struct custom_store *custom, int at) {
    free(custom->records[at].data);
    custom->records[at].data = NULL;
}

/* The record's place, or -1. */
static inline int find(struct custom_store *custom, const char *key) {
    for (int i = 0; i < PLACES; i++) {
        if (custom->records[i].data == NULL || memcmp(custom->records[i].key, key, KEY_LEN) != 0) continue;
        if (custom->records[i].expires > seconds_now()) return i;
        remove_record(custom, i);
    }
    return -1;
}

static inline void put(struct custom_store *custom, int at, const char *key, uint64_t generation, const char *data,
                       size_t len) {
    for (int i = 0; at < 0; i++) {
        REQUIRE(i < PLACES);
        if (custom->records[i].data == NULL) at = i;
    }
    free(custom->records[at].data);
    memcpy(custom->records[at].key, key, KEY_LEN);
    custom->records[at].data = text_copy(data, len);
    custom->records[at].len = len;
    custom->records[at].generation = generation;
    custom->records[at].expires = expiry(custom, custom->ttl);
}

static inline int32_t custom_load(void *data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, LOAD, key, key_len);
    int at = find(custom, key);
    if (sink == NULL || generation == NULL) custom->wrong = true;
    if (failure != KHUFU_OK) {
        (void)khufu_sink_write(sink, "ignored because of the failure", 7);
        return leave(custom, LOAD, failure);
    }
    if (at < 0) return leave(custom, LOAD, KHUFU_NOT_FOUND);
    *generation = custom->records[at].generation;
    size_t half = custom->records[at].len / 2;
    if (khufu_sink_write(sink, custom->records[at].data, half) != KHUFU_OK ||
        khufu_sink_write(sink, NULL, 0) != KHUFU_OK || khufu_sink_write(sink, NULL, 1) != KHUFU_ERR_ARGUMENT ||
        khufu_sink_write(sink, custom->records[at].data + half, custom->records[at].len - half) != KHUFU_OK)
        custom->wrong = true;
    return leave(custom, LOAD, KHUFU_OK);
}

static inline int32_t custom_save(void *data, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                                  const char *record, size_t record_len, double ttl) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, SAVE, key, key_len);
    int at = find(custom, key);
    custom->ttl = ttl;
    (void)expiry(custom, ttl);
    if (generation <= expected || record == NULL) custom->wrong = true;
    if (failure != KHUFU_OK) return leave(custom, SAVE, failure);
    if (at < 0 && expected != 0) return leave(custom, SAVE, KHUFU_ERR_GONE);
    if (at >= 0 && custom->records[at].generation != expected) return leave(custom, SAVE, KHUFU_ERR_CONFLICT);
    put(custom, at, key, generation, record, record_len);
    return leave(custom, SAVE, KHUFU_OK);
}

static inline int32_t custom_touch(void *data, const char *key, size_t key_len, uint64_t generation, const char *record,
                                   size_t record_len, double ttl) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, TOUCH, key, key_len);
    int at = find(custom, key);
    custom->ttl = ttl;
    (void)expiry(custom, ttl);
    if (generation == 0 || record == NULL) custom->wrong = true;
    if (failure != KHUFU_OK) return leave(custom, TOUCH, failure);
    if (at < 0) return leave(custom, TOUCH, KHUFU_ERR_GONE);
    if (custom->records[at].generation != generation) return leave(custom, TOUCH, KHUFU_ERR_CONFLICT);
    put(custom, at, key, generation, record, record_len);
    return leave(custom, TOUCH, KHUFU_OK);
}

static inline int32_t custom_remove(void *data, const char *key, size_t key_len, uint64_t expected) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, REMOVE, key, key_len);
    int at = find(custom, key);
    if (failure != KHUFU_OK) return leave(custom, REMOVE, failure);
    if (at < 0) return leave(custom, REMOVE, KHUFU_ERR_GONE);
    if (expected != 0 && custom->records[at].generation != expected) return leave(custom, REMOVE, KHUFU_ERR_CONFLICT);
    remove_record(custom, at);
    return leave(custom, REMOVE, KHUFU_OK);
}

/* The place of a subject's note of a key, or -1. */
static inline int find_note(const struct custom_store *custom, const char *subject, const char *key) {
    for (int i = 0; i < PLACES; i++) {
        if (custom->notes[i].used && memcmp(custom->notes[i].subject, subject, KEY_LEN) == 0 &&
            memcmp(custom->notes[i].key, key, KEY_LEN) == 0)
            return i;
    }
    return -1;
}

static inline int32_t custom_list(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len,
                                  double ttl) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, LIST, subject, subject_len);
    int at = find_note(custom, subject, key);
    double expires = expiry(custom, ttl);
    custom->list_ttl = ttl;
    if (!is_name(key, key_len)) custom->wrong = true;
    if (failure != KHUFU_OK) return leave(custom, LIST, failure);
    for (int i = 0; at < 0; i++) {
        REQUIRE(i < PLACES);
        if (!custom->notes[i].used) at = i;
    }
    if (!custom->notes[at].used || custom->notes[at].expires < expires) custom->notes[at].expires = expires;
    custom->notes[at].used = true;
    memcpy(custom->notes[at].subject, subject, KEY_LEN);
    memcpy(custom->notes[at].key, key, KEY_LEN);
    return leave(custom, LIST, KHUFU_OK);
}

static inline int32_t custom_unlist(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, UNLIST, subject, subject_len);
    int at = find_note(custom, subject, key);
    if (!is_name(key, key_len)) custom->wrong = true;
    if (failure != KHUFU_OK) return leave(custom, UNLIST, failure);
    if (at >= 0) custom->notes[at].used = false;
    return leave(custom, UNLIST, KHUFU_OK);
}

static inline int32_t custom_members(void *data, const char *subject, size_t subject_len, khufu_sink *sink) {
    struct custom_store *custom = data;
    int32_t failure = enter(custom, MEMBERS, subject, subject_len);
    for (int i = 0; i < PLACES; i++) {
        if (custom->notes[i].used && memcmp(custom->notes[i].subject, subject, KEY_LEN) == 0 &&
            khufu_sink_write(sink, custom->notes[i].key, KEY_LEN) != KHUFU_OK)
            custom->wrong = true;
    }
    return leave(custom, MEMBERS, failure);
}

static inline void custom_release(void *data) {
    struct custom_store *custom = data;
    custom->released++;
}

static const khufu_store_vtable custom_callbacks = {
    .struct_size = sizeof custom_callbacks,
    .load = custom_load,
    .save = custom_save,
    .touch = custom_touch,
    .remove = custom_remove,
    .list = custom_list,
    .unlist = custom_unlist,
    .members = custom_members,
    .release = custom_release,
};

static inline struct custom_store *new_custom_store(void) {
    struct custom_store *custom = calloc(1, sizeof *custom);
    REQUIRE(custom != NULL && pthread_mutex_init(&custom->lock, NULL) == 0);
    custom->failure = KHUFU_ERR_STORE;
    return custom;
}

/* Call this after everything that uses the store is freed. */
static inline void check_and_free(struct custom_store *custom) {
    CHECK_INT(custom->released, custom->releases_due);
    CHECK(!custom->wrong);
    for (int i = 0; i < PLACES; i++) free(custom->records[i].data);
    pthread_mutex_destroy(&custom->lock);
    free(custom);
}

static inline void set_custom_store(khufu_options *options, const khufu_store_vtable *callbacks,
                                    struct custom_store *custom) {
    CHECK_INT(khufu_options_set_store(options, callbacks, custom), KHUFU_OK);
    custom->releases_due += callbacks->release != NULL;
}

static inline int count_records(const struct custom_store *custom) {
    int count = 0;
    for (int i = 0; i < PLACES; i++) count += custom->records[i].data != NULL;
    return count;
}

/* Forgets the calls so far. */
static inline void forget_calls(struct custom_store *custom) {
    custom->calls = 0;
    custom->order[0] = 0;
    custom->ttl = custom->list_ttl = 0;
}

#endif
