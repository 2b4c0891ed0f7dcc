#define _GNU_SOURCE

#include "DiskFaults.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/// Whether what changes the file behind `descriptor` is to fail now; errno is set then.
///
/// The kernel is asked for the descriptor's path, so that no call that opens, duplicates or closes one need be
/// followed. The orders are read at each call, because calls can come before any constructor has run.
static int fails(int descriptor) {
    const char *path = getenv("DISK_FAULT_PATH");
    const char *trigger = getenv("DISK_FAULT_WHILE");
    if (path == NULL || trigger == NULL) return 0;
    int saved = errno;
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length >= 0) target[length] = '\0';
    int faulty = length >= 0 && strstr(target, path) != NULL && access(trigger, F_OK) == 0;
    const char *code = getenv("DISK_FAULT_ERRNO");
    errno = !faulty ? saved : code == NULL ? EIO : atoi(code);
    return faulty;
}

/// Defines a function that fails as ordered, and otherwise does what the C library's function does.
#define INTERPOSE(result, name, parameters, arguments)                       \
    result name parameters {                                                 \
        static result(*next) parameters;                                     \
        if (next == NULL) next = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        return fails(descriptor) ? -1 : next arguments;                      \
    }

INTERPOSE(ssize_t, write, (int descriptor, const void *bytes, size_t count), (descriptor, bytes, count))
INTERPOSE(
    ssize_t, pwrite, (int descriptor, const void *bytes, size_t count, off_t offset),
    (descriptor, bytes, count, offset))
INTERPOSE(
    ssize_t, pwrite64, (int descriptor, const void *bytes, size_t count, off64_t offset),
    (descriptor, bytes, count, offset))
INTERPOSE(
    ssize_t, writev, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count))
INTERPOSE(int, ftruncate, (int descriptor, off_t length), (descriptor, length))
INTERPOSE(int, ftruncate64, (int descriptor, off64_t length), (descriptor, length))
INTERPOSE(int, fsync, (int descriptor), (descriptor))
INTERPOSE(int, fdatasync, (int descriptor), (descriptor))
