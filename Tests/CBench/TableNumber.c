#include "CBench.h"

#include <sqlite3.h>
#include <stdlib.h>

struct bench_number {
    sqlite3 *connection;
    sqlite3_stmt *query;
};

bench_number *bench_number_open(const char *path, const char *query) {
    bench_number *number = calloc(1, sizeof *number);
    if (number == NULL) return NULL;
    int code = sqlite3_open_v2(path, &number->connection, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(number->connection, 10000);
        code = sqlite3_prepare_v2(number->connection, query, -1, &number->query, NULL);
    }
    if (code == SQLITE_OK) return number;
    bench_number_close(number);
    return NULL;
}

int bench_number_read(bench_number *number, int64_t *value) {
    int code = sqlite3_step(number->query);
    if (code == SQLITE_ROW) *value = sqlite3_column_int64(number->query, 0);
    sqlite3_reset(number->query);
    return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_OK ? SQLITE_ERROR : code;
}

void bench_number_close(bench_number *number) {
    sqlite3_finalize(number->query);
    sqlite3_close(number->connection);
    free(number);
}
