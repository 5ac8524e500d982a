/* same_json compares the values of two JSON texts. Objects must have their keys in the same order, because a session
   keeps it. Strings are compared by their characters, however they are escaped; integers of any size by their digits;
   and other numbers as doubles. Both texts must be well-formed, but may contain NaN and Infinity as Python writes them. */
#ifndef JSON_H
#define JSON_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct json_text {
    const unsigned char *at, *end;
};

static inline void skip_space(struct json_text *text) {
    while (text->at < text->end && strchr(" \t\r\n", *text->at) != NULL && *text->at != 0) text->at++;
}

static inline unsigned hex4(const unsigned char *digits) {
    char word[5];
    memcpy(word, digits, 4);
    word[4] = 0;
    return (unsigned)strtoul(word, NULL, 16);
}

/* The next character of a string, or -1 at the closing quote. A surrogate pair is one character. */
static inline long next_character(struct json_text *text) {
    if (text->at >= text->end || *text->at == '"') {
        text->at++;
        return -1;
    }
    unsigned first = *text->at++;
    if (first == '\\') {
        unsigned escape = *text->at++;
        switch (escape) {
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'u': break;
        default: return (long)escape;
        }
        unsigned unit = hex4(text->at);
        text->at += 4;
        if (unit >= 0xd800 && unit < 0xdc00 && text->end - text->at >= 6 && text->at[0] == '\\' && text->at[1] == 'u') {
            unsigned low = hex4(text->at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                text->at += 6;
                return 0x10000 + (long)((unit - 0xd800) << 10) + (long)(low - 0xdc00);
            }
        }
        return (long)unit;
    }
    unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    long character = more == 0 ? (long)first : (long)(first & (0x3fu >> more));
    while (more-- > 0 && text->at < text->end) character = (character << 6) | (*text->at++ & 0x3f);
    return character;
}

static inline size_t word_length(const struct json_text *text) {
    size_t length = 0;
    while (text->at + length < text->end && strchr(",:[]{} \t\r\n\"", text->at[length]) == NULL) length++;
    return length;
}

static inline bool same_word(struct json_text *left, struct json_text *right) {
    char words[2][5000];
    struct json_text *texts[2] = {left, right};
    for (int i = 0; i < 2; i++) {
        size_t length = word_length(texts[i]);
        if (length == 0 || length >= sizeof words[i]) return false;
        memcpy(words[i], texts[i]->at, length);
        words[i][length] = 0;
        texts[i]->at += length;
    }
    if (strcmp(words[0], words[1]) == 0) return true;
    bool fractions = strpbrk(words[0], ".eE") != NULL && strpbrk(words[1], ".eE") != NULL;
    double numbers[2] = {strtod(words[0], NULL), strtod(words[1], NULL)};
    return fractions && numbers[0] == numbers[1] && signbit(numbers[0]) == signbit(numbers[1]);
}

static inline bool same_json(const char *left_text, size_t left_len, const char *right_text, size_t right_len) {
    if (left_text == NULL || right_text == NULL) return false;
    struct json_text left = {(const unsigned char *)left_text, (const unsigned char *)left_text + left_len};
    struct json_text right = {(const unsigned char *)right_text, (const unsigned char *)right_text + right_len};
    for (;;) {
        skip_space(&left);
        skip_space(&right);
        if (left.at >= left.end || right.at >= right.end) return left.at >= left.end && right.at >= right.end;
        if (*left.at == '"' || *right.at == '"') {
            if (*left.at++ != *right.at++) return false;
            long character;
            do {
                character = next_character(&left);
                if (next_character(&right) != character) return false;
            } while (character >= 0);
        } else if (strchr(",:[]{}", *left.at) != NULL || strchr(",:[]{}", *right.at) != NULL) {
            if (*left.at++ != *right.at++) return false;
        } else if (!same_word(&left, &right)) {
            return false;
        }
    }
}

#endif
