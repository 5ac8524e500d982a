/* Encrypted cookies, pickled payloads, rotating secrets, and the chain of formats that are accepted. */
#include "sessions.h"
#include "vectors.h"

#define STATE "{\"user\":42,\"name\":\"Zo\xc3\xab\",\"cart\":[1,{\"a\":null}],\"pi\":3.25}"
#define OLDER_SECRET "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { FORMATS = 4 };

static const char *const formats[FORMATS][6] = {
    {"type", "signed_cookie", "secret", SECRET, "serializer", "json"},
    {"type", "signed_cookie", "secret", SECRET, "serializer", "pickle"},
    {"type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "json"},
    {"type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "pickle"},
};

/* A factory of a format, with more options as pairs that end with NULL. */
static khufu_factory *factory_of(int format, const char *const *more) {
    const char *words[60];
    size_t count = 0;
    for (; count < 6; count++) words[count] = formats[format][count];
    for (; *more != NULL; more++) words[count++] = *more;
    words[count] = NULL;
    return make_factory(words);
}

#define FORMAT(format, ...) factory_of(format, (const char *const[]){__VA_ARGS__, NULL})

/* A Cookie header with a session of that factory, renewed at NOW. */
static char *written_by(const khufu_factory *factory) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_update(session, STATE, KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    return header;
}

static khufu_load_result load_result_of(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_at(factory, header, NOW);
    khufu_load_result result = khufu_session_load_result(session);
    bool loaded = result == KHUFU_LOAD_LOADED || result == KHUFU_LOAD_LOADED_PREVIOUS_SECRET ||
                  result == KHUFU_LOAD_LOADED_OTHER_FORMAT;
    CHECK(khufu_session_is_new(session) == !loaded);
    CHECK_STATE(session, loaded ? STATE : "{}");
    CHECK((*khufu_session_error(session) == 0) == loaded);
    khufu_session_free(session);
    return result;
}

TEST(one_formats_cookie_opens_under_no_other) {
    for (int writer = 0; writer < FORMATS; writer++) {
        khufu_factory *writing = FORMAT(writer, NULL);
        char *header = written_by(writing);
        for (int reader = 0; reader < FORMATS; reader++) {
            khufu_factory *reading = FORMAT(reader, NULL);
            khufu_load_result expected = reader == writer         ? KHUFU_LOAD_LOADED
                                         : reader / 2 == writer / 2 ? KHUFU_LOAD_MALFORMED
                                                                    : KHUFU_LOAD_BAD_SIGNATURE;
            CHECK_INT(load_result_of(reading, header), expected);
            khufu_factory_free(reading);
        }
        khufu_factory_free(writing);
        free(header);
    }
}

TEST(another_salt_is_another_format) {
    khufu_factory *writing = FORMAT(0, "salt", "other."), *reading = FORMAT(0, NULL);
    char *header = written_by(writing);
    CHECK_INT(load_result_of(reading, header), KHUFU_LOAD_BAD_SIGNATURE);
    CHECK_INT(load_result_of(writing, header), KHUFU_LOAD_LOADED);
    free(header);
    khufu_factory_free(reading);
    khufu_factory_free(writing);
}

/* Whether the session is written again though it was neither read nor changed; then the next request's result. */
static khufu_load_result rewritten(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_at(factory, header, NOW);
    CHECK(!khufu_session_is_new(session));
    char *next = next_request(session);
    CHECK(khufu_session_vary(session));
    CHECK_DOUBLE(khufu_session_created(session), NOW);
    khufu_session_free(session);
    khufu_load_result result = load_result_of(factory, next);
    session = open_at(factory, next, NOW);
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);
    free(next);
    return result;
}

TEST(secrets_rotate_in_every_format) {
    for (int format = 0; format < FORMATS; format++) {
        const char *older = OLDER_SECRET, *current = formats[format][3];
        khufu_factory *before = FORMAT(format, "secret", older), *during = FORMAT(format, "previous_secret", older),
                      *after = FORMAT(format, NULL);
        char *old_header = written_by(before), *new_header = written_by(during);
        CHECK_INT(load_result_of(during, old_header), KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
        CHECK_INT(rewritten(during, old_header), KHUFU_LOAD_LOADED);
        CHECK_INT(load_result_of(before, new_header), KHUFU_LOAD_BAD_SIGNATURE);
        CHECK_INT(load_result_of(after, new_header), KHUFU_LOAD_LOADED);
        CHECK_INT(load_result_of(after, old_header), KHUFU_LOAD_BAD_SIGNATURE);
        khufu_factory *many = FORMAT(format, "previous_secret", ENCRYPTION_SECRET, "previous_secret_hex", ENCRYPTION_SECRET,
                                     "previous_secret", current, "previous_secret", older);
        CHECK_INT(load_result_of(many, old_header), KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
        CHECK_INT(load_result_of(many, new_header), KHUFU_LOAD_LOADED); /* the current one is tried first */
        khufu_factory_free(many);
        khufu_factory_free(before);
        khufu_factory_free(during);
        khufu_factory_free(after);
        free(old_header);
        free(new_header);
    }
}

/* What moves a Pyramid 1.x site: encrypted and json, while signed json and signed pickle are still accepted. */
static khufu_factory *moving(void) {
    return FORMAT(2, "accept.pyramid2.type", "signed_cookie", "accept.pyramid2.secret", SECRET, "accept.pyramid1.secret", SECRET,
                  "accept.pyramid1.serializer", "pickle", "accept.pyramid1.previous_secret", OLDER_SECRET);
}

TEST(accepted_formats_open_by_name_and_are_written_in_the_current_one) {
    khufu_factory *current = moving(), *last = FORMAT(1, "secret", OLDER_SECRET);
    khufu_factory *writers[] = {FORMAT(0, NULL), FORMAT(1, NULL), last};
    const char *names[] = {"pyramid2", "pyramid1", "pyramid1"};
    for (int i = 0; i < 3; i++) {
        char *header = written_by(writers[i]);
        khufu_session *session = open_at(current, header, NOW);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_OTHER_FORMAT);
        CHECK_STRING(khufu_session_load_format(session), names[i]);
        CHECK_STATE(session, STATE);
        khufu_session_free(session);
        CHECK_INT(rewritten(current, header), KHUFU_LOAD_LOADED);
        khufu_factory_free(writers[i]);
        free(header);
    }
    char *header = written_by(current);
    khufu_session *session = open_at(current, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK_STRING(khufu_session_load_format(session), "");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(current);
}

TEST(a_chain_fails_closed) {
    khufu_factory *current = moving();
    khufu_factory *unlisted[] = {
        FORMAT(3, NULL),                            /* encrypted, pickled */
        FORMAT(2, "secret", OLDER_SECRET),          /* encrypted under another secret */
        FORMAT(0, "secret", OLDER_SECRET),          /* a previous secret of pyramid1 alone, over json */
        FORMAT(0, "salt", "other."),
        FORMAT(0, "hashalg", "sha256"),
        FORMAT(0, "secret", ENCRYPTION_SECRET),     /* signed with the text, and with the bytes, that encrypt */
        FACTORY("secret_hex", ENCRYPTION_SECRET),
    };
    const khufu_load_result expected[] = {KHUFU_LOAD_MALFORMED, KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_MALFORMED,
                                          KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_BAD_SIGNATURE,
                                          KHUFU_LOAD_BAD_SIGNATURE};
    for (int i = 0; i < 7; i++) {
        char *header = written_by(unlisted[i]);
        khufu_load_result result = load_result_of(current, header);
        if (result != expected[i] && result != KHUFU_LOAD_BAD_SIGNATURE) FAIL("format %d: %s", i, khufu_load_result_name(result));
        free(header);
        khufu_factory_free(unlisted[i]);
    }
    char *nothing = text_copy("session=", 8);
    CHECK_INT(load_result_of(current, nothing), KHUFU_LOAD_MALFORMED);
    free(nothing);
    khufu_factory_free(current);
}

TEST(no_bit_may_change_under_a_chain) {
    khufu_factory *current = moving(), *writers[] = {current, FORMAT(0, NULL), FORMAT(1, NULL)};
    for (int i = 0; i < 3; i++) {
        char *header = written_by(writers[i]), *value = header + strlen("session=");
        for (size_t bit = 0; bit < strlen(value) * 8; bit++) {
            value[bit / 8] ^= (char)(1u << bit % 8);
            khufu_session *session = open_at(current, header, NOW);
            khufu_load_result result = khufu_session_load_result(session);
            if (result != KHUFU_LOAD_BAD_SIGNATURE && result != KHUFU_LOAD_MALFORMED)
                FAIL("bit %zu: %s", bit, khufu_load_result_name(result));
            khufu_session_free(session);
            value[bit / 8] ^= (char)(1u << bit % 8);
            if (value[bit / 8] == 0) break;
        }
        free(header);
        if (i > 0) khufu_factory_free(writers[i]);
    }
    khufu_factory_free(current);
}

TEST(formats_are_tried_in_the_order_of_their_first_mention) {
    const char *orders[][2] = {{"b", "a"}, {"a", "b"}, {"x-1", "X_2"}};
    khufu_factory *writing = FORMAT(0, NULL);
    char *header = written_by(writing);
    for (int i = 0; i < 3; i++) {
        char *first = joined("accept.", orders[i][0], ".secret"), *second = joined("accept.", orders[i][1], ".secret");
        char *first_type = joined("accept.", orders[i][0], ".type");
        khufu_factory *reading = FORMAT(2, first_type, "signed_cookie", second, SECRET, first, SECRET);
        khufu_session *session = open_at(reading, header, NOW);
        CHECK_STRING(khufu_session_load_format(session), orders[i][0]);
        khufu_session_free(session);
        khufu_factory_free(reading);
        free(first);
        free(second);
        free(first_type);
    }
    khufu_factory_free(writing);
    free(header);
}

TEST(an_accepted_session_expires_as_any) {
    khufu_factory *current = moving(), *writing = FORMAT(1, NULL);
    char *header = written_by(writing);
    khufu_session *session = open_at(current, header, NOW + 1201);
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 1201);
    CHECK_STRING(khufu_session_load_format(session), "");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(writing);
    khufu_factory_free(current);
}

/* What a cookie's encryption hides, opened by libsodium. */
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

TEST(an_encrypted_cookie_is_nacls_secretbox_under_a_new_nonce) {
    khufu_factory *factory = FORMAT(2, NULL), *in_hex = FACTORY("type", "encrypted_cookie", "secret_hex", ENCRYPTION_SECRET);
    char *first = written_by(factory), *second = written_by(in_hex);
    CHECK(strncmp(first, second, strlen("session=") + 32) != 0); /* 24 bytes of nonce */
    char *payload = decrypted(first + strlen("session="));
    CHECK_STRING(payload, "[1700000060,1700000060.0," STATE "]");
    free(payload);
    CHECK_INT(load_result_of(factory, second), KHUFU_LOAD_LOADED);
    free(first);
    free(second);
    khufu_factory_free(in_hex);
    khufu_factory_free(factory);
}

TEST(an_encrypted_cookie_says_which_check_failed) {
    const struct {
        const char *payload; /* NULL: the value is not made by encryption */
        const char *value, *told;
        khufu_load_result expected;
    } cookies[] = {
        {NULL, "AAAA", "too short", KHUFU_LOAD_MALFORMED},
        {NULL, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "authenticated", KHUFU_LOAD_BAD_SIGNATURE},
        {NULL, "A A", "base64", KHUFU_LOAD_MALFORMED},
        {"", NULL, "payload", KHUFU_LOAD_MALFORMED},
        {"[1,2]", NULL, "payload", KHUFU_LOAD_MALFORMED},
        {"[1,2,{}]", NULL, "idle", KHUFU_LOAD_EXPIRED},
        {"\x80\x02]", NULL, "payload", KHUFU_LOAD_MALFORMED},
    };
    khufu_factory *factory = FORMAT(2, NULL);
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        char *value = cookies[i].payload != NULL ? forge_encrypted(cookies[i].payload, strlen(cookies[i].payload))
                                                 : joined(cookies[i].value, "", "");
        khufu_session *session = open_value(factory, value, NOW);
        CHECK_EMPTY(session, cookies[i].expected, NOW);
        CHECK_CONTAINS(khufu_session_error(session), cookies[i].told);
        khufu_session_free(session);
        free(value);
    }
    khufu_factory_free(factory);
}

TEST(each_format_has_the_same_limit) {
    const size_t overhead[] = {64, 64, 40, 40};
    for (int format = 0; format < FORMATS; format++) {
        khufu_factory *factory = FORMAT(format, NULL);
        khufu_session *session = open_new(factory);
        char pad[3100];
        memset(pad, 'x', sizeof pad);
        size_t len = sizeof pad;
        khufu_status status = KHUFU_ERR_TOO_LARGE;
        for (; status == KHUFU_ERR_TOO_LARGE && len > 0; len--) {
            CHECK_INT(khufu_session_set_string(session, "pad", 3, pad, len), KHUFU_OK);
            status = khufu_session_commit(session, 0);
        }
        const char *cookie;
        size_t cookie_len;
        CHECK_INT(status, KHUFU_OK);
        CHECK_INT(khufu_session_set_cookie(session, 0, &cookie, &cookie_len), KHUFU_OK);
        CHECK_INT((const char *)memchr(cookie, ';', cookie_len) - cookie, (int)strlen("session=") + 4064);
        CHECK(len + overhead[format] < 3048);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

/* A session of SECRET whose pickle is these opcodes, within the pickle of [NOW, NOW, {'a': …}]. */
static khufu_session *open_pickled(const khufu_factory *factory, const char *opcodes, size_t len) {
    static const char before[] = "\x80\x02(I1700000060\nF1700000060.0\n}U\x01""a", behind[] = "st.";
    char *payload = allocate(sizeof before + len + sizeof behind);
    memcpy(payload, before, sizeof before - 1);
    memcpy(payload + sizeof before - 1, opcodes, len);
    memcpy(payload + sizeof before - 1 + len, behind, sizeof behind - 1);
    char *value = forge_signed(payload, sizeof before - 1 + len + sizeof behind - 1);
    khufu_session *session = open_value(factory, value, NOW);
    free(value);
    free(payload);
    return session;
}

TEST(pickled_data_becomes_json) {
    const struct {
        const char *opcodes;
        size_t len;
        const char *json; /* NULL: NaN, which get refuses */
    } values[] = {
#define PICKLED(opcodes, json) {opcodes, sizeof opcodes - 1, json}
        PICKLED("N", "null"),
        PICKLED("I01\n", "true"),
        PICKLED("\x89", "false"),
        PICKLED("I-7\n", "-7"),
        PICKLED("L1180591620717411303424L\n", "1180591620717411303424"),
        PICKLED("\x8a\x09\0\0\0\0\0\0\0\0\x40", "1180591620717411303424"),
        PICKLED("\x8a\x01\xff", "-1"),
        PICKLED("\x8a\x00", "0"),
        PICKLED("J\xff\xff\xff\xff", "-1"),
        PICKLED("M\xff\xff", "65535"),
        PICKLED("G?\xf8\0\0\0\0\0\0", "1.5"),
        PICKLED("G\x80\0\0\0\0\0\0\0", "-0.0"),
        PICKLED("F1e300\n", "1e300"),
        PICKLED("F2\n", "2.0"),
        PICKLED("Fnan\n", NULL),
        PICKLED("G\xff\xf0\0\0\0\0\0\0", NULL),
        PICKLED("X\x04\0\0\0\xf0\x9f\x94\x91", "\"\xf0\x9f\x94\x91\""),
        PICKLED("X\x03\0\0\0\xed\xa0\x80", "\"\\ud800\""),
        PICKLED("X\x03\0\0\0a\0\"", "\"a\\u0000\\\"\""),
        PICKLED("Vgr\xfcn\\u6f22\\U0001f511\n", "\"gr\xc3\xbcn\xe6\xbc\xa2\xf0\x9f\x94\x91\""),
        PICKLED("S'it\\'s \"\\x41\\n\"'\n", "\"it's \\\"A\\n\\\"\""),
        PICKLED("C\x02\xc3\xab", "\"\xc3\xab\""),
        PICKLED("(lp1\nI1\naV2\na", "[1,\"2\"]"),
        PICKLED(")", "[]"),
        PICKLED("K\x01\x85K\x02\x86", "[[1],2]"),
        PICKLED("(K\x01K\x02t", "[1,2]"),
        PICKLED("}(U\x01zK\x01U\x01yK\x02u", "{\"z\":1,\"y\":2}"),
        PICKLED("]q\x05(h\x05h\x05\x30\x30K\x01" "e", "[1]"),
        PICKLED("(dU\x01xNs", "{\"x\":null}"),
    };
    khufu_factory *factory = FORMAT(1, NULL);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        khufu_session *session = open_pickled(factory, values[i].opcodes, values[i].len);
        const char *json = NULL;
        size_t len = 0;
        if (khufu_session_load_result(session) != KHUFU_LOAD_LOADED) FAIL("pickle %zu: %s", i, khufu_session_error(session));
        CHECK_INT(khufu_session_get(session, "a", 1, &json, &len), values[i].json != NULL ? KHUFU_OK : KHUFU_ERR_TYPE);
        if (values[i].json != NULL && !same_json(json, len, values[i].json, strlen(values[i].json)))
            FAIL("pickle %zu: %.*s, not %s", i, (int)len, json, values[i].json);
        CHECK_INT(khufu_session_changed(session), KHUFU_OK);
        char *header = next_request(session);
        khufu_session *next = open_at(factory, header, NOW);
        if (values[i].json != NULL) {
            CHECK_INT(khufu_session_get(next, "a", 1, &json, &len), KHUFU_OK);
            CHECK(same_json(json, len, values[i].json, strlen(values[i].json)));
        }
        free(header);
        khufu_session_free(next);
        khufu_session_free(session);
    }
    khufu_factory_free(factory);
}

TEST(a_pickle_is_written_in_protocol_2) {
    khufu_factory *factory = FORMAT(1, NULL);
    char *header = written_by(factory);
    size_t len;
    unsigned char *bytes = base64_decode(header + strlen("session="), &len);
    CHECK(len > MAC_SIZE + 2 && memcmp(bytes + MAC_SIZE, "\x80\x02", 2) == 0 && bytes[len - 1] == '.');
    free(bytes);
    free(header);
    khufu_factory_free(factory);
}

TEST(an_integer_that_no_python_reads_is_not_pickled) {
    khufu_factory *factory = FORMAT(1, "hashalg", "sha512");
    khufu_session *session = open_new(factory);
    char digits[4302];
    memset(digits, '9', sizeof digits);
    CHECK_INT(khufu_session_set(session, "n", 1, digits, 4301), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_RANGE);
    CHECK_CONTAINS(khufu_session_error(session), "300 digits");
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(khufu_session_set(session, "n", 1, digits, 4300), KHUFU_OK);
    char *header = next_request(session);
    khufu_session *next = open_at(factory, header, NOW);
    const char *json = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_get(next, "n", 1, &json, &len), KHUFU_OK);
    CHECK(len == 4300 && memcmp(json, digits, len) == 0);
    free(header);
    khufu_session_free(next);
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(hostile_pickles_are_refused_by_name) {
    cJSON *vectors = read_vectors("hostile_pickle.json");
    khufu_factory *factory = FACTORY("secret", text_of(vectors, "secret"), "salt", text_of(vectors, "salt"), "serializer", "pickle");
    khufu_factory *accepting = FACTORY("secret", "another", "accept.old.secret", text_of(vectors, "secret"),
                                       "accept.old.salt", text_of(vectors, "salt"), "accept.old.serializer", "pickle");
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        const char *name = text_of(vector, "name"), *expected = text_of(vector, "expected");
        khufu_session *session = open_value(factory, text_of(vector, "cookie"), number_of(vectors, "now"));
        const char *result = khufu_load_result_name(khufu_session_load_result(session));
        if (strcmp(result, expected) != 0) FAIL("%s: %s, not %s: %s", name, result, expected, khufu_session_error(session));
        if (strcmp(expected, "loaded") != 0) {
            CHECK(khufu_session_is_new(session));
            CHECK_INT(khufu_session_length(session), 0);
            CHECK_CONTAINS(khufu_session_error(session), text_of(vector, "told"));
        }
        khufu_session_free(session);
        session = open_value(accepting, text_of(vector, "cookie"), number_of(vectors, "now"));
        CHECK(khufu_session_is_new(session) == (strcmp(expected, "loaded") != 0));
        khufu_session_free(session);
    }
    khufu_factory_free(accepting);
    khufu_factory_free(factory);
    cJSON_Delete(vectors);
}

TEST(a_genuine_session_that_cannot_be_read_is_not_overwritten) {
    khufu_factory *factory = FORMAT(1, NULL), *chained = moving();
    const khufu_factory *factories[] = {factory, chained};
    for (int i = 0; i < 2; i++) {
        const char *data, *set = "\x8f"; /* EMPTY_SET */
        size_t len;
        khufu_session *session = open_pickled(factories[i], set, 1);
        CHECK_EMPTY(session, KHUFU_LOAD_UNSUPPORTED, NOW);
        CHECK_CONTAINS(khufu_session_error(session), "set");
        CHECK(commit_cookie(session) == NULL); /* nothing to write yet */
        CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
        for (int again = 0; again < 2; again++) {
            CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
            CHECK_CONTAINS(khufu_session_error(session), "invalidate");
            CHECK_INT(khufu_session_set_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
            CHECK_STATE(session, "{\"a\":1}");
        }
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_set(session, "b", 1, "2", 1), KHUFU_OK);
        char *header = next_request(session);
        khufu_session *next = open_at(factories[i], header, NOW);
        CHECK_STATE(next, "{\"b\":2}");
        khufu_session_free(next);
        free(header);
        khufu_session_free(session);
        session = open_pickled(factories[i], set, 1);
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        char *cookie = commit_cookie(session);
        CHECK(cookie != NULL && strncmp(cookie, "session=;", 9) == 0);
        free(cookie);
        khufu_session_free(session);
    }
    khufu_factory_free(chained);
    khufu_factory_free(factory);
}

/* One opcode, a hundred thousand times. */
TEST(long_pickles_end_without_harm) {
    enum { COUNT = 100000 };
    const struct {
        const char *name;
        const char *first, *repeated, *last;
    } pickles[] = {
        {"lists", "]", "]", ""},        {"nested lists", "", "]", NULL}, {"tuples", ")", "\x85", ""}, {"marks", "N", "(", ""},
        {"DUP", ")", "2", ""},          {"DUP in tuples", ")", "2\x86", ""}, {"memo", "N", "\x94", ""}, {"POP", "N", "N0", ""},
        {"lists of marks", "", "(l", ""}, {"one tuple", "(", "N", "t"}, {"appends", "]", "Na", ""}, {"GET", "Nq\x01", "h\x01", ""},
    };
    khufu_factory *factory = FORMAT(1, NULL);
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
        const char *last = pickles[i].last != NULL ? pickles[i].last : "a";
        size_t size = strlen(pickles[i].repeated), last_count = pickles[i].last != NULL ? 1 : COUNT - 1, len = 0;
        char *opcodes = allocate(strlen(pickles[i].first) + COUNT * size + last_count * strlen(last) + 1);
        len += (size_t)sprintf(opcodes, "%s", pickles[i].first);
        for (size_t n = 0; n < COUNT; n++, len += size) memcpy(opcodes + len, pickles[i].repeated, size);
        for (size_t n = 0; n < last_count; n++) len += (size_t)sprintf(opcodes + len, "%s", last);
        khufu_session *session = open_pickled(factory, opcodes, len);
        bool loads = strcmp(pickles[i].name, "memo") == 0 || strcmp(pickles[i].name, "POP") == 0 ||
                     strcmp(pickles[i].name, "one tuple") == 0 || strcmp(pickles[i].name, "appends") == 0;
        if (khufu_session_is_new(session) == loads)
            FAIL("%s: %s %s", pickles[i].name, khufu_load_result_name(khufu_session_load_result(session)), khufu_session_error(session));
        khufu_session_free(session);
        free(opcodes);
    }
    khufu_factory_free(factory);
}

int main(void) {
    RUN(one_formats_cookie_opens_under_no_other);
    RUN(another_salt_is_another_format);
    RUN(secrets_rotate_in_every_format);
    RUN(accepted_formats_open_by_name_and_are_written_in_the_current_one);
    RUN(a_chain_fails_closed);
    RUN(no_bit_may_change_under_a_chain);
    RUN(formats_are_tried_in_the_order_of_their_first_mention);
    RUN(an_accepted_session_expires_as_any);
    RUN(an_encrypted_cookie_is_nacls_secretbox_under_a_new_nonce);
    RUN(an_encrypted_cookie_says_which_check_failed);
    RUN(each_format_has_the_same_limit);
    RUN(pickled_data_becomes_json);
    RUN(a_pickle_is_written_in_protocol_2);
    RUN(an_integer_that_no_python_reads_is_not_pickled);
    RUN(hostile_pickles_are_refused_by_name);
    RUN(a_genuine_session_that_cannot_be_read_is_not_overwritten);
    RUN(long_pickles_end_without_harm);
    return report();
}
