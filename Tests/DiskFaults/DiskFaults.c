#define _GNU_SOURCE

#include "DiskFaults.h"
#include "Orders.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

/// Finds the C library's function; `next` has its type.
#define NEXT(name, result, parameters)      \
    static result(*next) parameters;        \
    if (next == NULL) next = (result(*) parameters)dlsym(RTLD_NEXT, #name)

/// Defines a function that fails as ordered, and otherwise does what the C library's function does. `path` is an
/// expression; it may use the rooms `one`, `two` and `both`.
#define INTERPOSE(result, name, known, effect, failure, parameters, arguments, path) \
    result name parameters {                                                         \
        char one[PATHS], two[PATHS], both[PATHS];                                    \
        (void)one, (void)two, (void)both;                                            \
        NEXT(name, result, parameters);                                              \
        if (ordered(known, path, effect) == FAILS) return failure;                   \
        return next arguments;                                                       \
    }

#define BY_PATH(name, known, parameters, arguments) \
    INTERPOSE(int, name, known, LOOKS, -1, parameters, arguments, path)
#define BY_DESCRIPTOR(result, name, known, effect, parameters, arguments) \
    INTERPOSE(result, name, known, effect, -1, parameters, arguments, path_of(descriptor, one))

// Writing.

static size_t half(size_t count) { return count > 1 ? count / 2 : count; }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    char path[PATHS];
    NEXT(write, ssize_t, (int, const void *, size_t));
    enum outcome outcome = ordered("write", path_of(descriptor, path), CHANGES);
    if (outcome == FAILS) return -1;
    if (outcome == FALLS_SHORT) count = half(count);
    will_write(descriptor, -1, count);
    return next(descriptor, bytes, count);
}

#define PWRITE(name, offset_type)                                                           \
    ssize_t name(int descriptor, const void *bytes, size_t count, offset_type offset) {     \
        char path[PATHS];                                                                   \
        NEXT(name, ssize_t, (int, const void *, size_t, offset_type));                      \
        enum outcome outcome = ordered("pwrite", path_of(descriptor, path), CHANGES);       \
        if (outcome == FAILS) return -1;                                                    \
        if (outcome == FALLS_SHORT) count = half(count);                                    \
        will_write(descriptor, offset, count);                                              \
        return next(descriptor, bytes, count, offset);                                      \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int descriptor, const struct iovec *parts, int number) {
    char path[PATHS];
    NEXT(writev, ssize_t, (int, const struct iovec *, int));
    if (ordered("writev", path_of(descriptor, path), CHANGES) == FAILS) return -1;
    size_t count = 0;
    for (int index = 0; index < number; index++) count += parts[index].iov_len;
    will_write(descriptor, -1, count);
    return next(descriptor, parts, number);
}

#define FTRUNCATE(name, offset_type)                                                                \
    int name(int descriptor, offset_type length) {                                                  \
        char path[PATHS];                                                                           \
        NEXT(name, int, (int, offset_type));                                                        \
        if (ordered("ftruncate", path_of(descriptor, path), CHANGES) == FAILS) return -1;           \
        will_truncate(descriptor, length);                                                          \
        return next(descriptor, length);                                                            \
    }

FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define SYNC(name, effect, all)                                                           \
    int name(int descriptor) {                                                            \
        char path[PATHS];                                                                 \
        NEXT(name, int, (int));                                                           \
        int failed = ordered(#name, path_of(descriptor, path), effect) == FAILS;          \
        int code = errno;                                                                 \
        int result = failed ? -1 : next(descriptor);                                      \
        if (!failed) code = errno;                                                        \
        has_synced(descriptor, all, result != 0);                                         \
        errno = code;                                                                     \
        return result;                                                                    \
    }

SYNC(fsync, CHANGES, 0)
SYNC(fdatasync, CHANGES, 0)
SYNC(syncfs, LOOKS, 1)

// These return the error.
#define ALLOCATE(name, offset_type)                                                                 \
    int name(int descriptor, offset_type offset, offset_type length) {                              \
        char path[PATHS];                                                                           \
        NEXT(name, int, (int, offset_type, offset_type));                                           \
        if (ordered("posix_fallocate", path_of(descriptor, path), LOOKS) == FAILS) return errno;    \
        return next(descriptor, offset, length);                                                    \
    }

ALLOCATE(posix_fallocate, off_t)
ALLOCATE(posix_fallocate64, off64_t)

// Opening and closing. A close that fails has closed all the same.

#define OPEN(name)                                                                        \
    int name(const char *path, int flags, ...) {                                          \
        va_list rest;                                                                     \
        va_start(rest, flags);                                                            \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;           \
        va_end(rest);                                                                     \
        NEXT(name, int, (const char *, int, ...));                                        \
        if (ordered(flags & O_CREAT ? "create" : "open", path, LOOKS) == FAILS) return -1; \
        return next(path, flags, mode);                                                   \
    }

OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                            \
    int name(int directory, const char *path, int flags, ...) {                                 \
        char room[PATHS];                                                                       \
        va_list rest;                                                                           \
        va_start(rest, flags);                                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                 \
        va_end(rest);                                                                           \
        NEXT(name, int, (int, const char *, int, ...));                                         \
        if (ordered("openat", path_at(directory, path, room), LOOKS) == FAILS) return -1;       \
        return next(directory, path, flags, mode);                                              \
    }

OPENAT(openat)
OPENAT(openat64)

INTERPOSE(FILE *, fopen, "fopen", LOOKS, NULL, (const char *path, const char *mode), (path, mode), path)
INTERPOSE(FILE *, fopen64, "fopen", LOOKS, NULL, (const char *path, const char *mode), (path, mode), path)

int close(int descriptor) {
    char path[PATHS];
    NEXT(close, int, (int));
    int fails = ordered("close", path_of(descriptor, path), LOOKS) == FAILS;
    int code = errno;
    int result = next(descriptor);
    if (!fails) return result;
    errno = code;
    return -1;
}

// Reading.

BY_DESCRIPTOR(ssize_t, read, "read", LOOKS, (int descriptor, void *bytes, size_t count), (descriptor, bytes, count))
BY_DESCRIPTOR(
    ssize_t, pread, "pread", LOOKS, (int descriptor, void *bytes, size_t count, off_t offset),
    (descriptor, bytes, count, offset))
BY_DESCRIPTOR(
    ssize_t, pread64, "pread", LOOKS, (int descriptor, void *bytes, size_t count, off64_t offset),
    (descriptor, bytes, count, offset))
INTERPOSE(
    void *, mmap, "mmap", LOOKS, MAP_FAILED,
    (void *address, size_t length, int access, int flags, int descriptor, off_t offset),
    (address, length, access, flags, descriptor, offset), descriptor < 0 ? NULL : path_of(descriptor, one))
INTERPOSE(
    void *, mmap64, "mmap", LOOKS, MAP_FAILED,
    (void *address, size_t length, int access, int flags, int descriptor, off64_t offset),
    (address, length, access, flags, descriptor, offset), descriptor < 0 ? NULL : path_of(descriptor, one))

// Directories.

INTERPOSE(DIR *, opendir, "opendir", LOOKS, NULL, (const char *path), (path), path)
INTERPOSE(DIR *, fdopendir, "fdopendir", LOOKS, NULL, (int descriptor), (descriptor), path_of(descriptor, one))
INTERPOSE(struct dirent *, readdir, "readdir", LOOKS, NULL, (DIR *stream), (stream), path_of(dirfd(stream), one))
INTERPOSE(struct dirent64 *, readdir64, "readdir", LOOKS, NULL, (DIR *stream), (stream), path_of(dirfd(stream), one))
BY_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode))
BY_PATH(rmdir, "rmdir", (const char *path), (path))
BY_PATH(unlink, "unlink", (const char *path), (path))
INTERPOSE(
    int, unlinkat, "unlinkat", LOOKS, -1, (int directory, const char *path, int flags), (directory, path, flags),
    path_at(directory, path, one))
INTERPOSE(
    int, inotify_add_watch, "inotify_add_watch", LOOKS, -1, (int queue, const char *path, unsigned mask),
    (queue, path, mask), path)
INTERPOSE(
    int, link, "link", LOOKS, -1, (const char *source, const char *target), (source, target),
    pair(source, target, both))
INTERPOSE(
    int, linkat, "linkat", LOOKS, -1,
    (int from, const char *source, int to, const char *target, int flags), (from, source, to, target, flags),
    pair(path_at(from, source, one), path_at(to, target, two), both))

#define RENAME(name, parameters, arguments, from, to)                                               \
    int name parameters {                                                                           \
        char one[PATHS], two[PATHS], both[PATHS];                                                   \
        const char *source_path = path_at(from, source, one), *target_path = path_at(to, target, two); \
        NEXT(name, int, parameters);                                                                \
        if (ordered(#name, pair(source_path, target_path, both), LOOKS) == FAILS) return -1;        \
        int saved = errno;                                                                          \
        int replaces = faccessat(to, target, F_OK, AT_SYMLINK_NOFOLLOW) == 0;                       \
        errno = saved;                                                                              \
        int result = next arguments;                                                                \
        if (result == 0) has_renamed(source_path, target_path, replaces);                           \
        return result;                                                                              \
    }

RENAME(rename, (const char *source, const char *target), (source, target), AT_FDCWD, AT_FDCWD)
RENAME(
    renameat, (int from, const char *source, int to, const char *target), (from, source, to, target), from, to)
RENAME(
    renameat2, (int from, const char *source, int to, const char *target, unsigned flags),
    (from, source, to, target, flags), from, to)

// Looking, and the rest.

BY_PATH(stat, "stat", (const char *path, struct stat *status), (path, status))
BY_PATH(stat64, "stat", (const char *path, struct stat64 *status), (path, status))
BY_PATH(lstat, "lstat", (const char *path, struct stat *status), (path, status))
BY_PATH(lstat64, "lstat", (const char *path, struct stat64 *status), (path, status))
BY_DESCRIPTOR(int, fstat, "fstat", LOOKS, (int descriptor, struct stat *status), (descriptor, status))
BY_DESCRIPTOR(int, fstat64, "fstat", LOOKS, (int descriptor, struct stat64 *status), (descriptor, status))
BY_PATH(statvfs, "statvfs", (const char *path, struct statvfs *status), (path, status))
BY_PATH(statvfs64, "statvfs", (const char *path, struct statvfs64 *status), (path, status))
INTERPOSE(
    int, utimensat, "utimensat", LOOKS, -1,
    (int directory, const char *path, const struct timespec *times, int flags), (directory, path, times, flags),
    path_at(directory, path, one))
BY_DESCRIPTOR(int, flock, "flock", LOOKS, (int descriptor, int operation), (descriptor, operation))
BY_DESCRIPTOR(int, fchmod, "fchmod", LOOKS, (int descriptor, mode_t mode), (descriptor, mode))
BY_DESCRIPTOR(int, fchown, "fchown", LOOKS, (int descriptor, uid_t user, gid_t group), (descriptor, user, group))

/// Only the locks that SQLite sets count.
#define FCNTL(name)                                                                                   \
    int name(int descriptor, int command, ...) {                                                      \
        char path[PATHS];                                                                             \
        va_list rest;                                                                                 \
        va_start(rest, command);                                                                      \
        void *argument = va_arg(rest, void *);                                                        \
        va_end(rest);                                                                                 \
        NEXT(name, int, (int, int, ...));                                                             \
        int locks = command == F_SETLK || command == F_SETLKW;                                        \
        if (locks && ordered("fcntl", path_of(descriptor, path), LOOKS) == FAILS) return -1;          \
        return next(descriptor, command, argument);                                                   \
    }

FCNTL(fcntl)
FCNTL(fcntl64)
