/* Keys that Beaker keeps for itself: a session that has one is not written. */
#include "stores.h"

static const char *const reserved[] = {"_id", "_domain", "_path", "_accessed_time", "_creation_time"};

static void check_reserved(const khufu_factory *factory) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        khufu_session *session = open_new(factory);
        struct header cookie;
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        CHECK_INT(khufu_session_set_string(session, reserved[i], KHUFU_NTS, "hunter2", KHUFU_NTS), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_KEY);
        CHECK_CONTAINS(khufu_session_error(session), reserved[i]);
        CHECK(strstr(khufu_session_error(session), "hunter2") == NULL);
        CHECK(khufu_session_is_changed(session)); /* nothing is lost */
        cookie = nth_header(session, "Set-Cookie", 0);
        CHECK(cookie.value == NULL);
        CHECK_INT(khufu_session_delete(session, reserved[i], KHUFU_NTS), KHUFU_OK);
        char *header = next_request(session);
        khufu_session_free(session);
        session = open_at(factory, header, NOW);
        CHECK_STATE(session, "{\"a\":1}");
        khufu_session_free(session);
        free(header);
    }
}

TEST(beaker_keeps_its_keys_in_a_cookie) {
    const char *serializers[] = {"json", "pickle"};
    for (size_t i = 0; i < 2; i++) {
        khufu_factory *plain = FACTORY("secret", SECRET, "library", "beaker", "serializer", serializers[i]);
        check_reserved(plain);
        khufu_factory_free(plain);
        khufu_factory *encrypted = FACTORY("secret", SECRET, "library", "beaker", "serializer", serializers[i], "type",
                                           "encrypted_cookie", "encrypt_key", "sesame");
        check_reserved(encrypted);
        khufu_factory_free(encrypted);
    }
}

TEST(beaker_keeps_its_keys_in_redis) {
    make_folder();
    start_redis(folder);
    khufu_factory *stored = FACTORY("secret", SECRET, "library", "beaker", "type", "store", "store", redis_server.url,
                                    "store_timeout", "30");
    check_reserved(stored);
    khufu_factory_free(stored);
    stop_redis();
    remove_folder();
}

TEST(khufu_keeps_no_key_for_itself) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        khufu_session *session = open_new(factory);
        CHECK_INT(khufu_session_set_int64(session, reserved[i], KHUFU_NTS, 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        khufu_session_free(session);
    }
    khufu_factory_free(factory);
}

int main(void) {
    RUN(beaker_keeps_its_keys_in_a_cookie);
    RUN(beaker_keeps_its_keys_in_redis);
    RUN(khufu_keeps_no_key_for_itself);
    return report();
}
