#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The parts of the server that all requests share. */
struct site {
    const struct server *server;
    khufu_factory *factory;
};

/* The form of a request. Its parts arrive one after the other. */
struct form {
    const struct server *server;
    struct MHD_PostProcessor *processor;
    struct field csrf_token, fields[FIELDS];
};

void refuse(struct answer *answer, unsigned status, const char *text) {
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    answer->location = NULL;
    rewind(answer->body); /* drops what was written */
    fprintf(answer->body, "%s\n", text);
}

void redirect(struct answer *answer, const char *location) {
    answer->status = MHD_HTTP_SEE_OTHER;
    answer->location = location;
}

bool has_length(const struct field *field, size_t limit, struct answer *answer, const char *text) {
    if (field->len >= 1 && field->len <= limit) return true;
    refuse(answer, MHD_HTTP_BAD_REQUEST, text);
    return false;
}

void write_escaped(FILE *body, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '&': fputs("&amp;", body); break;
        case '<': fputs("&lt;", body); break;
        case '>': fputs("&gt;", body); break;
        case '"': fputs("&quot;", body); break;
        case '\'': fputs("&#39;", body); break;
        default: putc(text[i], body);
        }
    }
}

khufu_status write_form(FILE *body, khufu_session *session, const char *action, const char *inputs) {
    const char *token;
    size_t token_len;
    khufu_status status = khufu_session_csrf_token(session, &token, &token_len);
    if (status != KHUFU_OK) return status;
    fprintf(body, "<form method=\"post\" action=\"%s\">\n<input type=\"hidden\" name=\"csrf_token\" value=\"", action);
    write_escaped(body, token, token_len);
    fprintf(body, "\">\n%s\n</form>\n", inputs);
    return KHUFU_OK;
}

/* Calls the page that the server has for a method and a path. */
static khufu_status call_page(const struct form *form, const char *method, const char *path, khufu_session *session,
                              struct answer *answer) {
    const struct route *route = form->server->routes;
    const struct field *token = &form->csrf_token;
    bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0, valid = !post;
    while (route->path != NULL && (strcmp(route->path, path) != 0 || strcmp(route->method, method) != 0)) route++;
    if (route->path == NULL) {
        refuse(answer, MHD_HTTP_NOT_FOUND, "There is no such page.");
        return KHUFU_OK;
    }
    if (post && token->len <= FIELD_LIMIT) {
        khufu_status status = khufu_session_check_csrf_token(session, token->text, token->len, &valid);
        if (status != KHUFU_OK) return status;
    }
    if (valid) return route->page(session, form->fields, answer);
    refuse(answer, MHD_HTTP_FORBIDDEN, "csrf_token: missing or wrong");
    return KHUFU_OK;
}

/* Answers with an error. The reason goes to the log only, because it may name a key, a file or a server. */
static void answer_failure(struct answer *answer, khufu_status status, const khufu_session *session) {
    fprintf(stderr, "session: %s\n", khufu_session_error(session));
    if (status == KHUFU_ERR_UTF8) refuse(answer, MHD_HTTP_BAD_REQUEST, "The form must be UTF-8.");
    else if (status == KHUFU_ERR_STORE) refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "The session is not available.");
    else refuse(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "The session is not available.");
}

/* begin of the glue */
static bool add_headers(struct MHD_Response *response, const khufu_session *session) {
    const char *name, *value;
    size_t name_len, value_len;
    bool added = true;
    for (size_t i = 0; khufu_session_header(session, i, &name, &name_len, &value, &value_len) == KHUFU_OK; i++) {
        char *header = strndup(name, name_len), *text = strndup(value, value_len);
        added = added && header != NULL && text != NULL && MHD_add_response_header(response, header, text) == MHD_YES;
        free(header);
        free(text);
    }
    return added;
}
/* end of the glue */

/* Commits the session before the response is made. If that fails, nothing of the page is sent, but a browser that logs
   out still loses its cookie. */
static enum MHD_Result respond(const struct site *site, struct MHD_Connection *connection, const struct form *form,
                               const char *method, const char *path) {
    char *body = NULL;
    size_t body_len = 0;
    struct answer answer = {.status = MHD_HTTP_OK, .body = open_memstream(&body, &body_len)};
    if (answer.body == NULL) return MHD_NO;

    /* begin of the glue */
    khufu_session *session = NULL;
    const char *cookies = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
    khufu_status status = khufu_session_open(site->factory, cookies, cookies != NULL ? KHUFU_NTS : 0, &session);
    if (status == KHUFU_OK) status = call_page(form, method, path, session, &answer);
    if (status == KHUFU_OK) status = khufu_session_commit(session, 0);
    if (status != KHUFU_OK) answer_failure(&answer, status, session);
    /* end of the glue */

    fclose(answer.body);
    struct MHD_Response *response = MHD_create_response_from_buffer(body_len, body, MHD_RESPMEM_MUST_FREE);
    if (answer.type != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    if (answer.location != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer.location);
    /* begin of the glue */
    bool complete = add_headers(response, session);
    khufu_session_free(session);
    /* end of the glue */
    enum MHD_Result queued = complete ? MHD_queue_response(connection, answer.status, response) : MHD_NO;
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result read_field(void *closure, enum MHD_ValueKind kind, const char *name, const char *file_name,
                                  const char *type, const char *encoding, const char *data, uint64_t offset,
                                  size_t size) {
    struct form *form = closure;
    struct field *field = strcmp(name, "csrf_token") == 0 ? &form->csrf_token : NULL;
    (void)kind, (void)file_name, (void)type, (void)encoding;
    for (size_t i = 0; i < FIELDS && form->server->fields[i] != NULL; i++)
        if (strcmp(name, form->server->fields[i]) == 0) field = &form->fields[i];
    if (field == NULL) return MHD_YES;
    if (offset > FIELD_LIMIT || size > FIELD_LIMIT - offset) {
        field->len = FIELD_LIMIT + 1;
    } else {
        if (size > 0) memcpy(field->text + offset, data, size);
        field->len = (size_t)offset + size;
    }
    return MHD_YES;
}

/* libmicrohttpd calls this when a request's headers are complete, for each part of its body, and at its end. */
static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_len, void **state) {
    const struct site *site = closure;
    struct form *form = *state;
    (void)version;
    if (form == NULL) {
        *state = form = calloc(1, sizeof *form);
        if (form == NULL) return MHD_NO;
        form->server = site->server;
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
    return respond(site, connection, form, method, path);
}

static void finish(void *closure, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code) {
    struct form *form = *state;
    (void)closure, (void)connection, (void)code;
    if (form != NULL && form->processor != NULL) MHD_destroy_post_processor(form->processor);
    free(form);
    *state = NULL;
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

/* Add the option secure for a site that has HTTPS. */
static khufu_factory *make_factory(void) {
    const char *secret = variable("KHUFU_SECRET"), *previous = variable("KHUFU_PREVIOUS_SECRET");
    const char *store = variable("KHUFU_STORE");
    const char *type = store[0] != '\0' ? "store" : "signed_cookie";
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    if (khufu_options_set(options, "secret", KHUFU_NTS, secret, KHUFU_NTS) != KHUFU_OK ||
        (previous[0] != '\0' &&
         khufu_options_set(options, "previous_secret", KHUFU_NTS, previous, KHUFU_NTS) != KHUFU_OK) ||
        khufu_options_set(options, "httponly", KHUFU_NTS, "true", KHUFU_NTS) != KHUFU_OK ||
        khufu_options_set(options, "type", KHUFU_NTS, type, KHUFU_NTS) != KHUFU_OK ||
        khufu_options_set(options, "store", KHUFU_NTS, store, KHUFU_NTS) != KHUFU_OK ||
        khufu_factory_new(options, &factory) != KHUFU_OK)
        fprintf(stderr, "%s\n", khufu_options_error(options));
    khufu_options_free(options);
    return factory;
}

static int listen_until_signal(struct site *site, int port) {
    sigset_t signals;
    int signal_number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* inherited by the server's thread: only sigwait gets the signals */
    signal(SIGPIPE, SIG_IGN);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, site, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_NOTIFY_COMPLETED, finish, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%d\n", port);
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    MHD_stop_daemon(daemon);
    return 0;
}

int run_server(const struct server *server, int count, char **words) {
    if (count != 3 || strcmp(words[1], "--port") != 0) {
        fprintf(stderr, "usage: %s --port N\n", words[0]);
        return 2;
    }
    struct site site = {server, make_factory()};
    if (site.factory == NULL) return 1;
    int status = listen_until_signal(&site, atoi(words[2]));
    khufu_factory_free(site.factory);
    return status;
}
