/* Tests that must hold however sessions are kept: in a signed cookie, in an encrypted one, or in a store. */
#ifndef KINDS_H
#define KINDS_H

#include "stores.h"

enum kind { SIGNED, ENCRYPTED, STORED_IN_MEMORY, KINDS };

/* Makes a factory of a kind with more options: KIND(SIGNED, "timeout", "60") */
#define KIND(kind, ...) factory_of_kind(kind, (const char *const[]){__VA_ARGS__, NULL})

static inline khufu_factory *factory_of_kind(enum kind kind, const char *const *more) {
    const char *const kinds[KINDS] = {"signed_cookie", "encrypted_cookie", "store"};
    const char *words[40] = {"type", kinds[kind], "secret", kind == ENCRYPTED ? ENCRYPTION_SECRET : SECRET};
    size_t count = 4;
    for (; *more != NULL; more++) words[count++] = *more;
    words[count] = NULL;
    return make_factory(words);
}

/* Opens a session at a time with flags. */
static inline khufu_session *open_flagged(const khufu_factory *factory, const char *header, double now, uint32_t flags) {
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, header, KHUFU_NTS, now, -1, flags, &session), KHUFU_OK);
    REQUIRE(session != NULL);
    return session;
}

#endif
