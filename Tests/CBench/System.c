#define _GNU_SOURCE

#include "CBench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool bench_finds(const void *bytes, size_t length, const void *text, size_t text_length) {
    return memmem(bytes, length, text, text_length) != NULL;
}

int bench_sync(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    int result = syncfs(descriptor), code = errno;
    close(descriptor);
    errno = code;
    return result;
}
