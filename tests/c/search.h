/* A search through this process's memory for what must not be there any more, freed blocks and the stack included. A
   needle is kept masked, so that the search does not find the test's own copy, and only its second half is searched for,
   so that an allocator's links over the beginning of a freed block do not hide it. */
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

/* Takes the bytes away from where they stand: from now on they are in the needle alone, masked. */
static inline struct needle take(void *data, size_t len) {
    struct needle needle = {.len = len};
    REQUIRE(len >= 16 && len <= NEEDLE_LIMIT);
    for (size_t i = 0; i < len; i++) needle.masked[i] = ((volatile unsigned char *)data)[i] ^ MASK;
    explicit_bzero(data, len);
    return needle;
}

/* Letters that were drawn at random and never stood anywhere unmasked. */
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

/* The same bytes, each xored with one byte: a key as it stands in HMAC's block. */
static inline struct needle xored(const struct needle *needle, unsigned char byte) {
    struct needle other = *needle;
    for (size_t i = 0; i < other.len; i++) other.masked[i] ^= byte;
    return other;
}

/* The bytes that the needle's hex digits write. */
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

/* How often the needle's second half stands between two addresses. */
static inline size_t hits_between(int memory, uintptr_t at, uintptr_t end, const struct needle *needle) {
    size_t half = needle->len / 2, size = needle->len - half, found = 0;
    while (at < end && end - at >= size) {
        ssize_t got = pread(memory, window, end - at < WINDOW ? end - at : WINDOW, (off_t)at);
        if (got < (ssize_t)size) break; /* pages that are mapped and not there */
        for (size_t start = 0; start + size <= (size_t)got; start++) {
            size_t same = 0;
            while (same < size && (window[start + same] ^ MASK) == needle->masked[half + same]) same++;
            found += same == size;
        }
        at += (size_t)got - size + 1;
    }
    return found;
}

/* How often it stands in this process's memory, but for the window through which that is read. */
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
        if (rights[1] != 'r' || strstr(line, "[v") != NULL) continue; /* [vvar] and [vsyscall] are the kernel's */
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
