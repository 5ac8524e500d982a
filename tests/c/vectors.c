/* Every cookie that the Python originals wrote opens to its state, and no altered cookie opens. */
#include "vectors.h"

static cJSON *vectors;

static const char *text_or(const cJSON *vector, const char *name, const char *otherwise) {
    return cJSON_GetObjectItem(vector, name) != NULL ? text_of(vector, name) : otherwise;
}

static bool is_encrypted(const cJSON *vector) {
    return cJSON_GetObjectItem(vector, "secret_hex") != NULL;
}

/* Makes a factory with the vector's options, one of which is replaced. */
static khufu_factory *factory_of(const cJSON *vector, const char *option, const char *value) {
    const char *secret = is_encrypted(vector) ? "secret_hex" : "secret";
    return FACTORY("type", is_encrypted(vector) ? "encrypted_cookie" : "signed_cookie", secret, text_of(vector, secret),
                   "serializer", text_of(vector, "serializer"), "salt", text_or(vector, "salt", ""), "hashalg",
                   text_or(vector, "hashalg", ""), option, value);
}

/* The keys and values that iterating returns, as a JSON object. */
static char *iterated(khufu_session *session) {
    size_t cursor = 0, used = 1, key_len, json_len;
    const char *key, *json;
    char *object = allocate(40000);
    object[0] = '{';
    while (khufu_session_next(session, &cursor, &key, &key_len, &json, &json_len) == KHUFU_OK) {
        const char *again = NULL;
        size_t again_len = 0;
        CHECK_INT(khufu_session_get(session, key, key_len, &again, &again_len), KHUFU_OK);
        CHECK(again_len == json_len && memcmp(again, json, json_len) == 0);
        used += (size_t)snprintf(object + used, 40000 - used, "%s\"%.*s\":%.*s", used > 1 ? "," : "", (int)key_len, key,
                                 (int)json_len, json);
    }
    snprintf(object + used, 40000 - used, "}");
    return object;
}

TEST(every_cookie_opens_to_its_state) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        khufu_factory *factory = factory_of(vector, NULL, NULL);
        khufu_session *session = open_value(factory, text_of(vector, "cookie"), NOW);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        CHECK_STRING(khufu_session_error(session), "");
        CHECK_STRING(khufu_session_load_format(session), "");
        CHECK(!khufu_session_is_new(session));
        CHECK_DOUBLE(khufu_session_created(session), number_of(vector, "created"));
        CHECK_DOUBLE(khufu_session_renewed(session), number_of(vector, "renewed"));
        CHECK_STATE(session, text_of(vector, "state_json"));
        const char *state = text_of(vector, "state_json");
        char *object = iterated(session);
        CHECK(same_json(object, strlen(object), state, strlen(state)));
        cJSON *tree = cJSON_Parse(state);
        CHECK_INT(khufu_session_length(session), cJSON_GetArraySize(tree));
        cJSON_Delete(tree);
        free(object);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(every_state_is_written_back_unchanged) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        khufu_factory *factory = factory_of(vector, NULL, NULL);
        khufu_session *session = open_value(factory, text_of(vector, "cookie"), NOW);
        CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
        char *header = next_request(session);
        khufu_session *next = open_at(factory, header, NOW + 1);
        CHECK_INT(khufu_session_load_result(next), KHUFU_LOAD_LOADED);
        CHECK_DOUBLE(khufu_session_created(next), number_of(vector, "created"));
        CHECK_STATE(next, text_of(vector, "state_json"));
        free(header);
        khufu_session_free(next);
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(another_secret_salt_or_hash_opens_no_cookie) {
    const char *others[][2] = {{"secret", "itsaseekreeT"}, {"salt", "pyramid.session"}, {"hashalg", "sha224"}};
    const char *encryption[][2] = {{"secret_hex", "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}};
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        for (size_t i = 0; i < (is_encrypted(vector) ? 1 : 3); i++) {
            const char **other = is_encrypted(vector) ? encryption[i] : others[i];
            khufu_factory *factory = factory_of(vector, other[0], other[1]);
            khufu_session *session = open_value(factory, text_of(vector, "cookie"), NOW);
            CHECK_EMPTY(session, KHUFU_LOAD_BAD_SIGNATURE, NOW);
            khufu_session_free(session);
            khufu_factory_free(factory);
        }
    }
}

TEST(no_cookie_opens_with_a_character_changed) {
    const cJSON *vector;
    EACH_CASE(vector, vectors) {
        khufu_factory *factory = factory_of(vector, NULL, NULL);
        char *header = joined("session=", text_of(vector, "cookie"), "");
        check_each_character(factory, vector, header, NOW);
        free(header);
        khufu_factory_free(factory);
    }
}

int main(void) {
    const char *files[] = {"pyramid_signed_json.json", "pyramid_signed_pickle.json", "pyramid_nacl.json"};
    for (size_t i = 0; i < 3; i++) {
        vectors = read_vectors(files[i]);
        RUN(every_cookie_opens_to_its_state);
        RUN(every_state_is_written_back_unchanged);
        RUN(another_secret_salt_or_hash_opens_no_cookie);
        RUN(no_cookie_opens_with_a_character_changed);
        cJSON_Delete(vectors);
    }
    return report();
}
