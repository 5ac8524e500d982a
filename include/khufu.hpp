/**
 * @file
 * khufu for C++17: the sessions of the Pyramid web framework. This header wraps khufu.h; it has no source file.
 *
 *     khufu::Factory factory{{"secret", "itsaseekreet"}, {"httponly", "true"}};   // once
 *
 *     khufu::Session session = factory.open(cookie_header);                       // for each request
 *     auto visits = session.get<std::int64_t>("visits").value_or(0);
 *     session.set("visits", visits + 1);
 *     session.commit();
 *     for (auto [name, value] : session.headers())
 *         response.set_header(name, value);
 *
 * A call that fails throws khufu::Error, unless its comment says otherwise. Texts are std::string_view in UTF-8. A view
 * that a session returns is valid until a call changes the session or the session is destroyed, unless the function's
 * comment says otherwise. Reading leaves it valid. A function here allocates memory of its own only if it returns a
 * std::string or throws.
 */
#ifndef KHUFU_HPP
#define KHUFU_HPP

#include <khufu.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#if KHUFU_ABI_VERSION != 1
#error "khufu.hpp and khufu.h are of different versions"
#endif

namespace khufu {

/** The exception that a failed call throws. Its message says what went wrong, and contains no secret. */
class Error : public std::runtime_error {
public:
    /** Makes an error with a message. If the message is empty, it is that of khufu_status_message. */
    Error(khufu_status status, const char *message)
        : std::runtime_error(*message != '\0' ? message : khufu_status_message(static_cast<std::int32_t>(status))),
          status_(status) {}

    /** The status of the failed call, for example KHUFU_ERR_GONE. */
    khufu_status status() const noexcept { return status_; }

private:
    khufu_status status_;
};

namespace detail {

using Seconds = std::chrono::duration<double>;

template <auto free> struct Free {
    template <typename Handle> void operator()(Handle *handle) const noexcept { free(handle); }
};

/** The two outputs of a function that returns a text: its address and its length. */
struct Text {
    const char *data = nullptr;
    std::size_t length = 0;
    operator std::string_view() const noexcept {
        return data == nullptr ? std::string_view() : std::string_view(data, length);
    }
};

/** The end of every range here. An iterator equals it when its source has no more values. */
struct End {};

/** An input iterator over the values that the source's next() returns. It ends when next() returns no value. */
template <typename Source, typename Value> class Iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using pointer = const Value *;
    using reference = const Value &;

    explicit Iterator(Source source) : source_(source) { ++*this; }
    reference operator*() const { return *value_; }
    pointer operator->() const { return &*value_; }
    Iterator &operator++() {
        value_ = source_.next();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator &it, End) { return !it.value_; }
    friend bool operator!=(const Iterator &it, End) { return it.value_.has_value(); }
    friend bool operator==(End, const Iterator &it) { return !it.value_; }
    friend bool operator!=(End, const Iterator &it) { return it.value_.has_value(); }

private:
    Source source_;
    std::optional<Value> value_;
};

/** The values of a source, for a `for` loop. Each loop begins with a new copy of the source. */
template <typename Source, typename Value> class Range {
public:
    explicit Range(Source source) : source_(source) {}
    Iterator<Source, Value> begin() const { return Iterator<Source, Value>(source_); }
    End end() const { return {}; }

private:
    Source source_;
};

template <typename T> constexpr bool is_text = std::is_convertible_v<const T &, std::string_view>;
template <typename T> constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <typename T> constexpr bool always_false = false;

} // namespace detail

/** The name and the value of an option. docs/options.md lists the options. */
using Option = std::pair<std::string_view, std::string_view>;

/** The options of a factory. Only one thread at a time may use them. */
class Options {
public:
    Options() : handle_(khufu_options_new()) {}
    /** Sets these options. @throws Error with KHUFU_ERR_OPTION if there is no such option or a value is wrong. */
    Options(std::initializer_list<Option> options) : Options() {
        for (const auto &[name, value] : options) set(name, value);
    }

    /**
     * Sets an option. An empty value unsets it. An option that can be repeated gets one more value with each call.
     * @throws Error with KHUFU_ERR_OPTION if there is no such option or the value is wrong. Nothing is set then.
     */
    Options &set(std::string_view name, std::string_view value) {
        return check(khufu_options_set(get(), name.data(), name.size(), value.data(), value.size()));
    }
    /**
     * Sets options from the text of an INI file. It reads the lines of one section, by default those before the first
     * section, and ignores names that do not begin with the prefix.
     * @throws Error with KHUFU_ERR_OPTION if there is no such section, or if a line is wrong. The message names the
     * line.
     */
    Options &load(std::string_view text, std::string_view section = {}, std::string_view prefix = {}) {
        return check(khufu_options_load(get(), text.data(), text.size(), section.data(), section.size(), prefix.data(),
                                        prefix.size()));
    }
    /**
     * Returns the value of an option: the value that was set, or the default; or nothing if it is unset. The view is
     * valid until the next call on the options.
     * @throws Error with KHUFU_ERR_OPTION if there is no such option, or if it is a secret.
     */
    std::optional<std::string_view> value(std::string_view name) {
        detail::Text text;
        const khufu_status status = khufu_options_get(get(), name.data(), name.size(), &text.data, &text.length);
        if (status == KHUFU_NOT_FOUND) return std::nullopt;
        check(status);
        return std::string_view(text);
    }
    /** The handle, for functions of khufu.h such as khufu_options_set_store and khufu_options_set_serializer. */
    khufu_options *get() const noexcept { return handle_.get(); }

private:
    Options &check(khufu_status status) {
        if (status != KHUFU_OK) throw Error(status, khufu_options_error(get()));
        return *this;
    }

    std::unique_ptr<khufu_options, detail::Free<khufu_options_free>> handle_;
};

/** How a request ended. */
enum class Outcome : std::uint32_t {
    response = 0,
    /**
     * The request ended in an exception. If the option set_on_exception is off, commit does not save the session. An
     * invalidated session still ends.
     */
    exception = KHUFU_COMMIT_EXCEPTION,
};

/** How a session is opened. */
struct OpenOptions {
    /** The time of opening, in seconds since the Unix epoch, for tests and replays. If negative, the current time. */
    double now = -1;
    /** How long to wait for the store, if that is less than store_timeout. If negative, store_timeout applies. */
    detail::Seconds limit{-1};
    /** If true, reading neither renews the cookie nor extends the session's life, for polls and health checks. */
    bool passive = false;
};

/** The session of one request. Only one thread at a time may use it, because reading also changes it. */
class Session {
public:
    /** A key of the dictionary, and its value as JSON text. */
    using Item = std::pair<std::string_view, std::string_view>;
    /** The name and the value of a response header. */
    using Header = std::pair<std::string_view, std::string_view>;

    // ---- reading the dictionary

    /**
     * Returns the value of a key as T, or nothing if there is no such key. T can be std::string_view (the session's own
     * text), std::string, bool, an integer type or a floating-point type.
     * @throws Error with KHUFU_ERR_TYPE if the value has another type; KHUFU_ERR_RANGE if a number does not fit.
     */
    template <typename T> std::optional<T> get(std::string_view key) {
        if constexpr (std::is_same_v<T, bool>) {
            return scalar<bool, T>(khufu_session_get_bool, key);
        } else if constexpr (detail::is_integer<T>) {
            auto value = scalar<std::int64_t, std::int64_t>(khufu_session_get_int64, key);
            if (value && !fits<T>(*value)) throw Error(KHUFU_ERR_RANGE, "the integer does not fit in the type");
            return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
        } else if constexpr (std::is_floating_point_v<T>) {
            return scalar<double, T>(khufu_session_get_double, key);
        } else if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string>) {
            auto text = find(khufu_session_get_string, key.data(), key.size());
            return text ? std::optional<T>(*text) : std::nullopt;
        } else {
            static_assert(detail::always_false<T>, "get reads a string, a bool or a number; get_json reads any value");
        }
    }
    /**
     * Returns the value of a key as JSON text, or nothing if there is no such key.
     * @throws Error with KHUFU_ERR_TYPE if the value holds NaN or an infinity.
     */
    std::optional<std::string_view> get_json(std::string_view key) {
        return find(khufu_session_get, key.data(), key.size());
    }
    /** True if there is such a key. */
    bool contains(std::string_view key) {
        bool found = false;
        check(khufu_session_contains(get(), key.data(), key.size(), &found));
        return found;
    }
    /** The number of keys. */
    std::size_t size() { return khufu_session_length(get()); }
    /** True if there are no keys. */
    bool empty() { return size() == 0; }
    /** The whole session as a JSON object. NaN and the infinities are null in it. */
    std::string_view to_json() { return must(khufu_session_to_json); }

private:
    struct Items {
        Session *session;
        std::size_t cursor = 0;
        std::optional<Item> next() {
            detail::Text key, json;
            auto status = khufu_session_next(session->get(), &cursor, &key.data, &key.length, &json.data, &json.length);
            return session->is_found(status) ? std::optional<Item>({key, json}) : std::nullopt;
        }
    };
    struct Messages {
        Session *session;
        std::string_view queue;
        std::size_t cursor = 0;
        std::optional<std::string_view> next() {
            detail::Text text;
            auto status = khufu_session_next_flash(session->get(), queue.data(), queue.size(), &cursor, &text.data,
                                                   &text.length);
            return session->is_found(status) ? std::optional<std::string_view>(text) : std::nullopt;
        }
    };
    struct Headers {
        const Session *session;
        std::size_t index = 0;
        std::optional<Header> next() {
            detail::Text name, value;
            auto status = khufu_session_header(session->get(), index++, &name.data, &name.length, &value.data,
                                               &value.length);
            return session->is_found(status) ? std::optional<Header>({name, value}) : std::nullopt;
        }
    };

public:
    /**
     * `for (auto [key, json] : session)` reads the keys in the order in which they were added. Do not change the
     * session in the loop.
     */
    detail::Iterator<Items, Item> begin() { return detail::Iterator<Items, Item>(Items{this}); }
    /** The end of the keys. */
    detail::End end() const { return {}; }

    // ---- writing the dictionary

    /**
     * Sets a key to a text, a bool, a number or nullptr (null).
     * @throws Error with KHUFU_ERR_RANGE if a number is not finite or does not fit in 64 bits. Nothing is set then.
     */
    template <typename T> void set(std::string_view key, const T &value) {
        if constexpr (std::is_same_v<T, std::nullptr_t>) {
            check(khufu_session_set_null(get(), key.data(), key.size()));
        } else if constexpr (std::is_same_v<T, bool>) {
            check(khufu_session_set_bool(get(), key.data(), key.size(), value));
        } else if constexpr (detail::is_integer<T>) {
            if constexpr (std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t)) {
                if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max()))
                    throw Error(KHUFU_ERR_RANGE, "the integer does not fit in 64 bits");
            }
            check(khufu_session_set_int64(get(), key.data(), key.size(), static_cast<std::int64_t>(value)));
        } else if constexpr (std::is_floating_point_v<T>) {
            check(khufu_session_set_double(get(), key.data(), key.size(), static_cast<double>(value)));
        } else if constexpr (detail::is_text<T>) {
            const std::string_view text = value;
            check(khufu_session_set_string(get(), key.data(), key.size(), text.data(), text.size()));
        } else {
            static_assert(detail::always_false<T>,
                          "set takes a string, a bool, a number or nullptr; set_json takes any value");
        }
    }
    /**
     * Sets a key to a value, given as JSON text.
     * @throws Error with KHUFU_ERR_JSON if it is not JSON or nests deeper than 500 levels; KHUFU_ERR_RANGE if it is too
     * long or holds a number that Python cannot read.
     */
    void set_json(std::string_view key, std::string_view json) {
        check(khufu_session_set(get(), key.data(), key.size(), json.data(), json.size()));
    }
    /** Returns the value of a key as JSON text. If there is no such key, it first sets the key to this value. */
    std::string_view setdefault_json(std::string_view key, std::string_view json) {
        return must(khufu_session_setdefault, key.data(), key.size(), json.data(), json.size());
    }
    /** Sets one key for each member of a JSON object. On an error it sets none of them. */
    void update_json(std::string_view json) { check(khufu_session_update(get(), json.data(), json.size())); }
    /** Appends an element, given as JSON text, to the list at a key. If there is no such key, it makes the list. */
    void append_json(std::string_view key, std::string_view json) {
        check(khufu_session_append(get(), key.data(), key.size(), json.data(), json.size()));
    }
    /** Adds to the integer at a key, and returns the sum. A key that does not exist counts as 0. */
    std::int64_t increment(std::string_view key, std::int64_t by = 1) {
        std::int64_t sum = 0;
        check(khufu_session_increment(get(), key.data(), key.size(), by, &sum));
        return sum;
    }
    /** Deletes a key. Returns false if there is no such key. */
    bool erase(std::string_view key) { return is_found(khufu_session_delete(get(), key.data(), key.size())); }
    /** Deletes a key and returns its value as JSON text, or nothing if there is no such key. */
    std::optional<std::string_view> pop_json(std::string_view key) {
        return find(khufu_session_pop, key.data(), key.size());
    }
    /** Deletes every key of this session. To begin a new session, call invalidate(). */
    void clear() { check(khufu_session_clear(get())); }

    // ---- flash messages

    /**
     * Adds a message to a queue, for a later request to show. If allow_duplicate is false, a message that is already in
     * the queue is not added.
     */
    void flash(std::string_view message, std::string_view queue = {}, bool allow_duplicate = true) {
        check(khufu_session_flash_string(get(), message.data(), message.size(), queue.data(), queue.size(),
                                         allow_duplicate));
    }
    /** Adds a message to a queue, as flash() does. The message is given as JSON text. */
    void flash_json(std::string_view json, std::string_view queue = {}, bool allow_duplicate = true) {
        check(khufu_session_flash(get(), json.data(), json.size(), queue.data(), queue.size(), allow_duplicate));
    }
    /**
     * `for (std::string_view message : session.peek_flash())` reads the messages of a queue, the oldest first. They
     * stay in the queue. A message that is not a string is given as JSON text.
     */
    detail::Range<Messages, std::string_view> peek_flash(std::string_view queue = {}) {
        return detail::Range<Messages, std::string_view>(Messages{this, queue});
    }
    /** Calls a function with each message of a queue, the oldest first, and then removes them from the queue. */
    template <typename Each> void pop_flash(Each each, std::string_view queue = {}) {
        for (std::string_view message : peek_flash(queue)) each(message);
        must(khufu_session_pop_flash, queue.data(), queue.size());
    }
    /** Removes all messages from a queue, and returns them as a JSON array. */
    std::string_view pop_flash_json(std::string_view queue = {}) {
        return must(khufu_session_pop_flash, queue.data(), queue.size());
    }

    // ---- CSRF tokens

    /** Returns the session's CSRF token. If the session has no token, it gets one. */
    std::string_view csrf_token() { return must(khufu_session_csrf_token); }
    /** Gives the session a new CSRF token and returns it, for example when a user logs in. */
    std::string_view new_csrf_token() { return must(khufu_session_new_csrf_token); }
    /** True if the token is the session's. The comparison takes constant time. If the session has no token, false. */
    bool check_csrf_token(std::string_view token) {
        bool valid = false;
        check(khufu_session_check_csrf_token(get(), token.data(), token.size(), &valid));
        return valid;
    }

    // ---- the session's life

    /** The time when the session began, in seconds since the Unix epoch. */
    double created() const noexcept { return khufu_session_created(get()); }
    /** The time when the session was last read or changed, in seconds since the Unix epoch. */
    double accessed() const noexcept { return khufu_session_accessed(get()); }
    /** The time when the browser's cookie was written, in seconds since the Unix epoch. */
    double renewed() const noexcept { return khufu_session_renewed(get()); }
    /** True if the session began with this request. */
    bool is_new() const noexcept { return khufu_session_is_new(get()); }
    /** True if commit would write the session. */
    bool is_changed() const noexcept { return khufu_session_is_changed(get()); }
    /** How the request's cookie was opened, for example KHUFU_LOAD_EXPIRED. khufu_load_result_name gives its name. */
    khufu_load_result load_result() const noexcept { return khufu_session_load_result(get()); }
    /**
     * The message of the last call that failed. After opening, the reason why the cookie was refused. "" if there is
     * nothing to report. The text is valid until the next call on the session.
     */
    const char *error() const noexcept { return khufu_session_error(get()); }
    /**
     * An id for logs. It cannot be used to open the session. A session has no id before its first commit, or if it is
     * in a cookie.
     */
    std::optional<std::string_view> id() { return find(khufu_session_id); }
    /** Gives a session in a store a new id at commit. Call it when a user logs in, to prevent session fixation. */
    void regenerate_id() { check(khufu_session_regenerate_id(get())); }
    /** Ends the session and drops its data, for example when the user logs out. A new, empty session begins. */
    void invalidate() { check(khufu_session_invalidate(get())); }
    /** Makes commit write the session although nothing in it was changed. */
    void mark_changed() { check(khufu_session_mark_changed(get())); }
    /**
     * Sets the session's subject, for example "user-42", so that Factory::subject finds the session. An empty text
     * means that the session has no subject.
     */
    void set_subject(std::string_view subject) {
        check(khufu_session_set_subject(get(), subject.data(), subject.size()));
    }
    /** The session's subject, or nothing if it has none. */
    std::optional<std::string_view> subject() { return find(khufu_session_subject); }
    /** Sets how long after its last use the session expires ("remember me"). 0 means that the options apply again. */
    void set_lifetime(std::chrono::seconds lifetime) {
        if (lifetime.count() < 0) throw Error(KHUFU_ERR_ARGUMENT, "a lifetime must not be negative");
        check(khufu_session_set_lifetime(get(), static_cast<std::uint64_t>(lifetime.count())));
    }
    /**
     * Sets an attribute of the next commit's cookie: max_age, secure, httponly, samesite or partitioned. An empty value
     * unsets it.
     */
    void set_attribute(std::string_view name, std::string_view value) {
        check(khufu_session_set_attribute(get(), name.data(), name.size(), value.data(), value.size()));
    }

    // ---- commit

    /**
     * Writes the session if it changed, and makes the headers that the response needs. `limit` is how long to wait for
     * the store, if that is less than store_timeout. If it is negative, store_timeout applies.
     * @throws Error with one of the statuses in the comment of khufu_session_commit. If the session was invalidated,
     * headers() still clear the browser's cookie.
     */
    void commit(Outcome outcome = Outcome::response, detail::Seconds limit = detail::Seconds(-1)) {
        check(khufu_session_commit_with(get(), static_cast<std::uint32_t>(outcome), limit.count()));
    }
    /** The headers that the response needs after the commits so far: `for (auto [name, value] : session.headers())`. */
    detail::Range<Headers, Header> headers() const { return detail::Range<Headers, Header>(Headers{this}); }
    /**
     * The value that the session's cookie now has. Use it to send the session without a cookie; Factory::open_value
     * opens it. The view is valid until the next call on the session.
     */
    std::optional<std::string_view> value() { return find(khufu_session_value); }

    /** The handle, for functions of khufu.h. */
    khufu_session *get() const noexcept { return handle_.get(); }

private:
    friend class Factory;
    explicit Session(khufu_session *handle) : handle_(handle) {}

    void check(khufu_status status) const {
        if (status != KHUFU_OK) throw Error(status, error());
    }
    bool is_found(khufu_status status) const {
        if (status != KHUFU_NOT_FOUND) check(status);
        return status == KHUFU_OK;
    }
    template <typename Call, typename... Arguments>
    std::optional<std::string_view> find(Call call, Arguments... arguments) {
        detail::Text text;
        auto status = call(get(), arguments..., &text.data, &text.length);
        return is_found(status) ? std::optional<std::string_view>(text) : std::nullopt;
    }
    template <typename Call, typename... Arguments> std::string_view must(Call call, Arguments... arguments) {
        detail::Text text;
        check(call(get(), arguments..., &text.data, &text.length));
        return text;
    }
    template <typename Read, typename T, typename Call> std::optional<T> scalar(Call call, std::string_view key) {
        Read value{};
        auto status = call(get(), key.data(), key.size(), &value);
        return is_found(status) ? std::optional<T>(static_cast<T>(value)) : std::nullopt;
    }
    template <typename T> static bool fits(std::int64_t value) {
        if constexpr (std::is_unsigned_v<T>) {
            return value >= 0 && static_cast<std::uint64_t>(value) <= std::numeric_limits<T>::max();
        } else {
            return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
        }
    }

    std::unique_ptr<khufu_session, detail::Free<khufu_session_free>> handle_;
};

/** The sessions of one subject, as they were when Factory::subject found them. Only one thread at a time may use it. */
class Subject {
public:
    /** One session of the subject. */
    struct Entry {
        /** The session's Session::id. The view is valid as long as the Subject. */
        std::string_view id;
        /** The time when the session began, in seconds since the Unix epoch. */
        double created;
        /** The time when the session was last used, in seconds since the Unix epoch. */
        double accessed;
    };

private:
    struct Entries {
        const Subject *subject;
        std::size_t cursor = 0;
        std::optional<Entry> next() {
            detail::Text id;
            Entry entry{};
            auto status = khufu_subject_next(subject->get(), &cursor, &id.data, &id.length, &entry.created,
                                             &entry.accessed);
            if (!subject->is_found(status)) return std::nullopt;
            entry.id = id;
            return entry;
        }
    };

public:
    /**
     * `for (const auto &session : factory.subject("user-42"))` reads the sessions. The one that was used last comes
     * first.
     */
    detail::Iterator<Entries, Entry> begin() const { return detail::Iterator<Entries, Entry>(Entries{this}); }
    /** The end of the sessions. */
    detail::End end() const { return {}; }
    /** Ends one session of the subject. Returns false if the subject has no session with this id. */
    bool revoke(std::string_view id) { return is_found(khufu_subject_revoke(get(), id.data(), id.size())); }
    /** Ends every session of the subject except the one with the id `except`. Returns how many sessions it ended. */
    std::size_t revoke_all(std::string_view except = {}) {
        std::size_t revoked = 0;
        is_found(khufu_subject_revoke_all(get(), except.data(), except.size(), &revoked));
        return revoked;
    }
    /** The handle, for functions of khufu.h. */
    khufu_subject *get() const noexcept { return handle_.get(); }

private:
    friend class Factory;
    explicit Subject(khufu_subject *handle) : handle_(handle) {}
    bool is_found(khufu_status status) const {
        if (status != KHUFU_OK && status != KHUFU_NOT_FOUND) throw Error(status, khufu_subject_error(get()));
        return status == KHUFU_OK;
    }

    std::unique_ptr<khufu_subject, detail::Free<khufu_subject_free>> handle_;
};

/** Opens sessions, all with the same options. A factory never changes, and threads can share it. */
class Factory {
public:
    /** @throws Error with KHUFU_ERR_OPTION if a secret is missing or options contradict each other. */
    explicit Factory(const Options &options) {
        khufu_factory *made = nullptr;
        if (khufu_status status = khufu_factory_new(options.get(), &made); status != KHUFU_OK)
            throw Error(status, khufu_options_error(options.get()));
        handle_.reset(made);
    }
    /** `khufu::Factory factory{{"secret", secret}, {"httponly", "true"}};` */
    Factory(std::initializer_list<Option> options) : Factory(Options(options)) {}

    /**
     * Opens the session of a request. `cookie_header` is the value of its Cookie header. If the request has no cookie
     * or a bad one, the session is new and empty.
     * @throws Error with KHUFU_ERR_STORE if the store failed and the option store_on_error is fail.
     */
    Session open(std::string_view cookie_header) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open(get(), cookie_header.data(), cookie_header.size(), &made);
        return opened(status, made);
    }
    /** Opens the session of a request, with options for this one call. */
    Session open(std::string_view cookie_header, const OpenOptions &how) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open_with(get(), cookie_header.data(), cookie_header.size(), how.now,
                                                            how.limit.count(), flags(how), &made);
        return opened(status, made);
    }
    /**
     * Opens the session of a cookie's value that came in another way than in a Cookie header. Session::value returns
     * such a value.
     */
    Session open_value(std::string_view value, const OpenOptions &how = OpenOptions()) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open_value(get(), value.data(), value.size(), how.now,
                                                             how.limit.count(), flags(how), &made);
        return opened(status, made);
    }
    /**
     * Finds the sessions to which Session::set_subject gave this subject.
     * @throws Error with KHUFU_ERR_ARGUMENT if the sessions are in cookies or in another library's records;
     * KHUFU_ERR_STORE if the store failed.
     */
    Subject subject(std::string_view subject) const {
        khufu_subject *made = nullptr;
        khufu_status status = khufu_subject_open(get(), subject.data(), subject.size(), &made);
        Subject opened(made);
        if (status != KHUFU_OK) throw Error(status, khufu_subject_error(made));
        return opened;
    }
    /** The handle, for functions of khufu.h. */
    khufu_factory *get() const noexcept { return handle_.get(); }

private:
    static std::uint32_t flags(const OpenOptions &how) { return how.passive ? KHUFU_OPEN_PASSIVE : 0; }
    static Session opened(khufu_status status, khufu_session *made) {
        Session session(made);
        session.check(status);
        return session;
    }

    std::unique_ptr<khufu_factory, detail::Free<khufu_factory_free>> handle_;
};

/**
 * Returns a new random secret as hexadecimal digits: by default 128 digits for signing; with the size
 * KHUFU_ENCRYPTION_SECRET_SIZE, 64 digits for encryption.
 */
inline std::string generate_secret(std::size_t size = KHUFU_SIGNING_SECRET_SIZE) {
    std::string secret(size, '\0');
    if (khufu_status status = khufu_generate_secret(secret.data(), secret.size()); status != KHUFU_OK)
        throw Error(status, "");
    secret.pop_back();
    return secret;
}

} // namespace khufu

#endif
