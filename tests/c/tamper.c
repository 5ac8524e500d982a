/* A cookie that was changed in any way opens no session. Every test runs for each seal. `parts` are the sizes of the
   parts of the cookie's bytes, in order; the last part is the rest. */
#include "sessions.h"

#define PAYLOAD "[1700000060,1700000060.0,{\"user\":1}]"
#define OTHER_PAYLOAD "[1700000060,1700000060.0,{\"user\":2}]"

static const struct seal {
    const char *type;
    const char *secret;
    char *(*forge)(const void *payload, size_t len);
    size_t parts[3];
} seals[] = {
    {"signed_cookie", SECRET, forge_signed, {MAC_SIZE, SIZE_MAX}},
    {"encrypted_cookie", ENCRYPTION_SECRET, forge_encrypted,
     {crypto_secretbox_NONCEBYTES, crypto_secretbox_MACBYTES, SIZE_MAX}},
};

static const struct seal *seal;
static khufu_factory *factory;
static char *value, *other_value;

static khufu_load_result load_result_of(const char *text, size_t len) {
    char *header = allocate(len + 8);
    memcpy(header, "session=", 8);
    memcpy(header + 8, text, len);
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_with(factory, header, len + 8, NOW, -1, 0, &session), KHUFU_OK);
    khufu_load_result result = khufu_session_load_result(session);
    if (result != KHUFU_LOAD_LOADED) {
        CHECK(khufu_session_is_new(session));
        CHECK_INT(khufu_session_length(session), 0);
        CHECK(result == KHUFU_LOAD_NONE || *khufu_session_error(session) != 0);
    }
    khufu_session_free(session);
    free(header);
    return result;
}

static void check_refused(const char *text, size_t len) {
    khufu_load_result result = load_result_of(text, len);
    if (result != KHUFU_LOAD_BAD_SIGNATURE && result != KHUFU_LOAD_MALFORMED)
        FAIL("%.*s: %s", (int)len, text, khufu_load_result_name(result));
}

static void check_bytes(const unsigned char *bytes, size_t len, khufu_load_result expected) {
    char *text = base64_encode(bytes, len);
    CHECK_INT(load_result_of(text, strlen(text)), expected);
    free(text);
}

TEST(the_cookie_itself_opens) {
    CHECK_INT(load_result_of(value, strlen(value)), KHUFU_LOAD_LOADED);
    CHECK_INT(load_result_of(other_value, strlen(other_value)), KHUFU_LOAD_LOADED);
}

TEST(no_bit_of_its_bytes_may_change) {
    size_t len;
    unsigned char *bytes = base64_decode(value, &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        check_bytes(bytes, len, KHUFU_LOAD_BAD_SIGNATURE);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    check_bytes(bytes, len, KHUFU_LOAD_LOADED);
    free(bytes);
}

TEST(no_bit_of_its_text_may_change) {
    size_t len = strlen(value);
    for (size_t bit = 0; bit < len * 8; bit++) {
        value[bit / 8] ^= (char)(1u << bit % 8);
        check_refused(value, len);
        value[bit / 8] ^= (char)(1u << bit % 8);
    }
    CHECK_INT(load_result_of(value, len), KHUFU_LOAD_LOADED);
}

TEST(no_shortened_cookie_opens) {
    size_t len;
    unsigned char *bytes = base64_decode(value, &len);
    for (size_t cut = 0; cut < len; cut++) {
        char *front = base64_encode(bytes, cut), *back = base64_encode(bytes + len - cut, cut);
        check_refused(front, strlen(front));
        check_refused(back, strlen(back));
        free(front);
        free(back);
    }
    for (size_t cut = 0; cut < strlen(value); cut++) {
        check_refused(value, cut);
        if (cut > 0) check_refused(value + cut, strlen(value) - cut);
    }
    free(bytes);
}

TEST(no_lengthened_cookie_opens) {
    size_t len;
    unsigned char *bytes = base64_decode(value, &len), *longer = allocate(len + 1);
    for (size_t at = 0; at <= len; at++) {
        memcpy(longer, bytes, at);
        longer[at] = ' ';
        memcpy(longer + at + 1, bytes + at, len - at);
        check_bytes(longer, len + 1, KHUFU_LOAD_BAD_SIGNATURE);
    }
    const char *additions[] = {"A", "AA", "AAA", "AAAA", "!", "_", value, other_value};
    for (size_t i = 0; i < sizeof additions / sizeof *additions; i++) {
        char *text = joined(value, additions[i], "");
        check_refused(text, strlen(text));
        free(text);
        text = joined(additions[i], value, "");
        check_refused(text, strlen(text));
        free(text);
    }
    free(longer);
    free(bytes);
}

TEST(no_mixture_of_two_cookies_opens) {
    size_t len, other_len, part_count = seal->parts[1] == SIZE_MAX ? 2 : 3;
    unsigned char *bytes = base64_decode(value, &len), *other = base64_decode(other_value, &other_len);
    REQUIRE(len == other_len);
    for (unsigned from_other = 1; from_other + 1 < 1u << part_count; from_other++) {
        unsigned char *mixed = allocate(len);
        size_t at = 0;
        for (size_t part = 0; part < part_count; part++) {
            size_t size = part + 1 == part_count ? len - at : seal->parts[part];
            memcpy(mixed + at, (from_other >> part & 1 ? other : bytes) + at, size);
            at += size;
        }
        check_bytes(mixed, len, KHUFU_LOAD_BAD_SIGNATURE);
        free(mixed);
    }
    free(bytes);
    free(other);
}

/* Cookies that consist of one repeated byte, of each length up to the size of a session and beyond. */
TEST(made_up_cookies_open_nothing) {
    unsigned char bytes[400];
    for (int byte = 0; byte < 256; byte += 51) {
        memset(bytes, byte, sizeof bytes);
        for (size_t len = 0; len < sizeof bytes; len++) {
            char *text = base64_encode(bytes, len);
            check_refused(text, strlen(text));
            free(text);
        }
    }
}

int main(void) {
    for (size_t i = 0; i < sizeof seals / sizeof *seals; i++) {
        seal = &seals[i];
        factory = FACTORY("type", seal->type, "secret", seal->secret);
        value = seal->forge(PAYLOAD, strlen(PAYLOAD));
        other_value = seal->forge(OTHER_PAYLOAD, strlen(OTHER_PAYLOAD));
        RUN(the_cookie_itself_opens);
        RUN(no_bit_of_its_bytes_may_change);
        RUN(no_bit_of_its_text_may_change);
        RUN(no_shortened_cookie_opens);
        RUN(no_lengthened_cookie_opens);
        RUN(no_mixture_of_two_cookies_opens);
        RUN(made_up_cookies_open_nothing);
        free(value);
        free(other_value);
        khufu_factory_free(factory);
    }
    return report();
}
