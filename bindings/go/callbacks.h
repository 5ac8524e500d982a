#ifndef KHUFU_GO_CALLBACKS_H
#define KHUFU_GO_CALLBACKS_H

#include <khufu.h>

/*
 * Set a custom store or serializer, which is given as a cgo.Handle. The core's release callback frees the handle. The
 * subject callbacks of a store are set only if keeps_subjects is true.
 */
khufu_status khufu_go_set_store(khufu_options *options, uintptr_t store, bool keeps_subjects);
khufu_status khufu_go_set_serializer(khufu_options *options, uintptr_t serializer);

/* The arguments of opening a session, followed by the results. */
typedef struct {
    double now, seconds;
    uint32_t flags;
    bool is_value; /* the text is a cookie's value instead of a Cookie header */
    khufu_session *session;
    const char *error; /* the session's khufu_session_error */
    uintptr_t cause;
} khufu_go_opening;

/*
 * Calls into the core that may call a custom store or serializer. They set the cause to the cgo.Handle of the error of
 * the last callback that failed, or to 0.
 */
khufu_status khufu_go_open(const khufu_factory *factory, const char *text, size_t text_len, khufu_go_opening *opening);
khufu_status khufu_go_commit(khufu_session *session, uint32_t flags, double seconds, uintptr_t *cause);
khufu_status khufu_go_value(khufu_session *session, const char **value, size_t *value_len, uintptr_t *cause);
khufu_status khufu_go_subject_open(const khufu_factory *factory, const char *subject, size_t subject_len,
                                   khufu_subject **sessions, uintptr_t *cause);
khufu_status khufu_go_subject_revoke(khufu_subject *subject, const char *id, size_t id_len, uintptr_t *cause);
khufu_status khufu_go_subject_revoke_all(khufu_subject *subject, const char *except, size_t except_len, size_t *revoked,
                                         uintptr_t *cause);

/* Sets the callback error of this thread and returns the one that it replaces. */
uintptr_t khufu_go_replace_cause(uintptr_t cause);

#endif
