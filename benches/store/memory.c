/* Measures the cost of a session among many in memory, compared with a session in a cookie. */
#include "bench.h"

#define SMALL                                                                                             \
    "{\"user_id\":42,\"name\":\"Zoe Example\",\"_csrft_\":\"00112233445566778899aabbccddeeff00112233\"," \
    "\"seen\":1699999999}"

enum { BATCHES = 101, BATCH = 2000 };

/* Writes a state of about 600 bytes: the small state and a cart. */
static void write_medium(char *state, size_t size) {
    size_t end = (size_t)snprintf(state, size, "%.*s,\"cart\":[", (int)strlen(SMALL) - 1, SMALL);
    for (int i = 0; i < 9; i++) {
        end += (size_t)snprintf(state + end, size - end, "%s{\"sku\":\"A-%05d\",\"count\":%d,\"price\":\"19.90\"}",
                                i > 0 ? "," : "", 7 * i, i);
    }
    snprintf(state + end, size - end, "],\"locale\":\"en_GB\",\"timezone\":\"Europe/London\"}");
}

static double resident_bytes(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) exit(1);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void visit(const khufu_factory *factory, const char *header) {
    const char *data;
    size_t length;
    khufu_session *session = open_session(factory, header);
    must(khufu_session_get(session, "user_id", 7, &data, &length), "user_id", "");
    must(khufu_session_get(session, "_csrft_", 7, &data, &length), "_csrft_", "");
    must(khufu_session_set_int64(session, "seen", 4, 1700000001), "seen", "");
    commit(session);
    khufu_session_free(session);
}

static void keep(const char *state, size_t count) {
    khufu_factory *factory = make_factory("memory:", 1), *cookies = make_factory(NULL, 1);
    char (*headers)[HEADER_SIZE] = malloc(count * HEADER_SIZE), cookie[4096];
    if (headers == NULL) exit(1);
    memset(headers, 1, count * HEADER_SIZE);
    double before = resident_bytes();
    for (size_t i = 0; i < count; i++) begin(factory, state, headers[i], HEADER_SIZE);
    double bytes = (resident_bytes() - before) / (double)count;
    begin(cookies, state, cookie, sizeof cookie);

    double stored_times[BATCHES], cookie_times[BATCHES];
    uint64_t random = 1;
    for (int batch = 0; batch < BATCHES; batch++) { /* in turns, so that other load on the machine slows both alike */
        double began = seconds();
        for (int i = 0; i < BATCH; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            visit(factory, headers[(random >> 33) % count]);
        }
        double between = seconds();
        for (int i = 0; i < BATCH; i++) visit(cookies, cookie);
        stored_times[batch] = (between - began) / BATCH;
        cookie_times[batch] = (seconds() - between) / BATCH;
    }
    double stored = median(stored_times, BATCHES), in_cookie = median(cookie_times, BATCHES);
    printf("%8zu %14.0f %12.2f %12.2f %8.2f", strlen(state), bytes, stored * 1e6, in_cookie * 1e6, stored / in_cookie);
    verdict(stored < 2 * in_cookie);
    free(headers);
    khufu_factory_free(factory);
    khufu_factory_free(cookies);
}

void keep_in_memory(size_t sessions) {
    char medium[1024];
    write_medium(medium, sizeof medium);
    printf("\nWith %zu sessions in memory, each request opens one at random, reads two keys, sets one and commits. Median times in\n"
           "microseconds, compared with the same request on one signed cookie (sha512). Target: a ratio below 2.\n\n", sessions);
    printf("%8s %14s %12s %12s %8s\n", "state", "bytes/session", "in memory", "in a cookie", "ratio");
    keep(SMALL, sessions);
    keep(medium, sessions);
}
