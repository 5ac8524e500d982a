/* Keeps sessions in a custom store, which is a hash table in this example. One browser sends three requests, then the
   user is logged out everywhere, and the browser sends another request.

   cc -std=c11 -pthread custom_store.c $(pkg-config --cflags --libs khufu) -o custom_store && ./custom_store
*/
#include <khufu.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUCKETS = 4096, KEY_LEN = 64 };

struct record {
    struct record *next;
    char key[KEY_LEN];
    uint64_t generation;
    double expires;
    size_t len;
    char data[];
};

/* A note that the record with this key belongs to the subject. */
struct note {
    struct note *next;
    char subject[KEY_LEN], key[KEY_LEN];
    double expires;
};

struct table {
    pthread_mutex_t lock; /* several threads may call back at the same time */
    struct record *records[BUCKETS];
    struct note *notes[BUCKETS];
};

static double now(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double end_of(double ttl) {
    return ttl < 0 ? 1e300 : now() + ttl;
}

/* Keys and subjects are 64 hex digits without a terminating NUL. They are digests, so a few digits serve as a hash. */
static unsigned bucket_of(const char *digits) {
    const char first[] = {digits[0], digits[1], digits[2], '\0'};
    return (unsigned)strtoul(first, NULL, 16);
}

static void drop(struct record **link) {
    struct record *record = *link;
    *link = record->next;
    free(record);
}

static void drop_note(struct note **link) {
    struct note *note = *link;
    *link = note->next;
    free(note);
}

/* Returns the link to the key's record, or a link to NULL if there is none. Removes expired records. */
static struct record **find(struct table *table, const char *key) {
    struct record **link = &table->records[bucket_of(key)];
    while (*link != NULL) {
        if ((*link)->expires <= now()) drop(link);
        else if (memcmp((*link)->key, key, KEY_LEN) == 0) break;
        else link = &(*link)->next;
    }
    return link;
}

/* Replaces the record that the link points to, or adds one if the link is NULL. */
static int32_t put(struct record **link, const char *key, uint64_t generation, const char *data, size_t len, double ttl) {
    struct record *record = malloc(sizeof *record + len);
    if (record == NULL) return KHUFU_ERR_STORE;
    memcpy(record->key, key, KEY_LEN);
    memcpy(record->data, data, len);
    record->generation = generation;
    record->expires = end_of(ttl);
    record->len = len;
    if (*link != NULL) drop(link);
    record->next = *link;
    *link = record;
    return KHUFU_OK;
}

static int32_t load(void *user_data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    (void)key_len;
    struct table *table = user_data;
    int32_t status = KHUFU_NOT_FOUND;
    pthread_mutex_lock(&table->lock);
    const struct record *record = *find(table, key);
    if (record != NULL) {
        *generation = record->generation;
        status = khufu_sink_write(sink, record->data, record->len);
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

static int32_t save(void *user_data, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                    const char *data, size_t len, double ttl) {
    (void)key_len;
    struct table *table = user_data;
    int32_t status;
    pthread_mutex_lock(&table->lock);
    struct record **link = find(table, key);
    if (*link == NULL && expected != 0) status = KHUFU_ERR_GONE;
    else if (*link != NULL && (*link)->generation != expected) status = KHUFU_ERR_CONFLICT;
    else status = put(link, key, generation, data, len, ttl);
    pthread_mutex_unlock(&table->lock);
    return status;
}

static int32_t touch(void *user_data, const char *key, size_t key_len, uint64_t generation, const char *data, size_t len,
                     double ttl) {
    /* Saves the record under the same generation. The generation is never 0, so this cannot add a record. */
    return save(user_data, key, key_len, generation, generation, data, len, ttl);
}

static int32_t remove_record(void *user_data, const char *key, size_t key_len, uint64_t expected) {
    (void)key_len;
    struct table *table = user_data;
    int32_t status = KHUFU_OK;
    pthread_mutex_lock(&table->lock);
    struct record **link = find(table, key);
    if (*link == NULL) status = KHUFU_ERR_GONE;
    else if (expected != 0 && (*link)->generation != expected) status = KHUFU_ERR_CONFLICT;
    else drop(link);
    pthread_mutex_unlock(&table->lock);
    return status;
}

/* Returns the link to a subject's note of a key, or a link to NULL if there is none. Removes expired notes. */
static struct note **find_note(struct table *table, const char *subject, const char *key) {
    struct note **link = &table->notes[bucket_of(subject)];
    while (*link != NULL) {
        if ((*link)->expires <= now()) drop_note(link);
        else if (memcmp((*link)->subject, subject, KEY_LEN) == 0 && memcmp((*link)->key, key, KEY_LEN) == 0) break;
        else link = &(*link)->next;
    }
    return link;
}

static int32_t list(void *user_data, const char *subject, size_t subject_len, const char *key, size_t key_len, double ttl) {
    (void)subject_len, (void)key_len;
    struct table *table = user_data;
    pthread_mutex_lock(&table->lock);
    struct note **link = find_note(table, subject, key);
    if (*link == NULL && (*link = calloc(1, sizeof **link)) != NULL) {
        memcpy((*link)->subject, subject, KEY_LEN);
        memcpy((*link)->key, key, KEY_LEN);
    }
    struct note *note = *link;
    if (note != NULL && note->expires < end_of(ttl)) note->expires = end_of(ttl); /* never shorten the time */
    pthread_mutex_unlock(&table->lock);
    return note != NULL ? KHUFU_OK : KHUFU_ERR_STORE;
}

static int32_t unlist(void *user_data, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    (void)subject_len, (void)key_len;
    struct table *table = user_data;
    pthread_mutex_lock(&table->lock);
    struct note **link = find_note(table, subject, key);
    if (*link != NULL) drop_note(link);
    pthread_mutex_unlock(&table->lock);
    return KHUFU_OK;
}

static int32_t members(void *user_data, const char *subject, size_t subject_len, khufu_sink *sink) {
    (void)subject_len;
    struct table *table = user_data;
    int32_t status = KHUFU_OK;
    pthread_mutex_lock(&table->lock);
    for (const struct note *note = table->notes[bucket_of(subject)]; note != NULL && status == KHUFU_OK; note = note->next) {
        if (memcmp(note->subject, subject, KEY_LEN) == 0) status = khufu_sink_write(sink, note->key, KEY_LEN);
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

static void release(void *user_data) {
    struct table *table = user_data;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (table->records[i] != NULL) drop(&table->records[i]);
        while (table->notes[i] != NULL) drop_note(&table->notes[i]);
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static khufu_factory *make_factory(void) {
    static const khufu_store_vtable callbacks = {
        .struct_size = sizeof callbacks,
        .load = load,
        .save = save,
        .touch = touch,
        .remove = remove_record,
        .list = list,
        .unlist = unlist,
        .members = members,
        .release = release,
    };
    char secret[KHUFU_SIGNING_SECRET_SIZE];
    if (khufu_generate_secret(secret, sizeof secret) != KHUFU_OK) fail("secret", "no random bytes");
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL || pthread_mutex_init(&table->lock, NULL) != 0) fail("table", "no memory");

    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    if (khufu_options_set(options, "secret", KHUFU_NTS, secret, KHUFU_NTS) != KHUFU_OK ||
        khufu_options_set(options, "httponly", KHUFU_NTS, "true", KHUFU_NTS) != KHUFU_OK ||
        khufu_options_set_store(options, &callbacks, table) != KHUFU_OK ||
        khufu_factory_new(options, &factory) != KHUFU_OK)
        fail("options", khufu_options_error(options));
    khufu_options_free(options);
    return factory;
}

/* A server adds each of these headers to its response. The browser keeps the cookie without its attributes, and sends
   it with its next request. */
static void keep_cookie(const khufu_session *session, char *cookie, size_t size) {
    const char *name, *value;
    size_t name_len, value_len;
    for (size_t i = 0; khufu_session_header(session, i, &name, &name_len, &value, &value_len) == KHUFU_OK; i++) {
        if (name_len != strlen("Set-Cookie") || memcmp(name, "Set-Cookie", name_len) != 0) continue;
        snprintf(cookie, size, "%.*s", (int)value_len, value);
        cookie[strcspn(cookie, ";")] = '\0';
    }
}

/* Handles one request. `cookie` is its Cookie header, and is replaced by the browser's next Cookie header. */
static void answer(const khufu_factory *factory, char *cookie, size_t size) {
    khufu_session *session = NULL;
    int64_t visits = 0;
    const char *messages;
    size_t messages_len;

    khufu_status status = khufu_session_open(factory, cookie, KHUFU_NTS, &session);
    if (status != KHUFU_OK) fail("open", khufu_session_error(session));
    (void)khufu_session_get_int64(session, "visits", KHUFU_NTS, &visits); /* stays 0 if the key is missing */
    if (khufu_session_pop_flash(session, "", 0, &messages, &messages_len) != KHUFU_OK)
        fail("messages", khufu_session_error(session));
    printf("visit %d: %s, messages %.*s\n", (int)visits + 1, khufu_session_is_new(session) ? "new" : "known",
           (int)messages_len, messages);

    if (khufu_session_set_int64(session, "visits", KHUFU_NTS, visits + 1) != KHUFU_OK ||
        khufu_session_set_subject(session, "user-42", KHUFU_NTS) != KHUFU_OK ||
        khufu_session_flash_string(session, "welcome back", KHUFU_NTS, "", 0, true) != KHUFU_OK ||
        khufu_session_commit(session, 0) != KHUFU_OK)
        fail("session", khufu_session_error(session));
    keep_cookie(session, cookie, size); /* only the first response has one: it is the session's id */
    khufu_session_free(session);
}

static void log_out_everywhere(const khufu_factory *factory) {
    khufu_subject *user = NULL;
    size_t revoked = 0;
    if (khufu_subject_open(factory, "user-42", KHUFU_NTS, &user) != KHUFU_OK ||
        khufu_subject_revoke_all(user, NULL, 0, &revoked) != KHUFU_OK)
        fail("log out", khufu_subject_error(user));
    printf("%zu session ended\n", revoked);
    khufu_subject_free(user);
}

int main(void) {
    khufu_factory *factory = make_factory();
    char cookie[5000] = "";
    for (int request = 0; request < 3; request++) answer(factory, cookie, sizeof cookie);
    log_out_everywhere(factory);
    answer(factory, cookie, sizeof cookie); /* starts a new session */
    khufu_factory_free(factory);
    return 0;
}
