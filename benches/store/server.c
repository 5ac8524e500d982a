#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0) exit(1);
    if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) exit(1);
    close(listener);
    return ntohs(address.sin_port);
}

static redisContext *try_to_connect(const struct server *server) {
    redisContext *redis = redisConnect("127.0.0.1", server->port);
    redisReply *reply = redis != NULL && redis->err == 0 ? redisCommand(redis, "PING") : NULL;
    bool answers = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL) freeReplyObject(reply);
    if (answers) return redis;
    if (redis != NULL) redisFree(redis);
    return NULL;
}

redisContext *connect_to(const struct server *server) {
    for (double limit = seconds() + 30; seconds() < limit; pause_for(0.001)) {
        redisContext *redis = try_to_connect(server);
        if (redis != NULL) return redis;
    }
    fprintf(stderr, "redis-server does not answer on port %d\n", server->port);
    exit(1);
}

void restart_server(struct server *server) {
    char port[16];
    snprintf(port, sizeof port, "%d", server->port);
    fflush(NULL);
    server->process = fork();
    if (server->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* the server must not outlive the benchmark */
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", server->folder, "--save",
               "", "--appendonly", server->durable ? "yes" : "no", "--appendfsync", "always", NULL);
        _exit(127);
    }
    redisFree(connect_to(server));
}

struct server start_server(const char *folder, const char *name, bool durable) {
    struct server server = {.port = free_port(), .durable = durable};
    snprintf(server.folder, sizeof server.folder, "%s/%s", folder, name);
    snprintf(server.url, sizeof server.url, "redis://127.0.0.1:%d", server.port);
    if (mkdir(server.folder, 0700) != 0) exit(1);
    restart_server(&server);
    return server;
}

void signal_server(struct server *server, int signal) {
    if (kill(server->process, signal) != 0) exit(1);
}

void end_server(struct server *server, int signal) {
    signal_server(server, signal);
    waitpid(server->process, NULL, 0);
}
