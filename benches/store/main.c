/* Makes and prints all measurements. Fails if a write was lost or a session was wrong. scripts/bench-store runs it. */
#include "bench.h"

#include <signal.h>

int main(int argc, char **argv) {
    size_t sessions = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    int requests = argc == 5 ? atoi(argv[4]) : 0;
    if (sessions < 1 || requests < 1) {
        fprintf(stderr, "usage: %s FOLDER PYTHON SESSIONS REQUESTS\n", argv[0]);
        return 2;
    }
    const char *folder = argv[1], *python = argv[2];
    struct server server = start_server(folder, "load", false);
    bool right = load_stores(folder, &server, python, requests);
    compare_with_redis(&server);
    end_server(&server, SIGKILL);
    keep_in_memory(sessions);
    right &= kill_processes(folder);
    right &= interrupt_server(folder);
    return right ? 0 : 1;
}
