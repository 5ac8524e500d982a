/* A custom store that never waits: a callback returns KHUFU_ERR_PENDING, and gives its answer when the call is made
   again. */
#include "custom_store_setup.h"

/* The answers of the current call of khufu. A question is a callback's letter, its key and its generation. */
static struct {
    char callback;
    char key[KEY_LEN];
    uint64_t expected;
    int32_t status;
    char *record; /* of a load */
    size_t record_len;
    uint64_t generation;
} answers[32];
static int answer_count, used;

/* The place of a question's answer, or -1. */
static int recall(char callback, const char *key, uint64_t expected) {
    while (used < answer_count) {
        int at = used++;
        if (answers[at].callback == callback && answers[at].expected == expected &&
            memcmp(answers[at].key, key, KEY_LEN) == 0)
            return at;
    }
    return -1;
}

static int32_t remember(char callback, const char *key, uint64_t expected, int32_t status) {
    REQUIRE(answer_count < 32);
    answers[answer_count].callback = callback;
    memcpy(answers[answer_count].key, key, KEY_LEN);
    answers[answer_count].expected = expected;
    answers[answer_count].record = NULL;
    answers[answer_count++].status = status;
    return KHUFU_ERR_PENDING;
}

static void forget_answers(void) {
    for (int i = 0; i < answer_count; i++) free(answers[i].record);
    answer_count = used = 0;
}

static int32_t pending_load(void *data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    int at = recall('l', key, 0);
    if (at >= 0) {
        *generation = answers[at].generation;
        if (answers[at].record != NULL) CHECK_INT(khufu_sink_write(sink, answers[at].record, answers[at].record_len), KHUFU_OK);
        return answers[at].status;
    }
    uint64_t found = 0;
    int32_t status = remember('l', key, 0, custom_load(data, key, key_len, sink, &found)); /* khufu ignores the sink */
    int place = find(custom, key);
    if (place >= 0) {
        answers[answer_count - 1].record = text_copy(custom->records[place].data, custom->records[place].len);
        answers[answer_count - 1].record_len = custom->records[place].len;
    }
    answers[answer_count - 1].generation = found;
    return status;
}

static int32_t pending_save(void *data, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                            const char *record, size_t record_len, double ttl) {
    int at = recall('s', key, expected);
    if (at >= 0) return answers[at].status;
    return remember('s', key, expected, custom_save(data, key, key_len, expected, generation, record, record_len, ttl));
}

static int32_t pending_touch(void *data, const char *key, size_t key_len, uint64_t generation, const char *record,
                             size_t record_len, double ttl) {
    int at = recall('t', key, generation);
    if (at >= 0) return answers[at].status;
    return remember('t', key, generation, custom_touch(data, key, key_len, generation, record, record_len, ttl));
}

static int32_t pending_remove(void *data, const char *key, size_t key_len, uint64_t expected) {
    int at = recall('r', key, expected);
    if (at >= 0) return answers[at].status;
    return remember('r', key, expected, custom_remove(data, key, key_len, expected));
}

static int32_t pending_list(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len,
                            double ttl) {
    int at = recall('L', key, 0);
    if (at >= 0) return answers[at].status;
    return remember('L', key, 0, custom_list(data, subject, subject_len, key, key_len, ttl));
}

static int32_t pending_unlist(void *data, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    int at = recall('U', key, 0);
    if (at >= 0) return answers[at].status;
    return remember('U', key, 0, custom_unlist(data, subject, subject_len, key, key_len));
}

static int32_t pending_members(void *data, const char *subject, size_t subject_len, khufu_sink *sink) {
    int at = recall('M', subject, 0);
    if (at >= 0) {
        CHECK_INT(khufu_sink_write(sink, answers[at].record, answers[at].record_len), KHUFU_OK);
        return answers[at].status;
    }
    char keys[PLACES * KEY_LEN];
    size_t len = 0;
    for (int i = 0; i < PLACES; i++) {
        if (!custom->notes[i].used || memcmp(custom->notes[i].subject, subject, KEY_LEN) != 0) continue;
        memcpy(keys + len, custom->notes[i].key, KEY_LEN);
        len += KEY_LEN;
    }
    int32_t status = remember('M', subject, 0, custom_members(data, subject, subject_len, sink));
    answers[answer_count - 1].record = text_copy(keys, len);
    answers[answer_count - 1].record_len = len;
    return status;
}

static const khufu_store_vtable pending_callbacks = {
    .struct_size = sizeof pending_callbacks,
    .load = pending_load,
    .save = pending_save,
    .touch = pending_touch,
    .remove = pending_remove,
    .list = pending_list,
    .unlist = pending_unlist,
    .members = pending_members,
    .release = custom_release,
};

#define START_PENDING(...) start(&pending_callbacks, WORDS(__VA_ARGS__))

static khufu_session *open_answered(const char *header, double now) {
    khufu_session *session = NULL;
    size_t len = header == NULL ? 0 : KHUFU_NTS;
    khufu_status status = khufu_session_open_with(factory, header, len, now, -1, 0, &session);
    while (status == KHUFU_ERR_PENDING) {
        CHECK_CONTAINS(khufu_session_error(session), "again");
        khufu_session_free(session);
        used = 0;
        status = khufu_session_open_with(factory, header, len, now, -1, 0, &session);
    }
    CHECK_INT(status, KHUFU_OK);
    forget_answers();
    return session;
}

static void commit_answered(khufu_session *session) {
    khufu_status status = khufu_session_commit(session, 0);
    while (status == KHUFU_ERR_PENDING) {
        used = 0;
        status = khufu_session_commit(session, 0);
    }
    CHECK_INT(status, KHUFU_OK);
    forget_answers();
}

TEST(each_callback_does_its_work_once) {
    START_PENDING("timeout", "600");
    khufu_session *session = open_answered(NULL, NOW);
    CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_OK);
    CHECK_INT(khufu_session_set_int64(session, "visits", KHUFU_NTS, 1), KHUFU_OK);
    commit_answered(session);
    CHECK_STRING(custom->order, "Ls");
    char *header = next_request(session);
    khufu_session_free(session);

    forget_calls(custom);
    session = open_answered(header, NOW + 1);
    CHECK_VALUE(session, "visits", "1");
    commit_answered(session);
    CHECK_STRING(custom->order, "lLt");
    CHECK_INT(khufu_session_regenerate_id(session), KHUFU_OK);
    forget_calls(custom);
    commit_answered(session);
    CHECK_STRING(custom->order, "lLs");
    forget_calls(custom);
    CHECK_INT(khufu_session_invalidate(session), KHUFU_OK);
    commit_answered(session);
    CHECK_STRING(custom->order, "rU");
    CHECK_INT(count_records(custom), 0);
    khufu_session_free(session);
    free(header);
    finish();
}

TEST(the_changes_of_two_requests_are_both_kept) {
    START_PENDING("timeout", "600");
    khufu_session *session = open_answered(NULL, NOW);
    CHECK_INT(khufu_session_increment(session, "visits", KHUFU_NTS, 1, NULL), KHUFU_OK);
    commit_answered(session);
    char *header = next_request(session);
    khufu_session_free(session);

    khufu_session *one = open_answered(header, NOW), *other = open_answered(header, NOW);
    CHECK_INT(khufu_session_increment(one, "visits", KHUFU_NTS, 1, NULL), KHUFU_OK);
    CHECK_INT(khufu_session_increment(other, "visits", KHUFU_NTS, 1, NULL), KHUFU_OK);
    commit_answered(one);
    forget_calls(custom);
    commit_answered(other);
    CHECK_STRING(custom->order, "sls");
    CHECK_VALUE(other, "visits", "3");
    khufu_session_free(one);
    khufu_session_free(other);
    free(header);
    finish();
}

TEST(a_subjects_sessions_are_listed_and_ended) {
    START_PENDING("timeout", "600");
    for (int i = 0; i < 3; i++) {
        khufu_session *session = open_answered(NULL, NOW);
        CHECK_INT(khufu_session_set_subject(session, "zoe", KHUFU_NTS), KHUFU_OK);
        CHECK_INT(khufu_session_set_int64(session, "number", KHUFU_NTS, i), KHUFU_OK);
        commit_answered(session);
        khufu_session_free(session);
    }
    khufu_subject *subject = NULL;
    khufu_status status;
    int calls = 0;
    while ((status = khufu_subject_open(factory, "zoe", KHUFU_NTS, &subject)) == KHUFU_ERR_PENDING) {
        khufu_subject_free(subject);
        used = 0;
        calls++;
    }
    CHECK_INT(status, KHUFU_OK);
    CHECK_INT(calls, 4); /* the list and three records */
    forget_answers();
    size_t ended = 0;
    while ((status = khufu_subject_revoke_all(subject, NULL, 0, &ended)) == KHUFU_ERR_PENDING) used = 0;
    CHECK_INT(status, KHUFU_OK);
    CHECK_INT(ended, 3);
    CHECK_INT(count_records(custom), 0);
    forget_answers();
    khufu_subject_free(subject);
    finish();
}

int main(void) {
    RUN(each_callback_does_its_work_once);
    RUN(the_changes_of_two_requests_are_both_kept);
    RUN(a_subjects_sessions_are_listed_and_ended);
    return report();
}
