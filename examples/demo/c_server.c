/* The demo's C server, whose page adds messages to the session. README.md says what every server does. */
#include "server.h"

enum { MESSAGE, MESSAGE_LIMIT = 200 };

static khufu_status show(khufu_session *session, const struct field *fields, struct answer *answer) {
    const char *messages;
    size_t len;
    khufu_status status = khufu_session_peek_flash(session, "", 0, &messages, &len);
    (void)fields;
    if (status != KHUFU_OK) return status;
    answer->type = "text/html; charset=utf-8";
    fputs("<h1>Leave a message</h1>\n"
          "<p>The page in C puts the message into the session. The next page in another language shows it, once.\n"
          "<p>Messages that wait: <code>", answer->body);
    write_escaped(answer->body, messages, len);
    fputs("</code>\n", answer->body);
    return write_form(answer->body, session, "/note",
                      "<label>Message <input name=\"message\" required maxlength=\"50\" autocomplete=\"off\"></label>\n"
                      "<button>Add the message</button>");
}

static khufu_status show_json(khufu_session *session, const struct field *fields, struct answer *answer) {
    const char *token, *state, *messages;
    size_t token_len, state_len, messages_len;
    khufu_status status = khufu_session_csrf_token(session, &token, &token_len); /* makes a missing one */
    (void)fields;
    if (status == KHUFU_OK) status = khufu_session_get(session, "_csrft_", KHUFU_NTS, &token, &token_len);
    if (status == KHUFU_OK) status = khufu_session_to_json(session, &state, &state_len);
    if (status == KHUFU_OK) status = khufu_session_peek_flash(session, "", 0, &messages, &messages_len);
    if (status != KHUFU_OK) return status;
    answer->type = "application/json";
    fprintf(answer->body, "{\"server\": \"c\", \"load_result\": \"%s\", ",
            khufu_load_result_name(khufu_session_load_result(session)));
    fprintf(answer->body, "\"csrf_token\": %.*s, ", (int)token_len, token);
    fprintf(answer->body, "\"state\": %.*s, ", (int)state_len, state);
    fprintf(answer->body, "\"flash\": %.*s}\n", (int)messages_len, messages);
    return KHUFU_OK;
}

static khufu_status add_message(khufu_session *session, const struct field *fields, struct answer *answer) {
    const struct field *message = &fields[MESSAGE];
    if (!has_length(message, MESSAGE_LIMIT, answer, "message: must be 1 to 200 bytes of UTF-8")) return KHUFU_OK;
    redirect(answer, "/note");
    return khufu_session_flash_string(session, message->text, message->len, "", 0, true);
}

int main(int count, char **words) {
    static const struct route routes[] = {
        {"GET", "/note", show}, {"GET", "/session", show_json}, {"POST", "/note", add_message}, {0},
    };
    return run_server(&(struct server){.fields = {"message"}, .routes = routes}, count, words);
}
