#include <string.h>

#include "cycle.h"

khufu_factory *cycle_factory(const char *secret, const char *hashalg) {
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    if (khufu_options_set(options, "secret", KHUFU_NTS, secret, KHUFU_NTS) == KHUFU_OK &&
        khufu_options_set(options, "hashalg", KHUFU_NTS, hashalg, KHUFU_NTS) == KHUFU_OK &&
        khufu_factory_new(options, &factory) != KHUFU_OK)
        factory = NULL;
    khufu_options_free(options);
    return factory;
}

static size_t cycle(const khufu_factory *factory, const char *header, size_t header_len) {
    khufu_session *session;
    int64_t user;
    const char *token, *headers;
    size_t token_len, headers_len = 0;
    if (khufu_session_open(factory, header, header_len, &session) == KHUFU_OK &&
        khufu_session_get_int64(session, "user_id", 7, &user) == KHUFU_OK &&
        khufu_session_get_string(session, "_csrft_", 7, &token, &token_len) == KHUFU_OK &&
        khufu_session_set_int64(session, "seen", 4, 1700000001) == KHUFU_OK &&
        khufu_session_commit(session, 0) == KHUFU_OK)
        khufu_session_headers(session, &headers, &headers_len);
    khufu_session_free(session);
    return headers_len;
}

size_t cycle_run(const khufu_factory *factory, const char *header, int times) {
    size_t length = 0, header_len = strlen(header);
    for (int i = 0; i < times; i++) length = cycle(factory, header, header_len);
    return length;
}
