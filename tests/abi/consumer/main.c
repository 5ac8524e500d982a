/* A program that uses an installed khufu. It checks that the header and the linked library agree, opens a session, and
   prints the version. */
#include <khufu.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    if (strcmp(khufu_version(), KHUFU_VERSION) != 0 || khufu_abi_version() != KHUFU_ABI_VERSION) {
        fprintf(stderr, "header %s (ABI %d), library %s (ABI %u)\n",
                KHUFU_VERSION, (int)KHUFU_ABI_VERSION, khufu_version(), (unsigned)khufu_abi_version());
        return 1;
    }
    char secret[KHUFU_SIGNING_SECRET_SIZE];
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    khufu_session *session = NULL;
    int opened = khufu_generate_secret(secret, sizeof secret) == KHUFU_OK
        && khufu_options_set(options, "secret", KHUFU_NTS, secret, KHUFU_NTS) == KHUFU_OK
        && khufu_factory_new(options, &factory) == KHUFU_OK
        && khufu_session_open(factory, NULL, 0, &session) == KHUFU_OK
        && khufu_session_is_new(session);
    khufu_session_free(session);
    khufu_factory_free(factory);
    khufu_options_free(options);
    puts(khufu_version());
    return !opened;
}
