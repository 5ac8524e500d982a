/* The test harness. A test is a function that RUN calls. A failed CHECK is printed, and the test continues. A program
   ends with `return report();`, which prints how many tests passed and failed; `run` adds them up. */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *test;
    size_t passed, failed;
    bool test_failed;
} counts;

#define TEST(name) static void name(void)
#define RUN(name) run_test(#name, name)

static inline void run_test(const char *name, void (*test)(void)) {
    counts.test = name;
    counts.test_failed = false;
    test();
    if (counts.test_failed) counts.failed++;
    else counts.passed++;
}

static inline int report(void) {
    printf("tests passed %zu failed %zu\n", counts.passed, counts.failed);
    return counts.failed == 0 ? 0 : 1;
}

#define FAIL(...) fail_at(__FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr)

static inline void fail_at(const char *file, int line) {
    counts.test_failed = true;
    fprintf(stderr, "%s:%d: %s: ", file, line, counts.test);
}

/* Checks a condition without which the test cannot continue. */
#define REQUIRE(condition)                          \
    do {                                            \
        if (!(condition)) {                         \
            FAIL("cannot continue: %s", #condition); \
            abort();                                \
        }                                           \
    } while (0)

#define CHECK(condition)                               \
    do {                                               \
        if (!(condition)) FAIL("false: %s", #condition); \
    } while (0)

#define CHECK_INT(actual, expected)                                                            \
    do {                                                                                       \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);            \
        if (actual_ != expected_)                                                              \
            FAIL("%s is %lld, not %s, %lld", #actual, actual_, #expected, expected_);          \
    } while (0)

/* Compares exactly, because all times and numbers in these tests are representable. NaN equals NaN. */
#define CHECK_DOUBLE(actual, expected)                                                             \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(actual_ == expected_ || (actual_ != actual_ && expected_ != expected_)))             \
            FAIL("%s is %.17g, not %.17g", #actual, actual_, expected_);                           \
    } while (0)

/* `data` and `len` are a text from khufu, and `expected` ends at its NUL. */
#define CHECK_TEXT(data, len, expected)                                                              \
    do {                                                                                             \
        const char *data_ = (data), *expected_ = (expected);                                         \
        size_t len_ = (len);                                                                         \
        if (data_ == NULL || len_ != strlen(expected_) || memcmp(data_, expected_, len_) != 0)       \
            FAIL("%s is %.*s, not %s", #data, data_ ? (int)len_ : 6, data_ ? data_ : "(null)", expected_); \
    } while (0)

#define CHECK_STRING(actual, expected) CHECK_TEXT(actual, strlen(actual), expected)

/* `text` ends at its NUL. */
#define CHECK_CONTAINS(text, part)                                                      \
    do {                                                                                \
        const char *text_ = (text), *part_ = (part);                                    \
        if (text_ == NULL || strstr(text_, part_) == NULL)                              \
            FAIL("%s is \"%s\", which does not contain \"%s\"", #text, text_ ? text_ : "(null)", part_); \
    } while (0)

#endif
