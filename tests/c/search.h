/* Searches all memory of this process, including freed blocks and the stack, for bytes that should have been wiped. The
   needle is kept masked, so that the search does not find the test's own copy. Only its second half is searched for,
   because the allocator may overwrite the beginning of a freed block. */
#ifndef SEARCH_H
#define SEARCH_H

#include "test.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

enum { MASK = 0x5a, NEEDLE_LIMIT = 256, WINDOW = 1 << 16 };

struct needle {
    unsigned char masked[NEEDLE_LIMIT];
    size_t len;
};

/* Moves the bytes into a needle, and wipes them at their old place. */
static inline struct needle take(void *data, size_t len) {
    struct needle needle = {.len = len};
    REQUIRE(len >= 16 && len <= NEEDLE_LIMIT);
    for (size_t i = 0; i < len; i++) needle.masked[i] = ((volatile unsigned char *)data)[i] ^ MASK;
    explicit_bzero(data, len);
    return needle;
}

/* A needle of random letters, which were never in memory unmasked. */
static inline struct needle draw(size_t len, const char *alphabet) {
    struct needle needle = {.len = len};
    REQUIRE(len >= 16 && len <= NEEDLE_LIMIT && getrandom(needle.masked, len, 0) == (ssize_t)len);
    size_t letters = strlen(alphabet);
    for (size_t i = 0; i < len; i++)
        needle.masked[i] = (unsigned char)((volatile const char *)alphabet)[needle.masked[i] % letters] ^ MASK;
    return needle;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789abcdef"

static inline size_t reveal(const struct needle *needle, char *buffer) {
    for (size_t i = 0; i < needle->len; i++) ((volatile char *)buffer)[i] = (char)(needle->masked[i] ^ MASK);
    buffer[needle->len] = 0;
    return needle->len;
}

/* The needle with each byte xored with `byte`, as HMAC does with a key. */
static inline struct needle xored(const struct needle *needle, unsigned char byte) {
    struct needle other = *needle;
    for (size_t i = 0; i < other.len; i++) other.masked[i] ^= byte;
    return other;
}

/* The needle that this needle's hex digits encode. */
static inline struct needle from_hex(const struct needle *digits) {
    struct needle bytes = {.len = digits->len / 2};
    for (size_t i = 0; i < digits->len; i++) {
        unsigned char digit = digits->masked[i] ^ MASK;
        unsigned value = (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        bytes.masked[i / 2] = (unsigned char)(i % 2 == 0 ? value << 4 : (bytes.masked[i / 2] ^ MASK) | value) ^ MASK;
    }
    return bytes;
}

static unsigned char window[WINDOW];

/* Counts how often the needle's second half occurs between two addresses. */
static inline size_t hits_between(int memory, uintptr_t at, uintptr_t end, const struct needle *needle) {
    size_t half = needle->len / 2, size = needle->len - half, found = 0;
    while (at < end && end - at >= size) {
        ssize_t got = pread(memory, window, end - at < WINDOW ? end - at : WINDOW, (off_t)at);
        if (got < (ssize_t)size) break; /* mapped pages that cannot be read */
        for (size_t start = 0; start + size <= (size_t)got; start++) {
            size_t same = 0;
            while (same < size && (window[start + same] ^ MASK) == needle->masked[half + same]) same++;
            found += same == size;
        }
        at += (size_t)got - size + 1;
    }
    return found;
}

/* Counts how often the needle occurs in this process's memory, except in the window into which memory is copied. */
static inline size_t hits(const struct needle *needle) {
    static char maps[1 << 16];
    uintptr_t own = (uintptr_t)window, own_end = own + sizeof window;
    int maps_file = open("/proc/self/maps", O_RDONLY), memory = open("/proc/self/mem", O_RDONLY);
    size_t maps_len = 0, found = 0;
    REQUIRE(maps_file >= 0 && memory >= 0);
    for (ssize_t got; (got = read(maps_file, maps + maps_len, sizeof maps - 1 - maps_len)) > 0;) maps_len += (size_t)got;
    REQUIRE(maps_len < sizeof maps - 1);
    maps[maps_len] = 0;
    char *rest = maps;
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        char *end_text, *rights;
        uintptr_t start = strtoull(line, &end_text, 16), end = strtoull(end_text + 1, &rights, 16);
        if (rights[1] != 'r' || strstr(line, "[v") != NULL) continue; /* [vvar] and [vsyscall] belong to the kernel */
        found += hits_between(memory, start, end < own ? end : own < start ? start : own, needle);
        found += hits_between(memory, start > own_end ? start : own_end, end, needle);
    }
    explicit_bzero(window, sizeof window);
    close(maps_file);
    close(memory);
    return found;
}

#define CHECK_THERE(needle) CHECK(hits(needle) > 0)
#define CHECK_GONE(needle) CHECK_INT(hits(needle), 0)

#endif
