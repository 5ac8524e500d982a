/* Options from the text of an INI file, as Pyramid's own settings are written. */
#include "sessions.h"

static khufu_status load(khufu_options *options, const char *text, const char *section, const char *prefix) {
    return khufu_options_load(options, text, KHUFU_NTS, section, KHUFU_NTS, prefix, KHUFU_NTS);
}

static const char ini[] =
    "# Pyramid's own file\n"
    "outside = 1\n"
    "\n"
    "[app:main]\n"
    "use = egg:shop\n"
    "khufu.secret = itsaseekreet\n"
    "khufu.max_age: 600\n"
    "; a comment\n"
    "khufu.previous_secret =\n"
    "    first = a\n"
    "\n"
    "  # a comment within a value\n"
    "\tsecond\n"
    "khufu.domain =\n"
    "\n"
    "[server:main]\n"
    "khufu.max_age = 1\n";

/* The Max-Age of the cookies of a factory with these options, which are freed; -1 if there is none. */
static long max_age_of(khufu_options *options) {
    khufu_factory *factory = factory_from(options);
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
    char *cookie = commit_cookie(session), *max_age = strstr(cookie, "Max-Age=");
    long seconds = max_age != NULL ? atol(max_age + strlen("Max-Age=")) : -1;
    free(cookie);
    khufu_session_free(session);
    khufu_factory_free(factory);
    return seconds;
}

TEST(options_are_read_from_one_section_and_without_their_prefix) {
    khufu_options *options = khufu_options_new();
    CHECK_INT(load(options, ini, "app:main", "khufu."), KHUFU_OK);
    CHECK_STRING(khufu_options_error(options), "");
    khufu_factory *factory = factory_from(options);
    const char *secrets[] = {SECRET, "first = a", "second"};
    for (size_t i = 0; i < 3; i++) {
        const char *payload = "[1700000060,1700000060.0,{\"a\":1}]";
        char *value = forge_signed_as(SALT, secrets[i], payload, strlen(payload));
        khufu_session *session = open_value(factory, value, NOW);
        CHECK_INT(khufu_session_load_result(session), i == 0 ? KHUFU_LOAD_LOADED : KHUFU_LOAD_LOADED_PREVIOUS_SECRET);
        khufu_session_free(session);
        free(value);
    }
    khufu_factory_free(factory);
    options = khufu_options_new();
    CHECK_INT(load(options, ini, "app:main", "khufu."), KHUFU_OK);
    CHECK_INT(max_age_of(options), 600);
}

TEST(each_form_of_a_line_sets_the_option) {
    const struct {
        const char *text, *section, *prefix;
        long max_age;
    } texts[] = {
        {"max_age = 5", "", "", 5},
        {"max_age=5\r\n", "", "", 5},
        {"max_age : 5", "", "", 5},
        {"max_age =\n 5", "", "", 5},
        {"max_age = 4\nmax_age = 5\n", "", "", 5},
        {"max_age = 5\n[a]\nmax_age = 6\n", "", "", 5},
        {"max_age = 5\n[a]\nmax_age = 6\n", "a", "", 6},
        {"[a]\nmax_age = 5\n[b]\nmax_age = 6\n[a]\ntimeout = 60\n", "a", "", 5},
        {"[ a ]\n  max_age = 5\n", "a", "", 5},
        {"[a]\nk.max_age = 5\nmax_age = 6\nK.max_age = 7\n", "a", "k.", 5},
        {"[a]\nunknown\\k.max_age = 5\nk.max_age = 8", "a", "k.", 8},
        {"[a]\nmax_age = 5\nmax_age =\n", "a", "", -1},
        {"# max_age = 5\n; max_age = 6\n  # max_age = 7\n", "", "", -1},
        {"", "", "", -1},
        {"\n\n", "", "", -1},
        {"[a]", "a", "", -1},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
        CHECK_INT(load(options, texts[i].text, texts[i].section, texts[i].prefix), KHUFU_OK);
        long found = max_age_of(options);
        if (found != texts[i].max_age) FAIL("%s: %ld", texts[i].text, found);
    }
}

TEST(an_error_names_the_line_and_what_is_wrong) {
    const struct {
        const char *text, *section, *prefix, *reason;
    } wrong[] = {
        {ini, "app:other", "khufu.", "no section [app:other]"},
        {ini, "app", "khufu.", "no section [app]"},
        {"", "a", "", "no section [a]"},
        {"a = 1\nsecret", "", "", "line 2: NAME = VALUE"}, /* a syntax error is found first */
        {"timeout = 1\nsecret", "", "", "line 2: NAME = VALUE"},
        {"[a]\nb\n[c]\ntimeout = 60\n", "c", "", "line 2: NAME = VALUE"},
        {"[open\n", "", "", "line 1: a section's name"},
        {"\n\ntimeout = soon", "", "", "line 3: the option timeout must be"},
        {"[a]\n\n# a comment\nk.timeout = 1\n 2\n", "a", "k.", "line 4: the option timeout has one value"},
        {"k.timeout = 1\n  k.secret = hush-hush", "", "k.", "line 1: the option timeout has one value"},
        {"tiemout = 1", "", "", "line 1: there is no option \"tiemout\""},
        {"[a]\nk.tiemout = 1", "a", "k.", "line 2: there is no option \"tiemout\""},
        {"= 1", "", "", "line 1: there is no option \"\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        khufu_options *options = khufu_options_new();
        CHECK_INT(load(options, wrong[i].text, wrong[i].section, wrong[i].prefix), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), wrong[i].reason);
        khufu_options_free(options);
    }
}

TEST(an_error_holds_no_secret) {
    const char *lines[] = {
        "secret_hex = hunter2",          "previous_secret_hex = hunter2",  "previous_secret_hex =\n 00ff\n hunter2",
        "accept.a.secret_hex = hunter2", "secret = hunter2\nsecret_hex",   "secret = hunter2\n\ttimeout = 1\nx",
        "secret = hunter2\n[hunter",     "previous_secret =\n hunter2\ntimeout = no",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        khufu_options *options = khufu_options_new();
        CHECK_INT(load(options, lines[i], "", ""), KHUFU_ERR_OPTION);
        CHECK_CONTAINS(khufu_options_error(options), "line ");
        CHECK(strstr(khufu_options_error(options), "hunter") == NULL);
        khufu_options_free(options);
    }
}

TEST(options_before_a_wrong_one_are_set) {
    khufu_options *options = make_options((const char *const[]){"secret", SECRET, NULL});
    CHECK_INT(load(options, "max_age = 77\ntiemout = 1\nmax_age = 88\n", "", ""), KHUFU_ERR_OPTION);
    CHECK_INT(max_age_of(options), 77);
    options = make_options((const char *const[]){"secret", SECRET, "max_age", "5", NULL});
    CHECK_INT(load(options, "max_age = 77\nno sense\n", "", ""), KHUFU_ERR_OPTION); /* a syntax error sets nothing */
    CHECK_INT(max_age_of(options), 5);
}

TEST(a_text_that_is_not_utf_8_is_refused) {
    khufu_options *options = khufu_options_new();
    CHECK_INT(load(options, "secret = \xff", "", ""), KHUFU_ERR_UTF8);
    CHECK_INT(load(options, "[a]", "\xff", ""), KHUFU_ERR_UTF8);
    CHECK_INT(load(options, "[a]", "a", "\xff"), KHUFU_ERR_UTF8);
    CHECK(*khufu_options_error(options) != 0);
    CHECK_INT(khufu_options_load(options, "secret = a\0b", 12, "", 0, "", 0), KHUFU_OK); /* a secret may hold any text */
    khufu_options_free(options);
}

int main(void) {
    RUN(options_are_read_from_one_section_and_without_their_prefix);
    RUN(each_form_of_a_line_sets_the_option);
    RUN(an_error_names_the_line_and_what_is_wrong);
    RUN(an_error_holds_no_secret);
    RUN(options_before_a_wrong_one_are_set);
    RUN(a_text_that_is_not_utf_8_is_refused);
    return report();
}
