/* Reads the vector files, whose cases the Python originals wrote. */
#ifndef VECTORS_H
#define VECTORS_H

#include "sessions.h"

#include <cjson/cJSON.h>

static inline cJSON *read_vectors(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "tests/vectors/%s", name);
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    REQUIRE(size > 0 && fseek(file, 0, SEEK_SET) == 0);
    char *text = malloc((size_t)size);
    REQUIRE(text != NULL && fread(text, 1, (size_t)size, file) == (size_t)size);
    cJSON *vectors = cJSON_ParseWithLength(text, (size_t)size);
    REQUIRE(cJSON_GetArraySize(cJSON_GetObjectItem(vectors, "cases")) > 0);
    fclose(file);
    free(text);
    return vectors;
}

static inline const char *text_of(const cJSON *vector, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(vector, name));
    REQUIRE(text != NULL);
    return text;
}

static inline double number_of(const cJSON *vector, const char *name) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(vector, name);
    REQUIRE(cJSON_IsNumber(number));
    return number->valuedouble;
}

/* Checks that the header's cookie does not open if any character of its value is changed. */
static inline void check_each_character(const khufu_factory *factory, const cJSON *vector, char *header, double now) {
    for (size_t i = strcspn(header, "=") + 1; header[i] != 0; i++) {
        char original = header[i];
        header[i] = original == 'A' ? 'B' : 'A';
        khufu_session *session = open_at(factory, header, now);
        khufu_load_result result = khufu_session_load_result(session);
        if (result != KHUFU_LOAD_BAD_SIGNATURE && result != KHUFU_LOAD_MALFORMED)
            FAIL("%s, character %zu: %s", text_of(vector, "name"), i, khufu_load_result_name(result));
        CHECK_INT(khufu_session_length(session), 0);
        khufu_session_free(session);
        header[i] = original;
    }
}

#define EACH_CASE(vector, vectors) cJSON_ArrayForEach(vector, cJSON_GetObjectItem(vectors, "cases"))

#endif
