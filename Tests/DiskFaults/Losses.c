#define _GNU_SOURCE

#include "Orders.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A file that was written. It stays open, because to close any descriptor of a file drops the locks that the process
/// has on it.
struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    int reading, writing;
};

/// Something that isn't durable yet, and how to take it back. The newest is first.
struct change {
    struct change *older;
    /// Of the file that was written; for a name, of the file that got it.
    dev_t device;
    ino_t inode;
    /// A sync that was to make it durable has failed: a later one doesn't.
    int is_lost;
    /// For what was written: the file, what stood there, where, and the file's length before.
    const struct file *file;
    char *before;
    size_t count;
    off_t offset, length;
    /// For a name: both, else NULL.
    char *source, *target;
};

static struct change *newest;
static struct file *files;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int is_wanted(void) { return getenv("DISK_FAULT_DROP") != NULL || getenv("DISK_FAULT_CUT") != NULL; }

static int is_counted(const char *path) {
    const char *piece = getenv("DISK_FAULT_PATH");
    return piece != NULL && path != NULL && strstr(path, piece) != NULL;
}

/// Whether a file is of those that a power cut may change: not SQLite's index of its -wal file, which is made anew,
/// and which others have in memory.
static int may_be_lost(const char *path) {
    size_t length = path == NULL ? 0 : strlen(path);
    return is_counted(path) && (length < 4 || strcmp(path + length - 4, "-shm") != 0);
}

/// Looks at a file without this library's own functions, which would count it.
static int look(int descriptor, struct stat *status) { return (int)syscall(SYS_fstat, descriptor, status); }

static void discard(struct change **place) {
    struct change *change = *place;
    *place = change->older;
    free(change->before);
    free(change->source);
    free(change->target);
    free(change);
}

static void take_back(const struct change *change) {
    if (change->target == NULL) {
        int writing = change->file->writing;
        if (change->count > 0) syscall(SYS_pwrite64, writing, change->before, change->count, change->offset);
        syscall(SYS_ftruncate, writing, change->length);
        return;
    }
    struct stat status;
    int there = (int)syscall(SYS_lstat, change->target, &status) == 0;
    if (there && status.st_dev == change->device && status.st_ino == change->inode)
        syscall(SYS_rename, change->target, change->source);
}

static const struct file *opened(int descriptor, const struct stat *status) {
    struct file *file = files;
    while (file != NULL && (file->device != status->st_dev || file->inode != status->st_ino)) file = file->next;
    if (file != NULL) return file;
    file = calloc(1, sizeof *file);
    file->device = status->st_dev;
    file->inode = status->st_ino;
    file->writing = (int)syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 0);
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    file->reading = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    file->next = files;
    files = file;
    return file;
}

static void note_content(int descriptor, off_t offset, size_t count) {
    struct stat status;
    if (look(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
    // What is written anew is no longer what a failed sync has lost.
    for (struct change **place = &newest; *place != NULL;) {
        struct change *old = *place;
        int is_same = old->target == NULL && old->device == status.st_dev && old->inode == status.st_ino;
        if (is_same && old->is_lost) discard(place);
        else place = &old->older;
    }
    struct change *change = calloc(1, sizeof *change);
    change->device = status.st_dev;
    change->inode = status.st_ino;
    change->offset = offset;
    change->length = status.st_size;
    change->file = opened(descriptor, &status);
    if (offset < status.st_size) {
        off_t rest = status.st_size - offset;
        change->count = (off_t)count < rest ? count : (size_t)rest;
        change->before = malloc(change->count);
        ssize_t there = syscall(SYS_pread64, change->file->reading, change->before, change->count, offset);
        change->count = there < 0 ? 0 : (size_t)there;
    }
    change->older = newest;
    newest = change;
}

void will_write(int descriptor, off_t offset, size_t count) {
    char path[PATHS];
    if (!is_wanted() || !may_be_lost(path_of(descriptor, path))) return;
    int saved = errno;
    if (offset < 0) {
        int is_appending = (int)syscall(SYS_fcntl, descriptor, F_GETFL) & O_APPEND;
        offset = syscall(SYS_lseek, descriptor, 0, is_appending ? SEEK_END : SEEK_CUR);
    }
    pthread_mutex_lock(&lock);
    note_content(descriptor, offset, count);
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void will_truncate(int descriptor, off_t length) {
    struct stat status;
    if (!is_wanted() || look(descriptor, &status) != 0) return;
    will_write(descriptor, length, length < status.st_size ? (size_t)(status.st_size - length) : 0);
}

void has_renamed(const char *source, const char *target, int replaced) {
    struct stat status;
    if (!is_wanted() || !is_counted(target)) return;
    int saved = errno;
    pthread_mutex_lock(&lock);
    for (struct change **place = &newest; *place != NULL;) {
        if ((*place)->target != NULL && strcmp((*place)->target, target) == 0) discard(place);
        else place = &(*place)->older;
    }
    // What was replaced can't be had back, so a name that has replaced another counts as durable.
    if (!replaced && syscall(SYS_lstat, target, &status) == 0) {
        struct change *change = calloc(1, sizeof *change);
        change->device = status.st_dev;
        change->inode = status.st_ino;
        change->source = strdup(source);
        change->target = strdup(target);
        change->older = newest;
        newest = change;
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}

/// Whether a sync of this file or directory is about the change.
static int concerns(const struct change *change, const struct stat *status, const char *path) {
    if (change->target == NULL) return change->device == status->st_dev && change->inode == status->st_ino;
    size_t length = strlen(path);
    return strncmp(change->target, path, length) == 0 && change->target[length] == '/'
        && strchr(change->target + length + 1, '/') == NULL;
}

void has_synced(int descriptor, int all, int failed) {
    struct stat status;
    char path[PATHS];
    if (!is_wanted() || !is_counted(path_of(descriptor, path)) || look(descriptor, &status) != 0) return;
    pthread_mutex_lock(&lock);
    for (struct change **place = &newest; *place != NULL;) {
        struct change *change = *place;
        if (change->is_lost || !(all || concerns(change, &status, path))) {
            place = &change->older;
        } else if (!failed) {
            discard(place);
        } else if (all || change->target != NULL) {
            // What is in memory is still seen there, until the power goes.
            change->is_lost = 1;
            place = &change->older;
        } else {
            take_back(change);
            discard(place);
        }
    }
    pthread_mutex_unlock(&lock);
}

/// The power can go just after the process has ended in good order, too.
__attribute__((destructor)) static void exited(void) {
    if (getenv("DISK_FAULT_EXIT") != NULL) lose_all();
}

void lose_all(void) {
    // Never given back: nothing more is to be written.
    pthread_mutex_lock(&lock);
    for (struct change *change = newest; change != NULL; change = change->older) take_back(change);
}
