/* The demo's C server, which adds flash messages to the session. README.md says what every server does. */
#include <arpa/inet.h>
#include <khufu.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_LIMIT = 200, FIELD_LIMIT = 1000 };

/* A form's field. If the field was too long, `len` is greater than FIELD_LIMIT. */
struct field {
    char data[FIELD_LIMIT];
    size_t len;
};

struct form {
    struct MHD_PostProcessor *processor;
    struct field csrf_token, message;
};

static enum MHD_Result read_field(void *closure, enum MHD_ValueKind kind, const char *name, const char *file_name,
                                  const char *type, const char *encoding, const char *data, uint64_t offset, size_t size) {
    struct form *form = closure;
    struct field *field = strcmp(name, "csrf_token") == 0 ? &form->csrf_token
                          : strcmp(name, "message") == 0  ? &form->message
                                                          : NULL;
    (void)kind, (void)file_name, (void)type, (void)encoding;
    if (field == NULL) return MHD_YES;
    if (offset > FIELD_LIMIT || size > FIELD_LIMIT - offset) {
        field->len = FIELD_LIMIT + 1;
    } else {
        if (size > 0) memcpy(field->data + offset, data, size);
        field->len = (size_t)offset + size;
    }
    return MHD_YES;
}

/* A response that is being made: its status, its headers, and a stream for its body. */
struct answer {
    unsigned status;
    const char *type, *location;
    FILE *body;
};

static void write_escaped(FILE *body, const char *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        switch (data[i]) {
        case '&': fputs("&amp;", body); break;
        case '<': fputs("&lt;", body); break;
        case '>': fputs("&gt;", body); break;
        case '"': fputs("&quot;", body); break;
        case '\'': fputs("&#39;", body); break;
        default: putc(data[i], body);
        }
    }
}

static void refuse(struct answer *answer, unsigned status, const char *why) {
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    fprintf(answer->body, "%s\n", why);
}

static void fail(struct answer *answer, khufu_session *session) {
    fprintf(stderr, "c server: %s\n", khufu_session_error(session));
    refuse(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "The session cannot be used.");
}

/* The parts of a session that an answer shows. The texts belong to the session and are valid until it changes. */
struct view {
    const char *load_result, *csrf_token, *csrf_token_json, *state, *messages;
    size_t csrf_token_len, csrf_token_json_len, state_len, messages_len;
};

static bool read_session(khufu_session *session, struct view *view) {
    view->load_result = khufu_load_result_name(khufu_session_load_result(session));
    return khufu_session_csrf_token(session, &view->csrf_token, &view->csrf_token_len) == KHUFU_OK &&
           khufu_session_get(session, "_csrft_", KHUFU_NTS, &view->csrf_token_json, &view->csrf_token_json_len) == KHUFU_OK &&
           khufu_session_to_json(session, &view->state, &view->state_len) == KHUFU_OK &&
           khufu_session_peek_flash(session, "", 0, &view->messages, &view->messages_len) == KHUFU_OK;
}

static void answer_session(struct answer *answer, khufu_session *session) {
    struct view view;
    if (!read_session(session, &view)) {
        fail(answer, session);
        return;
    }
    answer->type = "application/json";
    fprintf(answer->body, "{\"server\": \"c\", \"load_result\": \"%s\", \"csrf_token\": %.*s, \"state\": %.*s, \"flash\": %.*s}\n",
            view.load_result, (int)view.csrf_token_json_len, view.csrf_token_json, (int)view.state_len, view.state,
            (int)view.messages_len, view.messages);
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

static void answer_page(struct answer *answer, khufu_session *session) {
    struct view view;
    if (!read_session(session, &view)) {
        fail(answer, session);
        return;
    }
    FILE *body = answer->body;
    const char *key, *value;
    size_t key_len, value_len, cursor = 0;
    answer->type = "text/html; charset=utf-8";
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<title>The C server</title>\n<h1>The C server</h1>\n<p>\n", body);
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
    fputs("\n<form method=\"post\" action=\"/flash\">\n<input type=\"hidden\" name=\"csrf_token\" value=\"", body);
    write_escaped(body, view.csrf_token, view.csrf_token_len);
    fprintf(body, "\">\n<label>A message <input name=\"message\" required maxlength=\"%d\"></label>\n", MESSAGE_LIMIT);
    fputs("<button>Add the message</button>\n</form>\n", body);
}

static void answer_flash(struct answer *answer, khufu_session *session, const struct form *form) {
    const struct field *token = &form->csrf_token, *message = &form->message;
    bool valid = false;
    if (token->len <= FIELD_LIMIT && khufu_session_check_csrf_token(session, token->data, token->len, &valid) != KHUFU_OK) {
        fail(answer, session);
    } else if (!valid) {
        refuse(answer, MHD_HTTP_FORBIDDEN, "csrf_token: missing or wrong");
    } else if (message->len < 1 || message->len > MESSAGE_LIMIT ||
               khufu_session_flash_string(session, message->data, message->len, "", 0, true) != KHUFU_OK) {
        refuse(answer, MHD_HTTP_BAD_REQUEST, "message: must be 1 to 200 bytes of UTF-8");
    } else {
        answer->status = MHD_HTTP_SEE_OTHER;
        answer->location = "/";
    }
}

/* Commits the session and adds its headers to the response, which has no Vary and no Cache-Control of its own. */
static bool commit(khufu_session *session, struct MHD_Response *response) {
    const char *name, *value;
    size_t name_len, value_len;
    if (khufu_session_commit(session, 0) != KHUFU_OK) return false;
    for (size_t i = 0; khufu_session_header(session, i, &name, &name_len, &value, &value_len) == KHUFU_OK; i++) {
        char *header = strndup(name, name_len), *content = strndup(value, value_len);
        bool added = header != NULL && content != NULL && MHD_add_response_header(response, header, content) == MHD_YES;
        free(header);
        free(content);
        if (!added) return false;
    }
    return true;
}

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_failure(struct MHD_Connection *connection) {
    static char text[] = "The session could not be saved.\n";
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
    return send_response(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, response);
}

static enum MHD_Result respond(const khufu_factory *factory, struct MHD_Connection *connection, const char *path,
                               const char *method, const struct form *form) {
    const char *cookies = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
    char *body = NULL;
    size_t body_len = 0;
    struct answer answer = {.status = MHD_HTTP_OK, .body = open_memstream(&body, &body_len)};
    khufu_session *session = NULL;
    if (answer.body == NULL) return MHD_NO;

    bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0, post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    if (khufu_session_open(factory, cookies, cookies != NULL ? KHUFU_NTS : 0, &session) != KHUFU_OK) fail(&answer, session);
    else if (get && strcmp(path, "/session") == 0) answer_session(&answer, session);
    else if (get && strcmp(path, "/") == 0) answer_page(&answer, session);
    else if (post && strcmp(path, "/flash") == 0) answer_flash(&answer, session, form);
    else refuse(&answer, MHD_HTTP_NOT_FOUND, "There is no such page.");
    fclose(answer.body);

    struct MHD_Response *response = MHD_create_response_from_buffer(body_len, body, MHD_RESPMEM_MUST_FREE);
    if (answer.type != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    if (answer.location != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer.location);
    if (session != NULL && !commit(session, response)) {
        fprintf(stderr, "c server: %s\n", khufu_session_error(session));
        khufu_session_free(session);
        MHD_destroy_response(response);
        return send_failure(connection);
    }
    khufu_session_free(session);
    return send_response(connection, answer.status, response);
}

/* libmicrohttpd calls this when a request's headers are complete, for each part of its body, and at its end. */
static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_len, void **state) {
    struct form *form = *state;
    (void)version;
    if (form == NULL) {
        *state = form = calloc(1, sizeof *form);
        if (form == NULL) return MHD_NO;
        if (strcmp(method, MHD_HTTP_METHOD_POST) == 0) /* NULL if the body is not a form: the fields then stay empty */
            form->processor = MHD_create_post_processor(connection, 2 * FIELD_LIMIT, read_field, form);
        return MHD_YES;
    }
    if (*body_len > 0) {
        if (form->processor != NULL) MHD_post_process(form->processor, body, *body_len);
        *body_len = 0;
        return MHD_YES;
    }
    if (form->processor != NULL) MHD_destroy_post_processor(form->processor); /* also reads the last field to its end */
    form->processor = NULL;
    return respond(closure, connection, path, method, form);
}

static void finish(void *closure, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
    struct form *form = *state;
    (void)closure, (void)connection, (void)code;
    if (form != NULL && form->processor != NULL) MHD_destroy_post_processor(form->processor);
    free(form);
    *state = NULL;
}

static khufu_factory *make_factory(void) {
    const char *secret = getenv("KHUFU_SECRET");
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    if (khufu_options_set(options, "secret", KHUFU_NTS, secret, secret != NULL ? KHUFU_NTS : 0) != KHUFU_OK ||
        khufu_options_set(options, "httponly", KHUFU_NTS, "true", KHUFU_NTS) != KHUFU_OK ||
        khufu_factory_new(options, &factory) != KHUFU_OK)
        fprintf(stderr, "c server: KHUFU_SECRET: %s\n", khufu_options_error(options));
    khufu_options_free(options);
    return factory;
}

int main(int count, char **words) {
    if (count != 3 || strcmp(words[1], "--port") != 0) {
        fprintf(stderr, "usage: %s --port N\n", words[0]);
        return 2;
    }
    khufu_factory *factory = make_factory();
    if (factory == NULL) return 1;

    sigset_t signals;
    int signal_number, port = atoi(words[2]);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* inherited by the server's thread: only sigwait gets the signals */
    signal(SIGPIPE, SIG_IGN);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, factory,
                                                 MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, finish, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "c server: cannot listen on 127.0.0.1:%d\n", port);
        khufu_factory_free(factory);
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    MHD_stop_daemon(daemon);
    khufu_factory_free(factory);
    return 0;
}
