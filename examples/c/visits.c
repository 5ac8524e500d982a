/* Handles three requests of one browser. Each counts a visit and adds a flash message for the next.

   cc -std=c11 visits.c $(pkg-config --cflags --libs khufu) -o visits && ./visits
*/
#include <khufu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* A real site makes its secret once and stores it where only its servers can read it. */
static khufu_factory *make_factory(void) {
    char secret[KHUFU_SIGNING_SECRET_SIZE];
    if (khufu_generate_secret(secret, sizeof secret) != KHUFU_OK) fail("secret", "no random bytes");

    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    if (khufu_options_set(options, "secret", KHUFU_NTS, secret, KHUFU_NTS) != KHUFU_OK ||
        khufu_options_set(options, "httponly", KHUFU_NTS, "true", KHUFU_NTS) != KHUFU_OK ||
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

    if (khufu_session_open(factory, cookie, KHUFU_NTS, &session) != KHUFU_OK) fail("open", khufu_session_error(session));
    (void)khufu_session_get_int64(session, "visits", KHUFU_NTS, &visits); /* stays 0 if the key is missing */
    if (khufu_session_pop_flash(session, "", 0, &messages, &messages_len) != KHUFU_OK)
        fail("messages", khufu_session_error(session));
    printf("visit %d: %s, messages %.*s\n", (int)visits + 1, khufu_session_is_new(session) ? "new" : "known",
           (int)messages_len, messages);

    if (khufu_session_set_int64(session, "visits", KHUFU_NTS, visits + 1) != KHUFU_OK ||
        khufu_session_flash_string(session, "welcome back", KHUFU_NTS, "", 0, true) != KHUFU_OK ||
        khufu_session_commit(session, 0) != KHUFU_OK)
        fail("session", khufu_session_error(session));
    keep_cookie(session, cookie, size);
    khufu_session_free(session);
}

int main(void) {
    khufu_factory *factory = make_factory();
    char cookie[5000] = "";
    for (int request = 0; request < 3; request++) answer(factory, cookie, sizeof cookie);
    khufu_factory_free(factory);
    return 0;
}
