/* Every session that pyramid_session_redis, pyramid_redis_sessions and Beaker wrote opens to its state and is written
   back unchanged. No altered cookie opens. */
#include "stores.h"
#include "vectors.h"

/* The vectors were written between these times, and have not expired at LATER. */
enum { WRITTEN = 1795442010, LATER = 1795442100 };

static const char *library;
static cJSON *vectors;

static bool is_stored(const cJSON *vector) {
    return cJSON_GetObjectItem(vector, "records")->child != NULL;
}

/* Makes a factory with the vector's options and this secret. */
static khufu_factory *factory_with(const cJSON *vector, const char *secret) {
    const char *cookie_name = strcmp(library, "beaker") == 0 ? "beaker.session.id" : "session";
    const char *words[13] = {"library", library, "secret", secret, "serializer", text_of(vector, "serializer"),
                             "cookie_name", cookie_name, "type", "signed_cookie"};
    if (is_stored(vector)) {
        words[9] = "store";
        words[10] = "store";
        words[11] = redis_server.url;
    } else if (cJSON_HasObjectItem(vector, "encrypt_key")) {
        words[9] = "encrypted_cookie";
        words[10] = "encrypt_key";
        words[11] = text_of(vector, "encrypt_key");
    }
    return make_factory(words);
}

static khufu_factory *factory_of(const cJSON *vector) {
    return factory_with(vector, text_of(vector, cJSON_HasObjectItem(vector, "secret") ? "secret" : "validate_key"));
}

/* Empties Redis, and stores the vector's records in it. */
static void put_records(const cJSON *vector) {
    const cJSON *record;
    CHECK_STRING(redis("FLUSHALL"), "+OK");
    cJSON_ArrayForEach(record, cJSON_GetObjectItem(vector, "records")) {
        const char *base64 = text_of(record, "value_base64");
        unsigned char value[4096];
        size_t len;
        REQUIRE(sodium_base642bin(value, sizeof value, base64, strlen(base64), NULL, &len, NULL,
                                  sodium_base64_VARIANT_ORIGINAL) == 0);
        char *command = allocate(4 * len + 256);
        char *end = command + sprintf(command, "SET %s \"", record->string);
        for (size_t i = 0; i < len; i++) end += sprintf(end, "\\x%02x", value[i]);
        sprintf(end, "\" EX %d", (int)number_of(record, "ttl"));
        CHECK_STRING(redis(command), "+OK");
        free(command);
    }
}

/* The Cookie header that the browser sends back. The caller frees it. */
static char *cookie_of(const cJSON *vector) {
    const char *set_cookie = text_of(vector, "set_cookie") + strspn(text_of(vector, "set_cookie"), " ");
    return text_copy(set_cookie, strcspn(set_cookie, ";"));
}

static khufu_session *open_vector(const khufu_factory *factory, const cJSON *vector) {
    char *header = cookie_of(vector);
    khufu_session *session = open_at(factory, header, LATER);
    free(header);
    return session;
}

TEST(every_session_opens_to_its_state) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        put_records(vector);
        khufu_factory *factory = factory_of(vector);
        khufu_session *session = open_vector(factory, vector);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        CHECK_STRING(khufu_session_error(session), "");
        CHECK(!khufu_session_is_new(session));
        CHECK(khufu_session_created(session) > WRITTEN && khufu_session_created(session) < LATER);
        CHECK_STATE(session, text_of(vector, "state_json"));
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(every_session_is_written_back_unchanged) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        put_records(vector);
        khufu_factory *factory = factory_of(vector);
        khufu_session *session = open_vector(factory, vector);
        CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
        char *set_cookie = commit_cookie(session), *header = cookie_of(vector);
        CHECK((set_cookie == NULL) == is_stored(vector)); /* the browser keeps its id */
        if (set_cookie != NULL) {
            set_cookie[strcspn(set_cookie, ";")] = 0;
            CHECK(strcmp(set_cookie, header) != 0);
        }
        khufu_session *next = open_at(factory, set_cookie != NULL ? set_cookie : header, LATER + 1);
        CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
        CHECK_DOUBLE(khufu_session_created(next), khufu_session_created(session));
        CHECK_STATE(next, text_of(vector, "state_json"));
        free(set_cookie);
        free(header);
        khufu_session_free(next);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(a_session_without_a_record_is_missing) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        if (!is_stored(vector)) continue;
        CHECK_STRING(redis("FLUSHALL"), "+OK");
        khufu_factory *factory = factory_of(vector);
        khufu_session *session = open_vector(factory, vector);
        CHECK_EMPTY(session, KHUFU_LOAD_MISSING, LATER);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(another_secret_opens_no_session) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        put_records(vector);
        khufu_factory *factory = factory_with(vector, "itsaseekreeT");
        khufu_session *session = open_vector(factory, vector);
        CHECK_EMPTY(session, KHUFU_LOAD_BAD_SIGNATURE, LATER);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(no_cookie_opens_with_a_character_changed) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        put_records(vector);
        khufu_factory *factory = factory_of(vector);
        char *header = cookie_of(vector);
        check_each_character(factory, vector, header, LATER);
        free(header);
        khufu_factory_free(factory);
    }
}

int main(void) {
    const char *libraries[] = {"pyramid_session_redis", "pyramid_redis_sessions", "beaker"};
    make_folder();
    start_redis(folder);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        char *file = joined(libraries[i], ".json", "");
        library = libraries[i];
        vectors = read_vectors(file);
        RUN(every_session_opens_to_its_state);
        RUN(every_session_is_written_back_unchanged);
        RUN(a_session_without_a_record_is_missing);
        RUN(another_secret_opens_no_session);
        RUN(no_cookie_opens_with_a_character_changed);
        cJSON_Delete(vectors);
        free(file);
    }
    stop_redis();
    remove_folder();
    return report();
}
