// Makes writes and syncs of some files fail, in a program that preloads this library (ld.so(8), LD_PRELOAD).
//
//   DISK_FAULT_PATH   files whose path holds this text are concerned
//   DISK_FAULT_WHILE  faults happen while this file exists
//   DISK_FAULT_ERRNO  the error's number; EIO without it
//
// A program that sets neither of the first two runs as usual.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/// Whether the file behind the descriptor is to fail now; sets errno then.
static int fails(int descriptor) {
    const char *concerned = getenv("DISK_FAULT_PATH");
    const char *trigger = getenv("DISK_FAULT_WHILE");
    int before = errno;
    if (!concerned || !trigger || access(trigger, F_OK) != 0) {
        errno = before;
        return 0;
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, concerned)) return 0;
    const char *number = getenv("DISK_FAULT_ERRNO");
    errno = number ? atoi(number) : EIO;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    return fails(descriptor) ? -1 : NEXT(write)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return fails(descriptor) ? -1 : NEXT(pwrite)(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return fails(descriptor) ? -1 : NEXT(pwrite64)(descriptor, bytes, count, offset);
}

int fsync(int descriptor) { return fails(descriptor) ? -1 : NEXT(fsync)(descriptor); }

int fdatasync(int descriptor) { return fails(descriptor) ? -1 : NEXT(fdatasync)(descriptor); }

int ftruncate(int descriptor, off_t length) {
    return fails(descriptor) ? -1 : NEXT(ftruncate)(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) {
    return fails(descriptor) ? -1 : NEXT(ftruncate64)(descriptor, length);
}
