/*
 * khufu: the sessions of the Pyramid web framework, for every language that can call C.
 *
 * Text and bytes are (const char *data, size_t len); len KHUFU_NTS means "up to the NUL", (NULL, 0) is empty, (NULL, n)
 * is an error. Text is UTF-8. A function that can fail returns a khufu_status; the detail of the last failure stands on
 * the handle that failed. Outputs come last, and are NULL, 0 or false on failure. Times are in seconds since the Unix
 * epoch. A handle that is NULL is an error, never a crash; freeing NULL does nothing. No function exits;
 * none prints, but for the report of a defect of khufu itself on standard error. The only global state is what fork needs:
 * a child makes its own connections and locks.
 */

#ifndef KHUFU_H
#define KHUFU_H

/* Generated from src/ffi by `make header`; do not edit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** As a length: the text ends at its NUL. */
#define KHUFU_NTS SIZE_MAX

/** The version of this header. khufu_version returns the library's version. */
#define KHUFU_VERSION "0.1.0"
#define KHUFU_VERSION_MAJOR 0
#define KHUFU_VERSION_MINOR 1
#define KHUFU_VERSION_PATCH 0

/**
 * Changes when a program that was built against an older header would no longer work. It is the number in the
 * shared library's soname.
 */
#define KHUFU_ABI_VERSION 1

/**
 * Bytes of a buffer for a secret that signs: 128 hex digits and a NUL.
 */
#define KHUFU_SIGNING_SECRET_SIZE 129

/**
 * Bytes of a buffer for a secret that encrypts: 64 hex digits and a NUL.
 */
#define KHUFU_ENCRYPTION_SECRET_SIZE 65

/**
 * The request ended in an exception: without the option set_on_exception nothing is written. An invalidated session
 * ends all the same; what was set after khufu_session_invalidate is dropped then.
 */
#define KHUFU_COMMIT_EXCEPTION 1

/**
 * What a call came to. Numbers are never reused; later versions may add some.
 */
enum khufu_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It was done.
   */
  KHUFU_OK = 0,
  /**
   * There is no such key, or nothing more: a cursor's end, past the last Set-Cookie value.
   */
  KHUFU_NOT_FOUND = 1,
  /**
   * A handle or an output that is NULL, a text that is (NULL, n), an unknown flag, a time that is none.
   */
  KHUFU_ERR_ARGUMENT = 2,
  /**
   * A key or a text that is not UTF-8.
   */
  KHUFU_ERR_UTF8 = 3,
  /**
   * A value that is not JSON, or nested deeper than 500 levels; for an update, not an object.
   */
  KHUFU_ERR_JSON = 4,
  /**
   * The key holds a value of another type.
   */
  KHUFU_ERR_TYPE = 5,
  /**
   * A number that does not fit, or is not finite; a text that is longer than a session can hold (2 GiB).
   */
  KHUFU_ERR_RANGE = 6,
  /**
   * The cookie's value would be longer than 4064 bytes, or its name and value together than 4096.
   */
  KHUFU_ERR_TOO_LARGE = 7,
  /**
   * An option's name or value, or how options go together.
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
   * A defect of khufu: a panic was caught.
   */
  KHUFU_ERR_INTERNAL = 11,
  /**
   * The store failed, or took longer than it may.
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
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum khufu_status khufu_status;
#else
typedef int32_t khufu_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What opening made of the request's cookies. Numbers are never reused; later versions may add some.
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
   * The same, sealed with a previous secret: commit writes it again with the current one.
   */
  KHUFU_LOAD_LOADED_PREVIOUS_SECRET = 2,
  /**
   * The same, in another accepted format: commit writes it again in the current one.
   */
  KHUFU_LOAD_LOADED_OTHER_FORMAT = 3,
  /**
   * It was idle for longer than the option timeout: the session is new.
   */
  KHUFU_LOAD_EXPIRED = 4,
  /**
   * Its signature or encryption is wrong: the session is new.
   */
  KHUFU_LOAD_BAD_SIGNATURE = 5,
  /**
   * It is not base64, too short, or its payload is no session: the session is new.
   */
  KHUFU_LOAD_MALFORMED = 6,
  /**
   * It is genuine, but holds what this library cannot represent: the session is new, and commit refuses to
   * overwrite the browser's unless it is invalidated.
   */
  KHUFU_LOAD_UNSUPPORTED = 7,
  /**
   * The store has no session of that id: it has expired or was ended, the id was replaced by a login, or never was.
   * The session is new.
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
 * Opens sessions, all with the same options: Pyramid's session factory. Immutable, and safe to share between
 * threads.
 */
typedef struct khufu_factory khufu_factory;

/**
 * Options of a factory, by name. Belongs to one thread at a time.
 */
typedef struct khufu_options khufu_options;

/**
 * One request's session. Belongs to one thread at a time: reading changes it too.
 *
 * What a session hands out (const char **) is borrowed: UTF-8, not NUL-terminated, valid until the next call that
 * changes the session (sets, deletes, flashes, pops, makes a token, invalidates, commits) or frees it. Reading leaves
 * it valid. Such a text may be handed back to the same session, as a key or a value.
 */
typedef struct khufu_session khufu_session;

/**
 * Where a callback writes what it found. Lives until the callback returns.
 */
typedef struct khufu_sink khufu_sink;

/**
 * The sessions of one subject, as they were when it was opened. Belongs to one thread at a time.
 */
typedef struct khufu_subject khufu_subject;

/**
 * A store of the caller's own: Pyramid's "creating your own session factory".
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
   * In one step: if the key's record has the generation expected (0: there is none), puts the new record in its place
   * and returns KHUFU_OK. Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or
   * KHUFU_ERR_CONFLICT if there is another. KHUFU_ERR_STORE if it failed.
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
   * returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is another. KHUFU_ERR_STORE if it
   * failed.
   */
  int32_t (*touch)(void *user_data,
                   const char *key,
                   size_t key_len,
                   uint64_t generation,
                   const char *record,
                   size_t record_len,
                   double ttl);
  /**
   * In one step: removes the key's record if it has the generation expected (0: whatever it has), and returns KHUFU_OK.
   * Otherwise it changes nothing and returns KHUFU_ERR_GONE if there is no record, or KHUFU_ERR_CONFLICT if there is
   * another. KHUFU_ERR_STORE if it failed.
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
   * Called once, when options, factories and sessions that use the table are all gone: by the call that frees or
   * replaces the last of them. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_store_vtable;

/**
 * A serializer of the caller's own: payloads in another form than JSON or pickle.
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
   * Called once, when options, factories and sessions that use the table are all gone: by the call that frees or
   * replaces the last of them. May be NULL.
   */
  void (*release)(void *user_data);
} khufu_serializer_vtable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The ABI version of the library that is running. A program checks khufu_abi_version() == KHUFU_ABI_VERSION.
 */
uint32_t khufu_abi_version(void);

/**
 * The version of the library that is running, as "0.1.0". Static text, NUL-terminated, never NULL.
 */
const char *khufu_version(void);

/**
 * Writes a new random secret, as hex digits and a NUL, into the caller's buffer.
 *
 * @param buffer      not NULL; filled with buffer_len - 1 digits and a NUL.
 * @param buffer_len  in bytes: KHUFU_SIGNING_SECRET_SIZE for signing (give the text as the option secret, here and
 *                    to Pyramid), KHUFU_ENCRYPTION_SECRET_SIZE for encryption; any odd number from 33 on.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (nothing was written); KHUFU_ERR_RANDOM (the buffer is empty text).
 */
khufu_status khufu_generate_secret(char *buffer,
                                   size_t buffer_len);

/**
 * What a status means, in a few words.
 *
 * Takes any number; of an unknown one it says so. Gives static text, NUL-terminated, never NULL.
 */
const char *khufu_status_message(int32_t status);

/**
 * A load result's name as the documentation writes it: "loaded", "bad_signature".
 *
 * Takes any number; of an unknown one it says "unknown". Gives static text, NUL-terminated, never NULL.
 */
const char *khufu_load_result_name(int32_t load_result);

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
 * Sets an option, by its name in docs/options.md. An empty value unsets it.
 *
 * @param options  not NULL.
 * @param name     UTF-8, copied; (NULL, 0) is empty, name_len KHUFU_NTS means up to the NUL.
 * @param value    the same. An option that may be given many times takes one more with each call.
 * @return KHUFU_OK; KHUFU_ERR_OPTION (there is no such option, or the value is not allowed: khufu_options_error
 *         says which are); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_options_set(khufu_options *options,
                               const char *name,
                               size_t name_len,
                               const char *value,
                               size_t value_len);

/**
 * The detail of the last failure of a call on these options (khufu_factory_new among them); "" where none failed.
 *
 * @param options  NULL gives "".
 * @return NUL-terminated UTF-8 that never holds a secret, valid until the next call on the options; never NULL.
 */
const char *khufu_options_error(const khufu_options *options);

/**
 * Appends bytes to a sink; to be called by a callback that was given it, as often as it likes.
 *
 * @param sink     not NULL.
 * @param data     any bytes, copied; (NULL, 0) is empty.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_sink_write(khufu_sink *sink, const char *data, size_t len);

/**
 * Keeps sessions in a store of the caller's own; says type=store, too.
 *
 * @param options   not NULL.
 * @param table     not NULL; copied. load, save, touch and remove are needed; list, unlist and members go together.
 * @param user_data given to each callback; may be NULL. On failure release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
 */
khufu_status khufu_options_set_store(khufu_options *options,
                                     const khufu_store_vtable *table,
                                     void *user_data);

/**
 * Reads and writes payloads with a serializer of the caller's own, in place of the option serializer.
 *
 * @param options   not NULL.
 * @param table     not NULL; copied. All callbacks but release are needed.
 * @param user_data given to each callback; may be NULL. On failure release is not called.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT (a callback is missing, or struct_size is too small).
 */
khufu_status khufu_options_set_serializer(khufu_options *options,
                                          const khufu_serializer_vtable *table,
                                          void *user_data);

/**
 * Makes a factory from options, which stay the caller's and may be changed or freed afterwards.
 *
 * @param options  not NULL.
 * @param factory  not NULL; set to the factory, to be freed with khufu_factory_free, or to NULL on failure.
 * @return KHUFU_OK; KHUFU_ERR_OPTION (no secret, or options that contradict each other: khufu_options_error names
 *         them); KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_factory_new(khufu_options *options,
                               khufu_factory **factory);

/**
 * Frees a factory. Sessions of it may live on; with the last one its secrets are zeroed.
 *
 * @param factory  may be NULL; no other thread may be using it.
 */
void khufu_factory_free(khufu_factory *factory);

/**
 * Opens a request's session, at the current time.
 *
 * A cookie never makes opening fail: where there is none, or it is bad, the session is new and empty;
 * khufu_session_load_result says what it was, khufu_session_error why it was refused.
 *
 * @param factory            not NULL.
 * @param cookie_header      the value of the request's Cookie header (several joined by "; "), copied as needed; any
 *                           bytes; (NULL, 0) where there is none; cookie_header_len KHUFU_NTS means up to the NUL.
 * @param session            not NULL (the one failure without a handle); set to a handle to be freed with
 *                           khufu_session_free, on failure too (then khufu_session_error tells the detail, and every
 *                           other call on it fails).
 * @return KHUFU_OK; KHUFU_ERR_STORE (the session's store failed, and the option store_on_error is fail);
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_open(const khufu_factory *factory,
                                const char *cookie_header,
                                size_t cookie_header_len,
                                khufu_session **session);

/**
 * The same, with a limit to how long a store may take.
 *
 * @param seconds  how long this call may take, from now, where that is less than the option store_timeout; more than 0.
 * @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_open_deadline(const khufu_factory *factory,
                                         const char *cookie_header,
                                         size_t cookie_header_len,
                                         double seconds,
                                         khufu_session **session);

/**
 * The same at a time of the caller's: for tests and replays.
 *
 * @param now  seconds since the Unix epoch, from 0 to 253402300799 (the year 9999).
 * @return KHUFU_OK; KHUFU_ERR_STORE; KHUFU_ERR_ARGUMENT, also for a time out of that range.
 */
khufu_status khufu_session_open_at(const khufu_factory *factory,
                                   const char *cookie_header,
                                   size_t cookie_header_len,
                                   double now,
                                   khufu_session **session);

/**
 * Frees a session, and zeroes its data. What was not committed is lost.
 *
 * @param session  may be NULL.
 */
void khufu_session_free(khufu_session *session);

/**
 * The detail of the last failure of a call on this session. After opening: why the cookie was refused, or that the
 * request has cookies, but none of the session's name. "" if there is nothing to tell.
 *
 * @param session  NULL gives "".
 * @return NUL-terminated UTF-8 that never holds a secret, valid until the next call on the session; never NULL. Ask for
 *         it when the call has returned, not as another argument of the expression that makes it.
 */
const char *khufu_session_error(const khufu_session *session);

/**
 * What opening made of the request's cookies.
 *
 * @param session  NULL gives KHUFU_LOAD_NONE.
 */
khufu_load_result khufu_session_load_result(const khufu_session *session);

/**
 * The name of the accepted format that the session came in, where the load result is
 * KHUFU_LOAD_LOADED_OTHER_FORMAT; else "".
 *
 * @param session  NULL gives "".
 * @return NUL-terminated, valid as long as the session; never NULL.
 */
const char *khufu_session_load_format(const khufu_session *session);

/**
 * When the session began, in seconds since the Unix epoch.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_created(const khufu_session *session);

/**
 * When the session was last read or written, in seconds since the Unix epoch; whole seconds once this request has.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_accessed(const khufu_session *session);

/**
 * When the browser's cookie was written, in seconds since the Unix epoch.
 *
 * @param session  NULL gives 0.
 */
double khufu_session_renewed(const khufu_session *session);

/**
 * Whether the session began with this request.
 *
 * @param session  NULL gives false.
 */
bool khufu_session_is_new(const khufu_session *session);

/**
 * Whether commit would write the session.
 *
 * @param session  NULL gives false.
 */
bool khufu_session_is_changed(const khufu_session *session);

/**
 * Marks the session changed, though nothing was set: commit writes it.
 *
 * @param session  not NULL.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_changed(khufu_session *session);

/**
 * Drops all data and starts over: new, created now. What is set afterwards belongs to the new session; if nothing is,
 * commit clears the browser's cookie. Log a user out with it.
 *
 * @param session  not NULL.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_invalidate(khufu_session *session);

/**
 * A name for a session in a store that may be logged, for it opens nothing. For khufu's own records it is the key in the
 * store, and stays the same through every login; for another library's it is the SHA-256 of the session's id.
 *
 * @param session  not NULL.
 * @param id       not NULL; set to 64 hexadecimal digits, borrowed.
 * @param id_len   not NULL; their number.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (before the first commit, and for a session in a cookie); KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_id(khufu_session *session,
                              const char **id,
                              size_t *id_len);

/**
 * Gives a session in a store a new id at commit, against fixation: call it when a user has logged in. For the option
 * regenerate_grace seconds the old id shows the data as they were before, to be read only. A session in a cookie has no
 * id, and is only written anew.
 *
 * @param session  not NULL.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_regenerate_id(khufu_session *session);

/**
 * Says whose session it is, so that khufu_subject_open finds it.
 *
 * @param session  not NULL; of a store.
 * @param subject  UTF-8, as "user-42"; (NULL, 0): nobody's; subject_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT (also: a session in a cookie, or in another library's record,
 *         has no subject).
 */
khufu_status khufu_session_set_subject(khufu_session *session,
                                       const char *subject,
                                       size_t subject_len);

/**
 * Writes the session if it changed, and makes the Set-Cookie values that the whole response needs: fetch them with
 * khufu_session_set_cookie.
 *
 * The commits of one request add up. After a further commit the values take the place of the earlier ones; after one
 * without changes they are the same again. Send those that are there after the last commit. An invalidated session
 * gives the values that clear the browser's cookie if the request had one or an earlier commit gave one: two if the
 * option domain is set (with it, and without it), else one.
 *
 * @param session  not NULL.
 * @param flags    0 or KHUFU_COMMIT_EXCEPTION.
 * @return KHUFU_OK; KHUFU_ERR_TOO_LARGE (browsers would drop the cookie: its value would be over 4064 bytes, or name
 *         and value together over 4096; khufu_session_error names the lengths; delete a key and commit again);
 *         KHUFU_ERR_UNSUPPORTED (the browser's session could not be read here and is not overwritten; invalidate it to
 *         begin a new one); KHUFU_ERR_RANGE (an integer that a pickle cannot hold); KHUFU_ERR_RANDOM; of a store:
 *         KHUFU_ERR_STORE (commit again: what was saved without an answer is not done twice), KHUFU_ERR_CONFLICT (commit
 *         again; if it stays, open the session anew), KHUFU_ERR_GONE (another request has ended the session or given it
 *         a new id); KHUFU_ERR_ARGUMENT. On an error the session is as it was, still changed, and the values are those
 *         of the last commit that succeeded. An invalidated session's clear the browser's cookie, so that a logout
 *         reaches the browser even if the store fails; after KHUFU_ERR_GONE there are none.
 */
khufu_status khufu_session_commit(khufu_session *session,
                                  uint32_t flags);

/**
 * The same, with a limit to how long a store may take.
 *
 * @param seconds  how long this call may take, from now, where that is less than the option store_timeout; more than 0.
 * @return As khufu_session_commit.
 */
khufu_status khufu_session_commit_deadline(khufu_session *session,
                                           uint32_t flags,
                                           double seconds);

/**
 * A Set-Cookie value that the response needs after the commits so far. Each is a header of its own. They replace those
 * that were fetched after an earlier commit.
 *
 * @param session  not NULL.
 * @param index    counted from 0.
 * @param data     not NULL; set to the value, borrowed until the next call that changes the session.
 * @param len      not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_NOT_FOUND past the last; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_set_cookie(const khufu_session *session,
                                      size_t index,
                                      const char **data,
                                      size_t *len);

/**
 * Whether the response depended on the session, to be asked after commit: then it needs Vary: Cookie, and no shared
 * cache may store it.
 *
 * @param session  NULL gives false.
 */
bool khufu_session_vary(const khufu_session *session);

/**
 * The value of a key as JSON text.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param json     not NULL; set to the value's JSON text, borrowed.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (the value holds NaN or an infinity, which JSON does not have);
 *         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_get(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * The text of a key that holds a string.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param string   not NULL; set to the text, borrowed. It may hold NULs.
 * @param string_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no string, or one with a lone surrogate, which UTF-8 cannot write);
 *         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_get_string(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char **string,
                                      size_t *string_len);

/**
 * The value of a key that holds an integer.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    not NULL; set to it.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no number, or one that is written as a float);
 *         KHUFU_ERR_RANGE (it has no place in 64 bits); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_get_int64(khufu_session *session, const char *key, size_t key_len, int64_t *value);

/**
 * The value of a key that holds a number.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    not NULL; set to it.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE (no number; NaN and the infinities are some);
 *         KHUFU_ERR_RANGE (it overflows); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_get_double(khufu_session *session, const char *key, size_t key_len, double *value);

/**
 * The value of a key that holds true or false.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    not NULL; set to it.
 * @return KHUFU_OK; KHUFU_NOT_FOUND; KHUFU_ERR_TYPE; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_get_bool(khufu_session *session, const char *key, size_t key_len, bool *value);

/**
 * Whether a key is there.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param found    not NULL; set to the answer.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_contains(khufu_session *session, const char *key, size_t key_len, bool *found);

/**
 * How many keys there are.
 *
 * @param session  NULL gives 0.
 */
size_t khufu_session_length(khufu_session *session);

/**
 * The next key and its value, in the order in which keys were added. Deleting the key that was just given, and going on,
 * passes over the one behind it; setting a key ends the views that were given: collect first, then change.
 *
 * @param session  not NULL.
 * @param cursor   not NULL; 0 before the first call; moved on by each.
 * @param key      not NULL; set to the key, borrowed; a lone surrogate in it shows as U+FFFD.
 * @param key_len  not NULL; its length in bytes.
 * @param json     not NULL; set to the value's JSON text, borrowed; NaN and the infinities in it show as null.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_ARGUMENT.
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
 * @param session  not NULL.
 * @param json     not NULL; set to the text, borrowed.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_to_json(khufu_session *session, const char **json, size_t *json_len);

/**
 * Sets a key to a value, given as JSON text. White space between its parts is dropped.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param json     one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (longer than 2 GiB, or a number that Python does not
 *         read back: an integer of more than 4,300 digits, or a float that overflows a double); KHUFU_ERR_ARGUMENT. On an
 *         error nothing was set.
 */
khufu_status khufu_session_set(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char *json,
                               size_t json_len);

/**
 * Sets a key to a string.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param string   UTF-8, NULs and all; copied; (NULL, 0) is empty, string_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (longer than 2 GiB); KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_set_string(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char *string,
                                      size_t string_len);

/**
 * Sets a key to an integer.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    the value.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_set_int64(khufu_session *session, const char *key, size_t key_len, int64_t value);

/**
 * Sets a key to a number, written with a fraction or an exponent, so that it stays a float in every language.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    the value.
 * @return KHUFU_OK; KHUFU_ERR_RANGE (it is not finite); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_set_double(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      double value);

/**
 * Sets a key to true or false.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param value    the value.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_set_bool(khufu_session *session, const char *key, size_t key_len, bool value);

/**
 * Sets a key to null.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_set_null(khufu_session *session, const char *key, size_t key_len);

/**
 * The value of a key as JSON text; where the key is not there, it is set first. A key that is there stays, and the
 * session unchanged.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param json     one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
 * @param value    may be NULL (and value_len then too); set to the key's value as JSON text, borrowed.
 * @param value_len its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (as khufu_session_get); KHUFU_ERR_UTF8; KHUFU_ERR_RANGE (as
 *         khufu_session_set); KHUFU_ERR_ARGUMENT. On an error nothing was set.
 */
khufu_status khufu_session_setdefault(khufu_session *session,
                                      const char *key,
                                      size_t key_len,
                                      const char *json,
                                      size_t json_len,
                                      const char **value,
                                      size_t *value_len);

/**
 * Sets each member of a JSON object as a key; on an error, none. Shallow: a value replaces the one that was there.
 *
 * @param session  not NULL.
 * @param json     a JSON object, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_ERR_JSON (also: not an object); KHUFU_ERR_UTF8 (also: a key with a lone surrogate);
 *         KHUFU_ERR_RANGE (as khufu_session_set); KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_update(khufu_session *session,
                                  const char *json,
                                  size_t json_len);

/**
 * Deletes a key.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_delete(khufu_session *session, const char *key, size_t key_len);

/**
 * Takes a key out and gives its value as JSON text.
 *
 * @param session  not NULL.
 * @param key      UTF-8; (NULL, 0) is the empty key, key_len KHUFU_NTS means up to the NUL.
 * @param json     not NULL; set to the value's JSON text, borrowed.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the session is unchanged); KHUFU_ERR_TYPE (as khufu_session_get: the key stays);
 *         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_pop(khufu_session *session,
                               const char *key,
                               size_t key_len,
                               const char **json,
                               size_t *json_len);

/**
 * Takes every key out. The session stays the same one; khufu_session_invalidate begins a new one.
 *
 * @param session  not NULL.
 * @return KHUFU_OK; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_clear(khufu_session *session);

/**
 * Adds a message, given as JSON text, to the end of a queue: a later request shows it.
 *
 * @param session  not NULL.
 * @param json     the message, one JSON value, nested at most 500 levels; copied; json_len KHUFU_NTS means up to the NUL.
 * @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
 * @param allow_duplicate whether a message that equals one in the queue, as Python compares them (1 equals 1.0, the order
 *                 of keys is ignored), is added once more; else it is not, and the session is unchanged.
 * @return KHUFU_OK; KHUFU_ERR_JSON; KHUFU_ERR_TYPE (the queue's key holds something that is no list); KHUFU_ERR_UTF8;
 *         KHUFU_ERR_RANGE (as khufu_session_set); KHUFU_ERR_ARGUMENT. On an error nothing was added.
 */
khufu_status khufu_session_flash(khufu_session *session,
                                 const char *json,
                                 size_t json_len,
                                 const char *queue,
                                 size_t queue_len,
                                 bool allow_duplicate);

/**
 * Adds a message, given as text, to the end of a queue: a later request shows it.
 *
 * @param session  not NULL.
 * @param string   the message, UTF-8, NULs and all; copied; (NULL, 0) is empty, string_len KHUFU_NTS means up to the NUL.
 * @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
 * @param allow_duplicate whether a message that equals one in the queue, as Python compares them (1 equals 1.0, the order
 *                 of keys is ignored), is added once more; else it is not, and the session is unchanged.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list); KHUFU_ERR_UTF8;
 *         KHUFU_ERR_RANGE; KHUFU_ERR_ARGUMENT. On an error nothing was added.
 */
khufu_status khufu_session_flash_string(khufu_session *session,
                                        const char *string,
                                        size_t string_len,
                                        const char *queue,
                                        size_t queue_len,
                                        bool allow_duplicate);

/**
 * Takes a queue out of the session.
 *
 * @param session  not NULL.
 * @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
 * @param json     not NULL; set to a JSON array of the messages, the oldest first, "[]" where there is none; borrowed.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list, or NaN; it stays); KHUFU_ERR_UTF8;
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_pop_flash(khufu_session *session,
                                     const char *queue,
                                     size_t queue_len,
                                     const char **json,
                                     size_t *json_len);

/**
 * The messages of a queue, which stay there.
 *
 * @param session  not NULL.
 * @param queue    UTF-8; (NULL, 0) is the default queue, queue_len KHUFU_NTS means up to the NUL.
 * @param json     not NULL; set to a JSON array of the messages, the oldest first, "[]" where there is none; borrowed.
 * @param json_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_TYPE (the queue's key holds something that is no list, or NaN; it stays); KHUFU_ERR_UTF8;
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_peek_flash(khufu_session *session,
                                      const char *queue,
                                      size_t queue_len,
                                      const char **json,
                                      size_t *json_len);

/**
 * The session's CSRF token; where it has none, a new one, which is set.
 *
 * @param session  not NULL.
 * @param token    not NULL; set to the token, borrowed.
 * @param token_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Sets a new CSRF token, 40 hex digits, and gives it.
 *
 * @param session  not NULL.
 * @param token    not NULL; set to the token, borrowed.
 * @param token_len not NULL; its length in bytes.
 * @return KHUFU_OK; KHUFU_ERR_RANDOM; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_new_csrf_token(khufu_session *session, const char **token, size_t *token_len);

/**
 * Whether a token is the session's, compared in constant time. A session without a token refuses every one.
 *
 * @param session  not NULL.
 * @param token    any bytes; (NULL, 0) is empty, token_len KHUFU_NTS means up to the NUL.
 * @param valid    not NULL; set to the answer.
 * @return KHUFU_OK, whatever the answer; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_session_check_csrf_token(khufu_session *session,
                                            const char *token,
                                            size_t token_len,
                                            bool *valid);

/**
 * Finds the sessions that were said to be a subject's with khufu_session_set_subject, in this process or another.
 *
 * @param factory      not NULL; of the type store.
 * @param subject      UTF-8, copied; subject_len KHUFU_NTS means up to the NUL.
 * @param sessions     not NULL; set to a handle to be freed with khufu_subject_free, on failure too (then
 *                     khufu_subject_error tells the detail, and every other call on it fails).
 * @return KHUFU_OK, also where there are none; KHUFU_ERR_STORE; KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT (also: the
 *         factory keeps its sessions in cookies, or in another library's records).
 */
khufu_status khufu_subject_open(const khufu_factory *factory,
                                const char *subject,
                                size_t subject_len,
                                khufu_subject **sessions);

/**
 * Frees what khufu_subject_open gave.
 *
 * @param subject  may be NULL.
 */
void khufu_subject_free(khufu_subject *subject);

/**
 * The detail of the last failure of a call on this subject; "" where none failed.
 *
 * @param subject  NULL gives "".
 * @return NUL-terminated UTF-8, valid until the next call on the subject; never NULL.
 */
const char *khufu_subject_error(const khufu_subject *subject);

/**
 * The next session of the subject; the one used last comes first.
 *
 * @param subject  not NULL.
 * @param cursor   not NULL; 0 before the first call; moved on by each.
 * @param id       not NULL; set to what khufu_session_id tells in that session, borrowed until the subject is freed.
 * @param id_len   not NULL; its length in bytes.
 * @param created  not NULL; set to when it began, in seconds since the Unix epoch.
 * @param accessed not NULL; set to when it was last used, in seconds since the Unix epoch.
 * @return KHUFU_OK; KHUFU_NOT_FOUND at the end; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_subject_next(khufu_subject *subject,
                                size_t *cursor,
                                const char **id,
                                size_t *id_len,
                                double *created,
                                double *accessed);

/**
 * Ends one session of the subject, from whatever process.
 *
 * @param subject  not NULL.
 * @param id       what khufu_session_id tells in that session; id_len KHUFU_NTS means up to the NUL.
 * @return KHUFU_OK; KHUFU_NOT_FOUND (the subject has no such session); KHUFU_ERR_STORE; KHUFU_ERR_UTF8;
 *         KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_subject_revoke(khufu_subject *subject, const char *id, size_t id_len);

/**
 * Ends every session of the subject, those that began after khufu_subject_open too, but one.
 *
 * @param subject  not NULL.
 * @param except   the id of the session that stays, as khufu_session_id tells it; (NULL, 0): none does.
 * @param revoked  may be NULL; set to how many were ended.
 * @return KHUFU_OK; KHUFU_ERR_STORE, also if the listed sessions were ended but the server may have evicted others from
 *         the list (a Redis whose maxmemory-policy is not noeviction; khufu_subject_error says how many were ended);
 *         KHUFU_ERR_UTF8; KHUFU_ERR_ARGUMENT.
 */
khufu_status khufu_subject_revoke_all(khufu_subject *subject,
                                      const char *except,
                                      size_t except_len,
                                      size_t *revoked);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KHUFU_H */
