// The demo's C++ server, which empties the cart. README.md says what every server does.
#include "server.hpp"

#include <sstream>
#include <vector>

using httplib::Request;
using httplib::Response;
using khufu::Session;

namespace {

constexpr std::string_view CART = "cart.";

std::string load_result(const Session &session) { return khufu_load_result_name(session.load_result()); }

void show_json(const Request &, Response &response, Session &session) {
    session.csrf_token(); // if there is none, it makes one
    std::ostringstream body;
    body << R"({"server": "cpp", "load_result": ")" << load_result(session) << R"(", "csrf_token": )"
         << *session.get_json("_csrft_") << R"(, "state": )" << session.to_json() << R"(, "flash": )"
         << session.get_json("_f_").value_or("[]") << "}\n";
    response.set_content(body.str(), "application/json");
}

// Links to the other servers, which KHUFU_PEERS lists: pyramid=8001,c=8002,…
std::string links() {
    const char *peers = std::getenv("KHUFU_PEERS");
    std::istringstream list(peers == nullptr ? "" : peers);
    std::string peer, html;
    while (std::getline(list, peer, ',')) {
        const auto [name, port] = std::pair(peer.substr(0, peer.find('=')), peer.substr(peer.find('=') + 1));
        if (name != "cpp") html += "<a href=\"http://127.0.0.1:" + escape(port) + "/\">" + escape(name) + "</a>\n";
    }
    return html;
}

void show(const Request &, Response &response, Session &session) {
    std::string body = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>The C++ server</title>\n"
                       "<h1>The C++ server</h1>\n<p>\n";
    body += links() + "<p>This session was opened as: " + load_result(session) + "\n";
    for (std::string_view message : session.peek_flash()) body += "<p><em>" + escape(message) + "</em>\n";
    body += "<table>\n";
    for (auto [key, json] : session) body += "<tr><th>" + escape(key) + "<td>" + escape(json) + "\n";
    body += "</table>\n" + form(session, "/checkout", "<button>Order what is in the cart</button>");
    response.set_content(body, "text/html; charset=utf-8");
}

void check_out(const Request &, Response &response, Session &session) {
    std::vector<std::string> ordered;
    for (auto [key, count] : session)
        if (key.substr(0, CART.size()) == CART) ordered.emplace_back(key);
    if (ordered.empty()) return answer(response, 400, "The cart is empty.");
    std::int64_t articles = 0;
    for (const auto &key : ordered) {
        articles += session.get<std::int64_t>(key).value_or(0);
        session.erase(key);
    }
    session.flash("Thank you for ordering " + std::to_string(articles) + " articles.");
    response.set_redirect("/", 303);
}

} // namespace

int main(int count, char **words) {
    return run(count, words, [](httplib::Server &server, const khufu::Factory &factory) {
        server.Get("/", with_session(factory, show));
        server.Get("/session", with_session(factory, show_json));
        server.Post("/checkout", with_session(factory, form_page(check_out)));
    });
}
