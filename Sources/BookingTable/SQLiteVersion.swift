import CSQLite

/// The SQLite library that the table stands on.
public enum SQLiteVersion {
    /// For example `3.46.1`.
    public static var text: String { String(cString: sqlite3_libversion()) }
}
