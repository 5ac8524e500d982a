/* Ignores statuses. A compiler must refuse each line that has a comment, and no other line. This is never run. */
#include <khufu.h>

void ignore(void);

void ignore(void) {
    khufu_generate_secret(NULL, 0); /* must not be ignored */
    khufu_options_set(NULL, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_options_load(NULL, NULL, 0, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_factory_new(NULL, NULL); /* must not be ignored */
    khufu_session_open(NULL, NULL, 0, NULL); /* must not be ignored */
    khufu_session_open_with(NULL, NULL, 0, 0, 0, 0, NULL); /* must not be ignored */
    khufu_session_open_value(NULL, NULL, 0, 0, 0, 0, NULL); /* must not be ignored */
    khufu_session_set_subject(NULL, NULL, 0); /* must not be ignored */
    khufu_session_set_lifetime(NULL, 0); /* must not be ignored */
    khufu_session_set_attribute(NULL, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_session_set(NULL, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_session_set_string(NULL, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_session_set_int64(NULL, NULL, 0, 0); /* must not be ignored */
    khufu_session_set_double(NULL, NULL, 0, 0); /* must not be ignored */
    khufu_session_set_bool(NULL, NULL, 0, false); /* must not be ignored */
    khufu_session_set_null(NULL, NULL, 0); /* must not be ignored */
    khufu_session_setdefault(NULL, NULL, 0, NULL, 0, NULL, NULL); /* must not be ignored */
    khufu_session_update(NULL, NULL, 0); /* must not be ignored */
    khufu_session_append(NULL, NULL, 0, NULL, 0); /* must not be ignored */
    khufu_session_increment(NULL, NULL, 0, 0, NULL); /* must not be ignored */
    khufu_session_flash(NULL, NULL, 0, NULL, 0, false); /* must not be ignored */
    khufu_session_flash_string(NULL, NULL, 0, NULL, 0, false); /* must not be ignored */
    khufu_session_check_csrf_token(NULL, NULL, 0, NULL); /* must not be ignored */
    khufu_session_commit(NULL, 0); /* must not be ignored */
    khufu_session_commit_with(NULL, 0, 0); /* must not be ignored */
    khufu_subject_open(NULL, NULL, 0, NULL); /* must not be ignored */
    khufu_subject_revoke(NULL, NULL, 0); /* must not be ignored */
    khufu_subject_revoke_all(NULL, NULL, 0, NULL); /* must not be ignored */
    khufu_options_set_store(NULL, NULL, NULL); /* must not be ignored */
    khufu_options_set_serializer(NULL, NULL, NULL); /* must not be ignored */
    khufu_session_delete(NULL, NULL, 0);
    khufu_session_clear(NULL);
    khufu_session_get(NULL, NULL, 0, NULL, NULL);
}
