#define _GNU_SOURCE

#include "Orders.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel is called by number here: the functions of these names are this library's own. The orders are read at
// each call, because calls can come before any constructor has run.

static int is_there(const char *path) { return path != NULL && syscall(SYS_access, path, F_OK) == 0; }

static void record(const char *name, const char *path, enum outcome outcome) {
    static atomic_int descriptor = -1;
    const char *file = getenv("DISK_FAULT_RECORD");
    if (file == NULL) return;
    if (descriptor < 0) {
        int opened = (int)syscall(
            SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        int none = -1;
        if (!atomic_compare_exchange_strong(&descriptor, &none, opened)) syscall(SYS_close, opened);
    }
    char line[PATHS + 64];
    int length = snprintf(line, sizeof line, "%s%s %s\n", outcome == PASSES ? "" : "!", name, path);
    syscall(SYS_write, descriptor, line, length);
}

/// Whether this is the one call that is to fail, and how.
static enum outcome single(const char *name, const char *path) {
    static atomic_long count;
    const char *wanted = getenv("DISK_FAULT_CALL");
    const char *pattern = getenv("DISK_FAULT_FILE");
    const char *at = getenv("DISK_FAULT_AT");
    if (wanted == NULL || at == NULL || strcmp(wanted, name) != 0) return PASSES;
    if (pattern != NULL && fnmatch(pattern, path, 0) != 0) return PASSES;
    long number = ++count, due = atol(at);
    if (getenv("DISK_FAULT_SHORT") == NULL) return number == due ? FAILS : PASSES;
    return number == due ? FALLS_SHORT : number == due + 1 ? FAILS : PASSES;
}

enum outcome ordered(const char *name, const char *path, enum effect effect) {
    const char *piece = getenv("DISK_FAULT_PATH");
    if (piece == NULL || path == NULL || strstr(path, piece) == NULL) return PASSES;
    int saved = errno;
    if (is_there(getenv("DISK_FAULT_CUT"))) {
        lose_all();
        syscall(SYS_kill, getpid(), SIGKILL);
    }
    enum outcome outcome = single(name, path);
    if (effect == CHANGES && is_there(getenv("DISK_FAULT_WHILE"))) outcome = FAILS;
    record(name, path, outcome);
    const char *code = getenv("DISK_FAULT_ERRNO");
    errno = outcome != FAILS ? saved : code == NULL ? EIO : atoi(code);
    return outcome;
}

const char *path_of(int descriptor, char *buffer) {
    int saved = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlink, link, buffer, PATH_MAX);
    errno = saved;
    if (length < 0) return NULL;
    buffer[length] = '\0';
    return buffer;
}

const char *path_at(int directory, const char *name, char *buffer) {
    if (name == NULL || name[0] == '/' || directory == AT_FDCWD) return name;
    if (path_of(directory, buffer) == NULL) return NULL;
    size_t length = strlen(buffer);
    snprintf(buffer + length, PATHS - length, "/%s", name);
    return buffer;
}

const char *pair(const char *source, const char *target, char *buffer) {
    if (source == NULL || target == NULL) return NULL;
    snprintf(buffer, PATHS, "%s>%s", source, target);
    return buffer;
}
