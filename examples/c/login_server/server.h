/* A server on libmicrohttpd whose pages use khufu's sessions. login_server.c and the demo's C server have pages. */
#ifndef SERVER_H
#define SERVER_H

#include <khufu.h>
#include <stdio.h>

enum { FIELDS = 2, FIELD_LIMIT = 200 };

/* A form's field. If its text was longer than FIELD_LIMIT, `len` is FIELD_LIMIT + 1 and the text must not be used. */
struct field {
    char text[FIELD_LIMIT];
    size_t len;
};

/* The answer that a page makes: its status (at first 200), its headers, and a stream for its body. */
struct answer {
    unsigned status;
    const char *type, *location;
    FILE *body;
};

/* Answers a request. If a call of khufu fails, the page returns its status, and nothing of the page is sent. */
typedef khufu_status page(khufu_session *session, const struct field *fields, struct answer *answer);

struct route {
    const char *method, *path;
    page *page; /* if the method is POST, it is called only if the field csrf_token is right */
};

struct server {
    const char *fields[FIELDS]; /* the names of the forms' fields, in the order in which pages get them, then NULL */
    const struct route *routes; /* the last one has no path */
};

/* Runs a server for the command `SERVER --port N` on 127.0.0.1, until SIGTERM or SIGINT. The secret is in KHUFU_SECRET,
   and if it replaced another one, that one is in KHUFU_PREVIOUS_SECRET. If KHUFU_STORE is the URL of a store, sessions
   are in it, otherwise in a cookie. Returns the exit status. */
int run_server(const struct server *server, int count, char **words);

/* Answers with a text instead of what the page has written. */
void refuse(struct answer *answer, unsigned status, const char *text);

/* Makes the browser get this page after it has sent a form. */
void redirect(struct answer *answer, const char *location);

/* Returns true if a field has 1 to `limit` bytes. Otherwise answers with a text. */
bool has_length(const struct field *field, size_t limit, struct answer *answer, const char *text);

void write_escaped(FILE *body, const char *text, size_t len);

/* Writes a form with the session's CSRF token in the field csrf_token. If there is no token, it makes one. */
khufu_status write_form(FILE *body, khufu_session *session, const char *action, const char *inputs);

#endif
