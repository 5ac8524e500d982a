// Counts the visits of one visitor in three requests. A server would take the Cookie header from the request.
//
//   c++ -std=c++17 visits.cpp $(pkg-config --cflags --libs khufu) -o visits && ./visits
#include <khufu.hpp>

#include <iostream>
#include <string>

namespace {

// Handles one request. `cookie` is its Cookie header. Returns the browser's next Cookie header.
std::string answer(const khufu::Factory &factory, std::string cookie) {
    khufu::Session session = factory.open(cookie);
    const bool is_new = session.is_new();
    std::cout << "visit " << session.increment("visits") << ": " << (is_new ? "new" : "known") << ", messages "
              << session.pop_flash_json() << '\n';
    session.flash("welcome back");
    session.commit();
    for (auto [name, value] : session.headers()) // the browser keeps the cookie without its attributes
        if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
    return cookie;
}

} // namespace

int main() try {
    const khufu::Factory factory{{"secret", khufu::generate_secret()}, {"httponly", "true"}};
    std::string cookie;
    for (int request = 0; request < 3; request++) cookie = answer(factory, cookie);
} catch (const khufu::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
