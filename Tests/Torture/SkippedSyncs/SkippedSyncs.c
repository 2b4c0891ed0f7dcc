#define _GNU_SOURCE

#include "SkippedSyncs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_skipped(int descriptor) {
    const char *what = getenv("SKIPPED_SYNCS");
    if (what == NULL) return 0;
    if (strcmp(what, "all") == 0) return 1;
    int saved = errno;
    struct stat status;
    int is_directory = fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
    errno = saved;
    return is_directory && strcmp(what, "directories") == 0;
}

/// Defines a function that does what the C library's function does, unless it is to be left out.
#define INTERPOSE(name)                                                          \
    int name(int descriptor) {                                                   \
        static int (*next)(int);                                                 \
        if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, #name);          \
        return is_skipped(descriptor) ? 0 : next(descriptor);                    \
    }

INTERPOSE(fsync)
INTERPOSE(fdatasync)
INTERPOSE(syncfs)
