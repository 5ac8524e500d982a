/* Secrets and session data are wiped when they are freed. These tests search the process's memory for them. */
#include "search.h"
#include "sessions.h"

#include <sys/wait.h>

static khufu_factory *factory;

TEST(the_search_finds_exactly_the_existing_copies) {
    struct needle needle = draw(64, LETTERS);
    CHECK_GONE(&needle);
    char on_stack[NEEDLE_LIMIT + 1], *on_heap = allocate(NEEDLE_LIMIT + 1), *large = allocate(40 * WINDOW);
    reveal(&needle, on_stack);
    CHECK_INT(hits(&needle), 1);
    reveal(&needle, on_heap);
    CHECK_INT(hits(&needle), 2);
    for (size_t at = 3 * WINDOW - 200; at < 3 * WINDOW + 200; at++) { /* at every position relative to a window's end */
        reveal(&needle, large + at);
        CHECK_INT(hits(&needle), 3);
        explicit_bzero(large + at, needle.len);
    }
    free(on_heap);
    CHECK_INT(hits(&needle), 2); /* free does not wipe */
    explicit_bzero(on_stack, sizeof on_stack);
    free(large);
}

/* Sets an option to the needle, and leaves no other copy of it. */
static void set_secret(khufu_options *options, const char *name, const struct needle *needle) {
    char buffer[NEEDLE_LIMIT + 1];
    CHECK_INT(khufu_options_set(options, name, KHUFU_NTS, buffer, reveal(needle, buffer)), KHUFU_OK);
    explicit_bzero(buffer, sizeof buffer);
}

/* Makes a factory, opens a session, writes and reads it, and frees everything except the options. */
static void use_once(khufu_options *options) {
    khufu_factory *made = NULL;
    CHECK_INT(khufu_factory_new(options, &made), KHUFU_OK);
    khufu_session *session = open_new(made);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    session = open_at(made, header, NOW);
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
    session = open_at(made, "session=AAAA", NOW);
    khufu_session_free(session);
    khufu_factory_free(made);
    free(header);
}

TEST(a_signing_secret_is_wiped) {
    const size_t lengths[] = {32, 100, 112, 128, 150, 250}; /* with the salt: around HMAC's block size */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct needle secret = draw(lengths[i], LETTERS), inner = xored(&secret, 0x36), outer = xored(&secret, 0x5c);
        khufu_options *options = khufu_options_new();
        set_secret(options, "secret", &secret);
        CHECK_THERE(&secret);
        use_once(options);
        khufu_options_free(options);
        CHECK_GONE(&secret);
        CHECK_GONE(&inner);
        CHECK_GONE(&outer);
    }
}

TEST(every_option_with_a_secret_is_wiped) {
    const char *names[] = {"secret", "secret_hex", "previous_secret", "previous_secret_hex", "accept.old.secret",
                           "accept.old.secret_hex", "accept.old.previous_secret", "accept.old.previous_secret_hex"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct needle digits = draw(64, DIGITS), bytes = from_hex(&digits), inner = xored(&bytes, 0x36), outer = xored(&bytes, 0x5c);
        khufu_options *options = khufu_options_new();
        if (i >= 2) CHECK_INT(khufu_options_set(options, "secret", 6, SECRET, KHUFU_NTS), KHUFU_OK);
        if (i >= 6) CHECK_INT(khufu_options_set(options, "accept.old.secret", 17, SECRET, KHUFU_NTS), KHUFU_OK);
        set_secret(options, names[i], &digits);
        CHECK_THERE(&digits);
        use_once(options);
        khufu_options_free(options);
        CHECK_GONE(&digits);
        CHECK_GONE(&bytes);
        CHECK_GONE(&inner);
        CHECK_GONE(&outer);
    }
}

TEST(a_replaced_or_refused_secret_is_wiped) {
    struct needle first = draw(48, LETTERS), refused = draw(48, LETTERS);
    char buffer[NEEDLE_LIMIT + 1];
    khufu_options *options = khufu_options_new();
    set_secret(options, "secret", &first);
    CHECK_INT(khufu_options_set(options, "secret_hex", 10, buffer, reveal(&refused, buffer)), KHUFU_ERR_OPTION);
    explicit_bzero(buffer, sizeof buffer);
    CHECK_GONE(&refused);
    CHECK_INT(khufu_options_set(options, "sceret", 6, buffer, reveal(&refused, buffer)), KHUFU_ERR_OPTION);
    explicit_bzero(buffer, sizeof buffer);
    CHECK_GONE(&refused);
    CHECK_INT(khufu_options_set(options, "secret", 6, "another", 7), KHUFU_OK);
    CHECK_GONE(&first);
    khufu_options_free(options);
}

TEST(an_encryption_key_is_wiped_after_its_factory_and_sessions) {
    struct needle digits = draw(64, DIGITS), key = from_hex(&digits);
    khufu_options *options = make_options((const char *const[]){"type", "encrypted_cookie", NULL});
    set_secret(options, "secret", &digits);
    khufu_factory *made = NULL;
    CHECK_INT(khufu_factory_new(options, &made), KHUFU_OK);
    khufu_options_free(options);
    CHECK_GONE(&digits);
    CHECK_THERE(&key);
    khufu_session *session = open_new(made);
    CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
    char *header = next_request(session);
    khufu_session *next = open_at(made, header, NOW);
    CHECK_STATE(next, "{\"a\":1}");
    khufu_factory_free(made);
    CHECK_THERE(&key); /* the sessions still use it */
    khufu_session_free(session);
    khufu_session_free(next);
    CHECK_GONE(&key);
    free(header);
}

/* The two states that HMAC-SHA512 derives from a key. They are as good as the key for signing. */
static void take_states(const struct needle *secret, struct needle states[2]) {
    crypto_auth_hmacsha512_state state;
    char key[NEEDLE_LIMIT + 20] = SALT;
    size_t salt_len = strlen(SALT), len = reveal(secret, key + salt_len);
    crypto_auth_hmacsha512_init(&state, (unsigned char *)key, salt_len + len);
    states[0] = take(state.ictx.state, sizeof state.ictx.state);
    states[1] = take(state.octx.state, sizeof state.octx.state);
    explicit_bzero(&state, sizeof state);
    explicit_bzero(key, sizeof key);
}

TEST(the_hmac_states_are_wiped_with_their_factory) {
    struct needle secret = draw(64, LETTERS), states[2];
    take_states(&secret, states);
    khufu_options *options = khufu_options_new();
    set_secret(options, "secret", &secret);
    khufu_factory *made = NULL;
    CHECK_INT(khufu_factory_new(options, &made), KHUFU_OK);
    CHECK_THERE(&states[0]);
    CHECK_THERE(&states[1]);
    khufu_factory_free(made);
    use_once(options);
    khufu_options_free(options);
    CHECK_GONE(&states[0]);
    CHECK_GONE(&states[1]);
}

TEST(a_generated_secret_leaves_no_copy) {
    char buffer[KHUFU_SIGNING_SECRET_SIZE];
    CHECK_INT(khufu_generate_secret(buffer, sizeof buffer), KHUFU_OK);
    struct needle digits = take(buffer, 128), bytes = from_hex(&digits);
    CHECK_GONE(&digits);
    CHECK_GONE(&bytes);
}

/* The Cookie header of a session of `made` with the needle in the value of "a". A child writes it, so that this process
   has no copy. `format` is the value's JSON, with a %s for the needle. */
static char *header_holding(const khufu_factory *made, const char *format, const struct needle *needle) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        char text[NEEDLE_LIMIT + 1], json[2 * NEEDLE_LIMIT];
        reveal(needle, text);
        snprintf(json, sizeof json, format, text);
        khufu_session *session = open_new(made);
        CHECK_INT(khufu_session_set(session, "a", 1, json, KHUFU_NTS), KHUFU_OK);
        char *header = next_request(session);
        _exit(write(ends[1], header, strlen(header)) != (ssize_t)strlen(header) || counts.test_failed);
    }
    close(ends[1]);
    char *header = allocate(5000);
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], header + len, 4999 - len)) > 0;) len += (size_t)got;
    header[len] = 0;
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    close(ends[0]);
    return header;
}

/* Reads in every way a session that has the needle in the value of "a". */
static void read_all(khufu_session *session) {
    const char *key, *text;
    size_t key_len, len, cursor = 0;
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_session_get(session, "a", 1, &text, &len), KHUFU_OK);
    (void)khufu_session_get_string(session, "a", 1, &text, &len);
    CHECK_INT(khufu_session_next(session, &cursor, &key, &key_len, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_to_json(session, &text, &len), KHUFU_OK);
}

TEST(a_decrypted_payload_is_wiped_with_its_session) {
    const struct {
        const char *json, *letters;
        size_t len;
    } values[] = {
        {"\"%s\"", LETTERS, 48},
        {"\"\\u0041\\n\\ud83d\\udd11%s\"", LETTERS, 48},
        {"[{\"b\":\"%s\"},1.5]", LETTERS, 48},
        {"-7%s", "0123456789", 200}, /* an integer larger than any machine word */
    };
    for (int pickled = 0; pickled < 2; pickled++) {
        khufu_factory *made = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", pickled ? "pickle" : "json");
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            struct needle needle = draw(values[i].len, values[i].letters);
            char *header = header_holding(made, values[i].json, &needle);
            CHECK_GONE(&needle);
            khufu_session *session = open_at(made, header, NOW);
            CHECK_THERE(&needle);
            read_all(session);
            CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
            CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
            CHECK_THERE(&needle);
            khufu_session_free(session);
            CHECK_GONE(&needle);
            free(header);
        }
        khufu_factory_free(made);
    }
}

TEST(a_refused_decrypted_payload_is_wiped_at_once) {
    khufu_factory *json = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET);
    khufu_factory *pickle = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "pickle");
    khufu_factory *brief = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "timeout", "0");
    const struct {
        const khufu_factory *writer, *reader;
    } pairs[] = {{json, pickle}, {pickle, json}, {json, brief}};
    for (size_t i = 0; i < 3; i++) {
        struct needle needle = draw(48, LETTERS);
        char *header = header_holding(pairs[i].writer, "\"%s\"", &needle);
        khufu_session *session = open_at(pairs[i].reader, header, NOW + 1);
        CHECK(khufu_session_is_new(session));
        CHECK_GONE(&needle);
        khufu_session_free(session);
        free(header);
    }
    khufu_factory_free(json);
    khufu_factory_free(pickle);
    khufu_factory_free(brief);
}

/* Calls `use` with the needle's text in a buffer, and then wipes the buffer. */
static void with_text(khufu_session *session, const struct needle *needle, void (*use)(khufu_session *, const char *, size_t)) {
    char buffer[NEEDLE_LIMIT + 1];
    use(session, buffer, reveal(needle, buffer));
    explicit_bzero(buffer, sizeof buffer);
}

static void set_text(khufu_session *session, const char *text, size_t len) {
    CHECK_INT(khufu_session_set_string(session, "a", 1, text, len), KHUFU_OK);
}

static void set_json(khufu_session *session, const char *text, size_t len) {
    char json[NEEDLE_LIMIT + 40];
    int size = snprintf(json, sizeof json, " [ \"\\n%.*s\" , 1 ] ", (int)len, text);
    CHECK_INT(khufu_session_set(session, "a", 1, json, (size_t)size), KHUFU_OK);
    explicit_bzero(json, sizeof json);
}

static void update_json(khufu_session *session, const char *text, size_t len) {
    char json[2 * NEEDLE_LIMIT + 40];
    int size = snprintf(json, sizeof json, "{ \"a\" : \"%.*s\", \"%.*s\" : 2 }", (int)len, text, (int)len, text);
    CHECK_INT(khufu_session_update(session, json, (size_t)size), KHUFU_OK);
    explicit_bzero(json, sizeof json);
}

static void set_key(khufu_session *session, const char *text, size_t len) {
    CHECK_INT(khufu_session_set_null(session, text, len), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, text, len, 7), KHUFU_OK);
}

static void flash(khufu_session *session, const char *text, size_t len) {
    const char *json;
    size_t json_len;
    CHECK_INT(khufu_session_flash_string(session, text, len, "", 0, true), KHUFU_OK);
    CHECK_INT(khufu_session_flash_string(session, text, len, "", 0, false), KHUFU_OK);
    CHECK_INT(khufu_session_flash_string(session, text, len, "queue", 5, false), KHUFU_OK);
    CHECK_INT(khufu_session_pop_flash(session, "", 0, &json, &json_len), KHUFU_OK);
}

static void set_default(khufu_session *session, const char *text, size_t len) {
    const char *json;
    size_t json_len;
    set_text(session, text, len);
    CHECK_INT(khufu_session_get(session, "a", 1, &json, &json_len), KHUFU_OK);
    CHECK_INT(khufu_session_setdefault(session, "b", 1, json, json_len, &json, &json_len), KHUFU_OK);
    CHECK_INT(khufu_session_pop(session, "b", 1, &json, &json_len), KHUFU_OK);
}

static void refuse(khufu_session *session, const char *text, size_t len) {
    CHECK_INT(khufu_session_set(session, "a", 1, text, len), KHUFU_ERR_JSON);
    CHECK_INT(khufu_session_update(session, text, len), KHUFU_ERR_JSON);
}

static void check_token(khufu_session *session, const char *text, size_t len) {
    bool valid;
    set_text(session, text, len);
    CHECK_INT(khufu_session_set_string(session, "_csrft_", 7, text, len), KHUFU_OK);
    CHECK_INT(khufu_session_check_csrf_token(session, text, len, &valid), KHUFU_OK);
    CHECK(valid);
}

TEST(values_that_were_set_are_wiped_with_their_session) {
    static void (*const uses[])(khufu_session *, const char *, size_t) = {set_text, set_json,    update_json, set_key,
                                                                          flash,    set_default, refuse,      check_token};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        for (int ending = 0; ending < 5; ending++) {
            struct needle needle = draw(48, LETTERS);
            khufu_session *session = open_new(factory);
            const char *text;
            size_t len;
            with_text(session, &needle, uses[i]);
            if (uses[i] != refuse) CHECK_THERE(&needle);
            switch (ending) {
            case 1: /* so that the texts' buffer grows */
                for (int64_t n = 0; n < 300; n++) {
                    char key[16];
                    int key_len = snprintf(key, sizeof key, "key%d", (int)n);
                    CHECK_INT(khufu_session_set_int64(session, key, (size_t)key_len, n), KHUFU_OK);
                }
                CHECK_INT(khufu_session_to_json(session, &text, &len), KHUFU_OK);
                break;
            case 2: CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK); break;
            case 3:
                CHECK_INT(khufu_session_clear(session), KHUFU_OK);
                CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
                break;
            case 4: CHECK_INT(khufu_session_invalidate(session), KHUFU_OK); break;
            }
            khufu_session_free(session);
            size_t left = hits(&needle);
            if (left > 0) FAIL("use %zu, ending %d: %zu left", i, ending, left);
        }
    }
}

TEST(a_committed_payload_is_wiped_with_its_session) {
    khufu_factory *encrypting = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET);
    khufu_factory *pickling = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "serializer", "pickle");
    const khufu_factory *factories[] = {factory, encrypting, pickling};
    for (size_t i = 0; i < 3; i++) {
        struct needle needle = draw(48, LETTERS);
        khufu_session *session = open_new(factories[i]);
        with_text(session, &needle, set_text);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        khufu_session_free(session);
        CHECK_GONE(&needle);
    }
    khufu_factory_free(pickling);
    khufu_factory_free(encrypting);
}

TEST(a_csrf_token_is_wiped_with_its_session) {
    khufu_session *session = open_new(factory);
    const char *token;
    size_t len;
    struct needle needle = {.len = 40};
    CHECK_INT(khufu_session_csrf_token(session, &token, &len), KHUFU_OK);
    for (size_t i = 0; i < 40; i++) needle.masked[i] = ((const volatile unsigned char *)token)[i] ^ MASK;
    CHECK_THERE(&needle);
    CHECK_INT(khufu_session_new_csrf_token(session, &token, &len), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    khufu_session_free(session);
    CHECK_GONE(&needle);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(the_search_finds_exactly_the_existing_copies);
    RUN(a_signing_secret_is_wiped);
    RUN(every_option_with_a_secret_is_wiped);
    RUN(a_replaced_or_refused_secret_is_wiped);
    RUN(an_encryption_key_is_wiped_after_its_factory_and_sessions);
    RUN(the_hmac_states_are_wiped_with_their_factory);
    RUN(a_generated_secret_leaves_no_copy);
    RUN(a_decrypted_payload_is_wiped_with_its_session);
    RUN(a_refused_decrypted_payload_is_wiped_at_once);
    RUN(values_that_were_set_are_wiped_with_their_session);
    RUN(a_committed_payload_is_wiped_with_its_session);
    RUN(a_csrf_token_is_wiped_with_its_session);
    khufu_factory_free(factory);
    return report();
}
