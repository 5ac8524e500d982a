/* khufu_session_value returns the value of a session's cookie, and khufu_session_open_value opens such a value. */
#include "kinds.h"

/* Returns the value that the session's cookie has now, which the caller frees, or NULL if there is none. */
static char *value_of(khufu_session *session) {
    const char *data = "";
    size_t len = 1;
    khufu_status status = khufu_session_value(session, &data, &len);
    if (status == KHUFU_NOT_FOUND) CHECK(data == NULL && len == 0);
    else CHECK_INT(status, KHUFU_OK);
    return status == KHUFU_OK ? text_copy(data, len) : NULL;
}

static khufu_session *open_from(const khufu_factory *factory, const char *value, double now) {
    khufu_session *session = NULL;
    CHECK_INT(khufu_session_open_value(factory, value, strlen(value), now, -1, 0, &session), KHUFU_OK);
    REQUIRE(session != NULL);
    return session;
}

TEST(a_value_opens_the_session_that_it_came_from) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        khufu_session *session = open_new(factory);
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        char *header = next_request(session), *value = value_of(session);
        REQUIRE(value != NULL);
        CHECK_STRING(value, header + strlen("session=")); /* the value in Set-Cookie */
        khufu_session_free(session);

        session = open_from(factory, value, NOW);
        CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
        CHECK_STRING(khufu_session_error(session), "");
        CHECK_STATE(session, "{\"a\":1}");
        char *again = value_of(session); /* reading changed nothing */
        REQUIRE(again != NULL);
        if (kind != ENCRYPTED) CHECK_STRING(again, value); /* an encrypted value has a new nonce each time */
        khufu_session_free(session);

        session = open_from(factory, again, NOW + 1);
        CHECK_STATE(session, "{\"a\":1}");
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        char *next = value_of(session);
        REQUIRE(next != NULL);
        CHECK((strcmp(next, again) == 0) == (kind == STORED_IN_MEMORY));
        khufu_session_free(session);

        session = open_from(factory, next, NOW + 1);
        CHECK_STATE(session, "{\"a\":2}");
        khufu_session_free(session);
        free(next);
        free(again);
        free(value);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(there_is_no_value_without_a_cookie_that_carries_the_session) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        khufu_session *session = open_new(factory);
        CHECK(value_of(session) == NULL); /* the browser has no cookie */
        CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
        CHECK(value_of(session) == NULL); /* nothing is committed yet */
        char *header = next_request(session);
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        CHECK(value_of(session) == NULL); /* the browser must delete the cookie */
        khufu_session_free(session);
        session = open_at(factory, "session=refused", NOW);
        CHECK(value_of(session) == NULL);
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(a_change_that_is_not_committed_is_in_no_value) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = open_at(factory, header, NOW);
        for (int round = 0; round < 2; round++) { /* before the first commit, and after it */
            CHECK_INT(khufu_session_set_int64(session, "a", 1, 2 + round), KHUFU_OK);
            char *value = value_of(session);
            CHECK((value != NULL) == (kind == STORED_IN_MEMORY)); /* a store's value is the id */
            free(value);
            CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
            value = value_of(session);
            CHECK(value != NULL);
            free(value);
        }
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(a_value_that_opens_nothing_has_a_load_result) {
    const struct {
        const char *value;
        khufu_load_result expected;
    } values[] = {{"", KHUFU_LOAD_MALFORMED}, {"not base64", KHUFU_LOAD_MALFORMED}, {"session=x", KHUFU_LOAD_MALFORMED}};
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            khufu_session *session = open_from(factory, values[i].value, NOW);
            CHECK_EMPTY(session, values[i].expected, NOW);
            CHECK(*khufu_session_error(session) != 0);
            khufu_session_free(session);
        }
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = open_from(factory, header + strlen("session="), NOW + 1201);
        CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW + 1201);
        khufu_session_free(session);
        khufu_factory *another = FACTORY("secret", "another");
        session = open_from(another, header + strlen("session="), NOW);
        CHECK(khufu_session_is_new(session));
        khufu_session_free(session);
        khufu_factory_free(another);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(a_value_may_be_any_bytes) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        for (int byte = 0; byte < 256; byte++) {
            const char value[] = {(char)byte, 'A', (char)byte};
            khufu_session *session = NULL;
            CHECK_INT(khufu_session_open_value(factory, value, sizeof value, NOW, -1, 0, &session), KHUFU_OK);
            CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_MALFORMED);
            khufu_session_free(session);
        }
        khufu_factory_free(factory);
    }
}

TEST(a_passive_value_is_not_renewed) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, NULL);
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = NULL;
        CHECK_INT(khufu_session_open_value(factory, header + strlen("session="), KHUFU_NTS, NOW + 60, -1, KHUFU_OPEN_PASSIVE,
                                           &session), KHUFU_OK);
        CHECK_VALUE(session, "a", "1");
        CHECK(!khufu_session_is_changed(session));
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
    }
}

int main(void) {
    RUN(a_value_opens_the_session_that_it_came_from);
    RUN(there_is_no_value_without_a_cookie_that_carries_the_session);
    RUN(a_change_that_is_not_committed_is_in_no_value);
    RUN(a_value_that_opens_nothing_has_a_load_result);
    RUN(a_value_may_be_any_bytes);
    RUN(a_passive_value_is_not_renewed);
    return report();
}
