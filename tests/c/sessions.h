/* Helpers for most tests: they make a factory from a list of options, open a session from a cookie, and make the Cookie
   header of the next request. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "test.h"
#include "forge.h"
#include "json.h"

#include <khufu.h>

#define NOW 1700000060.0

/* Makes a factory from names and values: FACTORY("secret", SECRET, "timeout", "60") */
#define FACTORY(...) make_factory((const char *const[]){__VA_ARGS__, NULL})

static inline khufu_options *make_options(const char *const *words) {
    khufu_options *options = khufu_options_new();
    REQUIRE(options != NULL);
    for (; words[0] != NULL; words += 2) {
        khufu_status status = khufu_options_set(options, words[0], KHUFU_NTS, words[1], KHUFU_NTS);
        if (status != KHUFU_OK) FAIL("option %s: %s", words[0], khufu_options_error(options));
    }
    return options;
}

/* Makes a factory from options, and frees the options. */
static inline khufu_factory *factory_from(khufu_options *options) {
    khufu_factory *factory = NULL;
    khufu_status status = khufu_factory_new(options, &factory);
    if (status != KHUFU_OK) FAIL("factory: %s", khufu_options_error(options));
    REQUIRE(factory != NULL);
    khufu_options_free(options);
    return factory;
}

static inline khufu_factory *make_factory(const char *const *words) {
    return factory_from(make_options(words));
}

/* Opens a session. `header` is the text of a Cookie header, or NULL if the request has none. */
static inline khufu_session *open_at(const khufu_factory *factory, const char *header, double now) {
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, header, header == NULL ? 0 : KHUFU_NTS, now, -1, 0, &session), KHUFU_OK);
    REQUIRE(session != NULL);
    return session;
}

static inline khufu_session *open_new(const khufu_factory *factory) {
    return open_at(factory, NULL, NOW);
}

static inline char *text_copy(const char *data, size_t len) {
    char *copy = allocate(len + 1);
    memcpy(copy, data, len);
    copy[len] = 0;
    return copy;
}

static inline char *joined(const char *first, const char *second, const char *third) {
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *text = allocate(size);
    snprintf(text, size, "%s%s%s", first, second, third);
    return text;
}

/* Opens a session from the value of its cookie. */
static inline khufu_session *open_value(const khufu_factory *factory, const char *value, double now) {
    char *header = joined("session=", value, "");
    khufu_session *session = open_at(factory, header, now);
    free(header);
    return session;
}

/* Opens a session at NOW from a signed cookie with this payload. */
static inline khufu_session *open_payload(const khufu_factory *factory, const char *payload) {
    char *value = forge_text(payload);
    khufu_session *session = open_value(factory, value, NOW);
    free(value);
    return session;
}

/* Opens a session with this state at NOW. It was also created and renewed at NOW. */
static inline khufu_session *open_state(const khufu_factory *factory, const char *state_json) {
    char *payload = joined("[1700000060,1700000060.0,", state_json, "]");
    khufu_session *session = open_payload(factory, payload);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    free(payload);
    return session;
}

/* The value of the n-th header of this name that the response needs, or {NULL, 0} if there is none. */
struct header {
    const char *value;
    size_t len;
};

static inline struct header nth_header(const khufu_session *session, const char *wanted, size_t n) {
    struct header header;
    const char *name;
    size_t name_len;
    for (size_t i = 0; khufu_session_header(session, i, &name, &name_len, &header.value, &header.len) == KHUFU_OK; i++)
        if (name_len == strlen(wanted) && memcmp(name, wanted, name_len) == 0 && n-- == 0) return header;
    return (struct header){NULL, 0};
}

/* Gives the n-th Set-Cookie value, or KHUFU_NOT_FOUND. */
static inline khufu_status nth_cookie(const khufu_session *session, size_t n, const char **data, size_t *len) {
    struct header cookie = nth_header(session, "Set-Cookie", n);
    *data = cookie.value;
    *len = cookie.len;
    return cookie.value == NULL ? KHUFU_NOT_FOUND : KHUFU_OK;
}

static inline bool has_vary(const khufu_session *session) {
    return nth_header(session, "Vary", 0).value != NULL;
}

/* Commits. Returns the only Set-Cookie value, which the caller frees, or NULL if there is none. */
static inline char *commit_cookie(khufu_session *session) {
    const char *data = NULL;
    size_t len = 0;
    khufu_status status = khufu_session_commit(session, 0);
    if (status != KHUFU_OK) FAIL("commit: %s", khufu_session_error(session));
    if (nth_cookie(session, 0, &data, &len) != KHUFU_OK) return NULL;
    char *cookie = text_copy(data, len);
    CHECK_INT(nth_cookie(session, 1, &data, &len), KHUFU_NOT_FOUND);
    return cookie;
}

/* Commits. Returns the Cookie header of the next request, "name=value", which the caller frees. */
static inline char *next_request(khufu_session *session) {
    char *cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    cookie[strcspn(cookie, ";")] = 0;
    return cookie;
}

#define CHECK_STATE(session, expected)                                                      \
    do {                                                                                    \
        const char *json_ = NULL, *state_ = (expected);                                     \
        size_t json_len_ = 0;                                                               \
        CHECK_INT(khufu_session_to_json(session, &json_, &json_len_), KHUFU_OK);            \
        if (!same_json(json_, json_len_, state_, strlen(state_)))                           \
            FAIL("state is %.*s, not %s", (int)json_len_, json_ ? json_ : "", state_);      \
    } while (0)

/* Checks the JSON text of a key's value, byte for byte. */
#define CHECK_VALUE(session, key, expected)                                                          \
    do {                                                                                             \
        const char *value_ = NULL;                                                                   \
        size_t value_len_ = 0;                                                                       \
        CHECK_INT(khufu_session_get(session, key, KHUFU_NTS, &value_, &value_len_), KHUFU_OK);       \
        CHECK_TEXT(value_, value_len_, expected);                                                    \
    } while (0)

/* Checks that a session is new, empty and created at `now`. */
#define CHECK_EMPTY(session, load, now)                                \
    do {                                                               \
        CHECK_INT(khufu_session_load_result(session), load);           \
        CHECK(khufu_session_is_new(session));                          \
        CHECK_INT(khufu_session_length(session), 0);                   \
        CHECK_DOUBLE(khufu_session_created(session), now);             \
    } while (0)

#endif
