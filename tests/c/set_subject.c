/* khufu_session_set_subject says whose session it is, and khufu_session_subject returns it. */
#include "stores.h"

#define CHECK_SUBJECT(session, expected)                                                     \
    do {                                                                                     \
        const char *subject_ = NULL;                                                         \
        size_t subject_len_ = 0;                                                             \
        CHECK_INT(khufu_session_subject(session, &subject_, &subject_len_), KHUFU_OK);       \
        CHECK_TEXT(subject_, subject_len_, expected);                                        \
    } while (0)

static bool has_no_subject(khufu_session *session) {
    const char *subject = "";
    size_t len = 1;
    return khufu_session_subject(session, &subject, &len) == KHUFU_NOT_FOUND && subject == NULL && len == 0;
}

TEST(the_subject_can_be_read_in_every_request) {
    khufu_factory *factory = STORED("store_timeout", "30");
    khufu_session *session = open_new(factory);
    CHECK(has_no_subject(session));
    CHECK_INT(khufu_session_set_subject(session, "Zo\xc3\xab", KHUFU_NTS), KHUFU_OK);
    CHECK_SUBJECT(session, "Zo\xc3\xab"); /* before the commit, too */
    char *header = next_request(session);
    CHECK_SUBJECT(session, "Zo\xc3\xab");
    khufu_session_free(session);

    session = open_at(factory, header, NOW);
    CHECK_SUBJECT(session, "Zo\xc3\xab");
    CHECK(!khufu_session_is_changed(session));
    CHECK_INT(khufu_session_set_subject(session, "Zo\xc3\xab", KHUFU_NTS), KHUFU_OK); /* changes nothing */
    CHECK(!khufu_session_is_changed(session));
    CHECK_INT(khufu_session_clear(session), KHUFU_OK); /* the subject is not one of the keys */
    CHECK_SUBJECT(session, "Zo\xc3\xab");
    CHECK_INT(khufu_session_set_subject(session, "a\0b", 3), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);

    session = open_at(factory, header, NOW);
    const char *subject = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_subject(session, &subject, &len), KHUFU_OK);
    CHECK(len == 3 && memcmp(subject, "a\0b", 3) == 0);
    CHECK_INT(khufu_session_set_subject(session, subject, len), KHUFU_OK); /* the text may be passed back in */
    CHECK_INT(khufu_session_set_subject(session, NULL, 0), KHUFU_OK);
    CHECK(has_no_subject(session));
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);

    session = open_at(factory, header, NOW);
    CHECK(has_no_subject(session));
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_part_of_the_subject_can_be_the_new_subject) {
    khufu_factory *factory = STORED("store_timeout", "30");
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_subject(session, "zoe@example.com, from the office", KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    khufu_session *other = open_at(factory, header, NOW); /* so that the change is made again on a newer record */
    CHECK_INT(khufu_session_set_int64(other, "a", 1, 1), KHUFU_OK);
    CHECK(commit_cookie(other) == NULL);
    khufu_session_free(other);
    const char *subject = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_subject(session, &subject, &len), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, subject, 15), KHUFU_OK);
    CHECK(commit_cookie(session) == NULL);
    khufu_session_free(session);
    session = open_at(factory, header, NOW);
    CHECK_SUBJECT(session, "zoe@example.com");
    khufu_session_free(session);
    free(header);
    khufu_factory_free(factory);
}

TEST(a_new_session_has_no_subject) {
    khufu_factory *factory = STORED("store_timeout", "30");
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    CHECK(has_no_subject(session));
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(a_refused_subject_keeps_the_previous_one) {
    khufu_factory *factory = STORED("store_timeout", "30");
    khufu_session *session = open_new(factory);
    char *text = allocate(65536);
    memset(text, 'x', 65536);
    CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_subject(session, text, 65536), KHUFU_ERR_RANGE);
    CHECK_INT(khufu_session_set_subject(session, "\xff", 1), KHUFU_ERR_UTF8);
    CHECK_SUBJECT(session, "zoe");
    CHECK_INT(khufu_session_set_subject(session, text, 65535), KHUFU_OK);
    const char *subject = NULL;
    size_t len = 0;
    CHECK_INT(khufu_session_subject(session, &subject, &len), KHUFU_OK);
    CHECK(len == 65535 && memcmp(subject, text, len) == 0);
    free(text);
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(a_session_in_a_cookie_has_no_subject) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK(has_no_subject(session));
    CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_ERR_ARGUMENT);
    CHECK(has_no_subject(session));
    CHECK(!khufu_session_is_changed(session));
    khufu_session_free(session);
    khufu_factory_free(factory);
}

int main(void) {
    RUN(a_session_in_a_cookie_has_no_subject);
    make_folder();
    start_redis(folder);
    const char *stores[] = {MEMORY, SQLITE, CUSTOM, redis_server.url};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        use_store(stores[i]);
        RUN(the_subject_can_be_read_in_every_request);
        RUN(a_part_of_the_subject_can_be_the_new_subject);
    RUN(a_new_session_has_no_subject);
        RUN(a_refused_subject_keeps_the_previous_one);
    }
    free_shared_custom_store();
    stop_redis();
    remove_folder();
    return report();
}
