// A server on cpp-httplib whose pages use khufu's sessions. login_server.cpp and the demo's C++ server have pages.
#ifndef SERVER_HPP
#define SERVER_HPP

#include <httplib.h>
#include <khufu.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

inline void answer(httplib::Response &response, int status, const std::string &text) {
    response.status = status;
    response.set_content(text + "\n", "text/plain; charset=utf-8");
}

// Answers with an error instead of what the page has written. The reason goes to the log only, because it may name a
// key, a file or a server.
inline void refuse(const httplib::Request &, httplib::Response &response, std::exception_ptr failure) {
    khufu_status status = KHUFU_ERR_INTERNAL;
    try {
        std::rethrow_exception(failure);
    } catch (const khufu::Error &error) {
        status = error.status();
        std::cerr << "session: " << error.what() << '\n';
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
    }
    response.headers.clear();
    if (status == KHUFU_ERR_UTF8) return answer(response, 400, "The form must be UTF-8.");
    answer(response, status == KHUFU_ERR_STORE ? 503 : 500, "The session is not available.");
}

// Wraps a page that uses the session, and commits the session before the response is sent. If that fails, nothing of
// the page is sent, but a browser that logs out still loses its cookie.
// begin of the glue
template <typename Page> httplib::Server::Handler with_session(const khufu::Factory &factory, Page page) {
    return [&factory, page](const httplib::Request &request, httplib::Response &response) {
        khufu::Session session = factory.open(request.get_header_value("Cookie"));
        page(request, response, session);
        try { session.commit(); } catch (...) { refuse(request, response, std::current_exception()); }
        for (auto [name, value] : session.headers()) response.set_header(std::string(name), std::string(value));
    };
}
// end of the glue

// Wraps a page that a form is sent to, so that forms of other sites change nothing.
template <typename Page> auto form_page(Page page) {
    return [page](const httplib::Request &request, httplib::Response &response, khufu::Session &session) {
        if (session.check_csrf_token(request.get_param_value("csrf_token"))) return page(request, response, session);
        answer(response, 403, "csrf_token: missing or wrong");
    };
}

inline std::string escape(std::string_view text) {
    std::string escaped;
    for (char each : text) {
        switch (each) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        case '\'': escaped += "&#39;"; break;
        default: escaped += each;
        }
    }
    return escaped;
}

// The HTML of a form with the session's CSRF token. It makes a new token if there is none.
inline std::string form(khufu::Session &session, const std::string &action, const std::string &inputs) {
    return "<form method=\"post\" action=\"" + action + "\">\n<input type=\"hidden\" name=\"csrf_token\" value=\"" +
           escape(session.csrf_token()) + "\">\n" + inputs + "\n</form>\n";
}

// A factory with the secret in KHUFU_SECRET. If that replaced another secret, the other one is in KHUFU_PREVIOUS_SECRET.
// If KHUFU_STORE is the URL of a store, sessions are in it, otherwise in a cookie. Add the option secure for a site that
// has HTTPS.
inline khufu::Factory factory_from_environment() {
    const auto variable = [](const char *name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
    const std::string secret = variable("KHUFU_SECRET"), previous = variable("KHUFU_PREVIOUS_SECRET");
    const std::string store = variable("KHUFU_STORE");
    khufu::Options options{{"secret", secret}, {"httponly", "true"}, {"store", store}};
    if (!previous.empty()) options.set("previous_secret", previous);
    if (!store.empty()) options.set("type", "store");
    return khufu::Factory(options);
}

// Listens on 127.0.0.1 until SIGTERM or SIGINT. Returns the exit status.
inline int listen_until_signal(httplib::Server &server, int port) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr); // the server's threads inherit it: only sigwait gets the signals
    if (!server.bind_to_port("127.0.0.1", port)) {
        std::cerr << "cannot listen on 127.0.0.1:" << port << '\n';
        return 1;
    }
    std::thread listener([&server] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
    std::cout << "listening on 127.0.0.1:" << port << std::endl;
    int signal_number = 0;
    sigwait(&signals, &signal_number);
    server.stop();
    listener.join();
    return 0;
}

// Runs a server with these pages for the command `SERVER --port N`. Returns the exit status.
inline int run(int count, char **words, void (*add_pages)(httplib::Server &, const khufu::Factory &)) try {
    if (count != 3 || std::string_view(words[1]) != "--port") {
        std::cerr << "usage: " << words[0] << " --port N\n";
        return 2;
    }
    const khufu::Factory factory = factory_from_environment();
    httplib::Server server;
    server.set_exception_handler(refuse);
    server.set_payload_max_length(10000);
    add_pages(server, factory);
    return listen_until_signal(server, std::atoi(words[2]));
} catch (const khufu::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

#endif
