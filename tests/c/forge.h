/* Makes cookies with libsodium instead of khufu, so that khufu can be tested with any payload. The caller frees the
   results. */
#ifndef FORGE_H
#define FORGE_H

#include "test.h"

#include <sodium.h>

#define SECRET "itsaseekreet"
#define SALT "pyramid.session."
#define ENCRYPTION_SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { MAC_SIZE = crypto_auth_hmacsha512_BYTES, SEAL_SIZE = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES };

static inline void *allocate(size_t size) {
    void *memory = malloc(size > 0 ? size : 1);
    REQUIRE(memory != NULL);
    return memory;
}

static inline char *base64_encode(const unsigned char *bytes, size_t len) {
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return sodium_bin2base64(allocate(size), size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static inline unsigned char *base64_decode(const char *text, size_t *len) {
    unsigned char *bytes = allocate(strlen(text));
    REQUIRE(sodium_base642bin(bytes, strlen(text), text, strlen(text), NULL, len, NULL,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
    return bytes;
}

/* The value of a cookie that Pyramid's SignedCookieSessionFactory makes with this salt and secret, and sha512. */
static inline char *forge_signed_as(const char *salt, const char *secret, const void *payload, size_t len) {
    crypto_auth_hmacsha512_state state;
    unsigned char *bytes = allocate(MAC_SIZE + len);
    char key[512];
    int key_len = snprintf(key, sizeof key, "%s%s", salt, secret);
    REQUIRE(key_len >= 0 && (size_t)key_len < sizeof key);
    crypto_auth_hmacsha512_init(&state, (const unsigned char *)key, (size_t)key_len);
    crypto_auth_hmacsha512_update(&state, payload, len);
    crypto_auth_hmacsha512_final(&state, bytes);
    if (len > 0) memcpy(bytes + MAC_SIZE, payload, len);
    char *value = base64_encode(bytes, MAC_SIZE + len);
    free(bytes);
    return value;
}

static inline char *forge_signed(const void *payload, size_t len) {
    return forge_signed_as(SALT, SECRET, payload, len);
}

static inline char *forge_text(const char *payload) {
    return forge_signed(payload, strlen(payload));
}

/* The value of a cookie that pyramid_nacl_session makes with ENCRYPTION_SECRET. */
static inline char *forge_encrypted(const void *payload, size_t len) {
    unsigned char *bytes = allocate(SEAL_SIZE + len), key[crypto_secretbox_KEYBYTES];
    REQUIRE(sodium_hex2bin(key, sizeof key, ENCRYPTION_SECRET, strlen(ENCRYPTION_SECRET), NULL, NULL, NULL) == 0);
    randombytes_buf(bytes, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(bytes + crypto_secretbox_NONCEBYTES, payload, len, bytes, key);
    char *value = base64_encode(bytes, SEAL_SIZE + len);
    free(bytes);
    return value;
}

#endif
