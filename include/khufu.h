/*
 * khufu: the sessions of the Pyramid web framework, for every language that can call C.
 *
 * The life of a request, after khufu_options_new, khufu_options_set and khufu_factory_new have made a factory once:
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
 * Conventions, which the comments below do not repeat:
 *
 * - Text and bytes are (const char *data, size_t len). (NULL, 0) is empty, (NULL, n) is an error, and the length KHUFU_NTS
 *   means "up to the NUL". Text is UTF-8. What a function takes it copies.
 * - A function that can fail returns a khufu_status. Each may return KHUFU_ERR_ARGUMENT (a handle or an output is NULL, a
 *   text is (NULL, n)), KHUFU_ERR_UTF8 if it takes text, and KHUFU_ERR_INTERNAL (a defect of khufu).
 * - The detail of the last failure stands on the handle that failed: khufu_options_error, khufu_session_error,
 *   khufu_subject_error.
 * - Outputs come last. None may be NULL unless its comment says so. On failure they are NULL, 0 or false.
 * - A borrowed text belongs to its handle and is not NUL-terminated. No function makes the caller free a text.
 * - A call that fails leaves the session as it was. Freeing NULL does nothing.
 * - Times are in seconds since the Unix epoch, durations in seconds, sizes in bytes.
 * - A factory may be shared between threads. Options, sessions and subjects belong to one thread at a time.
 * - No function exits or prints, except for the report of a defect of khufu on standard error. After fork a child makes
 *   its own connections and locks.
 */

#ifndef KHUFU_H
#define KHUFU_H

/* Generated from src/ffi by `make header`; do not edit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** As a length: the text ends at its NUL. */
#define KHUFU_NTS SIZE_MAX

/** A function whose status must not be ignored, because data could be lost or a check skipped. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define KHUFU_MUST_USE [[nodiscard]]
#elif defined(__GNUC__)
#define KHUFU_MUST_USE __attribute__((warn_unused_result))
#else
#define KHUFU_MUST_USE
#endif

/** The version of this header. khufu_version returns the library's version. */
#define KHUFU_VERSION "0.1.0"
/** The first part of the version. */
#define KHUFU_VERSION_MAJOR 0
/** The second part of the version. */
#define KHUFU_VERSION_MINOR 1
/** The third part of the version. */
#define KHUFU_VERSION_PATCH 0

/**
 * The version of the ABI: the number in the shared library's soname. It changes when a program that was built with an
 * older header would no longer work.
 */
#define KHUFU_ABI_VERSION 1

/**
 * The size of a buffer for a secret that signs: 128 hexadecimal digits and a NUL.
 */
#define KHUFU_SIGNING_SECRET_SIZE 129

/**
 * The size of a buffer for a secret that encrypts: 64 hexadecimal digits and a NUL.
 */
#define KHUFU_ENCRYPTION_SECRET_SIZE 65

/**
 * A flag of khufu_session_open_with: reading the session neither renews its cookie nor extends its life. Use it for polls
 * and health checks. The session can still be changed.
 */
#define KHUFU_OPEN_PASSIVE 1

/**
 * A flag of khufu_session_commit: the request ended in an exception. Without the option set_on_exception nothing is
 * written then, except that an invalidated session ends; what was set after khufu_session_invalidate is dropped.
 */
#define KHUFU_COMMIT_EXCEPTION 1

/**
 * The result of a call. Numbers are never reused; later versions may add some.
 */
enum khufu_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call did what it says.
   */
  KHUFU_OK = 0,
  /**
   * There is no such key, or a cursor is at its end.
   */
  KHUFU_NOT_FOUND = 1,
  /**
   * A handle or an output is NULL, a text is (NULL, n), a flag is unknown, or a time is invalid.
   */
  KHUFU_ERR_ARGUMENT = 2,
  /**
   * A text is not UTF-8.
   */
  KHUFU_ERR_UTF8 = 3,
  /**
   * A value is not JSON, or nests deeper than 500 levels; for an update, it is not an object.
   */
  KHUFU_ERR_JSON = 4,
  /**
   * The key holds a value of another type.
   */
  KHUFU_ERR_TYPE = 5,
  /**
   * A number does not fit or is not finite, or a text is longer than a session can hold (2 GiB).
   */
  KHUFU_ERR_RANGE = 6,
  /**
   * Browsers would drop the cookie: its value would have more than 4064 bytes, or name and value together more than 4096.
   */
  KHUFU_ERR_TOO_LARGE = 7,
  /**
   * An option has an unknown name or a wrong value, or options contradict each other.
   */
  KHUFU_ERR_OPTION = 8,
  /**
   * Commit would overwrite a session that is genuine, but could not be read here.
   */
  KHUFU_ERR_UNSUPPORTED = 9,
  /**
   * The system's source of random bytes failed.
   */
  KHUFU_ERR_RANDOM = 10,
  /**
   * A defect of khufu: please report it.
   */
  KHUFU_ERR_INTERNAL = 11,
  /**
   * The store failed or took too long.
   */
  KHUFU_ERR_STORE = 12,
  /**
   * Other requests kept changing the session until the time was up: commit again. If that does not help, open the session anew.
   */
  KHUFU_ERR_CONFLICT = 13,
  /**
   * Another request has ended the session or given it a new id: send no cookie.
   */
  KHUFU_ERR_GONE = 14,
  /**
   * The library that the option library names keeps this key for itself.
   */
  KHUFU_ERR_KEY = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum khufu_status khufu_status;
#else
typedef int32_t khufu_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the request's session cookie was opened. Numbers are never reused; later versions may add some.
 */
enum khufu_load_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The request had no cookie of the name: the session is new.
   */
  KHUFU_LOAD_NONE = 0,
  /**
   * The session is the one that the browser sent.
   */
  KHUFU_LOAD_LOADED = 1,
  /**
   * The session is the browser's, sealed with a previous secret: commit writes it again with the current one.
   */
  KHUFU_LOAD_LOADED_PREVIOUS_SECRET = 2,
  /**
   * The session is the browser's, in another accepted format: commit writes it again in the current one.
   */
  KHUFU_LOAD_LOADED_OTHER_FORMAT = 3,
  /**
   * The browser's session was idle for too long: the session is new.
   */
  KHUFU_LOAD_EXPIRED = 4,
  /**
   * The cookie's signature or encryption is wrong: the session is new.
   */
  KHUFU_LOAD_BAD_SIGNATURE = 5,
  /**
   * The cookie is not base64, is too short, or its payload is not a session: the session is new.
   */
  KHUFU_LOAD_MALFORMED = 6,
  /**
   * The cookie is genuine but holds something that this library cannot represent: the session is new, and commit
   * refuses to overwrite the browser's unless it is invalidated.
   */
  KHUFU_LOAD_UNSUPPORTED = 7,
  /**
   * The store has no session of that id: it expired or was ended, or a login replaced the id. The session is new.
   */
  KHUFU_LOAD_MISSING = 8,
  /**
   * The store could not be reached, and the option store_on_error is empty: the session is new, and commit refuses
   * to write it.
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
 * Opens sessions, all with the same options: Pyramid's session factory. It never changes and may be shared between
 * threads.
 */
typedef struct khufu_factory khufu_factory;

/**
 * Options of a factory, by name. They belong to one thread at a time.
 */
typedef struct khufu_options khufu_options;

/**
 * One request's session. It belongs to one thread at a time: reading changes it too.
 *
 * What a session hands out (const char **) is borrowed: UTF-8, not NUL-terminated, and valid until the next call that
 * changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it. Reading leaves
 * it valid. Such a text may be given back to the same session, as a key or a value.
 */
typedef struct khufu_session khufu_session;

/**
 * The place where a callback writes its result. It lives until the callback returns.
 */
typedef struct khufu_sink khufu_sink;

/**
 * The sessions of one subject, as they were when khufu_subject_open found them. It belongs to one thread at a time.
 */
typedef struct khufu_subject khufu_subject;

/**
 * A store of the application's own: Pyramid's "creating your own session factory".
 *
 * A record is bytes with a generation, a number from 1 on. Callbacks run on the thread that opens or commits, possibly
 * several at once; store_timeout cannot interrupt them; no exception or longjmp may leave them. Each gets the user data
 * that was given with the table, and a key (64 hexadecimal digits, not NUL-terminated). ttl says how many seconds from
 * now a record is kept: at least 1, or negative: without an end. An expired record is not there.
 *
 * list, unlist and members keep the keys of a subject's records, so that a user's sessions can be listed and ended. They
 * may be NULL, all three: then calls that need subjects are refused. A subject is 64 hexadecimal digits, too.
 */
typedef struct {
  /**
   * sizeof(khufu_store_vtable), so that the table can grow.
   */
  size_t struct_size;
  /**
   * Writes a key's record into the sink and sets its generation. Returns KHUFU_OK, KHUFU_NOT_FOUND, or
   * KHUFU_ERR_STORE.
   */
  int32_t (*load)(void *user_data, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation);
  /**
   * In one step: if the key's record has the generation expected (0: there is no record), puts the new record in its
   * place and returns KHUFU_OK. Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or
   * KHUFU_ERR_CONFLICT if there is another one. If it failed, it returns KHUFU_ERR_STORE.
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
   * In one step: if the key's record has this generation, puts the given bytes (which say when the session was used)
   * in its place, keeps the generation, extends its life, and returns KHUFU_OK. Otherwise it changes nothing and
   * returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is another one. If it
   * failed, it returns KHUFU_ERR_STORE.
   */
  int32_t (*touch)(void *user_data,
                   const char *key,
                   size_t key_len,
                   uint64_t generation,
                   const char *record,
                   size_t record_len,
                   double ttl);
  /**
   * In one step: removes the key's record if it has the generation expected (0: any generation), and returns KHUFU_OK.
   * Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there
   * is another one. If it failed, it returns KHUFU_ERR_STORE.
   */
  int32_t (*remove)(void *user_data, const char *key, size_t key_len, uint64_t expected);
  /**
   * Notes that a key belongs to a subject, for at least ttl seconds; noting it again never shortens that. Called before
   * the record is saved or touched. Returns KHUFU_OK or KHUFU_ERR_STORE. May be NULL.
   */
  int32_t (*list)(void *user_data,
                  const char *subject,
                  size_t subject_len,
                  const char *key,
                  size_t key_len,
                  double ttl);
  /**
   * Takes such a note back, if there is one. Called after the record was removed. Returns KHUFU_OK or KHUFU_ERR_STORE.
   * May be NULL.
   */
  int32_t (*unlist)(void *user_data, const char *subject, size_t subject_len, const char *key, size_t key_len);
  /**
   * Writes into the sink the keys that belong to a subject, 64 digits each, with nothing between them. Returns KHUFU_OK
   * or KHUFU_ERR_STORE. May be NULL.
   */
  int32_t (*members)(void *user_data, const char *subject, size_t subject_len, khufu_sink *sink);
  /**
   * Called once, when no options, factory or session uses the table any more, by the call that frees or replaces the
   * last of them. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_store_vtable;

/**
 * A serializer of the application's own: it writes payloads in another form than JSON or pickle.
 *
 * A payload stands for a JSON text. For a cookie the text is the array [renewed, created, state]. For a record of a
 * store it is the state alone, an object.
 *
 * Callbacks run on the thread that opens or commits, possibly several at once; no exception or longjmp may leave them.
 */
typedef struct {
  /**
   * sizeof(khufu_serializer_vtable), so that the table can grow.
   */
  size_t struct_size;
  /**
   * Writes into the sink the JSON text that a payload stands for. Returns KHUFU_OK, or another status if it is no
   * such payload: the cookie or record is malformed then.
   */
  int32_t (*loads)(void *user_data, const char *payload, size_t payload_len, khufu_sink *sink);
  /**
   * Writes into the sink the payload that stands for a JSON text. Returns KHUFU_OK, or another status if it cannot:
   * commit fails with KHUFU_ERR_UNSUPPORTED then.
   */
  int32_t (*dumps)(void *user_data, const char *json, size_t json_len, khufu_sink *sink);
  /**
   * Called once, when no options, factory or session uses the table any more, by the call that frees or replaces the
   * last of them. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_serializer_vtable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ==== Version and secrets ==== */

/**
 * The ABI version of the library that is running. A program checks khufu_abi_version() == KHUFU_ABI_VERSION.
 */
uint32_t khufu_abi_version(void);

/**
 * The version of the library that is running, for example "0.1.0".
 *
 * @return static NUL-terminated text, never NULL.
 */
const char *khufu_version(void);

/**
 * Writes a new random secret, as hexadecimal digits and a NUL, into the caller's buffer.
 *
 * @param buffer      not NULL; filled with buffer_len - 1 digits and a NUL.
 * @param buffer_len  in bytes: KHUFU_SIGNING_SECRET_SIZE for signing (give the text as the option secret, here and
 *                    to Pyramid), KHUFU_ENCRYPTION_SECRET_SIZE for encryption; any odd number from 33 on.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (nothing was written); KHUFU_ERR_RANDOM (the buffer is empty text).
 */
KHUFU_MUST_USE
khufu_status khufu_generate_secret(char *buffer,
                                   size_t buffer_len);

/* ==== Statuses and load results ==== */

/**
 * The meaning of a status, in a few words.
 *
 * @param status  any number.
 * @return static NUL-terminated text, never NULL.
 */
const char *khufu_status_message(int32_t status);

/**
 * The name of a load result, as the documentation writes it: "loaded", "bad_signature".
 *
 * @param load_result  any number; "unknown" for an unknown one.
 * @return static NUL-terminated text, never NULL.
 */
const char *khufu_load_result_name(int32_t load_result);

/* ==== Options ==== */

/**
 * New options, each with its default. Free them with khufu_options_free.
 *
 * @return never NULL.
 */
khufu_options *khufu_options_new(void);

/**
 * Frees options, and zeroes the secrets in them. Factories that were made from them stay.
 *
 * @param options  may be NULL.
 */
void khufu_options_free(khufu_options *options);

/**
 * Sets an option by its name in docs/options.md. An empty value unsets it. An option that may be given many times takes
 * one more value with each call.
 *
 * @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such option, or the value is not allowed: khufu_options_error
 *         says which are). On an error nothing was set.
 */
KHUFU_MUST_USE
khufu_status khufu_options_set(khufu_options *options,
                               const char *name,
                               size_t name_len,
                               const char *value,
                               size_t value_len);

/**
 * Sets options from the text of an INI file: those of one section whose names begin with a prefix.
 *
 * A line is NAME = VALUE, a section in brackets, empty, or a comment that begins with # or ;. A line that begins with
 * white space continues the value above it. Each line of the value of previous_secret is a secret.
 *
 * @param text     the file's text.
 * @param section  the section's name, for example "app:main"; (NULL, 0): the lines before the first section.
 * @param prefix   for example "khufu."; options with other names are not looked at. (NULL, 0): every line is an option.
 * @return KHUFU_OK; KHUFU_ERR_OPTION (a line is not understood, or its option is wrong: khufu_options_error names the
 *         line; or there is no such section). If an option is wrong, those before it were set; otherwise none was.
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
 * The detail of the last failure of a call on these options (khufu_factory_new among them); "" if none failed.
 *
 * @param options  NULL gives "".
 * @return NUL-terminated UTF-8 that never holds a secret, valid until the next call on the options; never NULL.
 */
const char *khufu_options_error(const khufu_options *options);

/* ==== Factory ==== */

/**
 * Makes a factory from options. The options still belong to the caller and may be changed or freed afterwards.
 *
 * @param factory  set to the factory, to be freed with khufu_factory_free, or to NULL on failure.
 * @return KHUFU_OK; KHUFU_ERR_OPTION (no secret, or options that contradict each other: khufu_options_error names
 *         them).
 */
KHUFU_MUST_USE
khufu_status khufu_factory_new(khufu_options *options,
                               khufu_factory **factory);

/**
 * Frees a factory. Its sessions stay usable; its secrets are zeroed with the last of them.
 *
 * @param factory  may be NULL; no other thread may be using it.
 */
void khufu_factory_free(khufu_factory *factory);

/* ==== Session: opening, times, life ==== */

/**
 * Opens a request's session at the current time.
 *
 * A cookie never makes opening fail. If there is none, or it is bad, the session is new and empty:
 * khufu_session_load_result says why, and khufu_session_error explains it.
 *
 * @param cookie_header  the value of the request's Cookie header, any bytes; several headers are joined by "; ".
 * @param session        set to a handle to be freed with khufu_session_free. An open that fails gives a handle, too: it
 *                       has the detail for khufu_session_error, and every other call on it fails.
 * @return KHUFU_OK; KHUFU_ERR_STORE (the session's store failed, and the option store_on_error is fail).
 */
KHUFU_MUST_USE
khufu_status khufu_session_open(const khufu_factory *factory,
                                const char *cookie_header,
                                size_t cookie_header_len,
                                khufu_session **session);

/**
 * Opens a request's session at a given time, within a limit, or passively.
 *
 * @param cookie_header  the value of the request's Cookie header, any bytes; several headers are joined by "; ".
 * @param now            the current time, from 0 to 253402300799 (the year 9999), for tests and replays; negative: the
 *                       clock's.
 * @param seconds        how long the store may take, if that is less than the option store_timeout; negative:
 *                       store_timeout; 0: a session in a store fails at once with KHUFU_ERR_STORE.
 * @param flags          0 or KHUFU_OPEN_PASSIVE.
 * @param session        as in khufu_session_open.
 * @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a time out of range or an unknown flag).
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
 * Opens the session in a cookie's value that came without a Cookie header, for example in another header, a query or a
 * message. khufu_session_value gives such a value.
 *
 * @param value    the value, any bytes.
 * @param now      as in khufu_session_open_with.
 * @param seconds  as in khufu_session_open_with.
 * @param flags    0 or KHUFU_OPEN_PASSIVE.
 * @param session  as in khufu_session_open.
 * @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a time out of range or an unknown flag).
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
 * Frees a session and zeroes its data. What was not committed is lost.
 *
 * @param session  may be NULL.
 */
void khufu_session_free(khufu_session *session);

/**
 * The detail of the last call on this session that failed. After opening: why the cookie was refused, or that the
 * request has cookies but none of the session's name.
 *
 * @param session  NULL gives "".
 * @return NUL-terminated UTF-8 without secrets, valid until the next call on the session; "" if there is nothing to
 *         tell; never NULL. Ask for it after the call has returned, not in the same expression.
 */
const char *khufu_session_error(const khufu_session *session);

/**
 * How the request's session cookie was opened.
 *
 * @param session  NULL gives KHUFU_LOAD_NONE.
 */
khufu_load_result khufu_session_load_result(const khufu_session *session);

/**
 * The name of the accepted format that opened the session, if the load result is KHUFU_LOAD_LOADED_OTHER_FORMAT.
 *
 * @param session  NULL gives "".
 * @return NUL-terminated, valid as long as the session; otherwise ""; never NULL.
 */
const char *khufu_session_load_format(const khufu_session *session);

/**
 * When the session began.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_created(const khufu_session *session);

/**
 * When the session was last read or written; whole seconds once this request has.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_accessed(const khufu_session *session);

/**
 * When the browser's cookie was written.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_renewed(const khufu_session *session);

/**
 * True if the session began with this request.
 *
 * @param session  NULL gives false.
 */
bool khufu_session_is_new(const khufu_session *session);

/**
 * True if commit would write the session.
 *
 * @param session  NULL gives false.
 */
bool khufu_session_is_changed(const khufu_session *session);

/**
 * A name for a session in a store that may be logged, because it opens nothing. For khufu's own records it is the key in
 * the store, and stays the same through every login; for another library's it is the SHA-256 of the session's id.
 *
 * @param id  set to 64 hexadecimal digits, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (before the first commit, and for a session in a cookie).
 */
khufu_status khufu_session_id(khufu_session *session,
                              const char **id,
                              size_t *id_len);

/**
 * Gives a session in a store a new id at commit, against session fixation: call it when a user has logged in. For the
 * option regenerate_grace seconds the old id still shows the data as they were before, to be read only. A session in a
 * cookie has no id, and is only written again.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_regenerate_id(khufu_session *session);

/**
 * Drops all data and starts over: the session is new, created now. What is set afterwards belongs to the new session; if
 * nothing is, commit clears the browser's cookie. Log a user out with it.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_invalidate(khufu_session *session);

/**
 * Marks the session changed, though nothing was set: commit writes it.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_mark_changed(khufu_session *session);

/**
 * Sets whose session it is, so that khufu_subject_open finds it.
 *
 * @param subject  for example "user-42"; (NULL, 0): nobody's.
 * @return KHUFU_OK; KHUFU_ERR_RANGE (more than 65,535 bytes); KHUFU_ERR_ARGUMENT (also for a session in a
 *         cookie or in another library's record, which has no subject).
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_subject(khufu_session *session,
                                       const char *subject,
                                       size_t subject_len);

/**
 * Whose session it is, as khufu_session_set_subject set it.
 *
 * @param subject  set to the subject, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (nobody's).
 */
khufu_status khufu_session_subject(khufu_session *session, const char **subject, size_t *subject_len);

/**
 * Sets how long the session lives when it is not used ("remember me").
 *
 * A store keeps the lifetime: from now on the session's idle time and its cookie's Max-Age follow it. A cookie has no
 * place for it, and neither has another library's record: there it is only the Max-Age of the next commit's cookie.
 *
 * @param seconds  the lifetime, at most 10,000,000,000; 0: as the options say.
 * @return KHUFU_OK; KHUFU_ERR_RANGE.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_lifetime(khufu_session *session,
                                        uint64_t seconds);

/**
 * Sets an attribute of the next commit's cookie.
 *
 * @param name   max_age, secure, httponly, samesite or partitioned.
 * @param value  a value that the option of this name accepts; empty: unset.
 * @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such attribute, or browsers would drop the cookie).
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_attribute(khufu_session *session,
                                         const char *name,
                                         size_t name_len,
                                         const char *value,
                                         size_t value_len);

/* ==== Session: reading the dictionary ==== */

/**
 * The value of a key as JSON text.
 *
 * @param json     set to the value's JSON text, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (the value holds NaN or an infinity, which JSON does not have).
 */
khufu_status khufu_session_get(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * The text of a key that holds a string.
 *
 * @param string   set to the text, borrowed. It may hold NULs.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (another type, or a string with a lone surrogate, which UTF-8 cannot write).
 */
khufu_status khufu_session_get_string(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char **string,
                                      size_t *string_len);

/**
 * The value of a key that holds an integer.
 *
 * @param value    set to the value.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (another type, or a number that is written as a float);
 *         KHUFU_ERR_RANGE (it does not fit in 64 bits).
 */
khufu_status khufu_session_get_int64(khufu_session *session, const char *key, size_t key_len, int64_t *value);

/**
 * The value of a key that holds a number, NaN and the infinities included.
 *
 * @param value    set to the value.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE; KHUFU_ERR_RANGE (it overflows).
 */
khufu_status khufu_session_get_double(khufu_session *session, const char *key, size_t key_len, double *value);

/**
 * The value of a key that holds true or false.
 *
 * @param value    set to the value.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE.
 */
khufu_status khufu_session_get_bool(khufu_session *session, const char *key, size_t key_len, bool *value);

/**
 * Tells whether a key is there.
 *
 * @param found    set to the answer.
 * @return KHUFU_OK.
 */
khufu_status khufu_session_contains(khufu_session *session, const char *key, size_t key_len, bool *found);

/**
 * The number of keys.
 *
 * @param session  NULL gives 0.
 */
size_t khufu_session_length(khufu_session *session);

/**
 * The next key and its value, in the order in which keys were added. Do not change the session in the loop: deleting a
 * key would skip the next one, and setting one would end what was borrowed.
 *
 * @param cursor   0 before the first call; each call moves it on.
 * @param key      set to the key, borrowed; a lone surrogate in it shows as U+FFFD.
 * @param json     set to the value's JSON text, borrowed; NaN and the infinities in it show as null.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (at the end).
 */
khufu_status khufu_session_next(khufu_session *session,
                                size_t *cursor,
                                const char **key,
                                size_t *key_len,
                                const char **json,
                                size_t *json_len);

/**
 * The whole session as a JSON object, its keys in order; NaN and the infinities show as null.
 *
 * @param json     set to the text, borrowed.
 * @return KHUFU_OK.
 */
khufu_status khufu_session_to_json(khufu_session *session, const char **json, size_t *json_len);

/* ==== Session: writing the dictionary ==== */

/**
 * Sets a key to a value, given as JSON text. White space between its parts is dropped.
 *
 * @param json     one JSON value, nested at most 500 levels.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_RANGE (longer than 2 GiB, or a number that Python does not
 *         read back: an integer of more than 4,300 digits, or a float that overflows a double). On an
 *         error nothing was set.
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
 * @param string   may hold NULs.
 * @return KHUFU_OK; KHUFU_ERR_RANGE (longer than 2 GiB). On an error nothing was set.
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
 * @return KHUFU_OK. On an error nothing was set.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_int64(khufu_session *session,
                                     const char *key,
                                     size_t key_len,
                                     int64_t value);

/**
 * Sets a key to a float. It is written with a fraction or an exponent, so that it stays a float in every language.
 *
 * @return KHUFU_OK; KHUFU_ERR_RANGE (it is not finite). On an error nothing was set.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_double(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      double value);

/**
 * Sets a key to true or false.
 *
 * @return KHUFU_OK. On an error nothing was set.
 */
KHUFU_MUST_USE
khufu_status khufu_session_set_bool(khufu_session *session,
                                    const char *key,
                                    size_t key_len,
                                    bool value);

/**
 * Sets a key to null.
 *
 * @return KHUFU_OK. On an error nothing was set.
 */
KHUFU_MUST_USE khufu_status khufu_session_set_null(khufu_session *session, const char *key, size_t key_len);

/**
 * The value of a key as JSON text. A key that is not there is set first; a key that is there stays as it is.
 *
 * @param json     one JSON value, nested at most 500 levels.
 * @param value    may be NULL, with value_len; set to the key's value as JSON text, borrowed.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (as khufu_session_get); KHUFU_ERR_RANGE (as
 *         khufu_session_set). On an error nothing was set.
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
 * Sets each member of a JSON object as a key, or none on an error. A value replaces the one that was there.
 *
 * @param json     a JSON object, nested at most 500 levels.
 * @return KHUFU_OK; KHUFU_ERR_JSON (also: not an object); KHUFU_ERR_UTF8 (also: a key with a lone surrogate);
 *         KHUFU_ERR_RANGE (as khufu_session_set).
 */
KHUFU_MUST_USE khufu_status khufu_session_update(khufu_session *session, const char *json, size_t json_len);

/**
 * Adds an element, given as JSON text, to the end of the list at a key. A key that is not there becomes a list. Elements
 * that several requests append to a session in a store at the same time all stay.
 *
 * @param json     one JSON value, nested at most 500 levels.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the key holds something other than a list); KHUFU_ERR_RANGE (as
 *         khufu_session_set). On an error nothing was added.
 */
KHUFU_MUST_USE
khufu_status khufu_session_append(khufu_session *session,
                                  const char *key,
                                  size_t key_len,
                                  const char *json,
                                  size_t json_len);

/**
 * Adds to the integer at a key. A key that is not there counts as 0. What several requests add to a session in a store at
 * the same time adds up.
 *
 * @param by       the number to add; negative to subtract.
 * @param result   may be NULL; set to the sum.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the key holds something other than an integer); KHUFU_ERR_RANGE (the integer or the
 *         sum does not fit in 64 bits). On an error nothing was added.
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
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged).
 */
khufu_status khufu_session_delete(khufu_session *session, const char *key, size_t key_len);

/**
 * Deletes a key and gives its value as JSON text.
 *
 * @param json     set to the value's JSON text, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_TYPE (as khufu_session_get: the key stays).
 */
khufu_status khufu_session_pop(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * Deletes every key. The session stays the same one; khufu_session_invalidate begins a new one.
 *
 * @return KHUFU_OK.
 */
khufu_status khufu_session_clear(khufu_session *session);

/* ==== Session: flash messages ==== */

/**
 * Adds a message, given as JSON text, to the end of a queue: a later request shows it.
 *
 * @param json     the message, one JSON value, nested at most 500 levels.
 * @param queue    the queue's name; (NULL, 0): the default queue.
 * @param allow_duplicate  false: a message that equals one in the queue is not added, and the session stays unchanged.
 *                 Messages are compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the queue's key holds something other than a list);
 *         KHUFU_ERR_RANGE (as khufu_session_set). On an error nothing was added.
 */
KHUFU_MUST_USE
khufu_status khufu_session_flash(khufu_session *session,
                                 const char *json,
                                 size_t json_len,
                                 const char *queue,
                                 size_t queue_len,
                                 bool allow_duplicate);

/**
 * Adds a message, given as text, to the end of a queue: a later request shows it.
 *
 * @param string   the message; it may hold NULs.
 * @param queue    the queue's name; (NULL, 0): the default queue.
 * @param allow_duplicate  false: a message that equals one in the queue is not added, and the session stays unchanged.
 *                 Messages are compared as Python compares them: 1 equals 1.0, and the order of keys is ignored.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list);
 *         KHUFU_ERR_RANGE. On an error nothing was added.
 */
KHUFU_MUST_USE
khufu_status khufu_session_flash_string(khufu_session *session,
                                        const char *string,
                                        size_t string_len,
                                        const char *queue,
                                        size_t queue_len,
                                        bool allow_duplicate);

/**
 * Takes all messages out of a queue.
 *
 * @param queue    the queue's name; (NULL, 0): the default queue.
 * @param json     set to a JSON array of the messages, the oldest first, "[]" if there is none; borrowed.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list, or NaN; the queue stays);
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_pop_flash(khufu_session *session,
                                     const char *queue,
                                     size_t queue_len,
                                     const char **json,
                                     size_t *json_len);

/**
 * All messages of a queue, which stay there.
 *
 * @param queue    the queue's name; (NULL, 0): the default queue.
 * @param json     set to a JSON array of the messages, the oldest first, "[]" if there is none; borrowed.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something other than a list, or NaN; the queue stays);
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_peek_flash(khufu_session *session,
                                      const char *queue,
                                      size_t queue_len,
                                      const char **json,
                                      size_t *json_len);

/**
 * The next message of a queue as text, the oldest first: the text of a string, or the JSON text of another value. The
 * messages stay in the queue; take them out with khufu_session_pop_flash after the loop.
 *
 * @param queue    the queue's name; (NULL, 0): the default queue.
 * @param cursor   0 before the first call; each call moves it on.
 * @param string   set to the message, borrowed. It may hold NULs. A lone surrogate in it shows as U+FFFD.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (at the end); KHUFU_ERR_TYPE (the queue's key holds something other than a list).
 */
khufu_status khufu_session_next_flash(khufu_session *session,
                                      const char *queue,
                                      size_t queue_len,
                                      size_t *cursor,
                                      const char **string,
                                      size_t *string_len);

/* ==== Session: CSRF tokens ==== */

/**
 * The session's CSRF token. A session that has none gets a new one.
 *
 * @param token    set to the token, borrowed.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM.
 */
khufu_status khufu_session_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Sets a new CSRF token, 40 hex digits, and gives it.
 *
 * @param token    set to the token, borrowed.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM.
 */
khufu_status khufu_session_new_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Tells whether a token is the session's. They are compared in constant time. A session without a token refuses every
 * token.
 *
 * @param token    any bytes.
 * @param valid    set to the answer.
 * @return KHUFU_OK, whatever the answer.
 */
KHUFU_MUST_USE
khufu_status khufu_session_check_csrf_token(khufu_session *session,
                                            const char *token,
                                            size_t token_len,
                                            bool *valid);

/* ==== Session: commit, and the response's headers ==== */

/**
 * Writes the session if it changed, and makes the headers that the response needs: get them with khufu_session_header
 * or khufu_session_headers.
 *
 * The commits of one request add up: send the headers that are there after the last one. An invalidated session gives
 * Set-Cookie values that clear the browser's cookie, if the browser has one: two if the option domain is set (with it,
 * and without it), otherwise one.
 *
 * On an error the session is as it was, still changed, and the headers are those of the last commit that succeeded. An
 * invalidated session's headers clear the cookie even if the store fails, so that a logout reaches the browser.
 *
 * @param flags  0 or KHUFU_COMMIT_EXCEPTION.
 * @return KHUFU_OK;
 *         KHUFU_ERR_TOO_LARGE: browsers would drop the cookie, because its value would have more than 4064 bytes, or name
 *         and value together more than 4096. Delete a key and commit again;
 *         KHUFU_ERR_UNSUPPORTED: the browser's session could not be read here and is not overwritten. Invalidate it to
 *         begin a new one;
 *         KHUFU_ERR_KEY: the library in the option library keeps one of the session's keys for itself;
 *         KHUFU_ERR_RANGE: an integer that a pickle cannot hold, or a sum of khufu_session_increment that overflows once
 *         another request has added to it;
 *         KHUFU_ERR_STORE: commit again; what was saved without an answer is not done twice;
 *         KHUFU_ERR_CONFLICT: commit again; if that does not help, open the session anew;
 *         KHUFU_ERR_GONE: another request has ended the session or given it a new id. There is no Set-Cookie header;
 *         KHUFU_ERR_RANDOM.
 */
KHUFU_MUST_USE
khufu_status khufu_session_commit(khufu_session *session,
                                  uint32_t flags);

/**
 * Commits as khufu_session_commit does, within a limit.
 *
 * @param flags    0 or KHUFU_COMMIT_EXCEPTION.
 * @param seconds  how long the store may take, if that is less than the option store_timeout; negative: store_timeout;
 *                 0: a session that is to be written to a store fails at once with KHUFU_ERR_STORE.
 * @return as khufu_session_commit.
 */
KHUFU_MUST_USE
khufu_status khufu_session_commit_with(khufu_session *session,
                                       uint32_t flags,
                                       double seconds);

/**
 * A header that the response needs after the commits so far: Set-Cookie, Vary or Cache-Control. Add it to the response's
 * own headers: a Vary joins those that are there, and a Cache-Control must not weaken no-store or private.
 *
 * @param index  counted from 0.
 * @param name   set to the header's name, borrowed.
 * @param value  set to the header's value, borrowed.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (past the last).
 */
khufu_status khufu_session_header(const khufu_session *session,
                                  size_t index,
                                  const char **name,
                                  size_t *name_len,
                                  const char **value,
                                  size_t *value_len);

/**
 * All headers that the response needs after the commits so far, as one text of lines: "Name: value\r\n". Bindings use it
 * to cross the border once.
 *
 * @param headers  set to the text, borrowed until the next call on the session; empty if there are no headers.
 * @return KHUFU_OK.
 */
khufu_status khufu_session_headers(khufu_session *session,
                                   const char **headers,
                                   size_t *headers_len);

/**
 * The value that the session's cookie carries now, for another way to transport it: see khufu_session_open_value.
 *
 * @param data  set to the value, borrowed until the next call on the session.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (there is no cookie, or it is to be cleared, or a session in a cookie has changes that
 *         are not committed); KHUFU_ERR_UNSUPPORTED (of a custom serializer); KHUFU_ERR_RANDOM.
 */
khufu_status khufu_session_value(khufu_session *session,
                                 const char **data,
                                 size_t *len);

/* ==== All sessions of one user ==== */

/**
 * Finds a subject's sessions: those that khufu_session_set_subject gave this subject, in any process.
 *
 * @param factory      a factory of the type store.
 * @param sessions     set to a handle to be freed with khufu_subject_free. An open that fails gives a handle, too: it has
 *                     the detail for khufu_subject_error, and every other call on it fails.
 * @return KHUFU_OK, also if there are no sessions; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT (also for a factory whose sessions
 *         are in cookies or in another library's records).
 */
KHUFU_MUST_USE
khufu_status khufu_subject_open(const khufu_factory *factory,
                                const char *subject,
                                size_t subject_len,
                                khufu_subject **sessions);

/**
 * Frees a handle that khufu_subject_open gave.
 *
 * @param subject  may be NULL.
 */
void khufu_subject_free(khufu_subject *subject);

/**
 * The detail of the last call on this subject that failed; "" if none failed.
 *
 * @param subject  NULL gives "".
 * @return NUL-terminated UTF-8, valid until the next call on the subject; never NULL.
 */
const char *khufu_subject_error(const khufu_subject *subject);

/**
 * The next session of the subject. The session that was used last comes first.
 *
 * @param cursor   0 before the first call; each call moves it on.
 * @param id       set to the session's id as khufu_session_id gives it, borrowed until the subject is freed.
 * @param created  set to the time when the session began.
 * @param accessed set to the time when the session was last used.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (at the end).
 */
khufu_status khufu_subject_next(khufu_subject *subject,
                                size_t *cursor,
                                const char **id,
                                size_t *id_len,
                                double *created,
                                double *accessed);

/**
 * Ends one session of the subject, in whatever process it is used.
 *
 * @param id  the session's id as khufu_session_id gives it.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the subject has no such session); KHUFU_ERR_STORE.
 */
KHUFU_MUST_USE khufu_status khufu_subject_revoke(khufu_subject *subject, const char *id, size_t id_len);

/**
 * Ends every session of the subject except one, those that began after khufu_subject_open included.
 *
 * @param except   the id of the session that stays, as khufu_session_id gives it; (NULL, 0): none stays.
 * @param revoked  may be NULL; set to the number of sessions that were ended.
 * @return KHUFU_OK; KHUFU_ERR_STORE, also if the listed sessions were ended but the server may have evicted others from
 *         the list (a Redis whose maxmemory-policy is not noeviction; khufu_subject_error says how many were ended).
 */
KHUFU_MUST_USE
khufu_status khufu_subject_revoke_all(khufu_subject *subject,
                                      const char *except,
                                      size_t except_len,
                                      size_t *revoked);

/* ==== Callbacks of a store and a serializer of the application's own ==== */

/**
 * Appends bytes to a sink. A callback that was given the sink may call this as often as it likes.
 *
 * @param data     any bytes.
 * @return KHUFU_OK.
 */
khufu_status khufu_sink_write(khufu_sink *sink, const char *data, size_t len);

/* ==== Custom stores and serializers ==== */

/**
 * Keeps sessions in a store of the application's own, and sets the option type to store.
 *
 * @param table     copied. load, save, touch and remove are needed; list, unlist and members go together.
 * @param user_data given to each callback; may be NULL. On failure release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
 */
KHUFU_MUST_USE
khufu_status khufu_options_set_store(khufu_options *options,
                                     const khufu_store_vtable *table,
                                     void *user_data);

/**
 * Reads and writes payloads with a serializer of the application's own instead of the one in the option serializer.
 *
 * @param table     copied. All callbacks but release are needed.
 * @param user_data given to each callback; may be NULL. On failure release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
 */
KHUFU_MUST_USE
khufu_status khufu_options_set_serializer(khufu_options *options,
                                          const khufu_serializer_vtable *table,
                                          void *user_data);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KHUFU_H */
