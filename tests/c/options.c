/* Options by name: which values are refused with which error, and what valid values do. */
#include "sessions.h"

static const struct wrong {
    const char *name, *value;
    const char *allowed; /* a part of the message's description of valid values */
} wrong_values[] = {
    {"type", "signed", "signed_cookie"},
    {"type", "memory", "store"},
    {"serializer", "yaml", "json"},
    {"serializer", "Json ", "json"},
    {"hashalg", "md5", "sha512"},
    {"hashalg", "sha3_512", "sha512"},
    {"samesite", "Laxly", "Strict"},
    {"secure", "perhaps", "true"},
    {"httponly", "2", "true"},
    {"set_on_exception", "maybe", "false"},
    {"max_age", "-1", "seconds"},
    {"max_age", "3600s", "seconds"},
    {"max_age", "1e3", "seconds"},
    {"max_age", "99999999999999999999", "seconds"},
    {"timeout", "-1", "seconds"},
    {"timeout", "10000000001", "seconds"},
    {"timeout", "soon", "seconds"},
    {"timeout", "0x10", "seconds"},
    {"reissue_time", "-1", "seconds"},
    {"reissue_time", "nan", "seconds"},
    {"reissue_time", " 7", "seconds"},
    {"cookie_name", "my session", ""},
    {"cookie_name", "a=b", ""},
    {"cookie_name", "a;b", ""},
    {"cookie_name", "a,b", ""},
    {"cookie_name", "a{b}", ""},
    {"cookie_name", "sitzung\xc3\xa4", ""},
    {"path", "/a;b", "begins with /"},
    {"path", "/caf\xc3\xa9", "ASCII"},
    {"path", "app", "begins with /"},
    {"path", "https://example.com/app", "begins with /"},
    {"path", "/my app", "without spaces"},
    {"path", "/app?x", "as in a URL"},
    {"domain", "example.com; secure", "host name"},
    {"domain", "localhost:8080", "port"},
    {"domain", "https://example.com", "scheme"},
    {"domain", "a.com,b.com", "dots separate"},
    {"domain", "com", "localhost"},
    {"domain", "example..com", "dots separate"},
    {"domain", "example.com.", "dots separate"},
    {"domain", "[::1]", "host name"},
    {"domain", "127.1", "host name"},
    {"absolute_timeout", "-1", "seconds"},
    {"absolute_timeout", "0.5", "seconds"},
    {"regenerate_grace", "a while", "seconds"},
    {"regenerate_grace", "10s", "seconds"},
    {"store_timeout", "0", "seconds"},
    {"store_timeout", "-0.5", "seconds"},
    {"store_timeout", "0.0001", "seconds"},
    {"store_timeout", "3601", "seconds"},
    {"store_timeout", "nan", "seconds"},
    {"store_timeout", "inf", "seconds"},
    {"store_timeout", "1e", "seconds"},
    {"store_on_error", "ignore", "empty"},
    {"store_max_bytes", "-1", "bytes"},
    {"store_max_bytes", "64M", "bytes"},
    {"store_max_bytes", "99999999999999999999", "bytes"},
    {"accept.old.type", "cookie", "encrypted_cookie"},
    {"accept.old.serializer", "marshal", "pickle"},
    {"accept.old.hashalg", "md5", "sha512"},
};

TEST(a_wrong_value_is_named_with_what_is_allowed) {
    for (size_t i = 0; i < sizeof wrong_values / sizeof *wrong_values; i++) {
        const struct wrong *wrong = &wrong_values[i];
        khufu_options *options = khufu_options_new();
        khufu_status status = khufu_options_set(options, wrong->name, KHUFU_NTS, wrong->value, KHUFU_NTS);
        if (status != KHUFU_ERR_OPTION) FAIL("%s=%s gives %d", wrong->name, wrong->value, status);
        CHECK_CONTAINS(khufu_options_error(options), wrong->name);
        CHECK_CONTAINS(khufu_options_error(options), wrong->value);
        CHECK_CONTAINS(khufu_options_error(options), wrong->allowed);
        khufu_options_free(options);
    }
}

TEST(a_wrong_header_value_is_refused_and_its_error_is_one_line) {
    const char *names[] = {"cookie_name", "path", "domain"};
    const char *values[] = {"a\r\nSet-Cookie: b=c", "a\nb", "a\tb", "a\x01"};
    for (size_t n = 0; n < 3; n++) {
        for (size_t v = 0; v < 4; v++) {
            khufu_options *options = khufu_options_new();
            CHECK_INT(khufu_options_set(options, names[n], KHUFU_NTS, values[v], KHUFU_NTS), KHUFU_ERR_OPTION);
            CHECK_CONTAINS(khufu_options_error(options), names[n]);
            CHECK(strpbrk(khufu_options_error(options), "\r\n\t\x01") == NULL);
            khufu_options_free(options);
        }
        khufu_options *options = khufu_options_new();
        CHECK_INT(khufu_options_set(options, names[n], KHUFU_NTS, "a\0b", 3), KHUFU_ERR_OPTION);
        khufu_options_free(options);
    }
}

TEST(an_attribute_has_at_most_1024_bytes) {
    char path[1026], domain[1026];
    memset(path, 'x', 1025);
    path[0] = '/';
    memset(domain, 'x', 1025);
    memcpy(domain + 1000, ".org", 4);
    const struct {
        const char *name, *value;
    } longest[] = {{"path", path}, {"domain", domain}};
    for (size_t i = 0; i < 2; i++) {
        khufu_options *options = khufu_options_new();
        const char *name = longest[i].name, *value = longest[i].value;
        CHECK_INT(khufu_options_set(options, name, KHUFU_NTS, value, 1024), KHUFU_OK);
        CHECK_INT(khufu_options_set(options, name, KHUFU_NTS, value, 1025), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), name);
        CHECK_CONTAINS(khufu_options_error(options), "at most 1024 bytes");
        khufu_options_free(options);
    }
}

TEST(an_unknown_name_is_named) {
    const char *names[] = {"secrets", "Secret", "time_out", "max-age", " path", "session.secret", "expires", "accept",
                           "accept.", "accept.old", "accept.old.", "accept.old.timeout", "accept.old.cookie_name",
                           "accept..secret", "accept.o ld.secret", "accept.old.secrets"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        khufu_options *options = khufu_options_new();
        CHECK_INT(khufu_options_set(options, names[i], KHUFU_NTS, "hush-hush", KHUFU_NTS), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), names[i]);
        if (strstr(names[i], ".secret") == NULL || strstr(names[i], "accept") == NULL)
            CHECK_CONTAINS(khufu_options_error(options), "hashalg"); /* one of the valid names */
        CHECK(strstr(khufu_options_error(options), "hush-hush") == NULL); /* a secret with a misspelt name */
        khufu_options_free(options);
    }
    khufu_options *options = khufu_options_new();
    CHECK_INT(khufu_options_set(options, "", 0, "1", 1), KHUFU_ERR_OPTION);
    CHECK_INT(khufu_options_set(options, "secret\0", 7, "1", 1), KHUFU_ERR_OPTION);
    CHECK(khufu_options_set(options, "\xff", 1, "1", 1) != KHUFU_OK);
    CHECK(*khufu_options_error(options) != 0);
    khufu_options_free(options);
}

TEST(no_error_shows_a_secret) {
    const struct {
        const char *name, *value, *allowed;
    } wrong[] = {
        {"secret_hex", "c0ffeec0ffee0", "hex"},
        {"secret_hex", "hush-hush-hush", "hex"},
        {"previous_secret_hex", "hush-hush-hush", "hex"},
        {"previous_secret_hex", "c0ffeec0ffee0", "hex"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        khufu_options *options = khufu_options_new();
        CHECK_INT(khufu_options_set(options, wrong[i].name, KHUFU_NTS, wrong[i].value, KHUFU_NTS), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), wrong[i].name);
        CHECK_CONTAINS(khufu_options_error(options), wrong[i].allowed);
        CHECK(strstr(khufu_options_error(options), "hush") == NULL);
        CHECK(strstr(khufu_options_error(options), "c0ffee") == NULL);
        khufu_options_free(options);
    }
}

TEST(an_empty_secret_is_refused) {
    const char *names[] = {"secret", "secret_hex", "previous_secret", "previous_secret_hex", "accept.old.secret"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        khufu_options *options = khufu_options_new();
        CHECK_INT(khufu_options_set(options, names[i], KHUFU_NTS, "", 0), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), names[i]);
        khufu_options_free(options);
    }
}

TEST(options_that_contradict_each_other_are_refused) {
    const struct {
        const char *words[11];
        const char *reason;
    } wrong[] = {
        {{NULL}, "secret"},
        {{"timeout", "60", NULL}, "secret_hex"},
        {{"previous_secret", "a", NULL}, "secret"},
        {{"secret", "hush", "secret_hex", "c0ffee", NULL}, "not both"},
        {{"secret", "hush", "samesite", "None", NULL}, "secure"},
        {{"secret", "hush", "cookie_name", "__Secure-session", NULL}, "secure"},
        {{"secret", "hush", "cookie_name", "__Host-session", "secure", "true", "path", "/app", NULL}, "path"},
        {{"secret", "hush", "cookie_name", "__http-session", "secure", "true", NULL}, "httponly"},
        {{"secret", "hush", "cookie_name", "__Host-Http-session", "secure", "true", "httponly", "true", "path", "/app"}, "path"},
        {{"secret", "hush", "timeout", "60", "reissue_time", "60", NULL}, "reissue_time must be less than timeout"},
        {{"secret", ENCRYPTION_SECRET, "type", "encrypted_cookie", "salt", "shop.", NULL}, "salt must be unset"},
        {{"secret", "hush", "type", "store", "store", "sqlite::memory:", NULL}, "memory: keeps sessions"},
        {{"secret", "hush", "type", "store", "store", "sqlite:file::memory:?cache=shared", NULL}, "memory: keeps sessions"},
        {{"secret", "hush", "accept.old.serializer", "pickle", NULL}, "accept.old.secret"},
        {{"secret", "hush", "type", "encrypted_cookie", NULL}, "64 hex digits"},
        {{"secret_hex", "c0ffee", "type", "encrypted_cookie", NULL}, "secret_hex"},
        {{"secret", ENCRYPTION_SECRET "00", "type", "encrypted_cookie", NULL}, "64 hex digits"},
        {{"secret", ENCRYPTION_SECRET, "type", "encrypted_cookie", "previous_secret", "hush", NULL}, "previous_secret"},
        {{"secret", "hush", "type", "store", "store", "mysql://localhost/sessions", NULL}, "memory:"},
        {{"secret", "hush", "type", "store", "store", "memory:sessions", NULL}, "sqlite:PATH"},
        {{"secret", "hush", "type", "store", "store", "sqlite:", NULL}, "sqlite:PATH"},
        {{"secret", "hush", "type", "store", "store", "sqlite:/nowhere/at/all.db", NULL}, "/nowhere/at/all.db"},
        {{"type", "store", "store", "memory:", NULL}, "secret"},
        {{"secret", "hush", "accept.new.type", "store", "accept.new.secret", "hush", NULL}, "accept.new.type"},
        {{"secret", "hush", "accept.new.type", "encrypted_cookie", "accept.new.secret", "hush", NULL}, "accept.new.secret"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        khufu_options *options = make_options(wrong[i].words);
        khufu_factory *factory = (khufu_factory *)options;
        if (khufu_factory_new(options, &factory) != KHUFU_ERR_OPTION) FAIL("options %zu", i);
        CHECK(factory == NULL);
        CHECK_CONTAINS(khufu_options_error(options), wrong[i].reason);
        CHECK(strstr(khufu_options_error(options), "hush") == NULL);
        CHECK(strstr(khufu_options_error(options), "c0ffee") == NULL);
        CHECK(strstr(khufu_options_error(options), "0102") == NULL);
        khufu_options_free(options);
    }
}

TEST(a_refused_option_leaves_what_was_set) {
    khufu_options *options = khufu_options_new();
    CHECK_STRING(khufu_options_error(options), "");
    CHECK_INT(khufu_options_set(options, "secret", KHUFU_NTS, SECRET, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_options_set(options, "timeout", KHUFU_NTS, "60", KHUFU_NTS), KHUFU_OK);
    CHECK_STRING(khufu_options_error(options), "");
    CHECK_INT(khufu_options_set(options, "timeout", KHUFU_NTS, "sixty", KHUFU_NTS), KHUFU_ERR_OPTION);
    CHECK_INT(khufu_options_set(options, "secret_hex", KHUFU_NTS, "zz", KHUFU_NTS), KHUFU_ERR_OPTION);
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    khufu_session *in_time = open_payload(factory, "[1700000000,1700000000.0,{}]");
    khufu_session *late = open_payload(factory, "[1699999999,1700000000.0,{}]");
    CHECK_INT(khufu_session_load_result(in_time), KHUFU_LOAD_LOADED);
    CHECK_INT(khufu_session_load_result(late), KHUFU_LOAD_EXPIRED);
    khufu_session_free(in_time);
    khufu_session_free(late);
    khufu_factory_free(factory);
    khufu_options_free(options);
}

TEST(options_may_change_after_a_factory_was_made) {
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, "timeout", "60", NULL});
    khufu_factory *first = NULL, *second = NULL;
    CHECK_INT(khufu_factory_new(options, &first), KHUFU_OK);
    CHECK_INT(khufu_options_set(options, "timeout", 7, "3600", 4), KHUFU_OK);
    CHECK_INT(khufu_factory_new(options, &second), KHUFU_OK);
    khufu_options_free(options);
    khufu_session *session = open_payload(first, "[1699999000,1699999000.0,{\"a\":1}]");
    CHECK_EMPTY(session, KHUFU_LOAD_EXPIRED, NOW);
    khufu_session_free(session);
    session = open_payload(second, "[1699999000,1699999000.0,{\"a\":1}]");
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
    khufu_factory_free(second);
    khufu_factory_free(first);
}

TEST(the_last_of_two_values_counts) {
    khufu_factory *factory = FACTORY("secret", "first", "cookie_name", "first", "secret", SECRET, "cookie_name", "session");
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK_STATE(session, "{\"a\":1}");
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(an_empty_value_unsets) {
    khufu_factory *factory = FACTORY("secret", SECRET, "timeout", "", "path", "", "samesite", "", "salt", "", "max_age",
                                     "60", "max_age", "", "domain", "example.com", "domain", "");
    char *value = forge_signed_as("", SECRET, "[1,1.0,{}]", strlen("[1,1.0,{}]"));
    khufu_session *session = open_value(factory, value, NOW);
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED); /* no timeout, no salt */
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    char *cookie = commit_cookie(session);
    CHECK(cookie != NULL && strchr(cookie, ';') == NULL); /* no attribute is left */
    free(cookie);
    free(value);
    khufu_session_free(session);
    khufu_factory_free(factory);
}

TEST(true_and_false_have_their_usual_words) {
    const char *words[][2] = {{"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}};
    for (size_t i = 0; i < 4; i++) {
        for (size_t is_false = 0; is_false < 2; is_false++) {
            khufu_factory *factory = FACTORY("secret", SECRET, "httponly", words[i][is_false]);
            khufu_session *session = open_new(factory);
            CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
            char *cookie = commit_cookie(session);
            CHECK((strstr(cookie, "; HttpOnly") != NULL) == (is_false == 0));
            free(cookie);
            khufu_session_free(session);
            khufu_factory_free(factory);
        }
    }
}

TEST(a_secret_in_hex_is_its_bytes) {
    const char *digits[] = {"697473617365656b72656574", "697473617365656B72656574"};
    for (size_t i = 0; i < 2; i++) {
        khufu_factory *factory = FACTORY("secret_hex", digits[i]);
        khufu_session *session = open_state(factory, "{\"a\":1}");
        CHECK_STATE(session, "{\"a\":1}");
        khufu_session_free(session);
        khufu_factory_free(factory);
    }
}

TEST(names_and_values_end_where_their_length_says) {
    khufu_options *options = khufu_options_new();
    CHECK_INT(khufu_options_set(options, "secretary", 6, SECRET "tail", strlen(SECRET)), KHUFU_OK);
    CHECK_INT(khufu_options_set(options, "timeout", 7, NULL, 0), KHUFU_OK);
    khufu_factory *factory = NULL;
    CHECK_INT(khufu_factory_new(options, &factory), KHUFU_OK);
    khufu_session *session = open_payload(factory, "[5,5.0,{}]");
    CHECK_INT(khufu_session_load_result(session), KHUFU_LOAD_LOADED);
    khufu_session_free(session);
    khufu_factory_free(factory);
    khufu_options_free(options);
}

TEST(an_option_can_be_read_back_but_a_secret_cannot) {
    khufu_options *options = khufu_options_new();
    const char *ini = "[app]\nx.type = STORE\nx.store_timeout = 0.25\nx.secret = hush-hush\nx.domain = example.com\nx.secure = on\n"
                      "x.accept.old.secret = hush-hush\nx.accept.old.hashalg = SHA256\n";
    CHECK_INT(khufu_options_load(options, ini, KHUFU_NTS, "app", KHUFU_NTS, "x.", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_options_set(options, "domain", KHUFU_NTS, "", 0), KHUFU_OK);
    const struct {
        const char *name;
        khufu_status status;
        const char *value;
    } rows[] = {
        {"type", KHUFU_OK, "store"},
        {"store_timeout", KHUFU_OK, "0.25"},
        {"timeout", KHUFU_OK, "1200"}, /* the default */
        {"domain", KHUFU_NOT_FOUND, NULL},
        {"max_age", KHUFU_NOT_FOUND, NULL},
        {"secure", KHUFU_OK, "true"},
        {"httponly", KHUFU_OK, "false"},
        {"accept.old.hashalg", KHUFU_OK, "sha256"},
        {"accept.old.salt", KHUFU_OK, "pyramid.session."},
        {"accept.other.hashalg", KHUFU_ERR_OPTION, NULL},
        {"accept.old.timeout", KHUFU_ERR_OPTION, NULL},
        {"tiemout", KHUFU_ERR_OPTION, NULL},
        {"secret", KHUFU_ERR_OPTION, NULL},
        {"secret_hex", KHUFU_ERR_OPTION, NULL},
        {"previous_secret", KHUFU_ERR_OPTION, NULL},
        {"encrypt_key", KHUFU_ERR_OPTION, NULL},
        {"accept.old.secret", KHUFU_ERR_OPTION, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = "before";
        size_t len = 99;
        khufu_status status = khufu_options_get(options, rows[i].name, KHUFU_NTS, &value, &len);
        if (status != rows[i].status) FAIL("%s gives %d", rows[i].name, status);
        if (rows[i].value != NULL) CHECK_TEXT(value, len, rows[i].value);
        if (rows[i].value == NULL) CHECK(value == NULL && len == 0);
        if (status == KHUFU_ERR_OPTION) CHECK(strstr(khufu_options_error(options), "hush-hush") == NULL);
    }
    khufu_options_free(options);
}

TEST(generated_secrets_are_hex_text_and_differ) {
    char first[KHUFU_SIGNING_SECRET_SIZE], second[KHUFU_SIGNING_SECRET_SIZE], small[KHUFU_ENCRYPTION_SECRET_SIZE];
    CHECK_INT(khufu_generate_secret(first, sizeof first), KHUFU_OK);
    CHECK_INT(khufu_generate_secret(second, sizeof second), KHUFU_OK);
    CHECK_INT(khufu_generate_secret(small, sizeof small), KHUFU_OK);
    CHECK_INT(strlen(first), 128);
    CHECK_INT(strlen(small), 64);
    CHECK_INT(strspn(first, "0123456789abcdef"), 128);
    CHECK_INT(strspn(small, "0123456789abcdef"), 64);
    CHECK(strcmp(first, second) != 0);
    khufu_factory *factory = FACTORY("secret", first, "previous_secret", second, "previous_secret_hex", small);
    khufu_factory_free(factory);
}

TEST(a_buffer_too_small_for_a_secret_is_refused_and_left) {
    const size_t sizes[] = {0, 1, 2, 31, 32, 34, 64, 128};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char buffer[130];
        memset(buffer, '?', sizeof buffer);
        CHECK_INT(khufu_generate_secret(buffer, sizes[i]), KHUFU_ERR_ARGUMENT);
        for (size_t at = 1; at < sizeof buffer; at++) CHECK(buffer[at] == '?' || at < sizes[i]);
    }
    char buffer[34];
    memset(buffer, '?', sizeof buffer);
    CHECK_INT(khufu_generate_secret(buffer, 33), KHUFU_OK);
    CHECK_INT(strlen(buffer), 32);
    CHECK(buffer[33] == '?');
    CHECK_INT(khufu_generate_secret(NULL, 129), KHUFU_ERR_ARGUMENT);
}

int main(void) {
    RUN(a_wrong_value_is_named_with_what_is_allowed);
    RUN(a_wrong_header_value_is_refused_and_its_error_is_one_line);
    RUN(an_attribute_has_at_most_1024_bytes);
    RUN(an_unknown_name_is_named);
    RUN(no_error_shows_a_secret);
    RUN(an_empty_secret_is_refused);
    RUN(options_that_contradict_each_other_are_refused);
    RUN(a_refused_option_leaves_what_was_set);
    RUN(options_may_change_after_a_factory_was_made);
    RUN(the_last_of_two_values_counts);
    RUN(an_empty_value_unsets);
    RUN(true_and_false_have_their_usual_words);
    RUN(a_secret_in_hex_is_its_bytes);
    RUN(names_and_values_end_where_their_length_says);
    RUN(an_option_can_be_read_back_but_a_secret_cannot);
    RUN(generated_secrets_are_hex_text_and_differ);
    RUN(a_buffer_too_small_for_a_secret_is_refused_and_left);
    return report();
}
