#ifndef CBENCH_H
#define CBENCH_H

// What the benchmark needs in C: the baseline loops, which are to cost nothing but their system calls, rows for a
// SQLite table, and the start of servers.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/// Appends `length` bytes to a new file and makes them durable with fdatasync, over and over until the time is up or
/// `capacity` are done, one at a time. How long each took, in nanoseconds, goes to `durations`.
///
/// Returns how many were done, or -1 with errno.
ssize_t bench_append(
    const char *path, const void *bytes, size_t length, int64_t nanoseconds, int64_t *durations, size_t capacity);

/// Whether a text is within another.
bool bench_finds(const void *bytes, size_t length, const void *text, size_t text_length);

/// Waits until the file system of a path has written all that it holds. Returns 0, or -1 with errno.
int bench_sync(const char *path);

/// A connection to a SQLite table, through which rows are committed.
typedef struct bench_table bench_table;

/// The texts of a row that differ; none ends with a zero byte, and their lengths are those of a `bench_lengths`.
typedef struct {
    const char *id, *user, *apartment, *start, *end;
} bench_row;

/// How long the texts of each row are.
typedef struct {
    int id, user, apartment, start, end;
} bench_lengths;

/// A schema of the same columns as a bookings table of acms, with a single index: the primary key's.
extern const char *const bench_plain_schema;

/// Opens a table for writing, in WAL mode, durable at each commit; makes it first if `schema` isn't NULL. In bulk
/// it is neither: a crash would destroy the table.
///
/// Returns NULL if that fails, with a message in `message`, of at most `size` bytes.
bench_table *bench_table_open(
    const char *path, const char *schema, bench_lengths lengths, bool is_bulk, char *message, size_t size);

/// Commits rows in one transaction. Returns 0, or SQLite's code.
int bench_table_commit(bench_table *table, const bench_row *rows, size_t count);

/// Why the last call failed.
const char *bench_table_message(const bench_table *table);

/// Closes the connection and gives the memory back.
void bench_table_close(bench_table *table);

/// Set the indexes and triggers of a bookings table aside, and bring them back, so that millions of rows can be
/// committed between the two in minutes. Both return 0, or SQLite's code, with a message of at most `size` bytes.
int bench_table_begin_bulk(const char *path, char *message, size_t size);
int bench_table_end_bulk(const char *path, char *message, size_t size);

/// A connection to a SQLite table that can't write, and a query that yields one number.
typedef struct bench_number bench_number;

/// Opens a table for reading. Returns NULL if it isn't there, or the query doesn't fit it.
bench_number *bench_number_open(const char *path, const char *query);

/// Runs the query. Returns 0, or SQLite's code.
int bench_number_read(bench_number *number, int64_t *value);

/// Closes the connection and gives the memory back.
void bench_number_close(bench_number *number);

/// Starts a server in the background. It gets `death_signal` when the calling thread ends, however that happens.
///
/// `log` takes its standard output and standard error. If `user` isn't 0, it runs as that user and group.
///
/// Returns its process id, or -1 with errno.
pid_t bench_spawn(
    const char *const arguments[], const char *const environment[], const char *log, const char *directory, uid_t user,
    gid_t group, int death_signal);

#endif
