/* The vector files: every case of one, as the Python originals wrote it. */
#ifndef VECTORS_H
#define VECTORS_H

#include "test.h"

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

#define EACH_CASE(vector, vectors) cJSON_ArrayForEach(vector, cJSON_GetObjectItem(vectors, "cases"))

#endif
