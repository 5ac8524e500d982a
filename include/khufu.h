/*
 * khufu: the sessions of the Pyramid web framework, for every language that can call C.
 *
 * When a program starts, it makes one factory with khufu_options_new, khufu_options_set and khufu_factory_new. For each
 * request it then opens a session, uses it and commits it:
 *
 *     khufu_session *session;
 *     const char *user, *name, *value;
 *     size_t user_len, name_len, value_len;
 *
 *     if (khufu_session_open(factory, cookie_header, KHUFU_NTS, &session) != KHUFU_OK)
 *         fprintf(stderr, "no session: %s\n", khufu_session_error(session));
 *     if (khufu_session_get_string(session, "user", KHUFU_NTS, &user, &user_len) == KHUFU_NOT_FOUND)
 *         status = khufu_session_set_string(session, "user", KHUFU_NTS, "zoe", KHUFU_NTS);
 *     if (khufu_session_commit(session, 0) != KHUFU_OK)
 *         fprintf(stderr, "not saved: %s\n", khufu_session_error(session));
 *     for (size_t i = 0; khufu_session_header(session, i, &name, &name_len, &value, &value_len) == KHUFU_OK; i++)
 *         printf("%.*s: %.*s\r\n", (int)name_len, name, (int)value_len, value);
 *     khufu_session_free(session);
 *
 * The following holds for every function. The comments below do not repeat it.
 *
 * - A text is given as a pointer and a length in bytes. The length KHUFU_NTS means that the text ends at its NUL. NULL
 *   with the length 0 is an empty text; NULL with another length is an error. Texts are UTF-8, unless a comment says
 *   that any bytes are allowed. The caller may change or free a text after the call.
 * - A key or a value may have at most 2,147,483,647 bytes. A function that would set a longer one returns
 *   KHUFU_ERR_RANGE.
 * - JSON text that is set must be one JSON value, nested at most 500 levels deep. Python must be able to read its
 *   numbers: an integer may have at most 4,300 digits, and a float must not overflow a double.
 * - A function that can fail returns a khufu_status. Its comment lists the statuses. It can also return
 *   KHUFU_ERR_ARGUMENT if an argument is NULL and must not be, KHUFU_ERR_UTF8 if a text is not UTF-8, and
 *   KHUFU_ERR_INTERNAL if khufu has a defect.
 * - A call that fails leaves the session unchanged, except that commit says what it does after an error. The handle
 *   keeps a message about the failure, which khufu_options_error, khufu_session_error or khufu_subject_error returns.
 *   KHUFU_NOT_FOUND has no message.
 * - Outputs are the last parameters. They must not be NULL unless the comment says so. If a call does not return
 *   KHUFU_OK, it sets them to NULL, 0 or false, unless the comment says otherwise.
 * - A text that a function returns is borrowed: it belongs to the handle, and the caller must not free it. If its
 *   length is an output, it has no NUL at its end.
 * - Times are in seconds since the Unix epoch, durations in seconds, and sizes in bytes.
 * - Threads can share a factory. Options, sessions and subjects can be used by only one thread at a time.
 * - A function that frees a handle does nothing if the handle is NULL.
 * - No function ends the process or prints anything, except a report of a defect of khufu on standard error. After a
 *   fork, khufu makes new connections and locks in the child.
 */

#ifndef KHUFU_H
#define KHUFU_H

/* Generated from src/ffi by `make header`; do not edit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The length of a text that ends at its NUL. */
#define KHUFU_NTS SIZE_MAX

/** Marks a function whose status must not be ignored, because data could be lost or a check skipped. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define KHUFU_MUST_USE [[nodiscard]]
#elif defined(__GNUC__)
#define KHUFU_MUST_USE __attribute__((warn_unused_result))
#else
#define KHUFU_MUST_USE
#endif

/** The version of this header. khufu_version returns the library's version. */
#define KHUFU_VERSION "0.1.0"
/** The major version. */
#define KHUFU_VERSION_MAJOR 0
/** The minor version. */
#define KHUFU_VERSION_MINOR 1
/** The patch level of the version. */
#define KHUFU_VERSION_PATCH 0

/**
 * The version of the ABI, which is the number in the shared library's soname. It changes when programs that were built
 * with an older header no longer work.
 */
#define KHUFU_ABI_VERSION 1

/**
 * The size of a buffer for a signing secret, in bytes: 128 hexadecimal digits and a NUL.
 */
#define KHUFU_SIGNING_SECRET_SIZE 129

/**
 * The size of a buffer for an encryption secret, in bytes: 64 hexadecimal digits and a NUL.
 */
#define KHUFU_ENCRYPTION_SECRET_SIZE 65

/**
 * A flag for khufu_session_open_with and khufu_session_open_value: reading the session neither renews its cookie nor
 * extends its life. Use it for polls and health checks. The session can still be changed.
 */
#define KHUFU_OPEN_PASSIVE 1

/**
 * A flag for khufu_session_commit and khufu_session_commit_with: the request ended in an exception. If the option
 * set_on_exception is off, the session is not written then. A session that was invalidated still ends, but data that
 * were set after that are dropped.
 */
#define KHUFU_COMMIT_EXCEPTION 1

/**
 * The result of a call. Numbers are never reused. Later versions may add statuses.
 */
enum khufu_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call succeeded.
   */
  KHUFU_OK = 0,
  /**
   * There is nothing to return: no such key or session, or the end of a loop.
   */
  KHUFU_NOT_FOUND = 1,
  /**
   * An argument is invalid: a handle or an output is NULL, a text is NULL but its length is not 0, a flag is
   * unknown, a time is out of range, or the session cannot have a subject.
   */
  KHUFU_ERR_ARGUMENT = 2,
  /**
   * A text is not UTF-8, or a key in a JSON object contains a lone surrogate, which UTF-8 cannot represent.
   */
  KHUFU_ERR_UTF8 = 3,
  /**
   * A text is not one JSON value, or it is nested deeper than 500 levels, or it must be an object and is not.
   */
  KHUFU_ERR_JSON = 4,
  /**
   * The value of the key has another type.
   */
  KHUFU_ERR_TYPE = 5,
  /**
   * A number is out of range or not finite, or a text is too long.
   */
  KHUFU_ERR_RANGE = 6,
  /**
   * Browsers would drop the cookie: its value has more than 4064 bytes, or its name and value together have more
   * than 4096.
   */
  KHUFU_ERR_TOO_LARGE = 7,
  /**
   * An option's name or value is wrong, options contradict each other, or the store cannot be opened.
   */
  KHUFU_ERR_OPTION = 8,
  /**
   * The commit would overwrite the browser's session, which is valid but could not be read here, or a custom
   * serializer cannot write the session.
   */
  KHUFU_ERR_UNSUPPORTED = 9,
  /**
   * The system's source of random bytes failed.
   */
  KHUFU_ERR_RANDOM = 10,
  /**
   * khufu has a defect. Please report it.
   */
  KHUFU_ERR_INTERNAL = 11,
  /**
   * The store failed, or took too long.
   */
  KHUFU_ERR_STORE = 12,
  /**
   * Other requests kept changing the session until store_timeout. Commit again. If that fails too, open the session
   * again.
   */
  KHUFU_ERR_CONFLICT = 13,
  /**
   * Another request has ended the session or given it a new id. Do not send a cookie.
   */
  KHUFU_ERR_GONE = 14,
  /**
   * The session has a key that Beaker uses itself, and the option library is beaker.
   */
  KHUFU_ERR_KEY = 15,
  /**
   * A callback of the application's own store has returned this status, because the store has not answered yet. Make
   * the same call again when it has.
   */
  KHUFU_ERR_PENDING = 16,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum khufu_status khufu_status;
#else
typedef int32_t khufu_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the request's session cookie was opened. Numbers are never reused. Later versions may add load results.
 */
enum khufu_load_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The request had no cookie with the session cookie's name. The session is new.
   */
  KHUFU_LOAD_NONE = 0,
  /**
   * The browser's session was opened.
   */
  KHUFU_LOAD_LOADED = 1,
  /**
   * The browser's session was opened with a previous secret. Commit writes it again with the current secret.
   */
  KHUFU_LOAD_LOADED_PREVIOUS_SECRET = 2,
  /**
   * The browser's session was opened in another accepted format. Commit writes it again in the current format.
   */
  KHUFU_LOAD_LOADED_OTHER_FORMAT = 3,
  /**
   * The browser's session was not used for longer than the option timeout, or is older than absolute_timeout. The
   * session is new.
   */
  KHUFU_LOAD_EXPIRED = 4,
  /**
   * The cookie's signature or encryption is wrong. The session is new.
   */
  KHUFU_LOAD_BAD_SIGNATURE = 5,
  /**
   * The cookie is not base64 or is too short, or its payload is not a session. The session is new.
   */
  KHUFU_LOAD_MALFORMED = 6,
  /**
   * The cookie is genuine, but contains something that this library cannot represent. The session is new, and commit
   * refuses to overwrite the browser's session unless khufu_session_invalidate was called.
   */
  KHUFU_LOAD_UNSUPPORTED = 7,
  /**
   * The store has no session with the cookie's id: it has expired, it was ended, or it has a new id. The session is
   * new.
   */
  KHUFU_LOAD_MISSING = 8,
  /**
   * The store failed, and the option store_on_error is empty. The session is new, and commit refuses to overwrite
   * the browser's session.
   */
  KHUFU_LOAD_STORE_ERROR = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum khufu_load_result khufu_load_result;
#else
typedef int32_t khufu_load_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Opens sessions, all with the same options. It is Pyramid's session factory. A factory never changes, and threads can
 * share it.
 */
typedef struct khufu_factory khufu_factory;

/**
 * The options of a factory. Only one thread at a time may use them.
 */
typedef struct khufu_options khufu_options;

/**
 * The session of one request. Only one thread at a time may use it, because reading also changes it.
 *
 * A text that a function returns in a const char ** is borrowed: it is UTF-8 without a NUL at its end, and it is valid
 * until a call changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it.
 * Reading leaves it valid. The text may be given to the same session again, as a key or a value.
 */
typedef struct khufu_session khufu_session;

/**
 * The place where a callback writes its result, with khufu_sink_write. It is valid until the callback returns.
 */
typedef struct khufu_sink khufu_sink;

/**
 * The sessions of one subject, as they were when khufu_subject_open found them. Only one thread at a time may use it.
 */
typedef struct khufu_subject khufu_subject;

/**
 * The callbacks of a store of the application's own, for khufu_options_set_store. It is Pyramid's "creating your own
 * session factory".
 *
 * A record consists of bytes and a generation, a number of at least 1. A key is 64 hexadecimal digits. ttl is how many
 * seconds the store keeps the record from now on: at least 1, or a negative number to keep it forever. An expired
 * record counts as missing.
 *
 * Callbacks run on the thread that calls khufu, possibly on several threads at once. store_timeout cannot interrupt
 * them. No exception and no longjmp may leave them. The texts that they get are not NUL-terminated. user_data is the
 * pointer that was given to khufu_options_set_store.
 *
 * A callback need not wait for the store's answer: it can remember the question, and return KHUFU_ERR_PENDING. The
 * call of khufu then returns KHUFU_ERR_PENDING, too. Wait for the answer outside of khufu, and make the same call
 * again with the same arguments. khufu then calls the same callbacks with the same arguments in the same order, except
 * for steps that are finished. A callback returns its answer if it has one, and may be pending again if it has none.
 * Free a session whose opening was pending. Do not change a session between the calls; if you do, khufu treats the
 * pending write as a write whose answer was lost. To give up, return KHUFU_ERR_STORE when khufu asks again.
 *
 * list, unlist and members keep the keys of a subject's records, so that a user's sessions can be listed and ended. A
 * subject is 64 hexadecimal digits, too. If these three are NULL, sessions cannot have a subject.
 */
typedef struct {
  /**
   * The size of this struct, sizeof(khufu_store_vtable). Later versions may add fields at its end.
   */
  size_t struct_size;
  /**
   * Loads the record of a key: writes its bytes into the sink, and sets its generation. Returns KHUFU_OK;
   * KHUFU_NOT_FOUND if there is no record; KHUFU_ERR_STORE if the store failed.
   */
  int32_t (*load)(void *user_data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation);
  /**
   * Replaces the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is
   * 0, inserts a record, and an existing record is a conflict. The new record has the generation `generation`.
   * Returns KHUFU_OK; KHUFU_ERR_CONFLICT if the record has another generation; KHUFU_ERR_GONE if there is no record
   * to replace; KHUFU_ERR_STORE if the store failed.
   */
  int32_t (*save)(void *user_data,
                  const char *key,
                  size_t key_len,
                  uint64_t expected,
                  uint64_t generation,
                  const char *record,
                  size_t record_len,
                  double ttl);
  /**
   * Replaces the record of a key in one atomic step, if the record has this generation, and restarts its ttl. The
   * generation stays the same. khufu calls it to store the time when the session was last used. Returns KHUFU_OK;
   * KHUFU_ERR_CONFLICT if the record has another generation; KHUFU_ERR_GONE if there is no record; KHUFU_ERR_STORE
   * if the store failed.
   */
  int32_t (*touch)(void *user_data,
                   const char *key,
                   size_t key_len,
                   uint64_t generation,
                   const char *record,
                   size_t record_len,
                   double ttl);
  /**
   * Removes the record of a key in one atomic step, if the record has the generation `expected`. If `expected` is 0,
   * removes a record of any generation. Returns KHUFU_OK; KHUFU_ERR_CONFLICT if the record has another generation;
   * KHUFU_ERR_GONE if there is no record; KHUFU_ERR_STORE if the store failed.
   */
  int32_t (*remove)(void *user_data, const char *key, size_t key_len, uint64_t expected);
  /**
   * Notes for at least ttl seconds that a key belongs to a subject. Noting it again never shortens that time. khufu
   * calls it before it saves or touches the record. Returns KHUFU_OK or KHUFU_ERR_STORE.
   */
  int32_t (*list)(void *user_data,
                  const char *subject,
                  size_t subject_len,
                  const char *key,
                  size_t key_len,
                  double ttl);
  /**
   * Removes the note that a key belongs to a subject, if there is one. khufu calls it after it has removed the
   * record. Returns KHUFU_OK or KHUFU_ERR_STORE.
   */
  int32_t (*unlist)(void *user_data, const char *subject, size_t subject_len, const char *key, size_t key_len);
  /**
   * Writes the keys that belong to a subject into the sink, one after another, without separators. Returns KHUFU_OK
   * or KHUFU_ERR_STORE.
   */
  int32_t (*members)(void *user_data, const char *subject, size_t subject_len, khufu_sink *sink);
  /**
   * Frees the user data. khufu calls it once, when no options, factory, session or subject uses the table any more.
   * It runs inside the call that frees or changes the last of these. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_store_vtable;

/**
 * The callbacks of a serializer of the application's own, for khufu_options_set_serializer. It writes payloads in
 * another form than JSON or pickle.
 *
 * A payload encodes a JSON text. For a cookie, the text is the array [renewed, created, state]; both times are in
 * seconds since the Unix epoch. For a record in a store, it is the state alone, an object.
 *
 * Callbacks run on the thread that opens or commits a session, possibly on several threads at once. No exception and
 * no longjmp may leave them. user_data is the pointer that was given to khufu_options_set_serializer.
 */
typedef struct {
  /**
   * The size of this struct, sizeof(khufu_serializer_vtable). Later versions may add fields at its end.
   */
  size_t struct_size;
  /**
   * Reads a payload, and writes its JSON text, in UTF-8, into the sink. Returns KHUFU_OK, or any other status if the
   * payload cannot be read. The session is then new and empty, and its load result is KHUFU_LOAD_MALFORMED.
   */
  int32_t (*loads)(void *user_data, const char *payload, size_t payload_len, khufu_sink *sink);
  /**
   * Writes a JSON text as a payload into the sink. Returns KHUFU_OK, or any other status if the text cannot be
   * written. The commit then fails with KHUFU_ERR_UNSUPPORTED.
   */
  int32_t (*dumps)(void *user_data, const char *json, size_t json_len, khufu_sink *sink);
  /**
   * Frees the user data. khufu calls it once, when no options, factory, session or subject uses the table any more.
   * It runs inside the call that frees or changes the last of these. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_serializer_vtable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ==== Version and secrets ==== */

/**
 * Returns the ABI version of the library that is running. A program can check that it equals KHUFU_ABI_VERSION.
 */
uint32_t khufu_abi_version(void);

/**
 * Returns the version of the library that is running, for example "0.1.0".
 *
 * @return a static NUL-terminated text, never NULL.
 */
const char *khufu_version(void);

/**
 * Fills a buffer with a new random secret, as hexadecimal digits and a NUL. Use the digits as the option secret here,
 * and as the same text in Pyramid.
 *
 * @param buffer      must not be NULL. It gets buffer_len - 1 digits and a NUL.
 * @param buffer_len  the size of the buffer in bytes: KHUFU_SIGNING_SECRET_SIZE for signing,
 *                    KHUFU_ENCRYPTION_SECRET_SIZE for encryption, or any other odd number of at least 33.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT if the buffer is NULL or its size is not one of these; KHUFU_ERR_RANDOM if the
 *         system gives no random bytes. The buffer then holds an empty text.
 */
KHUFU_MUST_USE
khufu_status khufu_generate_secret(char *buffer,
                                   size_t buffer_len);

/* ==== Statuses and load results ==== */

/**
 * Returns the meaning of a status, in a few words.
 *
 * @param status  any number.
 * @return a static NUL-terminated text, never NULL.
 */
const char *khufu_status_message(int32_t status);

/**
 * Returns the name of a load result in the documentation, for example "loaded" or "bad_signature".
 *
 * @param load_result  any number.
 * @return a static NUL-terminated text, never NULL. "unknown" if there is no such load result.
 */
const char *khufu_load_result_name(int32_t load_result);

/* ==== Options ==== */

/**
 * Makes options, each with its default. Free them with khufu_options_free.
 *
 * @return the options, never NULL.
 */
khufu_options *khufu_options_new(void);

/**
 * Frees options, and zeroes the secrets in them. Factories that were made from them can still be used.
 *
 * @param options  may be NULL.
 */
void khufu_options_free(khufu_options *options);

/**
 * Sets an option by its name. docs/options.md lists the names and the values. An empty value unsets the option. An
 * option that can be set many times gets one more value with each call.
 *
 * @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such option, or if the option does not accept the value. The
 *         options are unchanged then.
 */
KHUFU_MUST_USE
khufu_status khufu_options_set(khufu_options *options,
                               const char *name,
                               size_t name_len,
                               const char *value,
                               size_t value_len);

/**
 * Sets options from the text of an INI file. It uses only the settings in one section whose names begin with a prefix.
 * The prefix is not part of the option's name.
 *
 * A line is NAME = VALUE, NAME: VALUE, a section's name in brackets, empty, or a comment that begins with # or ;. A
 * line that begins with white space continues the value of the line above. Only an option that can be set many times,
 * such as previous_secret, may have several lines: each is one value. Values are taken as they are: %(here)s and %%
 * have no special meaning.
 *
 * @param text     the text of the file.
 * @param section  the section's name, for example "app:main". If it is empty, the lines before the first section are
 *                 used.
 * @param prefix   for example "khufu.". If it is empty, every setting in the section must be an option.
 * @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such section, if a line has the wrong syntax, or if an option is
 *         wrong. khufu_options_error names the line. If an option is wrong, the options on earlier lines stay set.
 *         After any other error, no option is set.
 */
KHUFU_MUST_USE
khufu_status khufu_options_load(khufu_options *options,
                                const char *text,
                                size_t text_len,
                                const char *section,
                                size_t section_len,
                                const char *prefix,
                                size_t prefix_len);

/**
 * Gets the value of an option: the value that was set, or the default. A word such as store is in the spelling of
 * docs/options.md, and a switch is true or false. Secrets cannot be read.
 *
 * @param value  set to the value, which is valid until the next call on the options.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the option is unset; KHUFU_ERR_OPTION if there is no such option, or if it is a
 *         secret.
 */
khufu_status khufu_options_get(khufu_options *options,
                               const char *name,
                               size_t name_len,
                               const char **value,
                               size_t *value_len);

/**
 * Returns the message of the last call on these options that failed, which may also be khufu_factory_new.
 *
 * @param options  may be NULL.
 * @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the options; "" if no call has
 *         failed or options is NULL; never NULL.
 */
const char *khufu_options_error(const khufu_options *options);

/* ==== Factory ==== */

/**
 * Makes a factory from options. The factory has its own copy of the options, so the caller may change or free them.
 *
 * @param factory  set to the factory. Free it with khufu_factory_free.
 * @return KHUFU_OK; KHUFU_ERR_OPTION if a secret is missing, if the store cannot be opened, or if options contradict
 *         each other. khufu_options_error names the option.
 */
KHUFU_MUST_USE
khufu_status khufu_factory_new(khufu_options *options,
                               khufu_factory **factory);

/**
 * Frees a factory. Its sessions can still be used. Its secrets are zeroed when the factory and all its sessions have
 * been freed.
 *
 * @param factory  may be NULL. No other thread may be using it.
 */
void khufu_factory_free(khufu_factory *factory);

/* ==== Session: opening, times, life ==== */

/**
 * Opens the session of a request, at the current time.
 *
 * If the request has no session cookie, or a bad one, the call succeeds and the session is new and empty.
 * khufu_session_load_result then tells which of these it is, and khufu_session_error gives the reason why a cookie was
 * refused.
 *
 * @param cookie_header  the value of the request's Cookie header. It may be any bytes. If there are several such
 *                       headers, join them with "; ". If there is none, use NULL and 0.
 * @param session        set to a handle, even if the call fails. After a failure, khufu_session_error returns the
 *                       reason, and every other call on the handle fails. Free it with khufu_session_free.
 * @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail.
 */
KHUFU_MUST_USE
khufu_status khufu_session_open(const khufu_factory *factory,
                                const char *cookie_header,
                                size_t cookie_header_len,
                                khufu_session **session);

/**
 * Opens the session of a request like khufu_session_open, but with a given time, with a time limit, or passively.
 *
 * @param cookie_header  the value of the request's Cookie header. It may be any bytes. If there are several such
 *                       headers, join them with "; ". If there is none, use NULL and 0.
 * @param now            the time of opening, from 0 to 253402300799 (the year 9999), for tests and replays. If
 *                       negative, the current time.
 * @param seconds        how long to wait for the store, if that is less than the option store_timeout. If negative,
 *                       store_timeout applies. If 0, and sessions are kept in a store, the call fails at once with
 *                       KHUFU_ERR_STORE.
 * @param flags          0 or KHUFU_OPEN_PASSIVE.
 * @param session        set to a handle, even if the call fails. After a failure, khufu_session_error returns the
 *                       reason, and every other call on the handle fails. Free it with khufu_session_free.
 * @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail, or if the time limit is
 *         0; KHUFU_ERR_ARGUMENT if a time is out of range or a flag is unknown.
 */
KHUFU_MUST_USE
khufu_status khufu_session_open_with(const khufu_factory *factory,
                                     const char *cookie_header,
                                     size_t cookie_header_len,
                                     double now,
                                     double seconds,
                                     uint32_t flags,
                                     khufu_session **session);

/**
 * Opens a session from the value of its cookie, if the client sent the value in another way than in a Cookie header,
 * for example in another header or in a message. khufu_session_value returns such a value.
 *
 * @param value    the value. It may be any bytes.
 * @param now      the time of opening, from 0 to 253402300799 (the year 9999), for tests and replays. If negative, the
 *                 current time.
 * @param seconds  how long to wait for the store, if that is less than the option store_timeout. If negative,
 *                 store_timeout applies. If 0, and sessions are kept in a store, the call fails at once with
 *                 KHUFU_ERR_STORE.
 * @param flags    0 or KHUFU_OPEN_PASSIVE.
 * @param session  set to a handle, even if the call fails. After a failure, khufu_session_error returns the reason,
 *                 and every other call on the handle fails. Free it with khufu_session_free.
 * @return KHUFU_OK; KHUFU_ERR_STORE if the store failed and the option store_on_error is fail, or if the time limit is
 *         0; KHUFU_ERR_ARGUMENT if a time is out of range or a flag is unknown.
 */
KHUFU_MUST_USE
khufu_status khufu_session_open_value(const khufu_factory *factory,
                                      const char *value,
                                      size_t value_len,
                                      double now,
                                      double seconds,
                                      uint32_t flags,
                                      khufu_session **session);

/**
 * Frees a session, and zeroes its data. Changes that were not committed are lost.
 *
 * @param session  may be NULL.
 */
void khufu_session_free(khufu_session *session);

/**
 * Returns the message of the last call on this session that failed. After opening, it is the reason why the cookie was
 * refused, or a note that the request has only other cookies. Call this function after the failed call has returned,
 * not in the same expression.
 *
 * @param session  may be NULL.
 * @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the session; "" if there is
 *         nothing to report or session is NULL; never NULL.
 */
const char *khufu_session_error(const khufu_session *session);

/**
 * Returns how the request's session cookie was opened.
 *
 * @param session  may be NULL. The result is then KHUFU_LOAD_NONE.
 */
khufu_load_result khufu_session_load_result(const khufu_session *session);

/**
 * Returns the name of the accepted format that opened the session, if the load result is
 * KHUFU_LOAD_LOADED_OTHER_FORMAT.
 *
 * @param session  may be NULL.
 * @return NUL-terminated UTF-8, valid until the session is freed; "" if the load result is another one or session is
 *         NULL; never NULL.
 */
const char *khufu_session_load_format(const khufu_session *session);

/**
 * Returns the time when the session began.
 *
 * @param session  may be NULL. The result is then 0.
 */
double khufu_session_created(const khufu_session *session);

/**
 * Returns the time when the session was last read or changed. It is in whole seconds if this request did so.
 *
 * @param session  may be NULL. The result is then 0.
 */
double khufu_session_accessed(const khufu_session *session);

/**
 * Returns the time when the session was last written.
 *
 * @param session  may be NULL. The result is then 0.
 */
double khufu_session_renewed(const khufu_session *session);

/**
 * Returns true if the session began with this request.
 *
 * @param session  may be NULL. The result is then false.
 */
bool khufu_session_is_new(const khufu_session *session);

/**
 * Returns true if commit would write the session.
 *
 * @param session  may be NULL. The result is then false.
 */
bool khufu_session_is_changed(const khufu_session *session);

/**
 * Gets an id for logs. It cannot be used to open the session. For khufu's own records it is the key in the store, and
 * stays the same when the session gets a new id. For another library's records it is the SHA-256 of the session's id.
 *
 * @param id  set to 64 hexadecimal digits, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND before the first commit, and for a session in a cookie.
 */
khufu_status khufu_session_id(khufu_session *session,
                              const char **id,
                              size_t *id_len);

/**
 * Gives the session a new id at commit. Call it when a user logs in, to prevent session fixation. For regenerate_grace
 * seconds the old id can still read the earlier data, but not change them; an old id of another library's session is
 * invalid at once. A session in a cookie has no id, and is only written again.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_regenerate_id(khufu_session *session);

/**
 * Ends the session, for example when the user logs out. Its data are dropped, and a new, empty session begins. Data
 * that are set afterwards belong to the new session. If none are set, commit clears the browser's cookie.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_invalidate(khufu_session *session);

/**
 * Marks the session as changed, so that commit writes it even if nothing was set.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_mark_changed(khufu_session *session);

/**
 * Sets the subject of the session: the user, or anything else, whose session it is. After the next commit,
 * khufu_subject_open finds the session.
 *
 * @param subject  for example "user-42". If it is empty, the session has no subject.
 * @return KHUFU_OK; KHUFU_ERR_RANGE if the subject is longer than 65,535 bytes; KHUFU_ERR_ARGUMENT if the session
 *         cannot have a subject, because it is in a cookie or in another library's record, or because the custom store
 *         has no callbacks for subjects.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_subject(khufu_session *session,
                                       const char *subject,
                                       size_t subject_len);

/**
 * Gets the session's subject, as khufu_session_set_subject set it.
 *
 * @param subject  set to the subject, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the session has no subject.
 */
khufu_status khufu_session_subject(khufu_session *session, const char **subject, size_t *subject_len);

/**
 * Sets the session's own lifetime: how long after its last use it expires. Use it for "remember me".
 *
 * khufu's own records keep the lifetime. It replaces the options timeout and max_age for this session. Sessions in
 * cookies and other libraries' records cannot keep it: there it is only the Max-Age of the next commit's cookie.
 *
 * @param seconds  the lifetime, at most 10,000,000,000. 0 means that the options apply again.
 * @return KHUFU_OK; KHUFU_ERR_RANGE if the lifetime is longer.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_lifetime(khufu_session *session,
                                        uint64_t seconds);

/**
 * Sets an attribute of the next commit's cookie. Later commits use the options again.
 *
 * @param name   max_age, secure, httponly, samesite or partitioned.
 * @param value  a value that the option of this name accepts. An empty value unsets the attribute.
 * @return KHUFU_OK; KHUFU_ERR_OPTION if there is no such attribute, if it does not accept the value, or if browsers
 *         would drop the cookie. The attributes are unchanged then.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_attribute(khufu_session *session,
                                         const char *name,
                                         size_t name_len,
                                         const char *value,
                                         size_t value_len);

/* ==== Session: reading the dictionary ==== */

/**
 * Gets the value of a key as JSON text.
 *
 * @param json  set to the JSON text, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is or contains NaN or an
 *         infinity, because JSON cannot represent them.
 */
khufu_status khufu_session_get(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * Gets the value of a key as a string.
 *
 * @param string  set to the text, borrowed. It may contain NULs.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not a string, or
 *         contains a lone surrogate, which UTF-8 cannot represent.
 */
khufu_status khufu_session_get_string(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char **string,
                                      size_t *string_len);

/**
 * Gets the value of a key as an integer.
 *
 * @param value  set to the integer.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not an integer (1.0 is a
 *         float); KHUFU_ERR_RANGE if it does not fit in 64 bits.
 */
khufu_status khufu_session_get_int64(khufu_session *session,
                                     const char *key,
                                     size_t key_len,
                                     int64_t *value);

/**
 * Gets the value of a key as a float. The value may be an integer or a float, or NaN or an infinity.
 *
 * @param value  set to the number.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not a number;
 *         KHUFU_ERR_RANGE if it overflows a double.
 */
khufu_status khufu_session_get_double(khufu_session *session, const char *key, size_t key_len, double *value);

/**
 * Gets the value of a key as a boolean.
 *
 * @param value  set to true or false.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is not true or false.
 */
khufu_status khufu_session_get_bool(khufu_session *session,
                                    const char *key,
                                    size_t key_len,
                                    bool *value);

/**
 * Tells if a key exists.
 *
 * @param found  set to true if the key exists, otherwise to false.
 * @return KHUFU_OK, even if the key does not exist.
 */
khufu_status khufu_session_contains(khufu_session *session, const char *key, size_t key_len, bool *found);

/**
 * Returns the number of keys.
 *
 * @param session  may be NULL. The result is then 0.
 */
size_t khufu_session_length(khufu_session *session);

/**
 * Gets the next key and its value, in the order in which the keys were added. Do not change the session in the loop:
 * if you delete a key, the loop skips the next one, and after any change the borrowed texts are no longer valid.
 *
 * @param cursor  the position in the loop. Set it to 0 before the first call. Each call moves it to the next key.
 * @param key     set to the key, borrowed. A lone surrogate in it is replaced by U+FFFD.
 * @param json    set to the value as JSON text, borrowed. NaN and the infinities in it are replaced by null.
 * @return KHUFU_OK; KHUFU_NOT_FOUND at the end.
 */
khufu_status khufu_session_next(khufu_session *session,
                                size_t *cursor,
                                const char **key,
                                size_t *key_len,
                                const char **json,
                                size_t *json_len);

/**
 * Gets the whole session as a JSON object. The keys are in the order in which they were added. NaN and the infinities
 * are replaced by null.
 *
 * @param json  set to the JSON text, borrowed.
 * @return KHUFU_OK.
 */
khufu_status khufu_session_to_json(khufu_session *session,
                                   const char **json,
                                   size_t *json_len);

/* ==== Session: writing the dictionary ==== */

/**
 * Sets a key to a value, given as JSON text. White space between the parts of the JSON text is dropped.
 *
 * @return KHUFU_OK; KHUFU_ERR_JSON if the text is not JSON; KHUFU_ERR_RANGE if it contains a number that Python cannot
 *         read.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char *json,
                               size_t json_len);

/**
 * Sets a key to a string.
 *
 * @param string  the text. It may contain NULs.
 * @return KHUFU_OK.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_string(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char *string,
                                      size_t string_len);

/**
 * Sets a key to an integer.
 *
 * @return KHUFU_OK.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_int64(khufu_session *session,
                                     const char *key,
                                     size_t key_len,
                                     int64_t value);

/**
 * Sets a key to a float. It is written with a fraction or an exponent, so that every language reads a float.
 *
 * @return KHUFU_OK; KHUFU_ERR_RANGE if the number is not finite, because JSON cannot represent it.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_double(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      double value);

/**
 * Sets a key to true or false.
 *
 * @return KHUFU_OK.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_bool(khufu_session *session,
                                    const char *key,
                                    size_t key_len,
                                    bool value);

/**
 * Sets a key to null.
 *
 * @return KHUFU_OK.
 */
KHUFU_MUST_USE khufu_status khufu_session_set_null(khufu_session *session, const char *key, size_t key_len);

/**
 * Gets the value of a key as JSON text. If the key does not exist, it is first set to a default, given as JSON text.
 *
 * @param json   the default.
 * @param value  set to the value as JSON text, borrowed. value and value_len may both be NULL.
 * @return KHUFU_OK; KHUFU_ERR_JSON if the default is not JSON; KHUFU_ERR_RANGE if it contains a number that Python
 *         cannot read; KHUFU_ERR_TYPE if the key exists and its value contains NaN or an infinity.
 */
KHUFU_MUST_USE
khufu_status khufu_session_setdefault(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char *json,
                                      size_t json_len,
                                      const char **value,
                                      size_t *value_len);

/**
 * Sets one key for each member of a JSON object. After an error, none is set.
 *
 * @param json  the JSON object.
 * @return KHUFU_OK; KHUFU_ERR_JSON if the text is not a JSON object; KHUFU_ERR_RANGE if it contains a number that
 *         Python cannot read; KHUFU_ERR_UTF8 if a key contains a lone surrogate.
 */
KHUFU_MUST_USE
khufu_status khufu_session_update(khufu_session *session,
                                  const char *json,
                                  size_t json_len);

/**
 * Adds an element, given as JSON text, to the end of the list at a key. If the key does not exist, it is set to a new
 * list. If several requests append to a session in a store at the same time, no element is lost.
 *
 * @return KHUFU_OK; KHUFU_ERR_JSON if the text is not JSON; KHUFU_ERR_RANGE if it contains a number that Python cannot
 *         read; KHUFU_ERR_TYPE if the key holds something other than a list.
 */
KHUFU_MUST_USE
khufu_status khufu_session_append(khufu_session *session,
                                  const char *key,
                                  size_t key_len,
                                  const char *json,
                                  size_t json_len);

/**
 * Adds a number to the integer at a key. A key that does not exist counts as 0. If several requests add to the same
 * key of a session in a store at the same time, every addition counts.
 *
 * @param by      the number to add. It may be negative.
 * @param result  set to the sum. May be NULL.
 * @return KHUFU_OK; KHUFU_ERR_TYPE if the key holds something other than an integer; KHUFU_ERR_RANGE if the integer or
 *         the sum does not fit in 64 bits.
 */
KHUFU_MUST_USE
khufu_status khufu_session_increment(khufu_session *session,
                                     const char *key,
                                     size_t key_len,
                                     int64_t by,
                                     int64_t *result);

/**
 * Deletes a key.
 *
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist.
 */
khufu_status khufu_session_delete(khufu_session *session, const char *key, size_t key_len);

/**
 * Deletes a key, and gets its value as JSON text.
 *
 * @param json  set to the JSON text, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the key does not exist; KHUFU_ERR_TYPE if the value is or contains NaN or an
 *         infinity. The key is not deleted then.
 */
khufu_status khufu_session_pop(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * Deletes all keys. The session itself continues; khufu_session_invalidate ends it.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_clear(khufu_session *session);

/* ==== Session: flash messages ==== */

/**
 * Adds a message, given as JSON text, to the end of a queue, so that a later request can show it.
 *
 * @param json             the message.
 * @param queue            the name of the queue. The default queue has the empty name.
 * @param allow_duplicate  if false, the message is not added when the queue already has an equal one. Messages are
 *                         compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
 * @return KHUFU_OK; KHUFU_ERR_JSON if the message is not JSON; KHUFU_ERR_RANGE if it contains a number that Python
 *         cannot read; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
 */
KHUFU_MUST_USE
khufu_status khufu_session_flash(khufu_session *session,
                                 const char *json,
                                 size_t json_len,
                                 const char *queue,
                                 size_t queue_len,
                                 bool allow_duplicate);

/**
 * Adds a message, given as text, to the end of a queue, so that a later request can show it.
 *
 * @param string           the message. It may contain NULs.
 * @param queue            the name of the queue. The default queue has the empty name.
 * @param allow_duplicate  if false, the message is not added when the queue already has the same text.
 * @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
 */
KHUFU_MUST_USE
khufu_status khufu_session_flash_string(khufu_session *session,
                                        const char *string,
                                        size_t string_len,
                                        const char *queue,
                                        size_t queue_len,
                                        bool allow_duplicate);

/**
 * Removes all messages from a queue, and gets them as a JSON array.
 *
 * @param queue  the name of the queue. The default queue has the empty name.
 * @param json   set to the array, borrowed. The oldest message comes first. "[]" if there are no messages.
 * @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list, or if the list contains NaN
 *         or an infinity. The messages stay in the queue then.
 */
khufu_status khufu_session_pop_flash(khufu_session *session,
                                     const char *queue,
                                     size_t queue_len,
                                     const char **json,
                                     size_t *json_len);

/**
 * Gets the messages of a queue as a JSON array. They stay in the queue.
 *
 * @param queue  the name of the queue. The default queue has the empty name.
 * @param json   set to the array, borrowed. The oldest message comes first. "[]" if there are no messages.
 * @return KHUFU_OK; KHUFU_ERR_TYPE if the queue's key holds something other than a list, or if the list contains NaN
 *         or an infinity.
 */
khufu_status khufu_session_peek_flash(khufu_session *session,
                                      const char *queue,
                                      size_t queue_len,
                                      const char **json,
                                      size_t *json_len);

/**
 * Gets the next message of a queue as text. The oldest message comes first. A message that is not a string is given as
 * JSON text. The messages stay in the queue; call khufu_session_pop_flash after the loop to remove them.
 *
 * @param queue   the name of the queue. The default queue has the empty name.
 * @param cursor  the position in the loop. Set it to 0 before the first call. Each call moves it to the next message.
 * @param string  set to the message, borrowed. It may contain NULs. A lone surrogate in it is replaced by U+FFFD.
 * @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_TYPE if the queue's key holds something other than a list.
 */
khufu_status khufu_session_next_flash(khufu_session *session,
                                      const char *queue,
                                      size_t queue_len,
                                      size_t *cursor,
                                      const char **string,
                                      size_t *string_len);

/* ==== Session: CSRF tokens ==== */

/**
 * Gets the session's CSRF token. If the session has no token, it gets a new one: 40 hexadecimal digits.
 *
 * @param token  set to the token, borrowed.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM if a new token is needed and the system gives no random bytes.
 */
khufu_status khufu_session_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Sets a new CSRF token, 40 hexadecimal digits, and gets it. The old token is no longer valid.
 *
 * @param token  set to the token, borrowed.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM if the system gives no random bytes.
 */
khufu_status khufu_session_new_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Checks a token from a request against the session's CSRF token, in constant time.
 *
 * @param token  the token. It may be any bytes.
 * @param valid  set to true if the tokens are equal. Set to false if they differ, or if the session has no token.
 * @return KHUFU_OK, even if the token is not valid.
 */
KHUFU_MUST_USE
khufu_status khufu_session_check_csrf_token(khufu_session *session,
                                            const char *token,
                                            size_t token_len,
                                            bool *valid);

/* ==== Session: commit, and the response's headers ==== */

/**
 * Writes the session if it was changed, and makes the headers that the response needs. Call it at the end of every
 * request. Then get the headers with khufu_session_header or khufu_session_headers.
 *
 * If a request commits more than once, send the headers that khufu returns after the last commit.
 *
 * If the session was invalidated and the browser has its cookie, the headers clear it: with one Set-Cookie header, or
 * with two if the option domain is set (one with the domain, one without).
 *
 * After an error the session still has its changes, so that it can be committed again, and the headers are those of
 * the earlier commits. If the session was invalidated, the headers clear the browser's cookie even if the store
 * failed.
 *
 * @param flags  0 or KHUFU_COMMIT_EXCEPTION.
 * @return KHUFU_OK, or one of these:
 *         - KHUFU_ERR_TOO_LARGE if browsers would drop the cookie, because its value has more than 4064 bytes, or its
 *           name and value together have more than 4096. Delete a key and commit again.
 *         - KHUFU_ERR_UNSUPPORTED if the browser's session is valid but could not be read here (call
 *           khufu_session_invalidate first to replace it), or if a custom serializer cannot write the session.
 *         - KHUFU_ERR_KEY if the session has a key that Beaker uses itself, and the option library is beaker.
 *         - KHUFU_ERR_RANGE if the session is too long (4 GiB in a store, 1 MiB of JSON for Beaker), if the option
 *           serializer is pickle and the session contains an integer of more than 4,300 digits, or if another request
 *           changed the integer of a khufu_session_increment so that the sum no longer fits in 64 bits.
 *         - KHUFU_ERR_STORE if the store failed or took too long. Commit again; no change is made twice.
 *         - KHUFU_ERR_PENDING if a custom store has not answered yet. Commit again when it has.
 *         - KHUFU_ERR_CONFLICT if other requests kept changing the session until store_timeout. Commit again. If that
 *           fails too, open the session again.
 *         - KHUFU_ERR_GONE if another request has ended the session or given it a new id. There is no Set-Cookie
 *           header then.
 *         - KHUFU_ERR_RANDOM if the system gives no random bytes.
 */
KHUFU_MUST_USE
khufu_status khufu_session_commit(khufu_session *session,
                                  uint32_t flags);

/**
 * Commits the session like khufu_session_commit, but with a time limit for the store.
 *
 * @param flags    0 or KHUFU_COMMIT_EXCEPTION.
 * @param seconds  how long to wait for the store, if that is less than the option store_timeout. If negative,
 *                 store_timeout applies. If 0, writing to a store fails at once with KHUFU_ERR_STORE.
 * @return KHUFU_OK, or one of the statuses of khufu_session_commit.
 */
KHUFU_MUST_USE khufu_status khufu_session_commit_with(khufu_session *session, uint32_t flags, double seconds);

/**
 * Gets one of the headers that the response needs after the commits so far: Set-Cookie, Vary or Cache-Control. Add all
 * of them to the response's other headers. If the response already has a Vary header, keep its values, too. If its
 * Cache-Control already has no-store or private, keep these.
 *
 * @param index  0 for the first header.
 * @param name   set to the header's name, borrowed.
 * @param value  set to the header's value, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND after the last header.
 */
khufu_status khufu_session_header(const khufu_session *session,
                                  size_t index,
                                  const char **name,
                                  size_t *name_len,
                                  const char **value,
                                  size_t *value_len);

/**
 * Gets all headers that the response needs after the commits so far, as one text. Each header is a line: "Name:
 * value\r\n". Language bindings use it to get all headers with one call.
 *
 * @param headers  set to the text, borrowed until the next call on the session. The text is empty if there are no
 *                 headers.
 * @return KHUFU_OK.
 */
khufu_status khufu_session_headers(khufu_session *session,
                                   const char **headers,
                                   size_t *headers_len);

/**
 * Gets the current value of the session's cookie, to send it in another way than in a cookie. khufu_session_open_value
 * opens it.
 *
 * @param data  set to the value, borrowed until the next call on the session.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if there is nothing to open, because the session is new and not committed, or
 *         because it has ended, or because a session in a cookie has changes that are not committed;
 *         KHUFU_ERR_UNSUPPORTED if a custom serializer cannot write the session; KHUFU_ERR_RANDOM if the value has to
 *         be encrypted again and the system gives no random bytes.
 */
khufu_status khufu_session_value(khufu_session *session,
                                 const char **data,
                                 size_t *len);

/* ==== All sessions of one user ==== */

/**
 * Finds the sessions to which khufu_session_set_subject gave this subject, in any process.
 *
 * @param factory   a factory whose option type is store.
 * @param sessions  set to a handle, even if the call fails. After a failure, khufu_subject_error returns the reason,
 *                  and every other call on the handle fails. Free it with khufu_subject_free.
 * @return KHUFU_OK, even if there are no sessions; KHUFU_ERR_STORE if the store failed; KHUFU_ERR_PENDING if a custom
 *         store has not answered yet; KHUFU_ERR_ARGUMENT if sessions cannot have a subject, because they are in
 *         cookies or in another library's records, or because the custom store has no callbacks for subjects.
 */
KHUFU_MUST_USE
khufu_status khufu_subject_open(const khufu_factory *factory,
                                const char *subject,
                                size_t subject_len,
                                khufu_subject **sessions);

/**
 * Frees a subject. Its sessions do not end.
 *
 * @param subject  may be NULL.
 */
void khufu_subject_free(khufu_subject *subject);

/**
 * Returns the message of the last call on this subject that failed.
 *
 * @param subject  may be NULL.
 * @return NUL-terminated UTF-8 that contains no secret, valid until the next call on the subject; "" if no call has
 *         failed or subject is NULL; never NULL.
 */
const char *khufu_subject_error(const khufu_subject *subject);

/**
 * Gets the next session of the subject. The session that was used last comes first.
 *
 * @param cursor    the position in the loop. Set it to 0 before the first call. Each call moves it to the next
 *                  session.
 * @param id        set to the session's id, as khufu_session_id returns it, borrowed until the subject is freed.
 * @param created   set to the time when the session began.
 * @param accessed  set to the time when the session was last used.
 * @return KHUFU_OK; KHUFU_NOT_FOUND at the end.
 */
khufu_status khufu_subject_next(khufu_subject *subject,
                                size_t *cursor,
                                const char **id,
                                size_t *id_len,
                                double *created,
                                double *accessed);

/**
 * Ends one session of the subject, no matter in which process it began.
 *
 * @param id  the session's id, as khufu_subject_next or khufu_session_id returns it.
 * @return KHUFU_OK; KHUFU_NOT_FOUND if the subject has no session with this id; KHUFU_ERR_STORE if the store failed.
 */
KHUFU_MUST_USE
khufu_status khufu_subject_revoke(khufu_subject *subject,
                                  const char *id,
                                  size_t id_len);

/**
 * Ends every session of the subject that was committed before this call, except one. This includes sessions that began
 * after khufu_subject_open.
 *
 * @param except   the id of the session that does not end, as khufu_session_id returns it. If it is empty, all
 *                 sessions end.
 * @param revoked  set to the number of sessions that were ended. May be NULL.
 * @return KHUFU_OK; KHUFU_ERR_STORE if the store failed. It is also returned if all listed sessions were ended, but
 *         the store may have lost a part of the list (a Redis whose maxmemory-policy is not noeviction), so that some
 *         sessions may remain. khufu_subject_error then says how many were ended.
 */
KHUFU_MUST_USE
khufu_status khufu_subject_revoke_all(khufu_subject *subject,
                                      const char *except,
                                      size_t except_len,
                                      size_t *revoked);

/* ==== Callbacks of a store and a serializer of the application's own ==== */

/**
 * Appends bytes to a sink. A callback may call it many times.
 *
 * @param data  any bytes.
 * @return KHUFU_OK.
 */
khufu_status khufu_sink_write(khufu_sink *sink, const char *data, size_t len);

/* ==== Custom stores and serializers ==== */

/**
 * Keeps sessions in a store of the application's own, and sets the option type to store.
 *
 * @param table      the callbacks. The table is copied. load, save, touch and remove must be set; list, unlist and
 *                   members must all be set or all be NULL; release may be NULL.
 * @param user_data  given to every callback. May be NULL. If this call fails, release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT if a callback is missing, or if struct_size is too small.
 */
KHUFU_MUST_USE
khufu_status khufu_options_set_store(khufu_options *options,
                                     const khufu_store_vtable *table,
                                     void *user_data);

/**
 * Reads and writes payloads with a serializer of the application's own. The option serializer is ignored, except for
 * accepted formats.
 *
 * @param table      the callbacks. The table is copied. loads and dumps must be set; release may be NULL.
 * @param user_data  given to every callback. May be NULL. If this call fails, release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT if a callback is missing, or if struct_size is too small.
 */
KHUFU_MUST_USE
khufu_status khufu_options_set_serializer(khufu_options *options,
                                          const khufu_serializer_vtable *table,
                                          void *user_data);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KHUFU_H */
