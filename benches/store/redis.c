/* Compares a session in Redis with plain round trips to Redis. */
#include "bench.h"

enum { ROUNDS = 4001, VISITED = 100000 };

/* A key as long as the key of a session's record. */
#define RAW "raw:::0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static redisReply *ask(redisContext *redis, redisReply *reply, int type) {
    if (reply != NULL && reply->type == type) return reply;
    fprintf(stderr, "Redis: %s\n", reply != NULL && reply->type == REDIS_REPLY_ERROR ? reply->str : redis->errstr);
    exit(1);
}

static void visit(const khufu_factory *factory, const char *header, int visits) {
    khufu_session *session = open_session(factory, header);
    must(khufu_session_set_int64(session, "visits", 6, VISITED + visits), "visits", "");
    commit(session);
    khufu_session_free(session);
}

/* Empties the database, begins a session in it, and returns the length of the session's record. */
static size_t begin_padded(const khufu_factory *factory, redisContext *redis, size_t padding, char *header) {
    char state[8192];
    snprintf(state, sizeof state, "{\"visits\":%d,\"padding\":\"%0*d\"}", VISITED, (int)padding, 0);
    freeReplyObject(ask(redis, redisCommand(redis, "FLUSHDB"), REDIS_REPLY_STATUS));
    begin(factory, state, header, HEADER_SIZE);
    visit(factory, header, 0);
    redisReply *key = ask(redis, redisCommand(redis, "RANDOMKEY"), REDIS_REPLY_STRING);
    redisReply *length = ask(redis, redisCommand(redis, "STRLEN %b", key->str, key->len), REDIS_REPLY_INTEGER);
    size_t bytes = (size_t)length->integer;
    freeReplyObject(key);
    freeReplyObject(length);
    return bytes;
}

static void set_raw(redisContext *redis, const char *value, size_t size) {
    freeReplyObject(ask(redis, redisCommand(redis, "SET " RAW " %b PX 1201000", value, size), REDIS_REPLY_STATUS));
}

static void compare(const khufu_factory *factory, redisContext *redis, size_t size) {
    char header[HEADER_SIZE], value[8192];
    size_t padding = 1, bytes;
    /* The record's length varies: its time of creation is written with more or fewer digits. */
    while ((bytes = begin_padded(factory, redis, padding, header)) != size) padding = padding + size - bytes;
    memset(value, 'x', size);

    static double session_times[ROUNDS], raw_times[ROUNDS];
    set_raw(redis, value, size);
    for (int round = 0; round < ROUNDS; round++) { /* in turns, so that other load on the machine slows both alike */
        double began = seconds();
        visit(factory, header, round);
        double between = seconds();
        freeReplyObject(ask(redis, redisCommand(redis, "GET " RAW), REDIS_REPLY_STRING));
        set_raw(redis, value, size);
        session_times[round] = between - began;
        raw_times[round] = seconds() - between;
    }
    double session = median(session_times, ROUNDS), raw = median(raw_times, ROUNDS);
    printf("%8zu %14.1f %14.1f %8.2f", size, session * 1e6, raw * 1e6, session / raw);
    verdict(session <= 1.25 * raw);
}

void compare_with_redis(const struct server *server) {
    khufu_factory *factory = make_factory(server->url, 1);
    redisContext *redis = connect_to(server);
    printf("\nOpening and committing a session in Redis, compared with GET and SET of as many bytes through hiredis, each on one\n"
           "connection. Median times in microseconds. Target: a ratio of at most 1.25.\n\n");
    printf("%8s %14s %14s %8s\n", "bytes", "open, commit", "GET, SET", "ratio");
    for (size_t size = 200; size <= 4000; size += size < 1000 ? 800 : 3000) compare(factory, redis, size);
    redisFree(redis);
    khufu_factory_free(factory);
}
