#include "CBench.h"

#include <sqlite3.h>
#include <stdio.h>

static int execute(sqlite3 *connection, const char *text) { return sqlite3_exec(connection, text, NULL, NULL, NULL); }

/// Runs the statements that the query yields as one text; after it has ended, since they change the schema.
static int execute_result(sqlite3 *connection, const char *query) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, query, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    char *copy = text == NULL ? NULL : sqlite3_mprintf("%s", text);
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) return code;
    code = copy == NULL ? SQLITE_OK : execute(connection, copy);
    sqlite3_free(copy);
    return code;
}

static int finish(sqlite3 *connection, int code, char *message, size_t size) {
    if (code != SQLITE_OK) snprintf(message, size, "SQLite code %d: %s", code, sqlite3_errmsg(connection));
    sqlite3_close(connection);
    return code;
}

static const char *const set_indexes_aside =
    "CREATE TABLE aside AS SELECT type, name, sql FROM sqlite_schema "
    "WHERE tbl_name = 'bookings' AND type IN ('index', 'trigger') AND sql IS NOT NULL";

int bench_table_begin_bulk(const char *path, char *message, size_t size) {
    sqlite3 *connection = NULL;
    int code = sqlite3_open(path, &connection);
    if (code == SQLITE_OK) code = execute(connection, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
    if (code == SQLITE_OK) code = execute(connection, set_indexes_aside);
    if (code == SQLITE_OK)
        code = execute_result(connection, "SELECT group_concat('DROP ' || type || ' ' || name, ';') FROM aside");
    return finish(connection, code, message, size);
}

int bench_table_end_bulk(const char *path, char *message, size_t size) {
    sqlite3 *connection = NULL;
    int code = sqlite3_open(path, &connection);
    if (code == SQLITE_OK)
        code = execute(
            connection,
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; PRAGMA threads = 2");
    if (code == SQLITE_OK) code = execute_result(connection, "SELECT group_concat(sql, ';') FROM aside");
    if (code == SQLITE_OK) code = execute(connection, "DROP TABLE aside; PRAGMA journal_mode = WAL");
    return finish(connection, code, message, size);
}
