// The sessions of the tests, and what they send to the browser.
#ifndef SESSIONS_HPP
#define SESSIONS_HPP

#include <khufu.hpp>

#include <string>
#include <string_view>
#include <vector>

inline constexpr std::string_view SECRET = "itsaseekreet";

inline khufu::Factory factory() { return khufu::Factory{{"secret", SECRET}, {"httponly", "true"}}; }
inline khufu::Factory stored() {
    return khufu::Factory{{"secret", SECRET}, {"type", "store"}, {"regenerate_grace", "0"}};
}

// The Cookie header of the next request.
inline std::string next_request(khufu::Session &session) {
    session.commit();
    for (auto [name, value] : session.headers())
        if (name == "Set-Cookie") return std::string(value.substr(0, value.find(';')));
    return {};
}

inline std::vector<std::string> lines(const khufu::Session &session) {
    std::vector<std::string> all;
    for (auto [name, value] : session.headers()) all.push_back(std::string(name) + ": " + std::string(value));
    return all;
}

#endif
