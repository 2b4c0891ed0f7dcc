import Bookings
import CSQLite
import GRDB
import GRDBSQLite

/// How the table's file is opened.
struct TableOpening: Sendable {
    let diagnosis: TableDiagnosis

    private var path: String { diagnosis.path }

    /// How long a lock is waited for, in seconds. Nobody else writes for long; a lock that lasts is somebody's
    /// mistake and shown as an outage.
    private static let lockTimeout = 0.25

    /// Opens the file, which must be there, so that it can't be changed.
    ///
    /// - Parameter wasOpen: whether this process has had the table open before.
    func forReading(wasOpen: Bool) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: path, configuration: configuration(readOnly: true))
        return try checked(queue, wasOpen)
    }

    /// Opens the file, creates it when it isn't there, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - wasOpen: whether this process has had the table open before.
    ///   - migration: learns when that begins and ends.
    func forWriting(wasOpen: Bool, _ migration: MigrationState) throws -> DatabaseQueue {
        if try TableFile.at(path) == nil {
            try TableFile.create(path)
        } else {
            try look(wasOpen)
            // SQLite would go on without what lies behind a damaged frame, and write over it.
            if try TablePages.frames(of: path).isCertain {
                throw DatabaseError(
                    resultCode: .SQLITE_CORRUPT, message: "\(path)-wal is damaged in the midst of it")
            }
        }
        var configuration = configuration(readOnly: false)
        configuration.journalMode = .wal
        configuration.prepareDatabase { db in
            // Readers of another user can't make the -wal and -shm files, so they must stay when this closes.
            var keep: Int32 = 1
            let code = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &keep)
            guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            // A file that turns out to be damaged is left as it is, and so is its -wal file.
            acms_checkpoint_on_close(db.sqliteConnection, 0)
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        do {
            try queue.inDatabase { db in
                // GRDB sets NORMAL after prepareDatabase; a commit must be durable before its spool file goes.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // 16 MiB of pages: enough for many changes of a page to be written back once, and no long wait for
                // a batch, nor for a reader without a worker, who reads the whole -wal file.
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
                // Of KiB: users come at random, so a row of theirs changes pages anywhere in the indexes.
                try db.execute(sql: "PRAGMA cache_size = -16000")
                // A long read keeps checkpoints from starting over, and the file grows meanwhile; then it is cut.
                try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
            }
            migration.began()
            defer { migration.ended() }
            try TableSchema.migrator.migrate(queue)
            // Copies of pages that a statement may have to take back; a file for them costs more than they. A
            // migration sorts more than fits into memory.
            try queue.inDatabase { db in
                try db.execute(sql: "PRAGMA temp_store = MEMORY")
                acms_checkpoint_on_close(db.sqliteConnection, 1)
            }
            return queue
        } catch {
            try? queue.close()
            throw error
        }
    }

    /// Opens a file to look through it, whatever its schema.
    func forChecking() throws -> DatabaseQueue {
        try DatabaseQueue(path: path, configuration: configuration(readOnly: true))
    }

    /// Looks through the whole file, without changing it.
    ///
    /// - Throws: when it is damaged.
    func verify() throws {
        let queue = try DatabaseQueue(path: path, configuration: configuration(readOnly: true))
        defer { try? queue.close() }
        let found = try queue.inDatabase { db in
            try Prepared(db, "PRAGMA integrity_check(1)").all([]) { try $0.text(0) }
        }
        guard found == ["ok"] else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: found.first ?? "no answer")
        }
    }

    /// Looks at a file that was there before it is opened for writing, which could change a newer one: its
    /// journal mode, or by a checkpoint.
    private func look(_ wasOpen: Bool) throws {
        do {
            try forReading(wasOpen: wasOpen).close()
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            // Killed while it turned a new file to WAL mode: the journal must be played back first, which only
            // a writer can.
            let configuration = configuration(readOnly: false)
            try checked(try DatabaseQueue(path: path, configuration: configuration), wasOpen).close()
        }
    }

    private func checked(_ queue: DatabaseQueue, _ wasOpen: Bool) throws -> DatabaseQueue {
        do {
            let state = try queue.inDatabase(TableSchema.state)
            if let trouble = diagnosis.trouble(state, wasOpen: wasOpen) { throw trouble }
            return queue
        } catch {
            try? queue.close()
            throw error
        }
    }

    private func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(Self.lockTimeout)
        configuration.label = readOnly ? "acms.reader" : "acms.writer"
        // GRDB would end the process if a failed rollback left a transaction open; such a connection is closed.
        configuration.allowsUnsafeTransactions = true
        return configuration
    }
}
