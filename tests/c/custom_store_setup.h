/* The set-up of the tests of custom stores: one store, and one or two factories that keep their sessions in it. */
#ifndef CUSTOM_STORE_SETUP_H
#define CUSTOM_STORE_SETUP_H

#include "stores.h"

static struct custom_store *custom;
/* Commits to one session take turns within a factory; with `another`, two commits can meet in the store. */
static khufu_factory *factory, *another;

#define WORDS(...) (const char *const[]){"secret", SECRET, __VA_ARGS__, NULL}
#define CUSTOM_FACTORY(...) make_custom_factory(&custom_callbacks, WORDS(__VA_ARGS__))
#define START(...) start(&custom_callbacks, WORDS(__VA_ARGS__))

static inline khufu_factory *make_custom_factory(const khufu_store_vtable *callbacks, const char *const *words) {
    khufu_options *options = make_options(words);
    set_custom_store(options, callbacks, custom);
    return factory_from(options);
}

/* Makes a new store, and a factory on it. */
static inline void start(const khufu_store_vtable *callbacks, const char *const *words) {
    custom = new_custom_store();
    factory = make_custom_factory(callbacks, words);
}

static inline void finish(void) {
    khufu_factory_free(factory);
    khufu_factory_free(another);
    another = NULL;
    check_and_free(custom);
}

#endif
