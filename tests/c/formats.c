/* Formats: none is mistaken for another, secrets can be rotated, and accepted formats open in order. */
#include "sessions.h"

#define STATE "{\"user\":42,\"name\":\"Zo\xc3\xab\",\"cart\":[1,{\"a\":null}],\"pi\":3.25}"
#define OLDER_SECRET "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { FORMATS = 4 };

static const char *const formats[FORMATS][6] = {
    {"type", "signed_cookie", "secret", SECRET, "serializer", "json"},
    {"type", "signed_cookie", "secret", SECRET, "serializer", "pickle"},
    {"type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "json"},
    {"type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "pickle"},
};

/* Makes a factory of a format with more options, which are pairs that end with NULL. */
static khufu_factory *factory_of(int format, const char *const *more) {
    const char *words[60];
    size_t count = 0;
    for (; count < 6; count++) words[count] = formats[format][count];
    for (; *more != NULL; more++) words[count++] = *more;
    words[count] = NULL;
    return make_factory(words);
}

#define FORMAT(format, ...) factory_of(format, (const char *const[]){__VA_ARGS__, NULL})

/* The Cookie header of a session that the factory wrote at NOW. */
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

TEST(a_cookie_opens_only_with_its_own_format) {
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

/* Checks that the session is written again although it was neither read nor changed. Returns the next load result. */
static khufu_load_result rewritten(const khufu_factory *factory, const char *header) {
    khufu_session *session = open_at(factory, header, NOW);
    CHECK(!khufu_session_is_new(session));
    char *next = next_request(session);
    CHECK(has_vary(session));
    CHECK(!khufu_session_is_changed(session));
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
        CHECK_INT(load_result_of(many, new_header), KHUFU_LOAD_LOADED); /* the current secret is tried first */
        khufu_factory_free(many);
        khufu_factory_free(before);
        khufu_factory_free(during);
        khufu_factory_free(after);
        free(old_header);
        free(new_header);
    }
}

/* The factory of a site that moves from Pyramid 1: it writes encrypted JSON, and still accepts signed JSON and signed
   pickle. */
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

TEST(cookies_of_formats_that_are_not_accepted_do_not_open) {
    khufu_factory *current = moving();
    khufu_factory *unlisted[] = {
        FORMAT(3, NULL),                            /* encrypted, pickled */
        FORMAT(2, "secret", OLDER_SECRET),          /* encrypted with another secret */
        FORMAT(0, "secret", OLDER_SECRET),          /* JSON, signed with the previous secret of pyramid1 */
        FORMAT(0, "salt", "other."),
        FORMAT(0, "hashalg", "sha256"),
        FORMAT(0, "secret", ENCRYPTION_SECRET),     /* signed with the encryption secret, as text and as bytes */
        FACTORY("secret_hex", ENCRYPTION_SECRET),
    };
    const khufu_load_result expected[] = {KHUFU_LOAD_MALFORMED, KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_MALFORMED,
                                          KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_BAD_SIGNATURE, KHUFU_LOAD_BAD_SIGNATURE,
                                          KHUFU_LOAD_BAD_SIGNATURE};
    for (int i = 0; i < 7; i++) {
        char *header = written_by(unlisted[i]);
        CHECK_INT(load_result_of(current, header), expected[i]);
        free(header);
        khufu_factory_free(unlisted[i]);
    }
    char *nothing = text_copy("session=", 8);
    CHECK_INT(load_result_of(current, nothing), KHUFU_LOAD_MALFORMED);
    free(nothing);
    khufu_factory_free(current);
}

TEST(no_changed_bit_opens_with_accepted_formats) {
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

TEST(a_session_of_an_accepted_format_expires) {
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

TEST(every_format_has_the_same_size_limit) {
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
        CHECK_INT(nth_cookie(session, 0, &cookie, &cookie_len), KHUFU_OK);
        CHECK_INT((const char *)memchr(cookie, ';', cookie_len) - cookie, (int)strlen("session=") + 4064);
        CHECK(len + overhead[format] < 3048);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

int main(void) {
    RUN(a_cookie_opens_only_with_its_own_format);
    RUN(another_salt_is_another_format);
    RUN(secrets_rotate_in_every_format);
    RUN(accepted_formats_open_by_name_and_are_written_in_the_current_one);
    RUN(cookies_of_formats_that_are_not_accepted_do_not_open);
    RUN(no_changed_bit_opens_with_accepted_formats);
    RUN(formats_are_tried_in_the_order_of_their_first_mention);
    RUN(a_session_of_an_accepted_format_expires);
    RUN(every_format_has_the_same_size_limit);
    return report();
}
