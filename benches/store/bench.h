/* Measures sessions in stores under load, through the C ABI. */
#ifndef BENCH_H
#define BENCH_H

#include <khufu.h>

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_SIZE = 112, URL_SIZE = 4200 };

/* sessions.c: the steps of every request. All functions but try_open end the program if they fail. */

double seconds(void);
void pause_for(double seconds);
void must(khufu_status status, const char *what, const char *why);
/* Makes a factory whose sessions are kept in this store, or in cookies if `store` is NULL. Each operation of the store
   may take up to `timeout` seconds. */
khufu_factory *make_factory(const char *store, int timeout);
khufu_session *open_session(const khufu_factory *factory, const char *header);
/* Opens a session. Returns NULL if the store does not answer. */
khufu_session *try_open(const khufu_factory *factory, const char *header);
void commit(khufu_session *session);
/* Commits a new session with that state and writes its Cookie header. */
void begin(const khufu_factory *factory, const char *state, char *header, size_t size);
double median(double *numbers, size_t count);
/* Ends a line of output: prints whether the target was reached. */
void verdict(bool reached);

/* server.c: a redis-server on loopback, which only this benchmark uses. */

struct server {
    char folder[URL_SIZE];
    char url[64];
    int port;
    bool durable;
    pid_t process;
};

/* Starts a server in a new folder inside `folder`. A durable server writes each change to disk before it answers. */
struct server start_server(const char *folder, const char *name, bool durable);
/* Starts a server that has ended again, with the data on its disk, and waits until it answers. */
void restart_server(struct server *server);
void signal_server(struct server *server, int signal);
void end_server(struct server *server, int signal);
redisContext *connect_to(const struct server *server);

/* The measurements. Those that return a bool return true if no session was lost or wrong. */

bool load_stores(const char *folder, const struct server *server, const char *python, int requests);
bool kill_processes(const char *folder);
bool interrupt_server(const char *folder);
void compare_with_redis(const struct server *server);
void keep_in_memory(size_t sessions);

#endif
