#include "CBench.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

ssize_t bench_append(
    const char *path, const void *bytes, size_t length, int64_t nanoseconds, int64_t *durations, size_t capacity) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) return -1;
    size_t count = 0;
    int64_t start = now(), before = start;
    while (count < capacity && before - start < nanoseconds) {
        ssize_t written = write(descriptor, bytes, length);
        if (written != (ssize_t)length || fdatasync(descriptor) != 0) {
            int code = written >= 0 && written != (ssize_t)length ? ENOSPC : errno;
            close(descriptor);
            errno = code;
            return -1;
        }
        int64_t after = now();
        durations[count++] = after - before;
        before = after;
    }
    close(descriptor);
    return (ssize_t)count;
}
