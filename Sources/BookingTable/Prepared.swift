import GRDB
import GRDBSQLite

/// A prepared statement run through SQLite's own functions, for what runs once a booking: GRDB's rows and
/// arguments cost several times as much as the statement, and its row subscripts end the process on a value of
/// another type, as a damaged file may hold it.
///
/// GRDB prepares and caches it. Every argument is text; each run leaves the statement reset.
struct Prepared {
    private let statement: Statement
    private let handle: OpaquePointer

    /// Prepares `sql`, or takes it from the connection's cache.
    init(_ db: Database, _ sql: String) throws {
        statement = try db.cachedStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    /// Runs it to its end; rows are passed over.
    func run(_ arguments: String...) throws { try runAll(arguments) }

    /// The same for arguments in an array.
    func runAll(_ arguments: [String]) throws {
        try bind(arguments)
        defer { sqlite3_reset(handle) }
        while try step() {}
    }

    /// What `read` makes of the first row; nil when there is none.
    func first<Value>(_ arguments: [String], _ read: (Columns) throws -> Value) throws -> Value? {
        try bind(arguments)
        defer { sqlite3_reset(handle) }
        return try step() ? try read(Columns(handle)) : nil
    }

    /// What `read` makes of each row.
    func all<Value>(_ arguments: [String], _ read: (Columns) throws -> Value) throws -> [Value] {
        try bind(arguments)
        defer { sqlite3_reset(handle) }
        var values: [Value] = []
        while try step() { values.append(try read(Columns(handle))) }
        return values
    }

    private func bind(_ arguments: [String]) throws {
        for (index, argument) in arguments.enumerated() {
            var argument = argument
            let code = argument.withUTF8 { bytes in
                // An empty buffer has no address, which SQLite would take for NULL.
                bytes.withMemoryRebound(to: CChar.self) { text in
                    guard let start = text.baseAddress else {
                        return sqlite3_bind_text(handle, Int32(index + 1), "", 0, Self.copied)
                    }
                    return sqlite3_bind_text(
                        handle, Int32(index + 1), start, Int32(clamping: text.count), Self.copied)
                }
            }
            guard code == SQLITE_OK else { throw error(code) }
        }
    }

    private func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw error(code)
        }
    }

    private func error(_ code: Int32) -> DatabaseError {
        let connection = sqlite3_db_handle(handle)
        let extended = sqlite3_extended_errcode(connection)
        return DatabaseError(
            resultCode: ResultCode(rawValue: extended & 0xff == code & 0xff ? extended : code),
            message: sqlite3_errmsg(connection).map { String(cString: $0) })
    }

    /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
    private static var copied: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}

/// The row that a statement stands on.
struct Columns {
    private let handle: OpaquePointer

    fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

    /// The text of a column.
    ///
    /// - Throws: `DamagedRow` when it holds anything but text in UTF-8, which the schema rules out.
    func text(_ column: Int32) throws -> String {
        guard sqlite3_column_type(handle, column) == SQLITE_TEXT,
            let start = sqlite3_column_text(handle, column),
            let text = String(
                validating: UnsafeBufferPointer(
                    start: start, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
        else { throw damaged(column) }
        return text
    }

    /// The whole number of a column.
    func integer(_ column: Int32) throws -> Int {
        guard sqlite3_column_type(handle, column) == SQLITE_INTEGER else { throw damaged(column) }
        return Int(sqlite3_column_int64(handle, column))
    }

    /// The error for a column whose value the schema rules out.
    func damaged(_ column: Int32) -> DamagedRow {
        DamagedRow(column: sqlite3_column_name(handle, column).map { String(cString: $0) } ?? "\(column)")
    }
}

/// A row holds what the schema rules out, so the file is damaged.
struct DamagedRow: Error {
    /// The column.
    let column: String
}

extension Database {
    /// Runs `body` against one state of the database.
    func snapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
        // Prepared once a connection; GRDB's own transactions prepare theirs at every call.
        try Prepared(self, "BEGIN DEFERRED").run()
        defer { try? Prepared(self, "ROLLBACK").run() }
        return try body(self)
    }
}
