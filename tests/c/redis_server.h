/* Starts a Redis for the test alone, on a socket in a folder, and sends commands to it. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include "test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    pid_t process;
    int connection;
    struct sockaddr_un address;
    char url[128];
} redis_server;

/* Sends an inline command and returns the first line of the answer. An argument is plain text, or in double quotes with
   \xHH escapes. */
static inline const char *redis(const char *command) {
    static char answer[256];
    size_t len = 0;
    for (size_t sent = 0, size = strlen(command); sent < size;) {
        ssize_t written = write(redis_server.connection, command + sent, size - sent);
        REQUIRE(written > 0);
        sent += (size_t)written;
    }
    REQUIRE(write(redis_server.connection, "\r\n", 2) == 2);
    while (len < 2 || answer[len - 1] != '\n') {
        REQUIRE(len < sizeof answer - 1 && read(redis_server.connection, answer + len, 1) == 1);
        len++;
    }
    answer[len - 2] = 0;
    return answer;
}

static inline void start_redis(const char *folder) {
    redis_server.address.sun_family = AF_UNIX;
    char *path = redis_server.address.sun_path;
    snprintf(path, sizeof redis_server.address.sun_path, "%s/redis.sock", folder);
    snprintf(redis_server.url, sizeof redis_server.url, "redis+unix://%s", path);
    redis_server.process = fork();
    REQUIRE(redis_server.process >= 0);
    if (redis_server.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(126);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder,
               (char *)NULL);
        _exit(127);
    }
    redis_server.connection = socket(AF_UNIX, SOCK_STREAM, 0);
    int tries = 0;
    while (connect(redis_server.connection, (struct sockaddr *)&redis_server.address, sizeof redis_server.address) != 0) {
        REQUIRE(tries++ < 1000);
        usleep(10000);
    }
    REQUIRE(strcmp(redis("PING"), "+PONG") == 0);
}

static inline void stop_redis(void) {
    int status;
    close(redis_server.connection);
    CHECK_INT(kill(redis_server.process, SIGTERM), 0);
    CHECK_INT(waitpid(redis_server.process, &status, 0), redis_server.process);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
