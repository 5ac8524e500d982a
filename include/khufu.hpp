/**
 * @file
 * khufu for C++17: the sessions of the Pyramid web framework, header only, over khufu.h.
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
 * Every call that fails throws khufu::Error, except where its comment says otherwise. Texts are std::string_view in UTF-8.
 * A view that a session gives is valid until the next call that changes the session, or its end; reading leaves it valid.
 * Nothing here allocates memory that khufu.h does not, unless it returns a std::string or throws.
 */
#ifndef KHUFU_HPP
#define KHUFU_HPP

#include <khufu.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#if KHUFU_ABI_VERSION != 1
#error "khufu.hpp and khufu.h are of different versions"
#endif

namespace khufu {

/** The failure of a call: its status, and the detail of it in words without secrets. */
class Error : public std::exception {
public:
    Error(khufu_status status, const char *detail) : status_(status), detail_(detail) {
        if (detail_.empty()) detail_ = khufu_status_message(static_cast<std::int32_t>(status));
    }

    /** For example KHUFU_ERR_GONE. */
    khufu_status status() const noexcept { return status_; }
    const char *what() const noexcept override { return detail_.c_str(); }

private:
    khufu_status status_;
    std::string detail_;
};

namespace detail {

using Seconds = std::chrono::duration<double>;

template <auto free> struct Free {
    template <typename Handle> void operator()(Handle *handle) const noexcept { free(handle); }
};

/** The two outputs of a text. */
struct Text {
    const char *data = nullptr;
    std::size_t length = 0;
    operator std::string_view() const noexcept { return data == nullptr ? std::string_view() : std::string_view(data, length); }
};

/** The end of a range whose iterators know by themselves when they are at the end. */
struct End {};

/** An iterator over what a function gives again and again, until it gives nothing. */
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

/** A range for `for`, made from what gives its values. */
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

/** The name and the value of an option, as docs/options.md lists them. */
using Option = std::pair<std::string_view, std::string_view>;

/** Options of a factory. They belong to one thread at a time. */
class Options {
public:
    Options() : handle_(khufu_options_new()) {}
    /** Sets these options. @throws Error with KHUFU_ERR_OPTION for an unknown name or a wrong value. */
    Options(std::initializer_list<Option> options) : Options() {
        for (const auto &[name, value] : options) set(name, value);
    }

    /** Sets an option; an empty value unsets it. @throws Error with KHUFU_ERR_OPTION; nothing was set then. */
    Options &set(std::string_view name, std::string_view value) {
        return check(khufu_options_set(get(), name.data(), name.size(), value.data(), value.size()));
    }
    /**
     * Sets options from the text of an INI file: those of one section whose names begin with a prefix.
     * @throws Error with KHUFU_ERR_OPTION, whose text names the line.
     */
    Options &load(std::string_view text, std::string_view section = {}, std::string_view prefix = {}) {
        return check(khufu_options_load(get(), text.data(), text.size(), section.data(), section.size(), prefix.data(),
                                        prefix.size()));
    }
    /** The handle, for functions of khufu.h: khufu_options_set_store, khufu_options_set_serializer. */
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
    /** In an exception: without the option set_on_exception nothing is written. An invalidated session ends all the same. */
    exception = KHUFU_COMMIT_EXCEPTION,
};

/** How a session is opened. */
struct OpenOptions {
    /** Seconds since the Unix epoch, for tests and replays; negative: the current time. */
    double now = -1;
    /** How long the store may take, if that is less than store_timeout; negative: store_timeout. */
    detail::Seconds limit{-1};
    /** Reading neither renews the cookie nor extends the session's life: for polls and health checks. */
    bool passive = false;
};

/** One request's session. It belongs to one thread at a time: reading changes it too. */
class Session {
public:
    /** The key and the value, as JSON text, of an item of the dictionary. */
    using Item = std::pair<std::string_view, std::string_view>;
    /** The name and the value of a header of the response. */
    using Header = std::pair<std::string_view, std::string_view>;

    // ---- reading the dictionary

    /**
     * The value of a key as T: std::string_view (borrowed), std::string, bool, an integer or a floating-point type.
     * @throws Error with KHUFU_ERR_TYPE for a value of another type, KHUFU_ERR_RANGE for a number that does not fit.
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
    /** The value of a key as JSON text. @throws Error with KHUFU_ERR_TYPE if it holds NaN or an infinity. */
    std::optional<std::string_view> get_json(std::string_view key) {
        return find(khufu_session_get, key.data(), key.size());
    }
    bool contains(std::string_view key) {
        bool found = false;
        check(khufu_session_contains(get(), key.data(), key.size(), &found));
        return found;
    }
    /** The number of keys. */
    std::size_t size() { return khufu_session_length(get()); }
    bool empty() { return size() == 0; }
    /** The whole session as a JSON object. */
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
            auto status = khufu_session_next_flash(session->get(), queue.data(), queue.size(), &cursor, &text.data, &text.length);
            return session->is_found(status) ? std::optional<std::string_view>(text) : std::nullopt;
        }
    };
    struct Headers {
        const Session *session;
        std::size_t index = 0;
        std::optional<Header> next() {
            detail::Text name, value;
            auto status = khufu_session_header(session->get(), index++, &name.data, &name.length, &value.data, &value.length);
            return session->is_found(status) ? std::optional<Header>({name, value}) : std::nullopt;
        }
    };

public:
    /** `for (auto [key, json] : session)`, in the order in which keys were added. Do not change the session in the loop. */
    detail::Iterator<Items, Item> begin() { return detail::Iterator<Items, Item>(Items{this}); }
    detail::End end() const { return {}; }

    // ---- writing the dictionary

    /**
     * Sets a key to a text, a bool, a number or nullptr (null).
     * @throws Error with KHUFU_ERR_RANGE for a number that is not finite or does not fit in 64 bits; nothing was set then.
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
            static_assert(detail::always_false<T>, "set takes a string, a bool, a number or nullptr; set_json takes any value");
        }
    }
    /** Sets a key to a value, given as JSON text. @throws Error with KHUFU_ERR_JSON or KHUFU_ERR_RANGE. */
    void set_json(std::string_view key, std::string_view json) {
        check(khufu_session_set(get(), key.data(), key.size(), json.data(), json.size()));
    }
    /** The value of a key as JSON text. A key that is not there is set first. */
    std::string_view setdefault_json(std::string_view key, std::string_view json) {
        return must(khufu_session_setdefault, key.data(), key.size(), json.data(), json.size());
    }
    /** Sets each member of a JSON object as a key, or none on an error. */
    void update_json(std::string_view json) { check(khufu_session_update(get(), json.data(), json.size())); }
    /** Adds an element, given as JSON text, to the list at a key, which is made if need be. */
    void append_json(std::string_view key, std::string_view json) {
        check(khufu_session_append(get(), key.data(), key.size(), json.data(), json.size()));
    }
    /** Adds to the integer at a key (0 if it is not there), and gives the sum. */
    std::int64_t increment(std::string_view key, std::int64_t by = 1) {
        std::int64_t sum = 0;
        check(khufu_session_increment(get(), key.data(), key.size(), by, &sum));
        return sum;
    }
    /** Deletes a key. False if it is not there. */
    bool erase(std::string_view key) { return is_found(khufu_session_delete(get(), key.data(), key.size())); }
    /** Deletes a key and gives its value as JSON text. */
    std::optional<std::string_view> pop_json(std::string_view key) {
        return find(khufu_session_pop, key.data(), key.size());
    }
    /** Deletes every key. invalidate() begins a new session. */
    void clear() { check(khufu_session_clear(get())); }

    // ---- flash messages

    /** Adds a message to a queue: a later request shows it. */
    void flash(std::string_view message, std::string_view queue = {}, bool allow_duplicate = true) {
        check(khufu_session_flash_string(get(), message.data(), message.size(), queue.data(), queue.size(), allow_duplicate));
    }
    /** Adds a message, given as JSON text, to a queue. */
    void flash_json(std::string_view json, std::string_view queue = {}, bool allow_duplicate = true) {
        check(khufu_session_flash(get(), json.data(), json.size(), queue.data(), queue.size(), allow_duplicate));
    }
    /** `for (std::string_view message : session.peek_flash())`: the messages of a queue, which stay there. */
    detail::Range<Messages, std::string_view> peek_flash(std::string_view queue = {}) {
        return detail::Range<Messages, std::string_view>(Messages{this, queue});
    }
    /** Calls a function with each message of a queue, the oldest first, and takes them out of the queue. */
    template <typename Each> void pop_flash(Each each, std::string_view queue = {}) {
        for (std::string_view message : peek_flash(queue)) each(message);
        must(khufu_session_pop_flash, queue.data(), queue.size());
    }
    /** Takes all messages out of a queue, as a JSON array. */
    std::string_view pop_flash_json(std::string_view queue = {}) {
        return must(khufu_session_pop_flash, queue.data(), queue.size());
    }

    // ---- CSRF tokens

    /** The session's CSRF token. A session that has none gets a new one. */
    std::string_view csrf_token() { return must(khufu_session_csrf_token); }
    std::string_view new_csrf_token() { return must(khufu_session_new_csrf_token); }
    /** True if a token is the session's, compared in constant time. A session without a token refuses every token. */
    bool check_csrf_token(std::string_view token) {
        bool valid = false;
        check(khufu_session_check_csrf_token(get(), token.data(), token.size(), &valid));
        return valid;
    }

    // ---- the session's life

    /** When the session began, was last used, and when its cookie was written: seconds since the Unix epoch. */
    double created() const noexcept { return khufu_session_created(get()); }
    double accessed() const noexcept { return khufu_session_accessed(get()); }
    double renewed() const noexcept { return khufu_session_renewed(get()); }
    /** True if the session began with this request. */
    bool is_new() const noexcept { return khufu_session_is_new(get()); }
    /** True if commit would write the session. */
    bool is_changed() const noexcept { return khufu_session_is_changed(get()); }
    khufu_load_result load_result() const noexcept { return khufu_session_load_result(get()); }
    /** Why the cookie was refused, or the detail of the last call that failed; empty if there is nothing to tell. */
    const char *error() const noexcept { return khufu_session_error(get()); }
    /** A name for a session in a store that may be logged; none before the first commit, and for a cookie. */
    std::optional<std::string_view> id() { return find(khufu_session_id); }
    /** Gives a session in a store a new id at commit: call it when a user has logged in. */
    void regenerate_id() { check(khufu_session_regenerate_id(get())); }
    /** Drops all data and starts over. Log a user out with it. */
    void invalidate() { check(khufu_session_invalidate(get())); }
    void mark_changed() { check(khufu_session_mark_changed(get())); }
    /** Sets whose session it is, so that Factory::subject finds it; empty: nobody's. */
    void set_subject(std::string_view subject) { check(khufu_session_set_subject(get(), subject.data(), subject.size())); }
    std::optional<std::string_view> subject() { return find(khufu_session_subject); }
    /** Sets how long the session lives when it is not used; 0: as the options say. */
    void set_lifetime(std::chrono::seconds lifetime) {
        if (lifetime.count() < 0) throw Error(KHUFU_ERR_ARGUMENT, "a lifetime must not be negative");
        check(khufu_session_set_lifetime(get(), static_cast<std::uint64_t>(lifetime.count())));
    }
    /** Sets an attribute of the next commit's cookie: max_age, secure, httponly, samesite or partitioned. */
    void set_attribute(std::string_view name, std::string_view value) {
        check(khufu_session_set_attribute(get(), name.data(), name.size(), value.data(), value.size()));
    }

    // ---- commit

    /**
     * Writes the session if it changed, and makes the headers that the response needs. `limit` is how long the store may
     * take, if that is less than store_timeout; negative: store_timeout.
     * @throws Error: khufu_session_commit's comment lists the statuses. headers() still has what a logout needs.
     */
    void commit(Outcome outcome = Outcome::response, detail::Seconds limit = detail::Seconds(-1)) {
        check(khufu_session_commit_with(get(), static_cast<std::uint32_t>(outcome), limit.count()));
    }
    /** `for (auto [name, value] : session.headers())`: the headers that the response needs after the commits so far. */
    detail::Range<Headers, Header> headers() const { return detail::Range<Headers, Header>(Headers{this}); }
    /** The value that the session's cookie carries now, for another way to transport it. */
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
    template <typename Call, typename... Arguments> std::optional<std::string_view> find(Call call, Arguments... arguments) {
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

/** All sessions of one user, as they were when they were listed. */
class Subject {
public:
    struct Entry {
        /** The session's Session::id, valid as long as the Subject. */
        std::string_view id;
        /** When the session began and was last used: seconds since the Unix epoch. */
        double created, accessed;
    };

private:
    struct Entries {
        const Subject *subject;
        std::size_t cursor = 0;
        std::optional<Entry> next() {
            detail::Text id;
            Entry entry{};
            auto status = khufu_subject_next(subject->get(), &cursor, &id.data, &id.length, &entry.created, &entry.accessed);
            if (!subject->is_found(status)) return std::nullopt;
            entry.id = id;
            return entry;
        }
    };

public:
    /** `for (const auto &session : factory.subject("user-42"))`: the session used last comes first. */
    detail::Iterator<Entries, Entry> begin() const { return detail::Iterator<Entries, Entry>(Entries{this}); }
    detail::End end() const { return {}; }
    /** Ends one session of the subject. False if the subject has none of that id. */
    bool revoke(std::string_view id) { return is_found(khufu_subject_revoke(get(), id.data(), id.size())); }
    /** Ends every session of the subject except one, and gives the number of sessions that it ended. */
    std::size_t revoke_all(std::string_view except = {}) {
        std::size_t revoked = 0;
        is_found(khufu_subject_revoke_all(get(), except.data(), except.size(), &revoked));
        return revoked;
    }
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

/** Opens sessions, all with the same options. It may be shared between threads. */
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
     * Opens a request's session from the value of its Cookie header. A bad cookie gives a new and empty session.
     * @throws Error with KHUFU_ERR_STORE if the session's store failed and the option store_on_error is fail.
     */
    Session open(std::string_view cookie_header) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open(get(), cookie_header.data(), cookie_header.size(), &made);
        return opened(status, made);
    }
    /** Opens a request's session at a given time, within a limit, or passively. */
    Session open(std::string_view cookie_header, const OpenOptions &how) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open_with(get(), cookie_header.data(), cookie_header.size(), how.now,
                                                            how.limit.count(), flags(how), &made);
        return opened(status, made);
    }
    /** Opens the session in a cookie's value that came without a Cookie header. Session::value gives such a value. */
    Session open_value(std::string_view value, const OpenOptions &how = OpenOptions()) const {
        khufu_session *made = nullptr;
        const khufu_status status = khufu_session_open_value(get(), value.data(), value.size(), how.now, how.limit.count(),
                                                             flags(how), &made);
        return opened(status, made);
    }
    /** All sessions that Session::set_subject gave this subject. @throws Error for sessions in cookies. */
    Subject subject(std::string_view subject) const {
        khufu_subject *made = nullptr;
        khufu_status status = khufu_subject_open(get(), subject.data(), subject.size(), &made);
        Subject opened(made);
        if (status != KHUFU_OK) throw Error(status, khufu_subject_error(made));
        return opened;
    }
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

/** A new secret that signs, as 128 hexadecimal digits; for encryption, give KHUFU_ENCRYPTION_SECRET_SIZE. */
inline std::string generate_secret(std::size_t size = KHUFU_SIGNING_SECRET_SIZE) {
    std::string secret(size, '\0');
    if (khufu_status status = khufu_generate_secret(secret.data(), secret.size()); status != KHUFU_OK) throw Error(status, "");
    secret.pop_back();
    return secret;
}

} // namespace khufu

#endif
