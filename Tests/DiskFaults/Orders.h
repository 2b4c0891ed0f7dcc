// What the files of this library share; nobody else sees it.

#ifndef DISK_FAULTS_ORDERS_H
#define DISK_FAULTS_ORDERS_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/// What becomes of a call.
enum outcome { PASSES, FAILS, FALLS_SHORT };

/// Whether a call changes or syncs a file's content: such calls fail for a while when that is ordered.
enum effect { LOOKS, CHANGES };

/// What is ordered for a call of `name` on `path`, which may be NULL; errno is set when it is to fail.
enum outcome ordered(const char *name, const char *path, enum effect effect);

/// Room for two paths and what joins them.
enum { PATHS = 2 * PATH_MAX + 2 };

/// The path behind a descriptor, as the kernel has it, so that no call that opens, duplicates or closes one need be
/// followed; NULL when it can't be had.
const char *path_of(int descriptor, char *buffer);

/// The path of `name` as seen from an open directory.
const char *path_at(int directory, const char *name, char *buffer);

/// Two paths as one.
const char *pair(const char *source, const char *target, char *buffer);

/// Notes what the process is about to do, or has done, as far as a loss would undo it. Nothing happens unless losses
/// were ordered.
void will_write(int descriptor, off_t offset, size_t count);
void will_truncate(int descriptor, off_t length);
void has_renamed(const char *source, const char *target, int replaced);
/// A sync, of a file, a directory or, with `all`, a file system, has ended; with a failure what it was to make durable
/// is lost.
void has_synced(int descriptor, int all, int failed);
/// Takes back all that isn't durable.
void lose_all(void);

#endif
