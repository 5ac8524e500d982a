// A shop with a login and a cart, on cpp-httplib. server.hpp connects it with khufu.
//
//   c++ -std=c++17 -pthread login_server.cpp $(pkg-config --cflags --libs khufu cpp-httplib) -o login_server
//   KHUFU_SECRET=$(openssl rand -hex 64) ./login_server --port 8080
//
// With KHUFU_STORE=sqlite:/tmp/sessions.db or KHUFU_STORE=redis://127.0.0.1 the sessions are in that store.
#include "server.hpp"

using httplib::Request;
using httplib::Response;
using khufu::Session;

namespace {

constexpr std::size_t LIMIT = 40;
constexpr std::string_view CART = "cart."; // each article has a key of its own, so that a store can merge requests

void show(const Request &, Response &response, Session &session) {
    std::string body = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>The shop</title>\n";
    session.pop_flash([&](std::string_view message) { body += "<p><em>" + escape(message) + "</em>\n"; });
    if (auto user = session.get<std::string_view>("user")) {
        body += "<h1>Hello, " + escape(*user) + "</h1>\n<ul>\n";
        for (auto [key, count] : session)
            if (key.substr(0, CART.size()) == CART)
                body += "<li>" + escape(count) + " × " + escape(key.substr(CART.size())) + "\n";
        body += "</ul>\n";
        body += form(session, "/cart", "<label>Article <input name=\"article\" required></label> <button>Add</button>");
        body += form(session, "/logout", "<button>Log out</button>");
    } else {
        body += form(session, "/login", "<label>Name <input name=\"user\" required></label> <button>Log in</button>");
    }
    response.set_content(body, "text/html; charset=utf-8");
}

// A real site checks a password here.
void log_in(const Request &request, Response &response, Session &session) {
    const std::string user = request.get_param_value("user");
    if (user.empty() || user.size() > LIMIT) return answer(response, 400, "user: must be 1 to 40 bytes");
    session.regenerate_id(); // somebody else may know the id and the token from before: they become useless
    session.new_csrf_token();
    session.set("user", user);
    session.flash("Welcome, " + user + ".");
    response.set_redirect("/", 303);
}

void add_to_cart(const Request &request, Response &response, Session &session) {
    const std::string article = request.get_param_value("article");
    if (!session.contains("user")) return answer(response, 403, "Log in first.");
    if (article.empty() || article.size() > LIMIT) return answer(response, 400, "article: must be 1 to 40 bytes");
    session.increment(std::string(CART) + article);
    response.set_redirect("/", 303);
}

void log_out(const Request &, Response &response, Session &session) {
    session.invalidate();
    response.set_redirect("/", 303);
}

} // namespace

int main(int count, char **words) {
    return run(count, words, [](httplib::Server &server, const khufu::Factory &factory) {
        server.Get("/", with_session(factory, show));
        server.Post("/login", with_session(factory, form_page(log_in)));
        server.Post("/cart", with_session(factory, form_page(add_to_cart)));
        server.Post("/logout", with_session(factory, form_page(log_out)));
    });
}
