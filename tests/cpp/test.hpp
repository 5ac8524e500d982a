// A small test harness: TEST registers a test under its name, and a failed CHECK prints its place and its condition.
#ifndef TEST_HPP
#define TEST_HPP

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

struct Test {
    const char *name;
    void (*run)();
};

inline std::vector<Test> &tests() {
    static std::vector<Test> all;
    return all;
}

inline bool &has_failed() {
    static bool failed = false;
    return failed;
}

struct Registration {
    Registration(const char *name, void (*run)()) { tests().push_back({name, run}); }
};

#define TEST(name)                                     \
    static void name();                                \
    static const Registration name##_test(#name, name); \
    static void name()

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            has_failed() = true;                                                  \
        }                                                                         \
    } while (0)

// Checks that an expression throws khufu::Error with this status. Its value is the error's text.
#define CHECK_THROWS(expression, expected)                                                             \
    [&]() -> std::string {                                                                              \
        try {                                                                                           \
            (void)(expression);                                                                         \
        } catch (const khufu::Error &error) {                                                           \
            CHECK(error.status() == (expected));                                                        \
            return error.what();                                                                        \
        }                                                                                               \
        std::printf("%s:%d: %s threw nothing\n", __FILE__, __LINE__, #expression);                      \
        has_failed() = true;                                                                            \
        return std::string();                                                                           \
    }()

#endif
