#include "callbacks.h"
#include "_cgo_export.h"

static _Thread_local khufu_go_call *current_call;

khufu_go_call *khufu_go_current_call(void) { return current_call; }

/* Begins a call and returns the outer one, if a callback makes this call. */
static khufu_go_call *begin(khufu_go_call *call) {
    khufu_go_call *outer = current_call;
    current_call = call;
    return outer;
}

khufu_status khufu_go_open(const khufu_factory *factory, const char *text, size_t text_len, khufu_go_opening *opening) {
    khufu_go_call *outer = begin(&opening->call);
    khufu_status status = (opening->is_value ? khufu_session_open_value : khufu_session_open_with)(
        factory, text, text_len, opening->now, opening->seconds, opening->flags, &opening->session);
    opening->error = khufu_session_error(opening->session);
    current_call = outer;
    return status;
}

khufu_status khufu_go_commit(khufu_session *session, uint32_t flags, double seconds, khufu_go_call *call) {
    khufu_go_call *outer = begin(call);
    khufu_status status = khufu_session_commit_with(session, flags, seconds);
    current_call = outer;
    return status;
}

khufu_status khufu_go_value(khufu_session *session, const char **value, size_t *value_len, khufu_go_call *call) {
    khufu_go_call *outer = begin(call);
    khufu_status status = khufu_session_value(session, value, value_len);
    current_call = outer;
    return status;
}

khufu_status khufu_go_subject_open(const khufu_factory *factory, const char *subject, size_t subject_len,
                                   khufu_subject **sessions, khufu_go_call *call) {
    khufu_go_call *outer = begin(call);
    khufu_status status = khufu_subject_open(factory, subject, subject_len, sessions);
    current_call = outer;
    return status;
}

khufu_status khufu_go_subject_revoke(khufu_subject *subject, const char *id, size_t id_len, khufu_go_call *call) {
    khufu_go_call *outer = begin(call);
    khufu_status status = khufu_subject_revoke(subject, id, id_len);
    current_call = outer;
    return status;
}

khufu_status khufu_go_subject_revoke_all(khufu_subject *subject, const char *except, size_t except_len, size_t *revoked,
                                         khufu_go_call *call) {
    khufu_go_call *outer = begin(call);
    khufu_status status = khufu_subject_revoke_all(subject, except, except_len, revoked);
    current_call = outer;
    return status;
}

static int32_t load(void *store, const char *key, size_t key_len, khufu_sink *sink, uint64_t *generation) {
    return khufuGoLoad((uintptr_t)store, (char *)key, key_len, sink, generation);
}

static int32_t save(void *store, const char *key, size_t key_len, uint64_t expected, uint64_t generation,
                    const char *record, size_t record_len, double ttl) {
    return khufuGoSave((uintptr_t)store, (char *)key, key_len, expected, generation, (char *)record, record_len, ttl);
}

static int32_t touch(void *store, const char *key, size_t key_len, uint64_t generation, const char *record,
                     size_t record_len, double ttl) {
    return khufuGoTouch((uintptr_t)store, (char *)key, key_len, generation, (char *)record, record_len, ttl);
}

static int32_t remove_record(void *store, const char *key, size_t key_len, uint64_t expected) {
    return khufuGoRemove((uintptr_t)store, (char *)key, key_len, expected);
}

static int32_t list(void *store, const char *subject, size_t subject_len, const char *key, size_t key_len, double ttl) {
    return khufuGoList((uintptr_t)store, (char *)subject, subject_len, (char *)key, key_len, ttl);
}

static int32_t unlist(void *store, const char *subject, size_t subject_len, const char *key, size_t key_len) {
    return khufuGoUnlist((uintptr_t)store, (char *)subject, subject_len, (char *)key, key_len);
}

static int32_t members(void *store, const char *subject, size_t subject_len, khufu_sink *sink) {
    return khufuGoMembers((uintptr_t)store, (char *)subject, subject_len, sink);
}

static int32_t loads(void *serializer, const char *payload, size_t payload_len, khufu_sink *sink) {
    return khufuGoLoads((uintptr_t)serializer, (char *)payload, payload_len, sink);
}

static int32_t dumps(void *serializer, const char *json, size_t json_len, khufu_sink *sink) {
    return khufuGoDumps((uintptr_t)serializer, (char *)json, json_len, sink);
}

static void release(void *handle) { khufuGoRelease((uintptr_t)handle); }

khufu_status khufu_go_set_store(khufu_options *options, uintptr_t store, bool keeps_subjects) {
    khufu_store_vtable table = {
        .struct_size = sizeof table,
        .load = load,
        .save = save,
        .touch = touch,
        .remove = remove_record,
        .release = release,
    };
    if (keeps_subjects) {
        table.list = list;
        table.unlist = unlist;
        table.members = members;
    }
    return khufu_options_set_store(options, &table, (void *)store);
}

khufu_status khufu_go_set_serializer(khufu_options *options, uintptr_t serializer) {
    static const khufu_serializer_vtable table = {sizeof table, loads, dumps, release};
    return khufu_options_set_serializer(options, &table, (void *)serializer);
}
