/* The header's constants equal those of the loaded library, and every status and load result has a text. */
#include "sessions.h"

TEST(the_headers_version_is_the_librarys) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", KHUFU_VERSION_MAJOR, KHUFU_VERSION_MINOR, KHUFU_VERSION_PATCH);
    CHECK_STRING(KHUFU_VERSION, version);
    CHECK_STRING(khufu_version(), KHUFU_VERSION);
    CHECK_INT(khufu_abi_version(), KHUFU_ABI_VERSION);
}

TEST(every_status_has_a_message_of_its_own) {
    const khufu_status statuses[] = {KHUFU_OK, KHUFU_NOT_FOUND, KHUFU_ERR_ARGUMENT, KHUFU_ERR_UTF8, KHUFU_ERR_JSON, KHUFU_ERR_TYPE,
                                     KHUFU_ERR_RANGE, KHUFU_ERR_TOO_LARGE, KHUFU_ERR_OPTION, KHUFU_ERR_UNSUPPORTED,
                                     KHUFU_ERR_RANDOM, KHUFU_ERR_INTERNAL, KHUFU_ERR_STORE, KHUFU_ERR_CONFLICT,
                                     KHUFU_ERR_GONE, KHUFU_ERR_KEY, KHUFU_ERR_PENDING};
    size_t count = sizeof statuses / sizeof *statuses;
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(statuses[i], i); /* numbers are never changed or reused */
        CHECK(*khufu_status_message(statuses[i]) != 0);
        for (size_t other = 0; other < i; other++)
            CHECK(strcmp(khufu_status_message(statuses[i]), khufu_status_message(statuses[other])) != 0);
        CHECK(strcmp(khufu_status_message(statuses[i]), khufu_status_message(12345)) != 0);
    }
}

TEST(every_load_result_has_its_name) {
    const char *names[] = {"none", "loaded", "loaded_previous_secret", "loaded_other_format", "expired", "bad_signature",
                           "malformed", "unsupported", "missing", "store_error"};
    const khufu_load_result results[] = {KHUFU_LOAD_NONE, KHUFU_LOAD_LOADED, KHUFU_LOAD_LOADED_PREVIOUS_SECRET,
                                         KHUFU_LOAD_LOADED_OTHER_FORMAT, KHUFU_LOAD_EXPIRED, KHUFU_LOAD_BAD_SIGNATURE,
                                         KHUFU_LOAD_MALFORMED, KHUFU_LOAD_UNSUPPORTED, KHUFU_LOAD_MISSING,
                                         KHUFU_LOAD_STORE_ERROR};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        CHECK_INT(results[i], i);
        CHECK_STRING(khufu_load_result_name(results[i]), names[i]);
    }
}

TEST(unknown_numbers_also_have_a_text) {
    const int32_t numbers[] = {-1, 17, 100, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK(*khufu_status_message(numbers[i]) != 0);
        CHECK(*khufu_load_result_name(numbers[i]) != 0);
        CHECK_STRING(khufu_status_message(numbers[i]), khufu_status_message(12345));
        CHECK_STRING(khufu_load_result_name(numbers[i]), khufu_load_result_name(12345));
    }
}

int main(void) {
    RUN(the_headers_version_is_the_librarys);
    RUN(every_status_has_a_message_of_its_own);
    RUN(every_load_result_has_its_name);
    RUN(unknown_numbers_also_have_a_text);
    return report();
}
