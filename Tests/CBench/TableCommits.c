#include "CBench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct bench_table {
    sqlite3 *connection;
    sqlite3_stmt *begin, *insert, *commit, *rollback;
    bench_lengths lengths;
    char message[200];
};

const char *const bench_plain_schema =
    "CREATE TABLE bookings ("
    "id TEXT NOT NULL PRIMARY KEY, userId TEXT NOT NULL, apartmentId TEXT NOT NULL, startDate TEXT NOT NULL,"
    "endDate TEXT NOT NULL, bookingStatus TEXT NOT NULL, createdOn TEXT NOT NULL, updatedOn TEXT NOT NULL)";

static int prepare(bench_table *table, const char *text, sqlite3_stmt **statement) {
    return sqlite3_prepare_v3(table->connection, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int set_up(bench_table *table, const char *schema, bool is_bulk) {
    sqlite3_busy_timeout(table->connection, 10000);
    const char *mode = is_bulk ? "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"
                               : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
    int code = sqlite3_exec(table->connection, mode, NULL, NULL, NULL);
    if (code == SQLITE_OK && schema != NULL) code = sqlite3_exec(table->connection, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK) code = prepare(table, "BEGIN IMMEDIATE", &table->begin);
    if (code == SQLITE_OK) code = prepare(table, "COMMIT", &table->commit);
    if (code == SQLITE_OK) code = prepare(table, "ROLLBACK", &table->rollback);
    if (code == SQLITE_OK)
        code = prepare(
            table,
            "INSERT INTO bookings (id, userId, apartmentId, startDate, endDate, bookingStatus, createdOn, updatedOn) "
            "VALUES (?1, ?2, ?3, ?4, ?5, 'PENDING', ?6, ?6)",
            &table->insert);
    return code;
}

bench_table *bench_table_open(
    const char *path, const char *schema, bench_lengths lengths, bool is_bulk, char *message, size_t size) {
    bench_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        snprintf(message, size, "out of memory");
        return NULL;
    }
    table->lengths = lengths;
    int code = sqlite3_open(path, &table->connection);
    if (code == SQLITE_OK) code = set_up(table, schema, is_bulk);
    if (code == SQLITE_OK) return table;
    snprintf(message, size, "%s", sqlite3_errmsg(table->connection));
    bench_table_close(table);
    return NULL;
}

static int step(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int insert(bench_table *table, const bench_row *row) {
    const bench_lengths *lengths = &table->lengths;
    sqlite3_bind_text(table->insert, 1, row->id, lengths->id, SQLITE_STATIC);
    sqlite3_bind_text(table->insert, 2, row->user, lengths->user, SQLITE_STATIC);
    sqlite3_bind_text(table->insert, 3, row->apartment, lengths->apartment, SQLITE_STATIC);
    sqlite3_bind_text(table->insert, 4, row->start, lengths->start, SQLITE_STATIC);
    sqlite3_bind_text(table->insert, 5, row->end, lengths->end, SQLITE_STATIC);
    sqlite3_bind_text(table->insert, 6, "2026-01-01T00:00:00.000Z", 24, SQLITE_STATIC);
    return step(table->insert);
}

int bench_table_commit(bench_table *table, const bench_row *rows, size_t count) {
    int code = step(table->begin);
    for (size_t row = 0; row < count && code == SQLITE_OK; row++) code = insert(table, &rows[row]);
    if (code == SQLITE_OK) code = step(table->commit);
    if (code == SQLITE_OK) return code;
    // Before the rollback, which has a message of its own.
    snprintf(table->message, sizeof table->message, "%s", sqlite3_errmsg(table->connection));
    if (!sqlite3_get_autocommit(table->connection)) step(table->rollback);
    return code;
}

const char *bench_table_message(const bench_table *table) { return table->message; }

void bench_table_close(bench_table *table) {
    sqlite3_finalize(table->begin);
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->commit);
    sqlite3_finalize(table->rollback);
    sqlite3_close(table->connection);
    free(table);
}
