/* Wrong arguments are errors, not crashes, and leave the outputs empty and the session unchanged: NULL handles, NULL
   text with a length, NULL outputs. Right arguments work in every form: with a length, up to the NUL, and empty. */
#include "sessions.h"

#include <math.h>

static khufu_factory *factory;
static khufu_options *options;
static khufu_session *session;

/* Outputs that a careless caller did not initialise. */
static const char *text, *more;
static size_t len, more_len, cursor;
static int64_t integer;
static double number;
static bool flag;
static khufu_factory *new_factory;
static khufu_session *new_session;
static khufu_subject *new_subject;

/* Valid tables of callbacks, which are never called. */
static int32_t load(void *data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    (void)data, (void)key, (void)key_len, (void)sink, (void)generation;
    abort();
}

static int32_t save(void *data, const char *key, size_t key_len, uint64_t expected, uint64_t generation, const char *record,
                    size_t record_len, double ttl) {
    (void)data, (void)key, (void)key_len, (void)expected, (void)generation, (void)record, (void)record_len, (void)ttl;
    abort();
}

static int32_t touch(void *data, const char *key, size_t key_len, uint64_t generation, const char *record, size_t record_len,
                     double ttl) {
    (void)data, (void)key, (void)key_len, (void)generation, (void)record, (void)record_len, (void)ttl;
    abort();
}

static int32_t remove_key(void *data, const char *key, size_t key_len, uint64_t expected) {
    (void)data, (void)key, (void)key_len, (void)expected;
    abort();
}

static int32_t list(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len, double ttl) {
    (void)data, (void)subject, (void)subject_len, (void)key, (void)key_len, (void)ttl;
    abort();
}

static int32_t unlist(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    (void)data, (void)subject, (void)subject_len, (void)key, (void)key_len;
    abort();
}

static int32_t translate(void *data, const char *from, size_t from_len, khufu_sink *sink) {
    (void)data, (void)from, (void)from_len, (void)sink;
    abort();
}

static void release(void *data) {
    (void)data;
    abort(); /* a table that was refused is not released */
}

static const khufu_store_vtable store = {sizeof store, load,   save,      touch,  remove_key,
                                         list,         unlist, translate, release};
static const khufu_serializer_vtable serializer = {sizeof serializer, translate, translate, release};

static void fill_outputs(void) {
    text = more = "filled";
    len = more_len = 6;
    cursor = 0;
    integer = 9;
    number = 9;
    flag = true;
    new_factory = (khufu_factory *)&cursor;
    new_session = (khufu_session *)&cursor;
    new_subject = (khufu_subject *)&cursor;
}

static bool outputs_are_empty(void) {
    return text == NULL && more == NULL && len == 0 && more_len == 0 && integer == 0 && number == 0 && !flag &&
           new_factory == NULL && new_session == NULL && new_subject == NULL;
}

/* Empties the outputs that are not arguments of the call. */
static void mark_empty(const char *call) {
    if (strstr(call, "&text") == NULL) text = NULL;
    if (strstr(call, "&len") == NULL) len = 0;
    if (strstr(call, "&more)") == NULL && strstr(call, "&more,") == NULL) more = NULL;
    if (strstr(call, "&more_len") == NULL) more_len = 0;
    if (strstr(call, "&integer") == NULL) integer = 0;
    if (strstr(call, "&number") == NULL) number = 0;
    if (strstr(call, "&flag") == NULL) flag = false;
    if (strstr(call, "&new_factory") == NULL) new_factory = NULL;
    if (strstr(call, "&new_session") == NULL) new_session = NULL;
    if (strstr(call, "&new_subject") == NULL) new_subject = NULL;
}

#define REFUSED(call)                                                                          \
    do {                                                                                       \
        fill_outputs();                                                                                \
        khufu_status status_ = (call);                                                         \
        if (status_ != KHUFU_ERR_ARGUMENT) FAIL("%s gives %d", #call, status_);                \
        mark_empty(#call);                                                                     \
        if (!outputs_are_empty()) FAIL("%s leaves an output", #call);                          \
    } while (0)

TEST(a_null_handle_is_refused) {
    REFUSED(khufu_options_set(NULL, "timeout", 7, "60", 2));
    REFUSED(khufu_options_load(NULL, "timeout = 60", 12, NULL, 0, NULL, 0));
    REFUSED(khufu_options_get(NULL, "timeout", 7, &text, &len));
    REFUSED(khufu_factory_new(NULL, &new_factory));
    REFUSED(khufu_options_set_store(NULL, &store, NULL));
    REFUSED(khufu_options_set_serializer(NULL, &serializer, NULL));
    REFUSED(khufu_sink_write(NULL, "a", 1));
    REFUSED(khufu_subject_next(NULL, &cursor, &text, &len, &number, &number));
    REFUSED(khufu_subject_revoke(NULL, "a", 1));
    REFUSED(khufu_subject_revoke_all(NULL, NULL, 0, &cursor));
    REFUSED(khufu_session_get(NULL, "a", 1, &text, &len));
    REFUSED(khufu_session_get_string(NULL, "a", 1, &text, &len));
    REFUSED(khufu_session_get_int64(NULL, "a", 1, &integer));
    REFUSED(khufu_session_get_double(NULL, "a", 1, &number));
    REFUSED(khufu_session_get_bool(NULL, "a", 1, &flag));
    REFUSED(khufu_session_contains(NULL, "a", 1, &flag));
    REFUSED(khufu_session_next(NULL, &cursor, &text, &len, &more, &more_len));
    REFUSED(khufu_session_to_json(NULL, &text, &len));
    REFUSED(khufu_session_set(NULL, "a", 1, "1", 1));
    REFUSED(khufu_session_set_string(NULL, "a", 1, "1", 1));
    REFUSED(khufu_session_set_int64(NULL, "a", 1, 1));
    REFUSED(khufu_session_set_double(NULL, "a", 1, 1));
    REFUSED(khufu_session_set_bool(NULL, "a", 1, true));
    REFUSED(khufu_session_set_null(NULL, "a", 1));
    REFUSED(khufu_session_setdefault(NULL, "a", 1, "1", 1, &text, &len));
    REFUSED(khufu_session_setdefault(NULL, "a", 1, "1", 1, NULL, NULL));
    REFUSED(khufu_session_update(NULL, "{}", 2));
    REFUSED(khufu_session_append(NULL, "a", 1, "1", 1));
    REFUSED(khufu_session_increment(NULL, "a", 1, 1, &integer));
    REFUSED(khufu_session_increment(NULL, "a", 1, 1, NULL));
    REFUSED(khufu_session_delete(NULL, "a", 1));
    REFUSED(khufu_session_pop(NULL, "a", 1, &text, &len));
    REFUSED(khufu_session_clear(NULL));
    REFUSED(khufu_session_flash(NULL, "1", 1, "", 0, true));
    REFUSED(khufu_session_flash_string(NULL, "1", 1, "", 0, true));
    REFUSED(khufu_session_pop_flash(NULL, "", 0, &text, &len));
    REFUSED(khufu_session_peek_flash(NULL, "", 0, &text, &len));
    REFUSED(khufu_session_next_flash(NULL, "", 0, &cursor, &text, &len));
    REFUSED(khufu_session_csrf_token(NULL, &text, &len));
    REFUSED(khufu_session_new_csrf_token(NULL, &text, &len));
    REFUSED(khufu_session_check_csrf_token(NULL, "1", 1, &flag));
    REFUSED(khufu_session_mark_changed(NULL));
    REFUSED(khufu_session_invalidate(NULL));
    REFUSED(khufu_session_id(NULL, &text, &len));
    REFUSED(khufu_session_regenerate_id(NULL));
    REFUSED(khufu_session_set_subject(NULL, "user-42", 7));
    REFUSED(khufu_session_subject(NULL, &text, &len));
    REFUSED(khufu_session_set_lifetime(NULL, 60));
    REFUSED(khufu_session_set_attribute(NULL, "max_age", 7, "60", 2));
    REFUSED(khufu_session_commit_with(NULL, 0, 1));
    REFUSED(khufu_session_commit(NULL, 0));
    REFUSED(khufu_session_header(NULL, 0, &text, &len, &more, &more_len));
    REFUSED(khufu_session_headers(NULL, &text, &len));
    REFUSED(khufu_session_value(NULL, &text, &len));
    CHECK_INT(khufu_session_length(NULL), 0);
    CHECK_DOUBLE(khufu_session_created(NULL), 0);
    CHECK_DOUBLE(khufu_session_accessed(NULL), 0);
    CHECK_DOUBLE(khufu_session_renewed(NULL), 0);
    CHECK(!khufu_session_is_new(NULL));
    CHECK(!khufu_session_is_changed(NULL));
    CHECK_INT(khufu_session_load_result(NULL), KHUFU_LOAD_NONE);
    CHECK_STRING(khufu_session_load_format(NULL), "");
    CHECK(khufu_options_error(NULL) != NULL);
    CHECK(khufu_session_error(NULL) != NULL);
    CHECK_STRING(khufu_subject_error(NULL), "");
}

/* A failed open returns a session anyway, so that its error can be read. */
#define REFUSED_OPEN(call)                                                       \
    do {                                                                         \
        fill_outputs();                                                                  \
        CHECK_INT((call), KHUFU_ERR_ARGUMENT);                                   \
        REQUIRE(new_session != NULL && new_session != (khufu_session *)&cursor); \
        CHECK(*khufu_session_error(new_session) != 0);                           \
        khufu_session_free(new_session);                                         \
    } while (0)

#define REFUSED_SUBJECT(call)                                                    \
    do {                                                                         \
        fill_outputs();                                                                  \
        CHECK_INT((call), KHUFU_ERR_ARGUMENT);                                   \
        REQUIRE(new_subject != NULL && new_subject != (khufu_subject *)&cursor); \
        CHECK(*khufu_subject_error(new_subject) != 0);                           \
        khufu_subject_free(new_subject);                                         \
    } while (0)

TEST(a_null_factory_opens_nothing) {
    REFUSED_OPEN(khufu_session_open(NULL, "a=b", 3, &new_session));
    REFUSED_OPEN(khufu_session_open_with(NULL, "a=b", 3, -1, 1, 0, &new_session));
    REFUSED_OPEN(khufu_session_open_with(NULL, "a=b", 3, NOW, -1, 0, &new_session));
    REFUSED_OPEN(khufu_session_open_value(NULL, "b", 1, NOW, -1, 0, &new_session));
    REFUSED_SUBJECT(khufu_subject_open(NULL, "user-42", 7, &new_subject));
}

TEST(a_factory_for_cookies_has_no_subjects) {
    REFUSED_SUBJECT(khufu_subject_open(factory, "user-42", 7, &new_subject));
    REFUSED(khufu_session_set_subject(session, "user-42", 7));
    CHECK_INT(khufu_session_id(session, &text, &len), KHUFU_NOT_FOUND);
    CHECK(text == NULL && len == 0);
}

TEST(wrong_times_limits_and_flags_are_refused) {
    const double times[] = {NAN, INFINITY, 253402300800.0};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        REFUSED_OPEN(khufu_session_open_with(factory, "a=b", 3, times[i], -1, 0, &new_session));
        REFUSED_OPEN(khufu_session_open_value(factory, "b", 1, times[i], -1, 0, &new_session));
    }
    REFUSED_OPEN(khufu_session_open_with(factory, "a=b", 3, NOW, NAN, 0, &new_session));
    REFUSED_OPEN(khufu_session_open_value(factory, "b", 1, NOW, NAN, 0, &new_session));
    REFUSED(khufu_session_commit_with(session, 0, NAN));
    const uint32_t flags[] = {2, 3, UINT32_MAX};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        REFUSED_OPEN(khufu_session_open_with(factory, "a=b", 3, NOW, -1, flags[i], &new_session));
        REFUSED_OPEN(khufu_session_open_value(factory, "b", 1, NOW, -1, flags[i], &new_session));
        REFUSED(khufu_session_commit(session, flags[i]));
        REFUSED(khufu_session_commit_with(session, flags[i], 1));
    }
}

TEST(a_cookie_has_no_store_to_wait_for) {
    const double limits[] = {-INFINITY, -1, -0.0, 0, 1e-9, 0.5, 1e9, 1e300, INFINITY};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        khufu_session *opened = NULL;
        CHECK_INT(khufu_session_open_with(factory, "a=b", 3, NOW, limits[i], 0, &opened), KHUFU_OK);
        CHECK_INT(khufu_session_set_null(opened, "a", 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit_with(opened, 0, limits[i]), KHUFU_OK);
        khufu_session_free(opened);
    }
}

TEST(a_store_fails_at_once_with_the_limit_0_and_takes_store_timeout_with_a_negative_one) {
    khufu_factory *stored = FACTORY("secret", SECRET, "type", "store");
    const double limits[] = {-INFINITY, -1, 1e-9, 1e300, INFINITY};
    khufu_session *opened = NULL;
    CHECK_INT(khufu_session_open_with(stored, "", 0, NOW, 0, 0, &opened), KHUFU_ERR_STORE);
    CHECK(*khufu_session_error(opened) != 0);
    khufu_session_free(opened);
    CHECK_INT(khufu_session_open_value(stored, "", 0, NOW, -0.0, 0, &opened), KHUFU_ERR_STORE);
    khufu_session_free(opened);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        CHECK_INT(khufu_session_open_with(stored, "", 0, NOW, limits[i], 0, &opened), KHUFU_OK);
        CHECK_INT(khufu_session_commit_with(opened, 0, 0), KHUFU_OK); /* there is nothing to write */
        CHECK_INT(khufu_session_set_null(opened, "a", 1), KHUFU_OK);
        CHECK_INT(khufu_session_commit_with(opened, 0, 0), KHUFU_ERR_STORE);
        CHECK(khufu_session_is_changed(opened));
        CHECK_INT(khufu_session_commit_with(opened, 0, limits[i] == 1e-9 ? -1 : limits[i]), KHUFU_OK);
        CHECK(!khufu_session_is_changed(opened));
        khufu_session_free(opened);
    }
    khufu_factory_free(stored);
}

TEST(a_table_without_a_required_member_is_refused) {
    khufu_options *fresh = make_options((const char *const[]){"secret", SECRET, NULL});
    REFUSED(khufu_options_set_store(fresh, NULL, NULL));
    CHECK(*khufu_options_error(fresh) != 0);
    REFUSED(khufu_options_set_serializer(fresh, NULL, NULL));
    for (int lacking = 0; lacking < 6; lacking++) {
        khufu_store_vtable table = store;
        if (lacking == 0) table.load = NULL;
        if (lacking == 1) table.save = NULL;
        if (lacking == 2) table.touch = NULL;
        if (lacking == 3) table.remove = NULL;
        if (lacking == 4) table.struct_size = 0;
        if (lacking == 5) table.struct_size = sizeof table - 1;
        REFUSED(khufu_options_set_store(fresh, &table, NULL));
        CHECK_CONTAINS(khufu_options_error(fresh), lacking < 4 ? "needs load, save, touch and remove" : "struct_size");
    }
    for (int given = 1; given < 7; given++) { /* one or two of list, unlist and members */
        khufu_store_vtable table = store;
        if ((given & 1) == 0) table.list = NULL;
        if ((given & 2) == 0) table.unlist = NULL;
        if ((given & 4) == 0) table.members = NULL;
        REFUSED(khufu_options_set_store(fresh, &table, NULL));
        CHECK_CONTAINS(khufu_options_error(fresh), "set all of list, unlist and members, or none");
    }
    for (int lacking = 0; lacking < 4; lacking++) {
        khufu_serializer_vtable table = serializer;
        if (lacking == 0) table.loads = NULL;
        if (lacking == 1) table.dumps = NULL;
        if (lacking == 2) table.struct_size = 0;
        if (lacking == 3) table.struct_size = sizeof table - 1;
        REFUSED(khufu_options_set_serializer(fresh, &table, NULL));
        CHECK_CONTAINS(khufu_options_error(fresh), lacking < 2 ? "needs loads and dumps" : "struct_size");
    }
    CHECK_INT(khufu_factory_new(fresh, &new_factory), KHUFU_OK); /* its sessions are still in cookies */
    khufu_session *opened = open_new(new_factory);
    CHECK_INT(khufu_session_id(opened, &text, &len), KHUFU_NOT_FOUND);
    khufu_session_free(opened);
    khufu_factory_free(new_factory);
    khufu_options_free(fresh);
}

TEST(a_table_may_be_larger_than_known_and_may_omit_subjects) {
    struct {
        khufu_store_vtable known;
        void *later[4];
    } larger = {.known = {sizeof larger, load, save, touch, remove_key, NULL, NULL, NULL, NULL}};
    khufu_options *fresh = make_options((const char *const[]){"secret", SECRET, NULL});
    CHECK_INT(khufu_options_set_store(fresh, &larger.known, NULL), KHUFU_OK);
    khufu_options_free(fresh);
}

TEST(a_subject_that_did_not_open_refuses_everything) {
    khufu_subject *broken = NULL;
    CHECK_INT(khufu_subject_open(factory, "user-42", 7, &broken), KHUFU_ERR_ARGUMENT);
    REFUSED(khufu_subject_next(broken, &cursor, &text, &len, &number, &number));
    REFUSED(khufu_subject_revoke(broken, "a", 1));
    REFUSED(khufu_subject_revoke_all(broken, NULL, 0, NULL));
    khufu_subject_free(broken);
}

TEST(a_subject_refuses_null_text_and_outputs) {
    khufu_factory *stored = FACTORY("secret", SECRET, "type", "store");
    khufu_session *opened = open_new(stored);
    khufu_subject *subject = NULL;
    double accessed;
    REFUSED(khufu_session_set_subject(opened, NULL, 1));
    REFUSED(khufu_session_id(opened, NULL, &len));
    REFUSED(khufu_session_id(opened, &text, NULL));
    CHECK_INT(khufu_session_set_subject(opened, "\xff", 1), KHUFU_ERR_UTF8);
    CHECK_INT(khufu_session_set_subject(opened, "user-42", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_commit(opened, 0), KHUFU_OK);
    REFUSED(khufu_subject_open(stored, "user-42", 7, NULL));
    REFUSED_SUBJECT(khufu_subject_open(stored, NULL, KHUFU_NTS, &new_subject));
    CHECK_INT(khufu_subject_open(stored, "\xff", 1, &subject), KHUFU_ERR_UTF8);
    khufu_subject_free(subject);
    CHECK_INT(khufu_subject_open(stored, "user-42", KHUFU_NTS, &subject), KHUFU_OK);
    CHECK_STRING(khufu_subject_error(subject), "");
    REFUSED(khufu_subject_next(subject, NULL, &text, &len, &number, &accessed));
    REFUSED(khufu_subject_next(subject, &cursor, NULL, &len, &number, &accessed));
    REFUSED(khufu_subject_next(subject, &cursor, &text, NULL, &number, &accessed));
    REFUSED(khufu_subject_next(subject, &cursor, &text, &len, NULL, &accessed));
    REFUSED(khufu_subject_next(subject, &cursor, &text, &len, &number, NULL));
    REFUSED(khufu_subject_revoke(subject, NULL, 1));
    REFUSED(khufu_subject_revoke_all(subject, NULL, 1, NULL));
    CHECK(*khufu_subject_error(subject) != 0);
    cursor = 0;
    CHECK_INT(khufu_subject_next(subject, &cursor, &text, &len, &number, &accessed), KHUFU_OK); /* nothing was revoked */
    khufu_subject_free(subject);
    khufu_session_free(opened);
    khufu_factory_free(stored);
}

TEST(a_session_that_did_not_open_refuses_everything) {
    khufu_session *broken = NULL;
    CHECK_INT(khufu_session_open_with(factory, "", 0, NAN, -1, 0, &broken), KHUFU_ERR_ARGUMENT);
    REQUIRE(broken != NULL);
    CHECK_CONTAINS(khufu_session_error(broken), "1970");
    REFUSED(khufu_session_get(broken, "a", 1, &text, &len));
    REFUSED(khufu_session_get_string(broken, "a", 1, &text, &len));
    REFUSED(khufu_session_get_int64(broken, "a", 1, &integer));
    REFUSED(khufu_session_get_double(broken, "a", 1, &number));
    REFUSED(khufu_session_get_bool(broken, "a", 1, &flag));
    REFUSED(khufu_session_contains(broken, "a", 1, &flag));
    REFUSED(khufu_session_next(broken, &cursor, &text, &len, &more, &more_len));
    REFUSED(khufu_session_to_json(broken, &text, &len));
    REFUSED(khufu_session_set(broken, "a", 1, "1", 1));
    REFUSED(khufu_session_set_string(broken, "a", 1, "1", 1));
    REFUSED(khufu_session_set_int64(broken, "a", 1, 1));
    REFUSED(khufu_session_set_double(broken, "a", 1, 1));
    REFUSED(khufu_session_set_bool(broken, "a", 1, true));
    REFUSED(khufu_session_set_null(broken, "a", 1));
    REFUSED(khufu_session_setdefault(broken, "a", 1, "1", 1, &text, &len));
    REFUSED(khufu_session_update(broken, "{}", 2));
    REFUSED(khufu_session_append(broken, "a", 1, "1", 1));
    REFUSED(khufu_session_increment(broken, "a", 1, 1, &integer));
    REFUSED(khufu_session_increment(broken, "a", 1, 1, NULL));
    REFUSED(khufu_session_delete(broken, "a", 1));
    REFUSED(khufu_session_pop(broken, "a", 1, &text, &len));
    REFUSED(khufu_session_clear(broken));
    REFUSED(khufu_session_flash(broken, "1", 1, "", 0, true));
    REFUSED(khufu_session_flash_string(broken, "1", 1, "", 0, true));
    REFUSED(khufu_session_pop_flash(broken, "", 0, &text, &len));
    REFUSED(khufu_session_peek_flash(broken, "", 0, &text, &len));
    REFUSED(khufu_session_next_flash(broken, "", 0, &cursor, &text, &len));
    REFUSED(khufu_session_csrf_token(broken, &text, &len));
    REFUSED(khufu_session_new_csrf_token(broken, &text, &len));
    REFUSED(khufu_session_check_csrf_token(broken, "1", 1, &flag));
    REFUSED(khufu_session_mark_changed(broken));
    REFUSED(khufu_session_invalidate(broken));
    REFUSED(khufu_session_id(broken, &text, &len));
    REFUSED(khufu_session_regenerate_id(broken));
    REFUSED(khufu_session_set_subject(broken, "user-42", 7));
    REFUSED(khufu_session_subject(broken, &text, &len));
    REFUSED(khufu_session_set_lifetime(broken, 60));
    REFUSED(khufu_session_set_attribute(broken, "max_age", 7, "60", 2));
    REFUSED(khufu_session_commit_with(broken, 0, 1));
    REFUSED(khufu_session_commit(broken, 0));
    REFUSED(khufu_session_header(broken, 0, &text, &len, &more, &more_len));
    REFUSED(khufu_session_headers(broken, &text, &len));
    REFUSED(khufu_session_value(broken, &text, &len));
    CHECK_INT(khufu_session_length(broken), 0);
    CHECK_DOUBLE(khufu_session_created(broken), 0);
    CHECK(!khufu_session_is_new(broken) && !khufu_session_is_changed(broken));
    CHECK_INT(khufu_session_load_result(broken), KHUFU_LOAD_NONE);
    CHECK_STRING(khufu_session_load_format(broken), "");
    khufu_session_free(broken);
}

TEST(null_text_with_a_length_is_refused) {
    const size_t lengths[] = {1, 1000000, SIZE_MAX / 2, SIZE_MAX - 1, KHUFU_NTS};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        REFUSED(khufu_options_set(options, NULL, n, "60", 2));
        REFUSED(khufu_options_set(options, "timeout", 7, NULL, n));
        REFUSED(khufu_options_get(options, NULL, n, &text, &len));
        REFUSED(khufu_options_load(options, NULL, n, "a", 1, "b", 1));
        REFUSED(khufu_options_load(options, "[a]", 3, NULL, n, "b", 1));
        REFUSED(khufu_options_load(options, "[a]", 3, "a", 1, NULL, n));
        REFUSED_OPEN(khufu_session_open(factory, NULL, n, &new_session));
        REFUSED_OPEN(khufu_session_open_with(factory, NULL, n, -1, 1, 0, &new_session));
        REFUSED_OPEN(khufu_session_open_with(factory, NULL, n, NOW, -1, 0, &new_session));
        REFUSED_OPEN(khufu_session_open_value(factory, NULL, n, NOW, -1, 0, &new_session));
        REFUSED(khufu_session_get(session, NULL, n, &text, &len));
        REFUSED(khufu_session_get_string(session, NULL, n, &text, &len));
        REFUSED(khufu_session_get_int64(session, NULL, n, &integer));
        REFUSED(khufu_session_get_double(session, NULL, n, &number));
        REFUSED(khufu_session_get_bool(session, NULL, n, &flag));
        REFUSED(khufu_session_contains(session, NULL, n, &flag));
        REFUSED(khufu_session_set(session, NULL, n, "1", 1));
        REFUSED(khufu_session_set(session, "a", 1, NULL, n));
        REFUSED(khufu_session_set_string(session, NULL, n, "1", 1));
        REFUSED(khufu_session_set_string(session, "a", 1, NULL, n));
        REFUSED(khufu_session_set_int64(session, NULL, n, 1));
        REFUSED(khufu_session_set_double(session, NULL, n, 1));
        REFUSED(khufu_session_set_bool(session, NULL, n, true));
        REFUSED(khufu_session_set_null(session, NULL, n));
        REFUSED(khufu_session_setdefault(session, NULL, n, "1", 1, &text, &len));
        REFUSED(khufu_session_setdefault(session, "b", 1, NULL, n, &text, &len));
        REFUSED(khufu_session_update(session, NULL, n));
        REFUSED(khufu_session_append(session, NULL, n, "1", 1));
        REFUSED(khufu_session_append(session, "b", 1, NULL, n));
        REFUSED(khufu_session_increment(session, NULL, n, 1, &integer));
        REFUSED(khufu_session_delete(session, NULL, n));
        REFUSED(khufu_session_pop(session, NULL, n, &text, &len));
        REFUSED(khufu_session_flash(session, NULL, n, "", 0, true));
        REFUSED(khufu_session_flash(session, "1", 1, NULL, n, true));
        REFUSED(khufu_session_flash_string(session, NULL, n, "", 0, true));
        REFUSED(khufu_session_flash_string(session, "1", 1, NULL, n, true));
        REFUSED(khufu_session_pop_flash(session, NULL, n, &text, &len));
        REFUSED(khufu_session_peek_flash(session, NULL, n, &text, &len));
        REFUSED(khufu_session_next_flash(session, NULL, n, &cursor, &text, &len));
        REFUSED(khufu_session_check_csrf_token(session, NULL, n, &flag));
        REFUSED(khufu_session_set_attribute(session, NULL, n, "60", 2));
        REFUSED(khufu_session_set_attribute(session, "max_age", 7, NULL, n));
    }
    CHECK(*khufu_session_error(session) != 0);
    CHECK_STATE(session, "{\"a\":\"text\"}");
}

TEST(an_impossible_length_is_refused) {
    REFUSED(khufu_session_get(session, "a", SIZE_MAX - 1, &text, &len));
    REFUSED(khufu_session_set(session, "a", 1, "1", SIZE_MAX / 2 + 1));
    REFUSED(khufu_options_set(options, "timeout", 7, "60", SIZE_MAX - 1));
    REFUSED_OPEN(khufu_session_open_with(factory, "a", SIZE_MAX - 1, NOW, -1, 0, &new_session));
    REFUSED_OPEN(khufu_session_open_value(factory, "a", SIZE_MAX - 1, NOW, -1, 0, &new_session));
    CHECK_STATE(session, "{\"a\":\"text\"}");
}

TEST(a_null_output_is_refused) {
    khufu_session *committed = open_state(factory, "{}");
    CHECK_INT(khufu_session_set_null(committed, "a", 1), KHUFU_OK);
    CHECK_INT(khufu_session_commit(committed, 0), KHUFU_OK);
    REFUSED(khufu_factory_new(options, NULL));
    REFUSED(khufu_session_open(factory, "", 0, NULL));
    REFUSED(khufu_session_open_with(factory, "", 0, -1, 1, 0, NULL));
    REFUSED(khufu_session_open_with(factory, "", 0, NOW, -1, 0, NULL));
    REFUSED(khufu_session_open_value(factory, "", 0, NOW, -1, 0, NULL));
    REFUSED(khufu_session_get(session, "a", 1, NULL, &len));
    REFUSED(khufu_session_get(session, "a", 1, &text, NULL));
    REFUSED(khufu_session_get_string(session, "a", 1, NULL, &len));
    REFUSED(khufu_session_get_string(session, "a", 1, &text, NULL));
    REFUSED(khufu_session_get_int64(session, "a", 1, NULL));
    REFUSED(khufu_session_get_double(session, "a", 1, NULL));
    REFUSED(khufu_session_get_bool(session, "a", 1, NULL));
    REFUSED(khufu_session_contains(session, "a", 1, NULL));
    REFUSED(khufu_session_next(session, NULL, &text, &len, &more, &more_len));
    REFUSED(khufu_session_next(session, &cursor, NULL, &len, &more, &more_len));
    REFUSED(khufu_session_next(session, &cursor, &text, NULL, &more, &more_len));
    REFUSED(khufu_session_next(session, &cursor, &text, &len, NULL, &more_len));
    REFUSED(khufu_session_next(session, &cursor, &text, &len, &more, NULL));
    REFUSED(khufu_session_to_json(session, NULL, &len));
    REFUSED(khufu_session_to_json(session, &text, NULL));
    REFUSED(khufu_session_pop(session, "a", 1, NULL, &len));
    REFUSED(khufu_session_pop(session, "a", 1, &text, NULL));
    REFUSED(khufu_session_pop_flash(session, "", 0, NULL, &len));
    REFUSED(khufu_session_pop_flash(session, "", 0, &text, NULL));
    REFUSED(khufu_session_peek_flash(session, "", 0, NULL, &len));
    REFUSED(khufu_session_peek_flash(session, "", 0, &text, NULL));
    REFUSED(khufu_session_next_flash(session, "", 0, NULL, &text, &len));
    REFUSED(khufu_session_next_flash(session, "", 0, &cursor, NULL, &len));
    REFUSED(khufu_session_next_flash(session, "", 0, &cursor, &text, NULL));
    REFUSED(khufu_session_subject(session, NULL, &len));
    REFUSED(khufu_session_subject(session, &text, NULL));
    REFUSED(khufu_session_csrf_token(session, NULL, &len));
    REFUSED(khufu_session_csrf_token(session, &text, NULL));
    REFUSED(khufu_session_new_csrf_token(session, NULL, &len));
    REFUSED(khufu_session_new_csrf_token(session, &text, NULL));
    REFUSED(khufu_session_check_csrf_token(session, "a", 1, NULL));
    REFUSED(khufu_session_header(committed, 0, NULL, &len, &more, &more_len));
    REFUSED(khufu_session_header(committed, 0, &text, NULL, &more, &more_len));
    REFUSED(khufu_session_header(committed, 0, &text, &len, NULL, &more_len));
    REFUSED(khufu_session_header(committed, 0, &text, &len, &more, NULL));
    REFUSED(khufu_session_headers(committed, NULL, &len));
    REFUSED(khufu_session_headers(committed, &text, NULL));
    REFUSED(khufu_session_value(committed, NULL, &len));
    REFUSED(khufu_session_value(committed, &text, NULL));
    khufu_session_free(committed);
    CHECK(!khufu_session_is_changed(session));
    CHECK_STATE(session, "{\"a\":\"text\"}");
}

TEST(null_text_without_a_length_is_empty) {
    khufu_session *empty = open_new(factory);
    CHECK_INT(khufu_session_set_string(empty, NULL, 0, NULL, 0), KHUFU_OK);
    CHECK_INT(khufu_session_get_string(empty, NULL, 0, &text, &len), KHUFU_OK);
    CHECK(text != NULL && len == 0);
    CHECK_INT(khufu_session_contains(empty, "", 0, &flag), KHUFU_OK);
    CHECK(flag);
    CHECK_INT(khufu_session_flash_string(empty, NULL, 0, NULL, 0, false), KHUFU_OK);
    CHECK_STATE(empty, "{\"\":\"\",\"_f_\":[\"\"]}");
    CHECK_INT(khufu_session_pop_flash(empty, NULL, 0, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "[\"\"]");
    CHECK_INT(khufu_session_set(empty, "a", 1, NULL, 0), KHUFU_ERR_JSON);
    CHECK_INT(khufu_session_append(empty, "a", 1, NULL, 0), KHUFU_ERR_JSON);
    CHECK_INT(khufu_session_set_attribute(empty, NULL, 0, NULL, 0), KHUFU_ERR_OPTION);
    CHECK_INT(khufu_session_set_attribute(empty, "samesite", 8, NULL, 0), KHUFU_OK);
    CHECK_INT(khufu_session_update(empty, NULL, 0), KHUFU_ERR_JSON);
    CHECK_INT(khufu_session_delete(empty, NULL, 0), KHUFU_OK);
    CHECK_INT(khufu_session_append(empty, NULL, 0, "1", 1), KHUFU_OK);
    CHECK_STATE(empty, "{\"\":[1]}");
    CHECK_INT(khufu_session_delete(empty, NULL, 0), KHUFU_OK);
    CHECK_INT(khufu_session_increment(empty, NULL, 0, 1, NULL), KHUFU_OK);
    CHECK_STATE(empty, "{\"\":1}");
    khufu_session_free(empty);
    CHECK_INT(khufu_session_open_value(factory, NULL, 0, NOW, -1, 0, &empty), KHUFU_OK);
    CHECK(khufu_session_is_new(empty));
    khufu_session_free(empty);
    khufu_options *fresh = khufu_options_new();
    CHECK_INT(khufu_options_load(fresh, NULL, 0, NULL, 0, NULL, 0), KHUFU_OK);
    khufu_options_free(fresh);
}

TEST(every_text_may_end_at_its_nul) {
    khufu_options *texts = khufu_options_new();
    CHECK_INT(khufu_options_set(texts, "secret", KHUFU_NTS, SECRET, KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_options_load(texts, "[a]\nb.timeout = 60", KHUFU_NTS, "a", KHUFU_NTS, "b.", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_factory_new(texts, &new_factory), KHUFU_OK);
    khufu_options_free(texts);
    char *cookie = forge_text("[1700000060,1700000060.0,{\"a\":1,\"b\":1.5,\"c\":true,\"d\":\"x\",\"e\":0,\"_csrft_\":\"t\"}]");
    char *header = joined("session=", cookie, "");
    khufu_session *opened = NULL;
    CHECK_INT(khufu_session_open(new_factory, "other=1", KHUFU_NTS, &opened), KHUFU_OK);
    khufu_session_free(opened);
    CHECK_INT(khufu_session_open_with(new_factory, header, KHUFU_NTS, NOW, -1, 0, &opened), KHUFU_OK);
    CHECK_INT(khufu_session_get(opened, "a", KHUFU_NTS, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_get_string(opened, "d", KHUFU_NTS, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_get_int64(opened, "a", KHUFU_NTS, &integer), KHUFU_OK);
    CHECK_INT(khufu_session_get_double(opened, "b", KHUFU_NTS, &number), KHUFU_OK);
    CHECK_INT(khufu_session_get_bool(opened, "c", KHUFU_NTS, &flag), KHUFU_OK);
    CHECK_INT(khufu_session_contains(opened, "d", KHUFU_NTS, &flag), KHUFU_OK);
    CHECK(flag);
    CHECK_INT(khufu_session_check_csrf_token(opened, "t", KHUFU_NTS, &flag), KHUFU_OK);
    CHECK(flag);
    CHECK_INT(khufu_session_set(opened, "key 1", KHUFU_NTS, "[1]", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_string(opened, "key 2", KHUFU_NTS, "text", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(opened, "key 3", KHUFU_NTS, 3), KHUFU_OK);
    CHECK_INT(khufu_session_set_double(opened, "key 4", KHUFU_NTS, 4), KHUFU_OK);
    CHECK_INT(khufu_session_set_bool(opened, "key 5", KHUFU_NTS, true), KHUFU_OK);
    CHECK_INT(khufu_session_set_null(opened, "key 6", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_setdefault(opened, "key 7", KHUFU_NTS, "7", KHUFU_NTS, &text, &len), KHUFU_OK);
    CHECK_INT(khufu_session_update(opened, "{\"key 8\":8}", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_append(opened, "key 9", KHUFU_NTS, "9", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_increment(opened, "key 10", KHUFU_NTS, 10, &integer), KHUFU_OK);
    CHECK_INT(khufu_session_set_attribute(opened, "max_age", KHUFU_NTS, "60", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_flash(opened, "9", KHUFU_NTS, "queue", KHUFU_NTS, true), KHUFU_OK);
    CHECK_INT(khufu_session_flash_string(opened, "ten", KHUFU_NTS, "queue", KHUFU_NTS, true), KHUFU_OK);
    cursor = 0;
    CHECK_INT(khufu_session_next_flash(opened, "queue", KHUFU_NTS, &cursor, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "9");
    CHECK_INT(khufu_session_peek_flash(opened, "queue", KHUFU_NTS, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "[9,\"ten\"]");
    CHECK_INT(khufu_session_pop_flash(opened, "queue", KHUFU_NTS, &text, &len), KHUFU_OK);
    CHECK_TEXT(text, len, "[9,\"ten\"]");
    for (const char *key = "abcde"; *key != 0; key++) {
        char name[2] = {*key, 0};
        CHECK_INT(*key == 'a' ? khufu_session_pop(opened, name, KHUFU_NTS, &text, &len)
                              : khufu_session_delete(opened, name, KHUFU_NTS), KHUFU_OK);
    }
    CHECK_STATE(opened, "{\"_csrft_\":\"t\",\"key 1\":[1],\"key 2\":\"text\",\"key 3\":3,\"key 4\":4.0,\"key 5\":true,"
                        "\"key 6\":null,\"key 7\":7,\"key 8\":8,\"key 9\":[9],\"key 10\":10}");
    free(header);
    free(cookie);
    khufu_session_free(opened);
    khufu_factory_free(new_factory);
}

TEST(null_may_be_freed) {
    khufu_options_free(NULL);
    khufu_factory_free(NULL);
    khufu_session_free(NULL);
    khufu_subject_free(NULL);
}

int main(void) {
    factory = FACTORY("secret", SECRET);
    options = make_options((const char *const[]){"secret", SECRET, NULL});
    session = open_state(factory, "{\"a\":\"text\"}");
    RUN(a_null_handle_is_refused);
    RUN(a_null_factory_opens_nothing);
    RUN(a_factory_for_cookies_has_no_subjects);
    RUN(wrong_times_limits_and_flags_are_refused);
    RUN(a_cookie_has_no_store_to_wait_for);
    RUN(a_store_fails_at_once_with_the_limit_0_and_takes_store_timeout_with_a_negative_one);
    RUN(a_table_without_a_required_member_is_refused);
    RUN(a_table_may_be_larger_than_known_and_may_omit_subjects);
    RUN(a_subject_that_did_not_open_refuses_everything);
    RUN(a_subject_refuses_null_text_and_outputs);
    RUN(a_session_that_did_not_open_refuses_everything);
    RUN(null_text_with_a_length_is_refused);
    RUN(an_impossible_length_is_refused);
    RUN(a_null_output_is_refused);
    RUN(null_text_without_a_length_is_empty);
    RUN(every_text_may_end_at_its_nul);
    RUN(null_may_be_freed);
    khufu_session_free(session);
    khufu_options_free(options);
    khufu_factory_free(factory);
    return report();
}
