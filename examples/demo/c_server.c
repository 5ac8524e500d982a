/* The demo's C server, which adds flash messages to the session. README.md says what every server does. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE, MESSAGE_LIMIT = 200 };

/* The parts of a session that an answer shows. The texts belong to the session and are valid until it changes. */
struct view {
    const char *load_result, *token, *state, *messages;
    size_t token_len, state_len, messages_len;
};

static khufu_status read_session(khufu_session *session, struct view *view) {
    view->load_result = khufu_load_result_name(khufu_session_load_result(session));
    khufu_status status = khufu_session_csrf_token(session, &view->token, &view->token_len); /* makes a missing one */
    if (status == KHUFU_OK) status = khufu_session_get(session, "_csrft_", KHUFU_NTS, &view->token, &view->token_len);
    if (status == KHUFU_OK) status = khufu_session_to_json(session, &view->state, &view->state_len);
    if (status == KHUFU_OK) status = khufu_session_peek_flash(session, "", 0, &view->messages, &view->messages_len);
    return status;
}

static khufu_status show_json(khufu_session *session, const struct field *fields, struct answer *answer) {
    struct view view;
    khufu_status status = read_session(session, &view);
    (void)fields;
    if (status != KHUFU_OK) return status;
    answer->type = "application/json";
    fprintf(answer->body, "{\"server\": \"c\", \"load_result\": \"%s\", ", view.load_result);
    fprintf(answer->body, "\"csrf_token\": %.*s, ", (int)view.token_len, view.token);
    fprintf(answer->body, "\"state\": %.*s, ", (int)view.state_len, view.state);
    fprintf(answer->body, "\"flash\": %.*s}\n", (int)view.messages_len, view.messages);
    return KHUFU_OK;
}

/* Writes links to the other servers, which KHUFU_PEERS lists: pyramid=8001,c=8002,… */
static void write_links(FILE *body) {
    const char *peers = getenv("KHUFU_PEERS");
    char *copy = strdup(peers != NULL ? peers : ""), *rest = copy;
    for (char *peer; copy != NULL && (peer = strtok_r(rest, ",", &rest)) != NULL;) {
        char *port = strchr(peer, '=');
        if (port == NULL || strncmp(peer, "c=", 2) == 0) continue;
        *port++ = '\0';
        fprintf(body, "<a href=\"http://127.0.0.1:%d/\">", atoi(port));
        write_escaped(body, peer, strlen(peer));
        fputs("</a>\n", body);
    }
    free(copy);
}

static khufu_status show(khufu_session *session, const struct field *fields, struct answer *answer) {
    FILE *body = answer->body;
    struct view view;
    const char *key, *value;
    size_t key_len, value_len, cursor = 0;
    khufu_status status = read_session(session, &view);
    (void)fields;
    if (status != KHUFU_OK) return status;
    answer->type = "text/html; charset=utf-8";
    fputs("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>The C server</title>\n", body);
    fputs("<h1>The C server</h1>\n<p>\n", body);
    write_links(body);
    fprintf(body, "<p>This session was opened as: %s\n<table>\n", view.load_result);
    while (khufu_session_next(session, &cursor, &key, &key_len, &value, &value_len) == KHUFU_OK) {
        fputs("<tr><th>", body);
        write_escaped(body, key, key_len);
        fputs("<td>", body);
        write_escaped(body, value, value_len);
        fputs("\n", body);
    }
    fputs("</table>\n<p>Messages: ", body);
    write_escaped(body, view.messages, view.messages_len);
    fputs("\n", body);
    return write_form(body, session, "/flash",
                      "<label>A message <input name=\"message\" required></label> <button>Add the message</button>");
}

static khufu_status add_message(khufu_session *session, const struct field *fields, struct answer *answer) {
    const struct field *message = &fields[MESSAGE];
    if (!has_length(message, MESSAGE_LIMIT, answer, "message: must be 1 to 200 bytes of UTF-8")) return KHUFU_OK;
    redirect(answer, "/");
    return khufu_session_flash_string(session, message->text, message->len, "", 0, true);
}

int main(int count, char **words) {
    static const struct route routes[] = {
        {"GET", "/", show}, {"GET", "/session", show_json}, {"POST", "/flash", add_message}, {0},
    };
    return run_server(&(struct server){.fields = {"message"}, .routes = routes}, count, words);
}
