// khufu.hpp: every function that can fail throws, with the status and the library's words, and changes nothing.
#include <khufu.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sessions.hpp"
#include "test.hpp"

using khufu::Session;
namespace fs = std::filesystem;

static_assert(std::is_base_of_v<std::exception, khufu::Error> && std::is_nothrow_copy_constructible_v<khufu::Error>);
static_assert(std::is_nothrow_destructible_v<khufu::Options> && std::is_nothrow_destructible_v<khufu::Factory>);
static_assert(std::is_nothrow_destructible_v<Session> && std::is_nothrow_destructible_v<khufu::Subject>);

namespace {

constexpr std::string_view BAD = "\xff"; // not UTF-8

// Calls a function of a session, and checks that it throws an error with this status and leaves the session as it was.
template <typename Call> std::string refused(Session &session, khufu_status status, Call call) {
    const std::string before(session.to_json());
    const std::string message = CHECK_THROWS(call(session), status);
    CHECK(!message.empty() && session.to_json() == before);
    return message;
}

// A store in a file, which can be taken away.
struct File {
    fs::path folder = fs::temp_directory_path() / ("khufu-" + khufu::generate_secret(33));
    File() { fs::create_directory(folder); }
    ~File() { fs::remove_all(folder); }
    khufu::Factory factory() const {
        return khufu::Factory{{"secret", SECRET}, {"type", "store"}, {"store", "sqlite:" + path().string()}};
    }
    fs::path path() const { return folder / "sessions.db"; }
    void take_away() const {
        for (const char *suffix : {"", "-wal", "-shm"}) fs::remove(path().string() + suffix);
        fs::create_directory(path());
    }
};

} // namespace

TEST(a_text_that_is_not_utf8_is_refused) {
    auto session = stored().open("");
    session.set("n", 1);
    const std::vector<void (*)(Session &)> calls = {
        [](Session &s) { s.contains(BAD); },
        [](Session &s) { s.get_json(BAD); },
        [](Session &s) { s.get<std::string>(BAD); },
        [](Session &s) { s.get<bool>(BAD); },
        [](Session &s) { s.get<int>(BAD); },
        [](Session &s) { s.get<double>(BAD); },
        [](Session &s) { s.set(BAD, nullptr); },
        [](Session &s) { s.set(BAD, true); },
        [](Session &s) { s.set(BAD, 1); },
        [](Session &s) { s.set(BAD, 1.5); },
        [](Session &s) { s.set(BAD, "text"); },
        [](Session &s) { s.set("key", BAD); },
        [](Session &s) { s.set_json(BAD, "1"); },
        [](Session &s) { s.set_json("key", BAD); },
        [](Session &s) { s.setdefault_json(BAD, "1"); },
        [](Session &s) { s.update_json("{\"\xff\": 1}"); },
        [](Session &s) { s.append_json(BAD, "1"); },
        [](Session &s) { s.increment(BAD); },
        [](Session &s) { s.erase(BAD); },
        [](Session &s) { s.pop_json(BAD); },
        [](Session &s) { s.flash(BAD); },
        [](Session &s) { s.flash("message", BAD); },
        [](Session &s) { s.flash_json("1", BAD); },
        [](Session &s) { s.peek_flash(BAD).begin(); },
        [](Session &s) { s.pop_flash([](std::string_view) {}, BAD); },
        [](Session &s) { s.pop_flash_json(BAD); },
        [](Session &s) { s.set_subject(BAD); },
        [](Session &s) { s.set_attribute(BAD, "1"); },
    };
    for (auto call : calls) refused(session, KHUFU_ERR_UTF8, call);
    CHECK_THROWS(stored().subject(BAD), KHUFU_ERR_UTF8);
    CHECK_THROWS(khufu::Options().set(BAD, "1"), KHUFU_ERR_UTF8);
    CHECK_THROWS(khufu::Options().load(BAD), KHUFU_ERR_UTF8);
}

TEST(a_value_of_another_type_is_refused) {
    auto session = factory().open("");
    session.update_json(R"({"text": "hunter2", "list": [1], "most": 9223372036854775807, "_f_": "x"})");
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.get<bool>("text"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.get<long>("text"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.get<double>("text"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.get<std::string_view>("list"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.append_json("text", "1"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.increment("list"); });
    refused(session, KHUFU_ERR_RANGE, [](Session &s) { s.increment("most"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.flash_json("1"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.pop_flash_json(); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.pop_flash([](std::string_view) {}); });
    const auto message = refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.flash("message"); });
    CHECK(message.find("hunter2") == std::string::npos);
}

TEST(json_that_is_wrong_is_refused) {
    auto session = factory().open("");
    session.set("n", 1);
    refused(session, KHUFU_ERR_JSON, [](Session &s) { s.set_json("n", "{"); });
    refused(session, KHUFU_ERR_JSON, [](Session &s) { s.setdefault_json("m", "NaN"); });
    refused(session, KHUFU_ERR_JSON, [](Session &s) { s.update_json("[1]"); });
    refused(session, KHUFU_ERR_JSON, [](Session &s) { s.append_json("m", "1 2"); });
    refused(session, KHUFU_ERR_JSON, [](Session &s) { s.flash_json("'x'"); });
    refused(session, KHUFU_ERR_RANGE, [](Session &s) { s.set_json("n", "1e999"); });
}

TEST(a_value_that_json_does_not_have_is_refused) {
    auto session = factory().open( // Python wrote {"n": NaN, "l": [Infinity], "big": 2**70}
        "session=KRflQPWeLr6wnDpi_Ga6D2Hl0aTnE-bhUwZnRF5de1GBl90dd-M1rCylnP2421Hi6UgtZ57KlH3tVTVKKafyaVsxNzAwMDAwMDAwLD"
        "E3MDAwMDAwMDAuMCx7Im4iOk5hTiwibCI6W0luZmluaXR5XSwiYmlnIjoxMTgwNTkxNjIwNzE3NDExMzAzNDI0fV0", {1700000000});
    CHECK(session.load_result() == KHUFU_LOAD_LOADED);
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.get_json("n"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.pop_json("l"); });
    refused(session, KHUFU_ERR_TYPE, [](Session &s) { s.setdefault_json("n", "1"); });
    refused(session, KHUFU_ERR_RANGE, [](Session &s) { s.get<std::int64_t>("big"); });
    CHECK(session.to_json() == R"({"n":null,"l":[null],"big":1180591620717411303424})");
}

TEST(a_value_out_of_range_is_refused) {
    auto maker = stored();
    auto session = maker.open("");
    refused(session, KHUFU_ERR_RANGE, [](Session &s) { s.set_subject(std::string(65536, 'x')); });
    refused(session, KHUFU_ERR_RANGE, [](Session &s) { s.set_lifetime(std::chrono::seconds(10000000001)); });
    refused(session, KHUFU_ERR_OPTION, [](Session &s) { s.set_attribute("samesite", "None"); });
    CHECK_THROWS(maker.open("", {1e12}), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(maker.open_value("", {1e12}), KHUFU_ERR_ARGUMENT);
}

TEST(a_session_that_is_too_large_is_not_committed) {
    auto session = factory().open("");
    session.set("text", std::string(5000, 'x'));
    const auto message = refused(session, KHUFU_ERR_TOO_LARGE, [](Session &s) { s.commit(); });
    CHECK(message.find("4064") != std::string::npos && session.is_changed());
    CHECK(lines(session)[0] == "Vary: Cookie"); // and no cookie before it
    session.erase("text");
    session.set("n", 1);
    CHECK(!next_request(session).empty());
}

TEST(a_failing_store_is_an_error) {
    File file;
    auto maker = file.factory();
    auto session = maker.open("");
    session.set_subject("user-42");
    const auto cookie = next_request(session);
    auto subject = maker.subject("user-42");
    const std::string id(session.id().value());
    session.set("n", 1);
    file.take_away();
    refused(session, KHUFU_ERR_STORE, [](Session &s) { s.commit(); });
    CHECK_THROWS(maker.open(cookie), KHUFU_ERR_STORE);
    CHECK_THROWS(maker.open_value(cookie.substr(cookie.find('=') + 1)), KHUFU_ERR_STORE);
    CHECK_THROWS(maker.subject("user-42"), KHUFU_ERR_STORE);
    CHECK_THROWS(subject.revoke(id), KHUFU_ERR_STORE);
    CHECK(CHECK_THROWS(subject.revoke_all(), KHUFU_ERR_STORE).find("store") != std::string::npos);
    session.invalidate();
    CHECK_THROWS(session.commit(), KHUFU_ERR_STORE);
    CHECK(lines(session)[0].find("session=; Max-Age=0") == std::string("Set-Cookie: ").size());
}

TEST(a_handle_that_was_moved_from_is_refused) {
    auto maker = stored();
    auto session = maker.open("");
    const auto moved = std::move(session);
    const std::vector<void (*)(Session &)> calls = {
        [](Session &s) { s.get<bool>("n"); },
        [](Session &s) { s.get<int>("n"); },
        [](Session &s) { s.get<double>("n"); },
        [](Session &s) { s.get<std::string>("n"); },
        [](Session &s) { s.get_json("n"); },
        [](Session &s) { s.contains("n"); },
        [](Session &s) { s.to_json(); },
        [](Session &s) { s.begin(); },
        [](Session &s) { s.set("n", nullptr); },
        [](Session &s) { s.erase("n"); },
        [](Session &s) { s.clear(); },
        [](Session &s) { s.peek_flash().begin(); },
        [](Session &s) { s.csrf_token(); },
        [](Session &s) { s.new_csrf_token(); },
        [](Session &s) { s.check_csrf_token("x"); },
        [](Session &s) { s.id(); },
        [](Session &s) { s.regenerate_id(); },
        [](Session &s) { s.invalidate(); },
        [](Session &s) { s.mark_changed(); },
        [](Session &s) { s.subject(); },
        [](Session &s) { s.set_lifetime(std::chrono::hours(1)); },
        [](Session &s) { s.commit(); },
        [](Session &s) { s.headers().begin(); },
        [](Session &s) { s.value(); },
    };
    for (auto call : calls) CHECK(!CHECK_THROWS(call(session), KHUFU_ERR_ARGUMENT).empty());
    CHECK(session.size() == 0 && !session.is_new() && !session.is_changed());
    CHECK(session.created() == 0 && *session.error() == 0);

    auto subject = maker.subject("user-42");
    const auto moved_subject = std::move(subject);
    CHECK_THROWS(subject.begin(), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(subject.revoke("x"), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(subject.revoke_all(), KHUFU_ERR_ARGUMENT);

    const auto moved_factory = std::move(maker);
    CHECK_THROWS(maker.open(""), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(maker.open_value(""), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(maker.subject("user-42"), KHUFU_ERR_ARGUMENT);

    khufu::Options options;
    const auto moved_options = std::move(options);
    CHECK_THROWS(options.set("timeout", "1"), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(options.load(""), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(options.value("timeout"), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(khufu::Factory(options), KHUFU_ERR_ARGUMENT);
}

TEST(changes_that_are_not_committed_are_dropped) {
    File file;
    auto maker = file.factory();
    auto first = maker.open("");
    first.set("n", 1);
    const auto cookie = next_request(first);
    try {
        auto session = maker.open(cookie);
        session.set("n", 2);
        session.get<bool>("n"); // throws, and destroys the session
        CHECK(false);
    } catch (const khufu::Error &error) {
        CHECK(error.status() == KHUFU_ERR_TYPE);
    }
    CHECK(maker.open(cookie).get<int>("n") == 1);
}
