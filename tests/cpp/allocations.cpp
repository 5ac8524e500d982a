// khufu.hpp allocates no memory of its own. The library's memory does not come from operator new.
#include <khufu.hpp>

#include <cstdlib>
#include <new>
#include <string>

#include "sessions.hpp"
#include "test.hpp"

static int allocations = 0;

void *operator new(std::size_t size) {
    allocations++;
    if (void *memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

TEST(a_request_allocates_nothing) {
    auto maker = stored();
    auto first = maker.open("");
    first.update_json(R"({"user": "zoe", "visits": 1, "a rather long name of a key": [1, 2, 3]})");
    first.set_subject("user-42");
    first.flash("a message that is longer than a string holds without memory");
    const auto cookie = next_request(first);

    std::size_t bytes = 0;
    allocations = 0;
    {
        auto session = maker.open(cookie);
        bytes += session.get<std::string_view>("user")->size();
        bytes += session.get_json("a rather long name of a key")->size();
        for (auto [key, json] : session) bytes += key.size() + json.size();
        session.pop_flash([&](std::string_view message) { bytes += message.size(); });
        session.set("visits", session.get<int>("visits").value() + 1);
        session.set("last", "a page with a rather long name");
        session.append_json("list", "1");
        session.flash("another message that is longer than a string holds without memory");
        bytes += session.check_csrf_token(session.csrf_token());
        session.regenerate_id();
        session.commit();
        for (auto [name, value] : session.headers()) bytes += name.size() + value.size();
    }
    for (const auto &entry : maker.subject("user-42")) bytes += entry.id.size();
    const int counted = allocations;
    CHECK(counted == 0 && bytes > 300);
    CHECK(std::string(100, 'x').size() == 100 && allocations > counted); // operator new is counted
}
