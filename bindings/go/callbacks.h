#ifndef KHUFU_GO_CALLBACKS_H
#define KHUFU_GO_CALLBACKS_H

#include <khufu.h>

/*
 * Set a custom store or serializer, which is given as a cgo.Handle. The core's release callback frees the handle. The
 * subject callbacks of a store are set only if keeps_subjects is true.
 */
khufu_status khufu_go_set_store(khufu_options *options, uintptr_t store, bool keeps_subjects);
khufu_status khufu_go_set_serializer(khufu_options *options, uintptr_t serializer);

/* A call into the core that may call a custom store or serializer. Each field is a cgo.Handle, or 0 for none. */
typedef struct {
    uintptr_t dialog;  /* the dialog with a custom store */
    uintptr_t cause;   /* set by the call: the error of the last callback that failed */
} khufu_go_call;

/* One opening of a session: its arguments, and what came of it. */
typedef struct {
    double now, seconds;
    uint32_t flags;
    bool is_value; /* the text is a cookie's value instead of a Cookie header */
    khufu_session *session;
    const char *error; /* the session's khufu_session_error */
    khufu_go_call call;
} khufu_go_opening;

khufu_status khufu_go_open(const khufu_factory *factory, const char *text, size_t text_len, khufu_go_opening *opening);
khufu_status khufu_go_commit(khufu_session *session, uint32_t flags, double seconds, khufu_go_call *call);
khufu_status khufu_go_value(khufu_session *session, const char **value, size_t *value_len, khufu_go_call *call);
khufu_status khufu_go_subject_open(const khufu_factory *factory, const char *subject, size_t subject_len,
                                   khufu_subject **sessions, khufu_go_call *call);
khufu_status khufu_go_subject_revoke(khufu_subject *subject, const char *id, size_t id_len, khufu_go_call *call);
khufu_status khufu_go_subject_revoke_all(khufu_subject *subject, const char *except, size_t except_len, size_t *revoked,
                                         khufu_go_call *call);

/* The call that this thread is in. The core calls back on the thread that called it. */
khufu_go_call *khufu_go_current_call(void);

#endif
