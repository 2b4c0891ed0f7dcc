#define _GNU_SOURCE

#include "SlowSyncs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void wait_as_ordered(void) {
    const char *text = getenv("SLOW_SYNC_MICROSECONDS");
    long microseconds = text == NULL ? 0 : atol(text);
    if (microseconds <= 0) return;
    struct timespec rest = {microseconds / 1000000, microseconds % 1000000 * 1000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

/// Defines a function that waits and then does what the C library's function does.
#define INTERPOSE(name)                                                          \
    int name(int descriptor) {                                                   \
        static int (*next)(int);                                                 \
        if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, #name);          \
        wait_as_ordered();                                                       \
        return next(descriptor);                                                 \
    }

INTERPOSE(fsync)
INTERPOSE(fdatasync)
INTERPOSE(syncfs)
