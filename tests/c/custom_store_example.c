/* People copy the store of examples/c/custom_store.c, so it must do what the header requires of each callback. */
#define main run_example
#include "../../examples/c/custom_store.c"
#undef main

#include "test.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LIKE_KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdee" /* in the same bucket */

static struct table *new_table(void) {
    struct table *table = calloc(1, sizeof *table);
    REQUIRE(table != NULL && pthread_mutex_init(&table->lock, NULL) == 0);
    return table;
}

static void wait_until_expired(double ttl) {
    double end = now() + ttl;
    while (now() <= end) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* The data of a key's record; "" if there is none. */
static const char *data_of(struct table *table, const char *key) {
    static char text[16];
    const struct record *record = *find(table, key);
    snprintf(text, sizeof text, "%.*s", record == NULL ? 0 : (int)record->len, record == NULL ? "" : record->data);
    return text;
}

static int32_t save_text(struct table *table, const char *key, uint64_t expected, const char *text, double ttl) {
    return save(table, key, KEY_LEN, expected, expected + 1, text, strlen(text), ttl);
}

TEST(a_save_replaces_only_the_generation_that_its_writer_loaded) {
    struct table *table = new_table();
    CHECK_INT(save_text(table, KEY, 1, "from nowhere", 60), KHUFU_ERR_GONE);
    CHECK_INT(save_text(table, KEY, 0, "first", 60), KHUFU_OK);
    CHECK_INT(save_text(table, LIKE_KEY, 0, "other", -1), KHUFU_OK);
    CHECK_INT(save_text(table, KEY, 0, "first again", 60), KHUFU_ERR_CONFLICT);
    CHECK_INT(save_text(table, KEY, 1, "second", 60), KHUFU_OK);
    CHECK_INT(save_text(table, KEY, 1, "stale", 60), KHUFU_ERR_CONFLICT);
    CHECK_STRING(data_of(table, KEY), "second");
    CHECK_STRING(data_of(table, LIKE_KEY), "other");
    release(table);
}

TEST(a_touch_returns_its_outcome_and_keeps_the_generation) {
    struct table *table = new_table();
    CHECK_INT(touch(table, KEY, KEY_LEN, 1, "x", 1, 60), KHUFU_ERR_GONE);
    CHECK_INT(save_text(table, KEY, 0, "first", 1), KHUFU_OK);
    CHECK_INT(touch(table, KEY, KEY_LEN, 2, "x", 1, 60), KHUFU_ERR_CONFLICT);
    CHECK_STRING(data_of(table, KEY), "first");
    CHECK_INT(touch(table, KEY, KEY_LEN, 1, "used", 4, 60), KHUFU_OK);
    wait_until_expired(1);
    CHECK_STRING(data_of(table, KEY), "used");
    CHECK_INT(save_text(table, KEY, 1, "second", 60), KHUFU_OK);
    release(table);
}

TEST(a_removal_returns_what_it_found) {
    struct table *table = new_table();
    CHECK_INT(remove_record(table, KEY, KEY_LEN, 0), KHUFU_ERR_GONE);
    CHECK_INT(save_text(table, KEY, 0, "first", 60), KHUFU_OK);
    CHECK_INT(remove_record(table, KEY, KEY_LEN, 2), KHUFU_ERR_CONFLICT);
    CHECK_STRING(data_of(table, KEY), "first");
    CHECK_INT(remove_record(table, KEY, KEY_LEN, 1), KHUFU_OK);
    CHECK_INT(save_text(table, KEY, 0, "again", 60), KHUFU_OK);
    CHECK_INT(remove_record(table, KEY, KEY_LEN, 0), KHUFU_OK);
    CHECK_INT(save_text(table, KEY, 1, "late", 60), KHUFU_ERR_GONE);
    CHECK_STRING(data_of(table, KEY), "");
    release(table);
}

TEST(expired_records_and_notes_are_gone) {
    struct table *table = new_table();
    CHECK_INT(save_text(table, KEY, 0, "first", 1), KHUFU_OK);
    CHECK_INT(save_text(table, LIKE_KEY, 0, "kept", -1), KHUFU_OK);
    CHECK_INT(list(table, KEY, KEY_LEN, KEY, KEY_LEN, 1), KHUFU_OK);
    CHECK_INT(list(table, KEY, KEY_LEN, LIKE_KEY, KEY_LEN, 60), KHUFU_OK);
    CHECK_INT(list(table, KEY, KEY_LEN, LIKE_KEY, KEY_LEN, 1), KHUFU_OK); /* shortens nothing */
    wait_until_expired(1);
    CHECK_INT(touch(table, KEY, KEY_LEN, 1, "x", 1, 60), KHUFU_ERR_GONE);
    CHECK_INT(save_text(table, KEY, 1, "late", 60), KHUFU_ERR_GONE);
    CHECK_INT(remove_record(table, KEY, KEY_LEN, 0), KHUFU_ERR_GONE);
    CHECK_STRING(data_of(table, LIKE_KEY), "kept");
    CHECK(*find_note(table, KEY, KEY) == NULL);
    CHECK(*find_note(table, KEY, LIKE_KEY) != NULL);
    release(table);
}

TEST(a_subject_and_a_key_have_one_note) {
    struct table *table = new_table();
    CHECK_INT(unlist(table, KEY, KEY_LEN, KEY, KEY_LEN), KHUFU_OK); /* there is no note */
    for (int again = 0; again < 2; again++) CHECK_INT(list(table, KEY, KEY_LEN, KEY, KEY_LEN, -1), KHUFU_OK);
    CHECK_INT(list(table, LIKE_KEY, KEY_LEN, KEY, KEY_LEN, 60), KHUFU_OK);
    CHECK_INT(unlist(table, KEY, KEY_LEN, KEY, KEY_LEN), KHUFU_OK);
    CHECK(*find_note(table, KEY, KEY) == NULL);
    CHECK(*find_note(table, LIKE_KEY, KEY) != NULL);
    release(table);
}

TEST(the_example_succeeds) { CHECK_INT(run_example(), 0); }

int main(void) {
    RUN(a_save_replaces_only_the_generation_that_its_writer_loaded);
    RUN(a_touch_returns_its_outcome_and_keeps_the_generation);
    RUN(a_removal_returns_what_it_found);
    RUN(expired_records_and_notes_are_gone);
    RUN(a_subject_and_a_key_have_one_note);
    RUN(the_example_succeeds);
    return report();
}
