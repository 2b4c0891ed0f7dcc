// What Swift can't call of SQLite: functions with a variable number of arguments.
#pragma once
#include <sqlite3.h>

/// Whether statements that this connection prepares from now on set off triggers.
static inline int acms_enable_triggers(sqlite3 *connection, int isEnabled) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, isEnabled, (int *)0);
}

/// Whether the last connection to a database in WAL mode writes the -wal file back when it is closed.
static inline int acms_checkpoint_on_close(sqlite3 *connection, int isEnabled) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !isEnabled, (int *)0);
}
