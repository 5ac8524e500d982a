/* A shop with a login and a cart, on libmicrohttpd. server.c connects it with khufu.

   cc -std=c11 -D_GNU_SOURCE login_server.c server.c $(pkg-config --cflags --libs khufu libmicrohttpd) -o login_server
   KHUFU_SECRET=$(openssl rand -hex 64) ./login_server --port 8080

   With KHUFU_STORE=sqlite:/tmp/sessions.db or KHUFU_STORE=redis://127.0.0.1 the sessions are in that store.
*/
#include "server.h"

#include <string.h>

enum { USER, ARTICLE, LIMIT = 40 };

/* Each article has a key of its own, so that a store can merge requests. */
static const char CART[] = "cart.";
enum { CART_LEN = sizeof CART - 1 };

static void write_cart(FILE *body, khufu_session *session) {
    const char *key, *count;
    size_t key_len, count_len, cursor = 0;
    fputs("<ul>\n", body);
    while (khufu_session_next(session, &cursor, &key, &key_len, &count, &count_len) == KHUFU_OK) {
        if (key_len < CART_LEN || memcmp(key, CART, CART_LEN) != 0) continue;
        fputs("<li>", body);
        write_escaped(body, count, count_len);
        fputs(" × ", body);
        write_escaped(body, key + CART_LEN, key_len - CART_LEN);
        fputs("\n", body);
    }
    fputs("</ul>\n", body);
}

static khufu_status show(khufu_session *session, const struct field *fields, struct answer *answer) {
    FILE *body = answer->body;
    const char *text;
    size_t len, cursor = 0;
    khufu_status status;
    (void)fields;
    answer->type = "text/html; charset=utf-8";
    fputs("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>The shop</title>\n", body);
    while ((status = khufu_session_next_flash(session, "", 0, &cursor, &text, &len)) == KHUFU_OK) {
        fputs("<p><em>", body);
        write_escaped(body, text, len);
        fputs("</em>\n", body);
    }
    if (status == KHUFU_NOT_FOUND) status = khufu_session_pop_flash(session, "", 0, &text, &len);
    if (status == KHUFU_OK) status = khufu_session_get_string(session, "user", KHUFU_NTS, &text, &len);
    if (status == KHUFU_NOT_FOUND)
        return write_form(body, session, "/login",
                          "<label>Name <input name=\"user\" required></label> <button>Log in</button>");
    if (status != KHUFU_OK) return status;
    fputs("<h1>Hello, ", body);
    write_escaped(body, text, len);
    fputs("</h1>\n", body);
    write_cart(body, session);
    status = write_form(body, session, "/cart",
                        "<label>Article <input name=\"article\" required></label> <button>Add</button>");
    return status == KHUFU_OK ? write_form(body, session, "/logout", "<button>Log out</button>") : status;
}

/* A real site checks a password here. Somebody else may know the id and the token from before: they become useless. */
static khufu_status log_in(khufu_session *session, const struct field *fields, struct answer *answer) {
    const struct field *user = &fields[USER];
    char welcome[LIMIT + 20];
    const char *token;
    size_t token_len;
    if (!has_length(user, LIMIT, answer, "user: must be 1 to 40 bytes")) return KHUFU_OK;
    snprintf(welcome, sizeof welcome, "Welcome, %.*s.", (int)user->len, user->text);
    khufu_status status = khufu_session_regenerate_id(session);
    if (status == KHUFU_OK) status = khufu_session_new_csrf_token(session, &token, &token_len);
    if (status == KHUFU_OK) status = khufu_session_set_string(session, "user", KHUFU_NTS, user->text, user->len);
    if (status == KHUFU_OK) status = khufu_session_flash_string(session, welcome, KHUFU_NTS, "", 0, true);
    redirect(answer, "/");
    return status;
}

static khufu_status add_to_cart(khufu_session *session, const struct field *fields, struct answer *answer) {
    const struct field *article = &fields[ARTICLE];
    char key[CART_LEN + LIMIT];
    bool logged_in;
    khufu_status status = khufu_session_contains(session, "user", KHUFU_NTS, &logged_in);
    if (status != KHUFU_OK) return status;
    if (!logged_in) {
        refuse(answer, 403, "Log in first.");
        return KHUFU_OK;
    }
    if (!has_length(article, LIMIT, answer, "article: must be 1 to 40 bytes")) return KHUFU_OK;
    memcpy(key, CART, CART_LEN);
    memcpy(key + CART_LEN, article->text, article->len);
    redirect(answer, "/");
    return khufu_session_increment(session, key, CART_LEN + article->len, 1, NULL);
}

static khufu_status log_out(khufu_session *session, const struct field *fields, struct answer *answer) {
    (void)fields;
    redirect(answer, "/");
    return khufu_session_invalidate(session);
}

int main(int count, char **words) {
    static const struct route routes[] = {
        {"GET", "/", show},
        {"POST", "/login", log_in},
        {"POST", "/cart", add_to_cart},
        {"POST", "/logout", log_out},
        {0},
    };
    return run_server(&(struct server){.fields = {"user", "article"}, .routes = routes}, count, words);
}
