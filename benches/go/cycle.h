#include <khufu.h>

/* Makes a factory with this secret and hashalg, or returns NULL. */
khufu_factory *cycle_factory(const char *secret, const char *hashalg);

/*
 * Runs the request cycle this many times with a Cookie header, and returns how many bytes the headers of the last
 * response have: 0 if a call failed.
 */
size_t cycle_run(const khufu_factory *factory, const char *header, int times);
