/* The C peer of the live exchange. README.md describes the protocol. */
#define _POSIX_C_SOURCE 200809L

#include <khufu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char *data;
    size_t len;
};

static khufu_factory *factory;
static khufu_session *open_session;

static void print_word(const char *data, size_t len) {
    fputs(len == 0 ? " -" : " ", stdout);
    for (size_t i = 0; i < len; i++) printf("%02x", (unsigned char)data[i]);
}

static void print_text(const char *text) {
    print_word(text, strlen(text));
}

static void print_number(double number) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    print_text(text);
}

static void print_error(khufu_status status, const char *detail) {
    fputs("error", stdout);
    print_number(status);
    print_text(*detail != '\0' ? detail : khufu_status_message(status));
}

static unsigned digit(char character) {
    return (unsigned)(character <= '9' ? character - '0' : character - 'a' + 10);
}

/* Splits a request's line into words, in place. Returns the number of words. */
static size_t split(char *line, struct word *words) {
    size_t count = 0;
    char *rest = line;
    for (char *text; (text = strtok_r(rest, " \n", &rest)) != NULL; count++) {
        words[count] = (struct word){text, strlen(text)};
        if (count == 0) continue;
        words[count].len = strcmp(text, "-") == 0 ? 0 : words[count].len / 2;
        for (size_t i = 0; i < words[count].len; i++) text[i] = (char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
        text[words[count].len] = '\0';
    }
    return count;
}

static void answer_factory(const struct word *words, size_t count) {
    khufu_options *options = khufu_options_new();
    khufu_status status = KHUFU_OK;
    khufu_factory_free(factory);
    factory = NULL;
    for (size_t i = 0; status == KHUFU_OK && i + 1 < count; i += 2)
        status = khufu_options_set(options, words[i].data, words[i].len, words[i + 1].data, words[i + 1].len);
    if (status == KHUFU_OK) status = khufu_factory_new(options, &factory);
    if (status == KHUFU_OK) fputs("ok", stdout);
    else print_error(status, khufu_options_error(options));
    khufu_options_free(options);
}

static void answer_read(khufu_session *session) {
    const char *key, *json;
    size_t key_len, json_len, cursor = 0;
    khufu_status status = khufu_session_to_json(session, &json, &json_len);
    if (status != KHUFU_OK) {
        print_error(status, khufu_session_error(session));
        return;
    }
    fputs("ok", stdout);
    print_text(khufu_load_result_name(khufu_session_load_result(session)));
    print_number(khufu_session_renewed(session));
    print_number(khufu_session_created(session));
    print_word(json, json_len);
    while (khufu_session_next(session, &cursor, &key, &key_len, &json, &json_len) == KHUFU_OK) {
        print_word(key, key_len);
        print_word(json, json_len);
    }
}

static void answer_commit(khufu_session *session) {
    khufu_status status = khufu_session_commit(session, 0);
    if (status != KHUFU_OK) {
        print_error(status, khufu_session_error(session));
        return;
    }
    const char *name, *value;
    size_t name_len, value_len;
    fputs("ok", stdout);
    if (khufu_session_header(session, 0, &name, &name_len, &value, &value_len) == KHUFU_OK &&
        name_len == strlen("Set-Cookie") && memcmp(name, "Set-Cookie", name_len) == 0)
        print_word(value, value_len); /* the cookies come first */
}

static void answer_write(khufu_session *session, const struct word *pairs, size_t count) {
    khufu_status status = KHUFU_OK;
    for (size_t i = 0; status == KHUFU_OK && i + 1 < count; i += 2)
        status = khufu_session_set(session, pairs[i].data, pairs[i].len, pairs[i + 1].data, pairs[i + 1].len);
    if (status == KHUFU_OK) answer_commit(session);
    else print_error(status, khufu_session_error(session));
}

/* Answers a request for the open session. */
static void answer_use(khufu_session *session, const char *request, const struct word *words) {
    const struct word first = words[0], second = words[1];
    const char *text = NULL;
    size_t len = 0;
    khufu_status status;
    if (strcmp(request, "commit") == 0) {
        answer_commit(session);
        return;
    }
    if (strcmp(request, "get") == 0) status = khufu_session_get(session, first.data, first.len, &text, &len);
    else if (strcmp(request, "set") == 0)
        status = khufu_session_set(session, first.data, first.len, second.data, second.len);
    else if (strcmp(request, "delete") == 0) status = khufu_session_delete(session, first.data, first.len);
    else if (strcmp(request, "flash") == 0)
        status = khufu_session_flash_string(session, first.data, first.len, second.data, second.len, true);
    else if (strcmp(request, "pop_flash") == 0)
        status = khufu_session_pop_flash(session, first.data, first.len, &text, &len);
    else if (strcmp(request, "csrf_token") == 0) status = khufu_session_csrf_token(session, &text, &len);
    else if (strcmp(request, "invalidate") == 0) status = khufu_session_invalidate(session);
    else if (strcmp(request, "regenerate_id") == 0) status = khufu_session_regenerate_id(session);
    else status = KHUFU_ERR_ARGUMENT;
    if (status != KHUFU_OK) {
        print_error(status, khufu_session_error(session));
        return;
    }
    fputs("ok", stdout);
    if (text != NULL) print_word(text, len);
}

static void answer_open(const char *request, const struct word *words, size_t count) {
    khufu_session *session = NULL;
    double now = strtod(words[0].data, NULL);
    khufu_status status = khufu_session_open_with(factory, words[1].data, words[1].len, now, -1, 0, &session);
    if (status != KHUFU_OK) print_error(status, khufu_session_error(session));
    else if (strcmp(request, "read") == 0) answer_read(session);
    else if (strcmp(request, "write") == 0) answer_write(session, words + 2, count - 2);
    else {
        khufu_session_free(open_session);
        open_session = session;
        fputs("ok", stdout);
        print_text(khufu_load_result_name(khufu_session_load_result(session)));
        return;
    }
    khufu_session_free(session);
}

/* `words` has two more elements than `count`, which are empty. */
static void answer(const struct word *words, size_t count) {
    const char *request = words[0].data, *opening[] = {"read", "write", "open"};
    if (strcmp(request, "factory") == 0) {
        answer_factory(words + 1, count - 1);
        return;
    }
    for (size_t i = 0; count > 2 && i < sizeof opening / sizeof *opening; i++)
        if (strcmp(request, opening[i]) == 0) {
            answer_open(request, words + 1, count - 1);
            return;
        }
    answer_use(open_session, request, words + 1);
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    for (ssize_t len; (len = getline(&line, &size, stdin)) > 0;) {
        struct word *words = calloc((size_t)len + 2, sizeof *words);
        size_t count = words != NULL ? split(line, words) : 0;
        if (count > 0) answer(words, count);
        putchar('\n');
        fflush(stdout);
        free(words);
    }
    free(line);
    khufu_session_free(open_session);
    khufu_factory_free(factory);
    return 0;
}
