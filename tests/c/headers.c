/* The headers that a response needs: Set-Cookie, Vary and Cache-Control, one at a time and as one text. */
#include "stores.h"

static khufu_factory *factory;

/* Checks the names of the headers, in order, and that both ways to ask give the same text. */
static void check_headers(khufu_session *session, const char *names) {
    const char *name, *value, *text = NULL;
    size_t name_len, value_len, len = 0, i = 0;
    char found[200] = "", lines[4 * 5000] = "";
    for (; khufu_session_header(session, i, &name, &name_len, &value, &value_len) == KHUFU_OK; i++) {
        size_t end = strlen(found), lines_end = strlen(lines);
        snprintf(found + end, sizeof found - end, "%s%.*s", i > 0 ? " " : "", (int)name_len, name);
        snprintf(lines + lines_end, sizeof lines - lines_end, "%.*s: %.*s\r\n", (int)name_len, name, (int)value_len, value);
    }
    CHECK_STRING(found, names);
    const size_t beyond[] = {i, i + 1, SIZE_MAX};
    for (size_t each = 0; each < 3; each++) {
        name = value = "", name_len = value_len = 1;
        CHECK_INT(khufu_session_header(session, beyond[each], &name, &name_len, &value, &value_len), KHUFU_NOT_FOUND);
        CHECK(name == NULL && value == NULL && name_len == 0 && value_len == 0);
    }
    CHECK_INT(khufu_session_headers(session, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, lines);
}

static void check_value(khufu_session *session, const char *name, const char *expected) {
    struct header header = nth_header(session, name, 0);
    CHECK_TEXT(header.value, header.len, expected);
}

TEST(a_response_that_did_not_depend_on_the_session_needs_no_header) {
    const char *cookies[] = {NULL, "session=refused", "other=1"};
    for (size_t i = 0; i < 3; i++) {
        khufu_session *session = open_at(factory, cookies[i], NOW);
        check_headers(session, "");
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        check_headers(session, "");
        CHECK_DOUBLE(khufu_session_created(session), NOW); /* reading the session's times does not count */
        CHECK(khufu_session_is_new(session));
        check_headers(session, "");
        khufu_session_free(session);
    }
}

TEST(a_response_with_the_id_subject_or_value_must_not_be_shared) {
    khufu_factory *stored = STORED("store_timeout", "30");
    khufu_session *session = open_new(stored);
    CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_OK);
    char *header = next_request(session);
    khufu_session_free(session);
    khufu_status (*const readers[])(khufu_session *, const char **, size_t *) = {khufu_session_subject, khufu_session_id,
                                                                                  khufu_session_value};
    for (size_t i = 0; i < 3; i++) {
        const char *text;
        size_t len;
        session = open_at(stored, header, NOW);
        CHECK_INT(readers[i](session, &text, &len), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        check_headers(session, "Vary Cache-Control");
        khufu_session_free(session);
    }
    free(header);
    khufu_factory_free(stored);
}

TEST(a_response_that_only_read_must_not_be_shared) {
    khufu_session *session = open_state(factory, "{\"a\":1}");
    CHECK_VALUE(session, "a", "1");
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    check_headers(session, "Vary Cache-Control");
    check_value(session, "Vary", "Cookie");
    check_value(session, "Cache-Control", "private");
    khufu_session_free(session);
}

TEST(a_cookie_comes_first_and_is_not_stored_by_shared_caches) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_mark_changed(session), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    check_headers(session, "Set-Cookie Vary Cache-Control");
    check_value(session, "Cache-Control", "private");
    khufu_session_free(session);
}

TEST(an_ended_session_is_stored_by_no_cache) {
    const char *names[] = {"Vary Cache-Control", "Set-Cookie Vary Cache-Control", "Set-Cookie Set-Cookie Vary Cache-Control"};
    khufu_factory *with_domain = FACTORY("secret", SECRET, "domain", "example.org");
    for (size_t i = 0; i < 3; i++) { /* without a cookie, with one, and with a domain */
        khufu_session *session = open_at(i == 2 ? with_domain : factory, i > 0 ? "session=refused" : NULL, NOW);
        CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        check_headers(session, names[i]);
        check_value(session, "Cache-Control", "no-store");
        CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK); /* the response still says that a session has ended */
        CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
        check_headers(session, "Set-Cookie Vary Cache-Control");
        check_value(session, "Cache-Control", "no-store");
        khufu_session_free(session);
    }
    khufu_factory_free(with_domain);
}

TEST(a_logout_in_a_request_that_failed_has_its_headers) {
    khufu_factory *careful = FACTORY("secret", SECRET, "set_on_exception", "false");
    char *cookie = forge_text("[1700000060,1700000060.0,{\"a\":1}]");
    for (int ended = 0; ended < 2; ended++) {
        khufu_session *session = open_value(careful, cookie, NOW);
        if (ended) CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
        CHECK_INT(khufu_session_set_null(session, "b", 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit(session, KHUFU_COMMIT_EXCEPTION), KHUFU_OK);
        check_headers(session, ended ? "Set-Cookie Vary Cache-Control" : "Vary Cache-Control");
        check_value(session, "Cache-Control", ended ? "no-store" : "private");
        khufu_session_free(session);
    }
    free(cookie);
    khufu_factory_free(careful);
}

TEST(commits_of_one_request_add_up_to_one_cookie) {
    khufu_session *session = open_new(factory);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    const char *data;
    size_t len;
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
    char *first = text_copy(data, len);
    CHECK_INT(khufu_session_set_int64(session, "a", 1, 2), KHUFU_OK);
    check_value(session, "Set-Cookie", first); /* not committed yet */
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_OK);
    check_headers(session, "Set-Cookie Vary Cache-Control");
    CHECK_INT(nth_cookie(session, 0, &data, &len), KHUFU_OK);
    CHECK(strlen(first) != len || memcmp(first, data, len) != 0);
    free(first);
    khufu_session_free(session);
}

TEST(a_failed_commit_keeps_the_headers_of_the_commit_before) {
    khufu_session *session = open_new(factory);
    char *long_text = allocate(5000), *cookie;
    CHECK_INT(khufu_session_set_null(session, "a", 1), KHUFU_OK);
    cookie = commit_cookie(session);
    memset(long_text, 'x', 5000);
    CHECK_INT(khufu_session_set_string(session, "b", 1, long_text, 5000), KHUFU_OK);
    CHECK_INT(khufu_session_commit(session, 0), KHUFU_ERR_TOO_LARGE);
    check_headers(session, "Set-Cookie Vary Cache-Control");
    check_value(session, "Set-Cookie", cookie);
    free(long_text);
    free(cookie);
    khufu_session_free(session);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    RUN(a_response_that_did_not_depend_on_the_session_needs_no_header);
    RUN(a_response_with_the_id_subject_or_value_must_not_be_shared);
    RUN(a_response_that_only_read_must_not_be_shared);
    RUN(a_cookie_comes_first_and_is_not_stored_by_shared_caches);
    RUN(an_ended_session_is_stored_by_no_cache);
    RUN(a_logout_in_a_request_that_failed_has_its_headers);
    RUN(commits_of_one_request_add_up_to_one_cookie);
    RUN(a_failed_commit_keeps_the_headers_of_the_commit_before);
    khufu_factory_free(factory);
    return report();
}
