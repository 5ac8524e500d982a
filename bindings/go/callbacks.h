#ifndef KHUFU_GO_CALLBACKS_H
#define KHUFU_GO_CALLBACKS_H

#include <khufu.h>

/*
 * A store or a serializer of the caller's own is a cgo.Handle, which is freed with release. The store's subject callbacks
 * are only set if it keeps subjects.
 */
khufu_status khufu_go_set_store(khufu_options *options, uintptr_t store, bool keeps_subjects);
khufu_status khufu_go_set_serializer(khufu_options *options, uintptr_t serializer);

/*
 * Calls of the core that may call back. Their cause is the handle of the error that the last callback to fail in them
 * left, or 0.
 */
khufu_status khufu_go_open(const khufu_factory *factory, const char *header, size_t header_len, double seconds,
                           khufu_session **session, uintptr_t *cause);
khufu_status khufu_go_open_at(const khufu_factory *factory, const char *header, size_t header_len, double now,
                              khufu_session **session, uintptr_t *cause);
khufu_status khufu_go_commit(khufu_session *session, uint32_t flags, double seconds, uintptr_t *cause);
khufu_status khufu_go_subject_open(const khufu_factory *factory, const char *subject, size_t subject_len,
                                   khufu_subject **sessions, uintptr_t *cause);
khufu_status khufu_go_subject_revoke(khufu_subject *subject, const char *id, size_t id_len, uintptr_t *cause);
khufu_status khufu_go_subject_revoke_all(khufu_subject *subject, const char *except, size_t except_len, size_t *revoked,
                                         uintptr_t *cause);

/* Leaves a cause, and gives the one that it replaces. */
uintptr_t khufu_go_leave_cause(uintptr_t cause);

#endif
