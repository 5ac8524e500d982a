/* A custom serializer. This one writes JSON backwards. */
#include "stores.h"

struct reversing {
    int32_t failure;
    bool invalid; /* loads writes invalid JSON */
    bool large; /* dumps writes more than a cookie can contain */
    int released;
};

static int32_t reverse(void *data, const char *from, size_t from_len, khufu_sink *sink) {
    struct reversing *reversing = data;
    if (reversing->failure != KHUFU_OK) return reversing->failure;
    while (from_len > 0) {
        if (khufu_sink_write(sink, &from[--from_len], 1) != KHUFU_OK) abort();
    }
    return KHUFU_OK;
}

static int32_t loads(void *data, const char *payload, size_t payload_len, khufu_sink *sink) {
    if (((struct reversing *)data)->invalid) return khufu_sink_write(sink, "[1,2", 4);
    return reverse(data, payload, payload_len, sink);
}

static int32_t dumps(void *data, const char *json, size_t json_len, khufu_sink *sink) {
    if (((struct reversing *)data)->large) {
        for (int i = 0; i < 500; i++) (void)khufu_sink_write(sink, "0123456789", 10);
    }
    return reverse(data, json, json_len, sink);
}

static void release(void *data) {
    ((struct reversing *)data)->released++;
}

static const khufu_serializer_vtable callbacks = {sizeof callbacks, loads, dumps, release};

#define REVERSING(reversing, ...) make_reversing(reversing, (const char *const[]){__VA_ARGS__, NULL})

static khufu_factory *make_reversing(struct reversing *reversing, const char *const *words) {
    khufu_options *options = make_options(words);
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_options_set_serializer(options, &callbacks, reversing), KHUFU_OK);
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    REQUIRE(factory != NULL);
    khufu_options_free(options);
    return factory;
}

TEST(the_cookie_contains_what_dumps_wrote) {
    struct reversing reversing = {0};
    khufu_factory *factory = REVERSING(&reversing, "secret", SECRET);
    char *header = begin(factory, "{\"user\":\"zo\xc3\xab\"}");
    size_t len = 0;
    unsigned char *bytes = base64_decode(header + strlen("session="), &len);
    REQUIRE(len > MAC_SIZE);
    char json[200];
    size_t json_len = len - MAC_SIZE;
    for (size_t i = 0; i < json_len && i < sizeof json; i++) json[i] = (char)bytes[len - 1 - i];
    const char *expected = "[1700000060,1700000060.0,{\"user\":\"zo\xc3\xab\"}]";
    CHECK(same_json(json, json_len, expected, strlen(expected)));
    CHECK_STORED(factory, header, "{\"user\":\"zo\xc3\xab\"}");
    free(bytes);
    free(header);
    khufu_factory_free(factory);
    CHECK_INT(reversing.released, 1);
}

TEST(it_works_with_every_type) {
    const char *types[][2] = {{"signed_cookie", SECRET}, {"encrypted_cookie", ENCRYPTION_SECRET}, {"store", SECRET}};
    for (int i = 0; i < 3; i++) {
        struct reversing reversing = {0};
        khufu_factory *factory = REVERSING(&reversing, "type", types[i][0], "secret", types[i][1]);
        char *header = begin(factory, "{\"a\":[1,{\"b\":null}]}");
        khufu_session *session = open_at(factory, header, NOW);
        CHECK_VALUE(session, "a", "[1,{\"b\":null}]");
        CHECK_INT(khufu_session_set_int64(session, "n", 1, 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
        CHECK_INT(reversing.released, 1);
    }
}

TEST(a_payload_that_it_cannot_read_is_malformed) {
    struct reversing reversing = {0};
    khufu_factory *factory = REVERSING(&reversing, "secret", SECRET);
    char *header = begin(factory, "{\"a\":1}");
    const int32_t failures[] = {KHUFU_ERR_JSON, KHUFU_NOT_FOUND, -1, 12345};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        reversing.failure = failures[i];
        khufu_session *session = open_at(factory, header, NOW);
        CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
        CHECK_CONTAINS(khufu_session_error(session), "loads");
        khufu_session_free(session);
    }
    reversing.failure = KHUFU_OK;
    reversing.invalid = true;
    khufu_session *session = open_at(factory, header, NOW);
    CHECK_EMPTY(session, KHUFU_LOAD_MALFORMED, NOW);
    khufu_session_free(session);
    reversing.invalid = false;
    const char *payloads[] = {"", "]", "{}", "[1700000060,1700000060.0,{}]", "]}{,0.1,1[ "};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        session = open_payload(factory, payloads[i]);
        CHECK_INT(khufu_session_load_result(session), i == 4 ? KHUFU_LOAD_EXPIRED : KHUFU_LOAD_MALFORMED);
        CHECK_INT(khufu_session_length(session), 0);
        khufu_session_free(session);
    }
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    khufu_factory_free(factory);
}

TEST(a_session_that_it_cannot_write_is_not_written) {
    struct reversing reversing = {0};
    khufu_factory *factory = REVERSING(&reversing, "secret", SECRET);
    khufu_session *session = open_new(factory);
    const char *data;
    size_t len;
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    reversing.failure = KHUFU_ERR_RANGE;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_UNSUPPORTED);
    CHECK_CONTAINS(khufu_session_error(session), "the session could not be written: the custom serializer's dumps returned the status");
    CHECK(khufu_session_is_changed(session));
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_NOT_FOUND);
    reversing.failure = KHUFU_OK;
    reversing.large = true;
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    reversing.large = false;
    char *header = next_request(session);
    CHECK_STORED(factory, header, "{\"a\":1}");
    free(header);
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(other_formats_can_be_accepted_with_it) {
    struct reversing reversing = {0};
    khufu_factory *factory = REVERSING(&reversing, "secret", SECRET, "accept.json.secret", SECRET);
    khufu_session *session = open_payload(factory, "[1700000060,1700000060.0,{\"a\":1}]");
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED_OTHER_FORMAT);
    CHECK_STRING(khufu_session_load_format(session), "json");
    char *header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(it_is_released_once_after_everything_that_uses_it_is_freed) {
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct reversing reversing = {0}, replaced = {0};
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
        khufu_factory *factory = NULL;
        CHECK_INT(khufu_options_set_serializer(options, &callbacks, &replaced), KHUFU_OK);
        CHECK_INT(khufu_options_set_serializer(options, &callbacks, &reversing), KHUFU_OK);
        CHECK_INT(replaced.released, 1);
        CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
        khufu_session *session = open_new(factory);
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        for (int n = 0; n < 3; n++) {
            CHECK_INT(reversing.released, 0);
            if (orders[i][n] == 0) khufu_options_free(options);
            if (orders[i][n] == 1) khufu_factory_free(factory);
            if (orders[i][n] == 2) {
                CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
                khufu_session_free(session);
            }
        }
        CHECK_INT(reversing.released, 1);
    }
}

int main(void) {
    RUN(the_cookie_contains_what_dumps_wrote);
    RUN(it_works_with_every_type);
    RUN(a_payload_that_it_cannot_read_is_malformed);
    RUN(a_session_that_it_cannot_write_is_not_written);
    RUN(other_formats_can_be_accepted_with_it);
    RUN(it_is_released_once_after_everything_that_uses_it_is_freed);
    return report();
}
