/* khufu_session_set_attribute, which sets an attribute of the next commit's cookie, and the option partitioned. */
#include "kinds.h"

static khufu_status set(khufu_session *session, const char *name, const char *value) {
    return khufu_session_set_attribute(session, name, KHUFU_NTS, value, KHUFU_NTS);
}

/* Commits, and checks the cookie's attributes except for the time in `expires`. */
static void check_attributes(khufu_session *session, const char *expected) {
    char *cookie = commit_cookie(session);
    REQUIRE(cookie != NULL);
    char *expires = strstr(cookie, "; expires="), *attributes = cookie + strcspn(cookie, ";");
    if (expires != NULL) {
        const char *rest = expires + 2 + strcspn(expires + 2, ";");
        memmove(expires + strlen("; expires"), rest, strlen(rest) + 1);
    }
    CHECK_STRING(attributes, expected);
    free(cookie);
}

TEST(an_attribute_applies_to_one_commit) {
    const struct {
        const char *name, *value, *expected;
    } attributes[] = {
        {"max_age", "60", "; Max-Age=60; Path=/; expires; secure; SameSite=Lax"},
        {"max_age", "0", "; Max-Age=0; Path=/; expires; secure; SameSite=Lax"},
        {"max_age", "", "; Path=/; secure; SameSite=Lax"},
        {"secure", "false", "; Max-Age=9; Path=/; expires; SameSite=Lax"},
        {"secure", "", "; Max-Age=9; Path=/; expires; SameSite=Lax"},
        {"secure", "true", "; Max-Age=9; Path=/; expires; secure; SameSite=Lax"},
        {"httponly", "true", "; Max-Age=9; Path=/; expires; secure; HttpOnly; SameSite=Lax"},
        {"httponly", "yes", "; Max-Age=9; Path=/; expires; secure; HttpOnly; SameSite=Lax"},
        {"samesite", "Strict", "; Max-Age=9; Path=/; expires; secure; SameSite=Strict"},
        {"samesite", "none", "; Max-Age=9; Path=/; expires; secure; SameSite=None"},
        {"samesite", "", "; Max-Age=9; Path=/; expires; secure"},
        {"partitioned", "true", "; Max-Age=9; Path=/; expires; secure; SameSite=Lax; Partitioned"},
    };
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, "max_age", "9", "secure", "true");
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
            khufu_session *session = open_new(factory);
            CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
            CHECK_INT(set(session, attributes[i].name, attributes[i].value), KHUFU_OK);
            check_attributes(session, attributes[i].expected);
            CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
            check_attributes(session, "; Max-Age=9; Path=/; expires; secure; SameSite=Lax");
            khufu_session_free(session);
        }
        khufu_factory_free(factory);
    }
}

TEST(attributes_are_collected_until_the_commit) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_new(factory);
    CHECK_INT(set(session, "secure", "true"), KHUFU_OK);
    CHECK_INT(set(session, "samesite", "None"), KHUFU_OK);
    CHECK_INT(set(session, "partitioned", "true"), KHUFU_OK);
    CHECK_INT(set(session, "max_age", "1"), KHUFU_OK);
    CHECK_INT(set(session, "max_age", "2"), KHUFU_OK);
    CHECK_INT(set(session, "secure", "false"), KHUFU_ERR_OPTION); /* samesite and partitioned require secure */
    check_attributes(session, "; Max-Age=2; Path=/; expires; secure; SameSite=None; Partitioned");
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(an_attribute_alone_makes_commit_send_the_cookie_again) {
    for (int kind = 0; kind < KINDS; kind++) {
        khufu_factory *factory = KIND(kind, "reissue_time", "");
        char *header = begin(factory, "{\"a\":1}");
        khufu_session *session = open_at(factory, header, NOW);
        CHECK_INT(set(session, "max_age", "60"), KHUFU_OK);
        CHECK(khufu_session_is_changed(session));
        check_attributes(session, "; Max-Age=60; Path=/; expires; SameSite=Lax");
        CHECK(!khufu_session_is_changed(session));
        CHECK_STATE(session, "{\"a\":1}");
        khufu_session_free(session);
        free(header);
        khufu_factory_free(factory);
    }
}

TEST(a_logout_clears_the_cookie_with_its_attributes) {
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_at(factory, "session=x", NOW);
    CHECK_INT(set(session, "secure", "true"), KHUFU_OK);
    CHECK_INT(set(session, "max_age", "60"), KHUFU_OK);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    check_attributes(session, "; Max-Age=0; Path=/; expires; secure; SameSite=Lax");
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(a_wrong_attribute_is_refused_and_changes_nothing) {
    const struct {
        const char *name, *value, *reason;
    } wrong[] = {
        {"path", "/a", "no attribute \"path\""},     {"domain", "example.org", "no attribute \"domain\""},
        {"", "1", "no attribute"},                   {"Max-Age", "1", "no attribute"},
        {"MAX_AGE", "1", "no attribute"},            {"timeout", "1", "no attribute"},
        {"secret", "1", "no attribute"},             {"max_age", "soon", "max_age must be"},
        {"max_age", "-1", "max_age must be"},        {"max_age", "1.5", "max_age must be"},
        {"max_age", "10000000001", "max_age must be"}, {"max_age", "1; Domain=x", "max_age must be"},
        {"secure", "maybe", "secure must be"},       {"httponly", "2", "httponly must be"},
        {"samesite", "Loose", "samesite must be"},   {"samesite", "Lax; Domain=x", "samesite must be"},
        {"partitioned", "-", "partitioned must be"},
        {"samesite", "None", "secure must be true"}, {"partitioned", "true", "secure must be true"},
    };
    khufu_factory *factory = FACTORY("secret", SECRET);
    khufu_session *session = open_state(factory, "{\"a\":1}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(set(session, wrong[i].name, wrong[i].value), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_session_error(session), wrong[i].reason);
        CHECK(!khufu_session_is_changed(session));
    }
    CHECK_INT(khufu_session_set_attribute(session, "max_age", 7, "\xff", 1), KHUFU_ERR_UTF8);
    CHECK_INT(khufu_session_set_attribute(session, "\xff", 1, "1", 1), KHUFU_ERR_UTF8);
    CHECK_INT(khufu_session_set_attribute(session, "max_age\0", 8, "1", 1), KHUFU_ERR_OPTION);
    CHECK_INT(khufu_session_set_attribute(session, "samesite", 8, "Lax\0", 4), KHUFU_ERR_OPTION);
    CHECK(!khufu_session_is_changed(session));
    CHECK_INT(khufu_session_set_null(session, "b", 1), KHUFU_OK);
    check_attributes(session, "; Path=/; SameSite=Lax");
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(a_name_with_a_prefix_keeps_its_required_attributes) {
    const struct {
        const char *name, *attribute, *why;
    } names[] = {{"__Secure-s", "secure", "__Secure-"}, {"__Host-s", "secure", "__Host-"},
                 {"__Http-s", "httponly", "__Http-"}, {"__Host-Http-s", "httponly", "__Host-Http-"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        khufu_factory *factory = FACTORY("secret", SECRET, "cookie_name", names[i].name, "secure", "true", "httponly", "true");
        khufu_session *session = open_new(factory);
        CHECK_INT(set(session, names[i].attribute, "false"), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_session_error(session), names[i].why);
        CHECK_INT(set(session, names[i].attribute, "true"), KHUFU_OK);
        check_attributes(session, "; Path=/; secure; HttpOnly; SameSite=Lax");
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(the_option_partitioned_needs_secure) {
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, "partitioned", "true", NULL});
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_ERR_OPTION);
    CHECK_CONTAINS(khufu_options_error(options), "partitioned");
    CHECK_INT(khufu_options_set(options, "secure", 6, "true", 4), KHUFU_OK);
    factory = factory_from(options);
    khufu_session *session = open_at(factory, "session=x", NOW);
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    check_attributes(session, "; Path=/; secure; SameSite=Lax; Partitioned");
    CHECK_INT(set(session, "partitioned", ""), KHUFU_OK);
    check_attributes(session, "; Path=/; secure; SameSite=Lax");
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK); /* only a partitioned cookie clears a partitioned one */
    check_attributes(session, "; Max-Age=0; Path=/; expires; secure; SameSite=Lax; Partitioned");
    khufu_session_free(session);
    khufu_factory_free(factory);
}

int main(void) {
    RUN(an_attribute_applies_to_one_commit);
    RUN(attributes_are_collected_until_the_commit);
    RUN(an_attribute_alone_makes_commit_send_the_cookie_again);
    RUN(a_logout_clears_the_cookie_with_its_attributes);
    RUN(a_wrong_attribute_is_refused_and_changes_nothing);
    RUN(a_name_with_a_prefix_keeps_its_required_attributes);
    RUN(the_option_partitioned_needs_secure);
    return report();
}
