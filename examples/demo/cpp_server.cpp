// The demo's C++ server, whose page orders what is in the cart. README.md says what every server does.
#include "server.hpp"

#include <map>
#include <sstream>

using httplib::Request;
using httplib::Response;
using khufu::Session;

namespace {

constexpr std::string_view CART = "cart.";

// Returns each article in the cart with its quantity.
std::map<std::string, std::int64_t> cart(Session &session) {
    std::map<std::string, std::int64_t> articles;
    for (auto [key, _] : session)
        if (key.substr(0, CART.size()) == CART) articles[std::string(key.substr(CART.size()))];
    for (auto &[sku, quantity] : articles)
        quantity = session.get<std::int64_t>(std::string(CART) + sku).value_or(0);
    return articles;
}

void show(const Request &, Response &response, Session &session) {
    std::string body = "<h1>Checkout</h1>\n";
    session.pop_flash([&](std::string_view message) { body += "<p class=\"message\">" + escape(message) + "\n"; });
    const auto articles = cart(session);
    if (articles.empty()) {
        session.csrf_token(); // every page makes one
        body += "<p>Your cart is empty. <a href=\"/shop\">Go to the shop</a>\n";
    } else {
        body += "<p>Your order:\n<ul>\n";
        for (const auto &[sku, quantity] : articles)
            body += "<li>" + std::to_string(quantity) + " × " + escape(sku) + "\n";
        body += "</ul>\n" + form(session, "/checkout", "<button>Place the order</button>");
    }
    response.set_content(body, "text/html; charset=utf-8");
}

void show_json(const Request &, Response &response, Session &session) {
    session.csrf_token(); // if there is none, it makes one
    std::ostringstream body;
    body << R"({"server": "cpp", "load_result": ")" << khufu_load_result_name(session.load_result())
         << R"(", "csrf_token": )" << *session.get_json("_csrft_") << R"(, "state": )" << session.to_json()
         << R"(, "flash": )" << session.get_json("_f_").value_or("[]") << "}\n";
    response.set_content(body.str(), "application/json");
}

void check_out(const Request &, Response &response, Session &session) {
    const auto articles = cart(session);
    if (articles.empty()) return answer(response, 400, "The cart is empty.");
    std::int64_t total = 0;
    for (const auto &[sku, quantity] : articles) {
        total += quantity;
        session.erase(std::string(CART) + sku);
    }
    session.flash("Thank you for ordering " + std::to_string(total) + (total == 1 ? " article." : " articles."));
    response.set_redirect("/checkout", 303);
}

} // namespace

int main(int count, char **words) {
    return run(count, words, [](httplib::Server &server, const khufu::Factory &factory) {
        server.Get("/checkout", with_session(factory, show));
        server.Get("/session", with_session(factory, show_json));
        server.Post("/checkout", with_session(factory, form_page(check_out)));
    });
}
