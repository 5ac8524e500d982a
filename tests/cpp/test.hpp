// Tests that name themselves, and checks that tell what they saw.
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

// Checks that an expression throws khufu::Error with a status, and gives its text.
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
