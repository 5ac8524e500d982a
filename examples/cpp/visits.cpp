// Handles three requests of one browser. Each counts a visit and adds a flash message for the next.
//
//   c++ -std=c++17 visits.cpp $(pkg-config --cflags --libs khufu) -o visits && ./visits
#include <khufu.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct Free {
    void operator()(khufu_options *options) const noexcept { khufu_options_free(options); }
    void operator()(khufu_factory *factory) const noexcept { khufu_factory_free(factory); }
    void operator()(khufu_session *session) const noexcept { khufu_session_free(session); }
};

using Options = std::unique_ptr<khufu_options, Free>;
using Factory = std::unique_ptr<khufu_factory, Free>;
using Session = std::unique_ptr<khufu_session, Free>;
using Header = std::pair<std::string_view, std::string_view>; // its texts belong to the session

void check(khufu_status status, const Options &options) {
    if (status != KHUFU_OK) throw std::runtime_error(khufu_options_error(options.get()));
}

void check(khufu_status status, const Session &session) {
    if (status != KHUFU_OK) throw std::runtime_error(khufu_session_error(session.get()));
}

void set(const Options &options, std::string_view name, std::string_view value) {
    check(khufu_options_set(options.get(), name.data(), name.size(), value.data(), value.size()), options);
}

// A real site makes its secret once and stores it where only its servers can read it.
Factory make_factory() {
    char secret[KHUFU_SIGNING_SECRET_SIZE];
    if (khufu_generate_secret(secret, sizeof secret) != KHUFU_OK) throw std::runtime_error("no random bytes");

    Options options{khufu_options_new()};
    set(options, "secret", secret);
    set(options, "httponly", "true");
    khufu_factory *factory = nullptr;
    check(khufu_factory_new(options.get(), &factory), options);
    return Factory{factory};
}

Session open(const Factory &factory, std::string_view cookie_header) {
    khufu_session *opened = nullptr;
    khufu_status status = khufu_session_open(factory.get(), cookie_header.data(), cookie_header.size(), &opened);
    Session session{opened}; // even if opening failed: the session has the error message
    check(status, session);
    return session;
}

// The headers that the response needs. A server adds each of them to its own.
std::vector<Header> headers(const Session &session) {
    std::vector<Header> found;
    const char *name = nullptr, *value = nullptr;
    std::size_t name_length = 0, length = 0;
    while (khufu_session_header(session.get(), found.size(), &name, &name_length, &value, &length) == KHUFU_OK)
        found.emplace_back(std::string_view{name, name_length}, std::string_view{value, length});
    return found;
}

// Handles one request. `cookie` is its Cookie header. Returns the browser's next Cookie header.
std::string answer(const Factory &factory, std::string cookie) {
    Session session = open(factory, cookie);
    std::int64_t visits = 0; // stays 0 if the key is missing
    const char *text = nullptr;
    std::size_t length = 0;
    khufu_session_get_int64(session.get(), "visits", KHUFU_NTS, &visits);
    check(khufu_session_pop_flash(session.get(), "", 0, &text, &length), session);
    std::cout << "visit " << visits + 1 << ": " << (khufu_session_is_new(session.get()) ? "new" : "known")
              << ", messages " << std::string_view{text, length} << '\n';

    check(khufu_session_set_int64(session.get(), "visits", KHUFU_NTS, visits + 1), session);
    check(khufu_session_flash_string(session.get(), "welcome back", KHUFU_NTS, "", 0, true), session);
    check(khufu_session_commit(session.get(), 0), session);
    for (auto [name, header] : headers(session)) // the browser keeps the cookie without its attributes
        if (name == "Set-Cookie") cookie = header.substr(0, header.find(';'));
    return cookie;
}

} // namespace

int main() try {
    Factory factory = make_factory();
    std::string cookie;
    for (int request = 0; request < 3; request++) cookie = answer(factory, cookie);
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
