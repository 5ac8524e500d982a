/* Encrypted cookies: libsodium opens khufu's, and khufu's error says why a cookie does not open. */
#include "sessions.h"

/* The payload of an encrypted cookie, decrypted by libsodium. */
static char *decrypted(const char *value) {
    size_t len;
    unsigned char *bytes = base64_decode(value, &len), key[crypto_secretbox_KEYBYTES];
    REQUIRE(len >= SEAL_SIZE);
    REQUIRE(sodium_hex2bin(key, sizeof key, ENCRYPTION_SECRET, strlen(ENCRYPTION_SECRET), NULL, NULL, NULL) == 0);
    unsigned char *payload = allocate(len);
    REQUIRE(crypto_secretbox_open_easy(payload, bytes + crypto_secretbox_NONCEBYTES, len - crypto_secretbox_NONCEBYTES, bytes, key) == 0);
    char *text = text_copy((char *)payload, len - SEAL_SIZE);
    free(payload);
    free(bytes);
    return text;
}

/* The Cookie header of a session with the state {"name": "Zoë"}. */
static char *written_by(const khufu_factory *factory) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_string(session, "name", 4, "Zo\xc3\xab", KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    return header;
}

TEST(an_encrypted_cookie_is_nacls_secretbox_under_a_new_nonce) {
    khufu_factory *factory = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET);
    khufu_factory *in_hex = FACTORY("type", "encrypted_cookie", "secret_hex", ENCRYPTION_SECRET);
    char *first = written_by(factory), *second = written_by(in_hex);
    CHECK(strncmp(first, second, strlen("session=") + 32) != 0); /* 24 bytes of nonce */
    char *payload = decrypted(first + strlen("session="));
    CHECK_STRING(payload, "[1700000060,1700000060.0,{\"name\":\"Zo\xc3\xab\"}]");
    khufu_session *session = open_at(factory, second, NOW);
    CHECK_STATE(session, "{\"name\":\"Zo\\u00eb\"}");
    khufu_session_free(session);
    free(payload);
    free(first);
    free(second);
    khufu_factory_free(in_hex);
    khufu_factory_free(factory);
}

TEST(an_encrypted_cookie_says_which_check_failed) {
    const struct {
        const char *payload; /* NULL if `value` is given instead */
        const char *value, *reason;
        khufu_load_result expected;
    } cookies[] = {
        {NULL, "AAAA", "too short", KHUFU_LOAD_MALFORMED},
        {NULL, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "none of the secrets", KHUFU_LOAD_BAD_SIGNATURE},
        {NULL, "A A", "base64", KHUFU_LOAD_MALFORMED},
        {"", NULL, "payload", KHUFU_LOAD_MALFORMED},
        {"[1,2]", NULL, "payload", KHUFU_LOAD_MALFORMED},
        {"[1,2,{}]", NULL, "was not used for more than", KHUFU_LOAD_EXPIRED},
        {"\x80\x02]", NULL, "payload", KHUFU_LOAD_MALFORMED},
    };
    khufu_factory *factory = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET);
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        char *value = cookies[i].payload != NULL ? forge_encrypted(cookies[i].payload, strlen(cookies[i].payload))
                                                 : joined(cookies[i].value, "", "");
        khufu_session *session = open_value(factory, value, NOW);
        CHECK_EMPTY(session, cookies[i].expected, NOW);
        CHECK_CONTAINS(khufu_session_error(session), cookies[i].reason);
        khufu_session_free(session);
        free(value);
    }
    khufu_factory_free(factory);
}

int main(void) {
    RUN(an_encrypted_cookie_is_nacls_secretbox_under_a_new_nonce);
    RUN(an_encrypted_cookie_says_which_check_failed);
    return report();
}
