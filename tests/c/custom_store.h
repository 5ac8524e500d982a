/* A store of the caller's own: an array of records, whose callbacks a test can have fail, answer late, or lose an answer. */
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
        char *data; /* NULL: the place is free */
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
    char order[64];          /* their initials, in the order of the calls: "lsd" */
    int failing, losing;     /* the callbacks that fail, and those that do their work and then fail */
    int32_t failure;         /* what they return */
    long delay;              /* how late each answers, in milliseconds */
    int meanwhile_of;        /* the callbacks before whose next call `meanwhile` runs, once */
    void (*meanwhile)(void); /* another request */
    bool wrong;              /* a call was not as the header promises */
    double ttl, list_ttl;    /* of the last save or touch, and of the last list */
    atomic_int released;
};

static inline double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void pause_for(long milliseconds) {
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static inline bool is_digits(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (strchr("0123456789abcdef", text[i]) == NULL || text[i] == 0) return false;
    }
    return text != NULL && len == KEY_LEN;
}

static inline double end_of(struct custom_store *own, double ttl) {
    if (ttl >= 0 && ttl < 1) own->wrong = true;
    return ttl < 0 ? 1e300 : seconds_now() + ttl;
}

/* Begins a call with the lock taken; what it returns is not KHUFU_OK if the call is to fail. */
static inline int32_t enter(struct custom_store *own, int call, const char *key, size_t key_len) {
    void (*meanwhile)(void) = NULL;
    pthread_mutex_lock(&own->lock);
    own->calls |= call;
    for (int bit = 0, calls = strlen(own->order); bit < 7 && calls + 1 < (int)sizeof own->order; bit++) {
        if (call == 1 << bit) own->order[calls] = "lstrLUM"[bit], own->order[calls + 1] = 0;
    }
    if (!is_digits(key, key_len) || own->released > 0) own->wrong = true;
    if ((own->meanwhile_of & call) != 0) {
        meanwhile = own->meanwhile;
        own->meanwhile_of = 0;
    }
    pthread_mutex_unlock(&own->lock);
    if (meanwhile != NULL) meanwhile();
    if (own->delay > 0) pause_for(own->delay);
    pthread_mutex_lock(&own->lock);
    return (own->failing & call) != 0 ? own->failure : KHUFU_OK;
}

static inline int32_t leave(struct custom_store *own, int call, int32_t status) {
    if ((own->losing & call) != 0) status = own->failure;
    pthread_mutex_unlock(&own->lock);
    return status;
}

static inline void empty(struct custom_store *own, int at) {
    free(own->records[at].data);
    own->records[at].data = NULL;
}

/* The record's place, or -1. */
static inline int find(struct custom_store *own, const char *key) {
    for (int i = 0; i < PLACES; i++) {
        if (own->records[i].data == NULL || memcmp(own->records[i].key, key, KEY_LEN) != 0) continue;
        if (own->records[i].expires > seconds_now()) return i;
        empty(own, i);
    }
    return -1;
}

static inline void put(struct custom_store *own, int at, const char *key, uint64_t generation, const char *data, size_t len) {
    for (int i = 0; at < 0; i++) {
        REQUIRE(i < PLACES);
        if (own->records[i].data == NULL) at = i;
    }
    free(own->records[at].data);
    memcpy(own->records[at].key, key, KEY_LEN);
    own->records[at].data = text_copy(data, len);
    own->records[at].len = len;
    own->records[at].generation = generation;
    own->records[at].expires = end_of(own, own->ttl);
}

static inline int32_t custom_load(void *data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    struct custom_store *own = data;
    int32_t failure = enter(own, LOAD, key, key_len);
    int at = find(own, key);
    if (sink == NULL || generation == NULL) own->wrong = true;
    if (failure != KHUFU_OK) {
        (void)khufu_sink_write(sink, "what is written before a failure", 8); /* counts for nothing */
        return leave(own, LOAD, failure);
    }
    if (at < 0) return leave(own, LOAD, KHUFU_NOT_FOUND);
    *generation = own->records[at].generation;
    size_t half = own->records[at].len / 2; /* in pieces */
    if (khufu_sink_write(sink, own->records[at].data, half) != KHUFU_OK || khufu_sink_write(sink, NULL, 0) != KHUFU_OK ||
        khufu_sink_write(sink, NULL, 1) != KHUFU_ERR_ARGUMENT ||
        khufu_sink_write(sink, own->records[at].data + half, own->records[at].len - half) != KHUFU_OK)
        own->wrong = true;
    return leave(own, LOAD, KHUFU_OK);
}

static inline int32_t custom_save(void *data, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                                  const char *record, size_t record_len, double ttl) {
    struct custom_store *own = data;
    int32_t failure = enter(own, SAVE, key, key_len);
    int at = find(own, key);
    own->ttl = ttl;
    (void)end_of(own, ttl);
    if (generation <= expected || record == NULL) own->wrong = true;
    if (failure != KHUFU_OK) return leave(own, SAVE, failure);
    if (at < 0 && expected != 0) return leave(own, SAVE, KHUFU_ERR_GONE);
    if (at >= 0 && own->records[at].generation != expected) return leave(own, SAVE, KHUFU_ERR_CONFLICT);
    put(own, at, key, generation, record, record_len);
    return leave(own, SAVE, KHUFU_OK);
}

static inline int32_t custom_touch(void *data, const char *key, size_t key_len, uint64_t generation, const char *record,
                                   size_t record_len, double ttl) {
    struct custom_store *own = data;
    int32_t failure = enter(own, TOUCH, key, key_len);
    int at = find(own, key);
    own->ttl = ttl;
    (void)end_of(own, ttl);
    if (generation == 0 || record == NULL) own->wrong = true;
    if (failure != KHUFU_OK) return leave(own, TOUCH, failure);
    if (at < 0) return leave(own, TOUCH, KHUFU_ERR_GONE);
    if (own->records[at].generation != generation) return leave(own, TOUCH, KHUFU_ERR_CONFLICT);
    put(own, at, key, generation, record, record_len);
    return leave(own, TOUCH, KHUFU_OK);
}

static inline int32_t custom_remove(void *data, const char *key, size_t key_len, uint64_t expected) {
    struct custom_store *own = data;
    int32_t failure = enter(own, REMOVE, key, key_len);
    int at = find(own, key);
    if (failure != KHUFU_OK) return leave(own, REMOVE, failure);
    if (at < 0) return leave(own, REMOVE, KHUFU_ERR_GONE);
    if (expected != 0 && own->records[at].generation != expected) return leave(own, REMOVE, KHUFU_ERR_CONFLICT);
    empty(own, at);
    return leave(own, REMOVE, KHUFU_OK);
}

/* The place of a subject's note of a key, or -1. */
static inline int find_note(const struct custom_store *own, const char *subject, const char *key) {
    for (int i = 0; i < PLACES; i++) {
        if (own->notes[i].used && memcmp(own->notes[i].subject, subject, KEY_LEN) == 0 &&
            memcmp(own->notes[i].key, key, KEY_LEN) == 0)
            return i;
    }
    return -1;
}

static inline int32_t custom_list(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len,
                                  double ttl) {
    struct custom_store *own = data;
    int32_t failure = enter(own, LIST, subject, subject_len);
    int at = find_note(own, subject, key);
    double expires = end_of(own, ttl);
    own->list_ttl = ttl;
    if (!is_digits(key, key_len)) own->wrong = true;
    if (failure != KHUFU_OK) return leave(own, LIST, failure);
    for (int i = 0; at < 0; i++) {
        REQUIRE(i < PLACES);
        if (!own->notes[i].used) at = i;
    }
    if (!own->notes[at].used || own->notes[at].expires < expires) own->notes[at].expires = expires;
    own->notes[at].used = true;
    memcpy(own->notes[at].subject, subject, KEY_LEN);
    memcpy(own->notes[at].key, key, KEY_LEN);
    return leave(own, LIST, KHUFU_OK);
}

static inline int32_t custom_unlist(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    struct custom_store *own = data;
    int32_t failure = enter(own, UNLIST, subject, subject_len);
    int at = find_note(own, subject, key);
    if (!is_digits(key, key_len)) own->wrong = true;
    if (failure != KHUFU_OK) return leave(own, UNLIST, failure);
    if (at >= 0) own->notes[at].used = false;
    return leave(own, UNLIST, KHUFU_OK);
}

static inline int32_t custom_members(void *data, const char *subject, size_t subject_len, khufu_sink *sink) {
    struct custom_store *own = data;
    int32_t failure = enter(own, MEMBERS, subject, subject_len);
    for (int i = 0; i < PLACES; i++) {
        if (own->notes[i].used && memcmp(own->notes[i].subject, subject, KEY_LEN) == 0 &&
            khufu_sink_write(sink, own->notes[i].key, KEY_LEN) != KHUFU_OK)
            own->wrong = true;
    }
    return leave(own, MEMBERS, failure);
}

static inline void custom_release(void *data) {
    struct custom_store *own = data;
    own->released++;
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
    struct custom_store *own = calloc(1, sizeof *own);
    REQUIRE(own != NULL && pthread_mutex_init(&own->lock, NULL) == 0);
    own->failure = KHUFU_ERR_STORE;
    return own;
}

/* To be called when everything that used the store is gone. */
static inline void check_and_free(struct custom_store *own) {
    CHECK_INT(own->released, 1);
    CHECK(!own->wrong);
    for (int i = 0; i < PLACES; i++) free(own->records[i].data);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

#define CUSTOM_FACTORY(own, ...) make_custom_factory(own, (const char *const[]){"secret", SECRET, __VA_ARGS__, NULL})

static inline khufu_factory *make_custom_factory(struct custom_store *own, const char *const *words) {
    khufu_options *options = make_options(words);
    CHECK_INT(khufu_options_set_store(options, &custom_callbacks, own), KHUFU_OK);
    return factory_from(options);
}

static inline int count_records(const struct custom_store *own) {
    int count = 0;
    for (int i = 0; i < PLACES; i++) count += own->records[i].data != NULL;
    return count;
}

/* Forgets the calls so far. */
static inline void forget_calls(struct custom_store *own) {
    own->calls = 0;
    own->order[0] = 0;
    own->ttl = own->list_ttl = 0;
}

#endif
