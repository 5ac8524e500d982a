/* Pickled payloads: data is read and written, and no code is ever run. */
#include "sessions.h"
#include "vectors.h"

static khufu_factory *factory;

/* Opens a session signed with SECRET. The opcodes are the value of 'a' in the pickle of (NOW, NOW, {'a': …}). */
static khufu_session *open_pickled(const khufu_factory *factory, const char *opcodes, size_t len) {
    static const char before[] = "\x80\x02(I1700000060\nF1700000060.0\n}U\x01""a", after[] = "st.";
    char *payload = allocate(sizeof before + len + sizeof after);
    memcpy(payload, before, sizeof before - 1);
    memcpy(payload + sizeof before - 1, opcodes, len);
    memcpy(payload + sizeof before - 1 + len, after, sizeof after - 1);
    char *value = forge_signed(payload, sizeof before - 1 + len + sizeof after - 1);
    khufu_session *session = open_value(factory, value, NOW);
    free(value);
    free(payload);
    return session;
}

TEST(pickled_data_becomes_json) {
    const struct {
        const char *opcodes;
        size_t len;
        const char *json; /* NULL for NaN or an infinity, which get refuses */
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
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        khufu_session *session = open_pickled(factory, values[i].opcodes, values[i].len);
        const char *json = NULL;
        size_t len = 0;
        if (khufu_session_load_result(session) != KHUFU_LOAD_LOADED) FAIL("pickle %zu: %s", i, khufu_session_error(session));
        CHECK_INT(khufu_session_get(session, "a", 1, &json, &len), values[i].json != NULL ? KHUFU_OK : KHUFU_ERR_TYPE);
        if (values[i].json != NULL && !same_json(json, len, values[i].json, strlen(values[i].json)))
            FAIL("pickle %zu: %.*s, not %s", i, (int)len, json, values[i].json);
        CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
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
}

/* Commits. Returns the payload of the cookie, which the caller frees. */
static unsigned char *committed_payload(khufu_session *session, size_t *len) {
    char *header = next_request(session);
    size_t all;
    unsigned char *bytes = base64_decode(header + strlen("session="), &all);
    REQUIRE(all > MAC_SIZE);
    *len = all - MAC_SIZE;
    memmove(bytes, bytes + MAC_SIZE, *len);
    free(header);
    return bytes;
}

TEST(a_session_that_was_only_read_is_written_back_with_a_new_time) {
    static const char tuple[] = "(C\x01xq\x07h\x07I5\n]h\x07" "at";
    khufu_session *session = open_pickled(factory, tuple, sizeof tuple - 1);
    const char *json = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_get(session, "a", 1, &json, &len), KHUFU_OK);
    CHECK(same_json(json, len, "[\"x\",\"x\",5,[\"x\"]]", 17));
    CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
    unsigned char *payload = committed_payload(session, &len);
    static const char expected[] = "\x80\x02(J\x3c\xf1SeF1700000060.0\n}U\x01" "a(C\x01xq\x07h\x07I5\n]h\x07" "atst.";
    CHECK(len == sizeof expected - 1 && memcmp(payload, expected, len) == 0);
    free(payload);
    khufu_session_free(session);
}

TEST(unchanged_values_keep_their_python_types) {
    static const char tuple[] = "(C\x01xq\x07h\x07I5\n]h\x07" "at";
    khufu_session *session = open_pickled(factory, tuple, sizeof tuple - 1);
    size_t len;
    CHECK_INT(khufu_session_set(session, "b", 1, "[1]", 3), KHUFU_OK);
    unsigned char *payload = committed_payload(session, &len);
    static const char expected[] = "\x80\x03J\x3c\xf1SeGA\xd9T\xfc\x4f\0\0\0}(X\x01\0\0\0a(C\x01xC\x01xK\x05]C\x01xatX\x01\0\0\0b]K\x01" "au\x87.";
    CHECK(len == sizeof expected - 1 && memcmp(payload, expected, len) == 0);
    free(payload);
    khufu_session_free(session);
}

TEST(the_error_of_an_unsupported_pickle_names_class_and_key) {
    static const char date[] = "cdatetime\ndate\n(U\x04\x07\xea\x01\x01tR";
    khufu_session *session = open_pickled(factory, date, sizeof date - 1);
    CHECK_EMPTY(session, KHUFU_LOAD_UNSUPPORTED, NOW);
    CHECK_CONTAINS(khufu_session_error(session), "datetime.date under the key \"a\"");
    khufu_session_free(session);
}

TEST(a_pickle_is_written_in_protocol_2) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set(session, "a", 1, "[1.5]", 5), KHUFU_OK);
    char *header = next_request(session);
    size_t len;
    unsigned char *bytes = base64_decode(header + strlen("session="), &len);
    CHECK(len > MAC_SIZE + 2 && memcmp(bytes + MAC_SIZE, "\x80\x02", 2) == 0 && bytes[len - 1] == '.');
    free(bytes);
    free(header);
    khufu_session_free(session);
}

TEST(an_integer_that_python_cannot_read_is_refused) {
    khufu_session *session = open_new(factory);
    char digits[4302];
    memset(digits, '9', sizeof digits);
    CHECK_INT(khufu_session_set(session, "n", 1, digits, 4301), KHUFU_ERR_RANGE);
    CHECK_CONTAINS(khufu_session_error(session), "300 digits");
    CHECK(!khufu_session_is_changed(session));
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
}

TEST(hostile_pickles_are_refused_with_the_reason) {
    cJSON *vectors = read_vectors("hostile_pickle.json");
    khufu_factory *accepting = FACTORY("secret", "another", "accept.old.secret", SECRET, "accept.old.serializer", "pickle");
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
    cJSON_Delete(vectors);
}

TEST(a_genuine_session_that_cannot_be_read_is_not_overwritten) {
    khufu_factory *chained = FACTORY("type", "encrypted_cookie", "secret", ENCRYPTION_SECRET, "accept.pyramid1.secret", SECRET,
                                     "accept.pyramid1.serializer", "pickle");
    const khufu_factory *factories[] = {factory, chained};
    for (int i = 0; i < 2; i++) {
        const char *data, *set = "\x8f"; /* EMPTY_SET */
        size_t len;
        khufu_session *session = open_pickled(factories[i], set, 1);
        CHECK_EMPTY(session, KHUFU_LOAD_UNSUPPORTED, NOW);
        CHECK_CONTAINS(khufu_session_error(session), "set");
        CHECK(commit_cookie(session) == NULL); /* there is nothing to write yet */
        CHECK_INT(khufu_session_set(session, "a", 1, "1", 1), KHUFU_OK);
        for (int again = 0; again < 2; again++) {
            CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
            CHECK_CONTAINS(khufu_session_error(session), "invalidate");
            CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
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
}

/* Each pickle repeats an opcode a hundred thousand times. */
TEST(long_pickles_do_no_harm) {
    enum { COUNT = 100000 };
    const struct {
        const char *name;
        const char *first, *repeated, *last;
    } pickles[] = {
        {"lists", "]", "]", ""},        {"nested lists", "", "]", NULL}, {"tuples", ")", "\x85", ""}, {"marks", "N", "(", ""},
        {"DUP", ")", "2", ""},          {"DUP in tuples", ")", "2\x86", ""}, {"memo", "N", "\x94", ""}, {"POP", "N", "N0", ""},
        {"lists of marks", "", "(l", ""}, {"one tuple", "(", "N", "t"}, {"appends", "]", "Na", ""}, {"GET", "Nq\x01", "h\x01", ""},
    };
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
}

int main(void) {
    factory = FACTORY("secret", SECRET, "serializer", "pickle");
    RUN(pickled_data_becomes_json);
    RUN(a_session_that_was_only_read_is_written_back_with_a_new_time);
    RUN(unchanged_values_keep_their_python_types);
    RUN(the_error_of_an_unsupported_pickle_names_class_and_key);
    RUN(a_pickle_is_written_in_protocol_2);
    RUN(an_integer_that_python_cannot_read_is_refused);
    RUN(hostile_pickles_are_refused_with_the_reason);
    RUN(a_genuine_session_that_cannot_be_read_is_not_overwritten);
    RUN(long_pickles_do_no_harm);
    khufu_factory_free(factory);
    return report();
}
