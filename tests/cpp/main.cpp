// Tests of khufu.hpp: the results of its calls, the errors for wrong input, and the ownership of its objects.
#include <khufu.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "sessions.hpp"
#include "test.hpp"

using namespace std::string_view_literals;

khufu::Factory made_in_another_file(std::string_view secret);

static_assert(std::is_nothrow_move_constructible_v<khufu::Session> && !std::is_copy_constructible_v<khufu::Session>);
static_assert(std::is_nothrow_move_constructible_v<khufu::Factory> && !std::is_copy_constructible_v<khufu::Factory>);

TEST(values_are_read_as_they_were_set) {
    auto session = factory().open("");
    const std::string owned = "zo\xc3\xab";
    session.set("literal", "text");
    session.set("string", owned);
    session.set("view", "with\0NUL"sv);
    session.set("true", true);
    session.set("char", static_cast<unsigned char>(7));
    session.set("int", -5);
    session.set("most", std::numeric_limits<std::int64_t>::max());
    session.set("float", 1.0f);
    session.set("null", nullptr);
    session.set_json("list", "[1, 2]");
    CHECK(session.get<std::string_view>("literal") == "text");
    CHECK(session.get<std::string>("string") == owned);
    CHECK(session.get<std::string_view>("view") == "with\0NUL"sv);
    CHECK(session.get<bool>("true") == true);
    CHECK(session.get<unsigned char>("char") == 7);
    CHECK(session.get<int>("int") == -5);
    CHECK(session.get<std::int64_t>("most") == std::numeric_limits<std::int64_t>::max());
    CHECK(session.get<double>("float") == 1.0 && session.get_json("float") == "1.0");
    CHECK(session.get_json("null") == "null" && session.get_json("list") == "[1,2]");
    CHECK(!session.get<std::string>("absent") && !session.get<int>("absent") && !session.get_json("absent"));
    CHECK(session.size() == 10 && !session.empty() && session.contains("null") && !session.contains("absent"));
}

TEST(a_value_that_does_not_fit_is_an_error) {
    auto session = factory().open("");
    session.set("n", 300);
    session.set("text", "hunter2");
    CHECK_THROWS(session.get<unsigned char>("n"), KHUFU_ERR_RANGE);
    session.set("n", -1);
    CHECK_THROWS(session.get<unsigned>("n"), KHUFU_ERR_RANGE);
    CHECK_THROWS(session.set("n", std::numeric_limits<std::uint64_t>::max()), KHUFU_ERR_RANGE);
    CHECK_THROWS(session.set("n", std::nan("")), KHUFU_ERR_RANGE);
    CHECK_THROWS(session.set_json("n", "{"), KHUFU_ERR_JSON);
    CHECK_THROWS(session.set("n", "\xff"), KHUFU_ERR_UTF8);
    const std::string told = CHECK_THROWS(session.get<int>("text"), KHUFU_ERR_TYPE);
    CHECK(told.find("\"text\"") != std::string::npos && told.find("hunter2") == std::string::npos);
    CHECK(session.get<int>("n") == -1);
}

TEST(the_dictionary_is_changed_and_iterated) {
    auto session = factory().open("");
    session.update_json(R"({"b": 1, "a": 2})");
    CHECK(session.setdefault_json("b", "5") == "1" && session.setdefault_json("c", "5") == "5");
    session.append_json("list", "1");
    CHECK(session.increment("b") == 2 && session.increment("b", -10) == -8);
    CHECK_THROWS(session.increment("list"), KHUFU_ERR_TYPE);
    CHECK(session.pop_json("a") == "2" && !session.pop_json("a") && session.erase("c") && !session.erase("c"));
    std::string seen;
    for (auto [key, json] : session) (seen += key).append("=").append(json).append(";");
    CHECK(seen == "b=-8;list=[1];");
    CHECK(session.to_json() == R"({"b":-8,"list":[1]})");
    session.clear();
    CHECK(session.empty());
    for (auto item : session) CHECK(item.first.empty());
}

TEST(flash_messages_are_shown_once) {
    auto session = factory().open("");
    session.flash("saved");
    session.flash_json("[1, 2]");
    session.flash("saved", {}, false);
    session.flash("no such user", "errors");
    std::string seen;
    for (std::string_view message : session.peek_flash()) seen.append(message).append(";");
    CHECK(seen == "saved;[1,2];");
    session.pop_flash([&](std::string_view message) { seen.append(message).append("."); });
    CHECK(seen == "saved;[1,2];saved.[1,2].");
    session.pop_flash([&](std::string_view) { seen = "never"; });
    CHECK(seen != "never" && session.pop_flash_json("errors") == R"(["no such user"])");
    CHECK(session.pop_flash_json() == "[]");
    session.set("_f_", 1);
    CHECK_THROWS(session.flash("x"), KHUFU_ERR_TYPE);
    CHECK_THROWS(session.peek_flash().begin(), KHUFU_ERR_TYPE);
}

TEST(csrf_tokens_are_compared) {
    auto session = factory().open("");
    CHECK(!session.check_csrf_token(""));
    const std::string token(session.csrf_token());
    CHECK(token.size() == 40 && session.csrf_token() == token && session.check_csrf_token(token));
    CHECK(session.new_csrf_token() != token && !session.check_csrf_token(token));
}

TEST(a_session_is_sent_to_the_browser_and_opened_again) {
    auto first = factory();
    auto session = first.open("", {1700000000.25});
    CHECK(session.is_new() && session.load_result() == KHUFU_LOAD_NONE && lines(session).empty());
    session.set("user", "zoe");
    CHECK(session.is_changed());
    const auto cookie = next_request(session);
    const auto headers = lines(session);
    CHECK(headers.size() == 3 && headers[1] == "Vary: Cookie" && headers[2] == "Cache-Control: private");
    CHECK(headers[0].find("; Path=/; HttpOnly; SameSite=Lax") != std::string::npos);
    auto next = made_in_another_file(SECRET).open(cookie, {1700000030});
    CHECK(!next.is_new() && next.get<std::string_view>("user") == "zoe");
    CHECK(next.created() == 1700000000.25 && next.accessed() == 1700000030 && next.renewed() == 1700000000);
    auto moved = std::move(next);
    CHECK(moved.get<std::string_view>("user") == "zoe");
    moved.invalidate();
    CHECK(next_request(moved) == "session=" && lines(moved).back() == "Cache-Control: no-store");
    auto other = made_in_another_file("other").open(cookie);
    CHECK(other.load_result() == KHUFU_LOAD_BAD_SIGNATURE && *other.error() != 0);
}

TEST(a_session_is_opened_from_its_value) {
    auto maker = factory();
    auto session = maker.open("");
    CHECK(!session.value());
    session.set("user", "zoe");
    session.commit();
    const std::string value(session.value().value());
    CHECK(maker.open_value(value).get<std::string>("user") == "zoe");
    CHECK(maker.open_value("x").load_result() == KHUFU_LOAD_MALFORMED);
}

TEST(a_passive_reader_renews_nothing) {
    auto maker = factory();
    auto session = maker.open("", {1700000000});
    session.set("user", "zoe");
    const auto cookie = next_request(session);
    khufu::OpenOptions how{1700000100};
    how.passive = true;
    auto reader = maker.open(cookie, how);
    CHECK(reader.contains("user") && !reader.is_changed());
}

TEST(an_attribute_and_a_lifetime_can_be_set_for_one_session) {
    auto session = factory().open("");
    session.set_lifetime(std::chrono::hours(1));
    session.set_attribute("samesite", "Strict");
    next_request(session);
    CHECK(lines(session)[0].find("Max-Age=3600") != std::string::npos);
    CHECK(lines(session)[0].find("SameSite=Strict") != std::string::npos);
    CHECK_THROWS(session.set_attribute("path", "/"), KHUFU_ERR_OPTION);
    CHECK_THROWS(session.set_lifetime(std::chrono::seconds(-1)), KHUFU_ERR_ARGUMENT);
}

TEST(after_an_exception_the_session_is_not_saved) {
    khufu::Factory maker{{"secret", SECRET}, {"set_on_exception", "false"}};
    auto session = maker.open("");
    session.set("user", "zoe");
    session.commit(khufu::Outcome::exception);
    CHECK(lines(session).size() == 2 && session.is_changed());
}

TEST(a_users_sessions_are_listed_and_ended) {
    auto maker = stored();
    std::vector<std::string> cookies;
    for (int i = 0; i < 3; i++) {
        auto session = maker.open("");
        session.set_subject("user-42");
        session.regenerate_id();
        cookies.push_back(next_request(session));
        CHECK(session.subject() == "user-42" && session.id()->size() == 64);
    }
    auto subject = maker.subject("user-42");
    std::vector<std::string> ids;
    for (const auto &session : subject) ids.emplace_back(session.id);
    CHECK(ids.size() == 3 && subject.revoke(ids[0]) && !subject.revoke(ids[0]) && !subject.revoke("x"));
    CHECK(subject.revoke_all(ids[1]) == 1 && subject.revoke_all() == 1);
    for (const auto &cookie : cookies) CHECK(maker.open(cookie).load_result() == KHUFU_LOAD_MISSING);
    CHECK_THROWS(factory().subject("user-42"), KHUFU_ERR_ARGUMENT);
    CHECK_THROWS(factory().open("").set_subject("user-42"), KHUFU_ERR_ARGUMENT);
    CHECK(!factory().open("").id() && !factory().open("").subject());
}

TEST(a_session_that_another_request_ended_is_gone) {
    auto maker = stored();
    auto session = maker.open("");
    session.set("n", 1);
    const auto cookie = next_request(session);
    auto slow = maker.open(cookie), fast = maker.open(cookie);
    fast.invalidate();
    fast.commit();
    slow.increment("n");
    CHECK_THROWS(slow.commit(), KHUFU_ERR_GONE);
    CHECK_THROWS(maker.open("", {-1, std::chrono::seconds(0)}), KHUFU_ERR_STORE);
}

TEST(wrong_options_are_named) {
    CHECK_THROWS(khufu::Factory{}, KHUFU_ERR_OPTION);
    CHECK(CHECK_THROWS((khufu::Factory{{"tiemout", "1"}}), KHUFU_ERR_OPTION).find("\"tiemout\"") != std::string::npos);
    CHECK_THROWS((khufu::Factory{{"secret", ""}}), KHUFU_ERR_OPTION);
    khufu::Options options;
    CHECK(CHECK_THROWS(options.load("[a]\nb\n", "a"), KHUFU_ERR_OPTION).find("line 2") != std::string::npos);
    options.load("[app]\nkhufu.secret = x\n", "app", "khufu.").set("timeout", "60");
    CHECK(khufu::Factory(options).open("").is_new());
}

TEST(a_secret_is_random_digits) {
    const auto secret = khufu::generate_secret();
    CHECK(secret.size() == 128 && secret != khufu::generate_secret());
    CHECK(khufu::generate_secret(KHUFU_ENCRYPTION_SECRET_SIZE).size() == 64);
    CHECK_THROWS(khufu::generate_secret(2), KHUFU_ERR_ARGUMENT);
}

int main() {
    int passed = 0, failed = 0;
    for (const Test &test : tests()) {
        has_failed() = false;
        try {
            test.run();
        } catch (const std::exception &error) {
            std::printf("%s: %s\n", test.name, error.what());
            has_failed() = true;
        }
        std::printf("%s %s\n", has_failed() ? "FAILED " : "ok     ", test.name);
        (has_failed() ? failed : passed)++;
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
