import Bookings
import CSQLite
import GRDB
import GRDBSQLite
import Glibc
import Synchronization

/// The open connections to a table. They open themselves at first use and again after trouble, so that what was
/// mended works without a restart.
///
/// A caller has a connection to itself while it uses it, so callers on several threads don't wait for each other,
/// and one that closes a connection after trouble takes it from nobody.
final class TableConnections: Sendable {
    private struct Connection {
        let queue: DatabaseQueue
        let file: TableFile
        let schemaVersion: Int
    }

    /// Somebody changed the schema since the connection looked at it.
    private struct SchemaChanged: Error {}

    /// As many as threads read at a time in practice; more are opened when needed and closed after use.
    private static let idleLimit = 4

    /// How long a reader waits for the writer to mend what one that was killed has left half-written.
    private static let recoveryPatience = Duration.seconds(2)

    /// Between two looks at what is being mended.
    static let moment: @Sendable () -> Void = { usleep(5000) }

    private let diagnosis: TableDiagnosis
    private let pause: @Sendable () -> Void
    private let verify: (@Sendable () throws -> Void)?
    private let open: @Sendable (_ wasOpen: Bool) throws -> DatabaseQueue
    private let state = Mutex<(idle: [Connection], wasOpen: Bool)>(([], false))

    /// A table that was found damaged, and how its files were then. It is left alone until somebody changes them: a
    /// write that happens to succeed would make it worse.
    private struct Quarantine {
        let stamp: [Int64]
        var trouble: TableUnavailable
        /// How often the whole file may still be looked through as it is. SQLite calls a file damaged too when the disk
        /// fails to read it, which may have been for once.
        var looks: Int
        /// The file was looked through and is sound.
        var isLifted = false
    }
    private let quarantine = Mutex<Quarantine?>(nil)

    /// A look through a large file takes minutes.
    private static let looks = 2

    /// - Parameters:
    ///   - pause: passes a moment between two looks at a file that is being mended.
    ///   - verify: looks through a file that was damaged and has been changed since; nil for those who only read, and
    ///     may go on with what they can.
    ///   - open: opens the file and checks its schema; learns whether it has succeeded before.
    init(
        _ diagnosis: TableDiagnosis, pause: @escaping @Sendable () -> Void = moment,
        verify: (@Sendable () throws -> Void)? = nil,
        open: @escaping @Sendable (_ wasOpen: Bool) throws -> DatabaseQueue
    ) {
        self.diagnosis = diagnosis
        self.pause = pause
        self.verify = verify
        self.open = open
    }

    /// Where the table is.
    var path: String { diagnosis.path }

    /// Gives `body` a connection, in no transaction.
    ///
    /// - Throws: `TableUnavailable`. The next call opens anew.
    func use<Value>(_ body: (Database) throws -> Value) throws(TableUnavailable) -> Value {
        let deadline = ContinuousClock.now + Self.recoveryPatience
        while true {
            do {
                return try useOnce(body)
            } catch let error as DatabaseError where error.needsWriter && ContinuousClock.now < deadline {
                pause()
            } catch {
                let trouble = diagnosis.trouble(error)
                if trouble.kind == .corrupt { isolate(trouble, isCertain: error is DamagedRow) }
                throw trouble
            }
        }
    }

    /// Writes nothing more to a damaged table.
    ///
    /// - Parameter isCertain: whether the disk can't be to blame.
    private func isolate(_ trouble: TableUnavailable, isCertain: Bool) {
        guard verify != nil else { return }
        for connection in takeIdle() { closeUntouched(connection.queue) }
        let stamp = TableFile.stamp(diagnosis.path)
        quarantine.withLock { found in
            let looks = found.flatMap { $0.stamp == stamp ? $0.looks : nil } ?? Self.looks
            found = Quarantine(stamp: stamp, trouble: trouble, looks: isCertain ? 0 : looks)
        }
    }

    private func takeIdle() -> [Connection] {
        state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
    }

    /// Closes a connection without writing the -wal file back.
    private func closeUntouched(_ queue: DatabaseQueue) {
        if verify != nil { queue.inDatabase { _ = acms_checkpoint_on_close($0.sqliteConnection, 0) } }
        try? queue.close()
    }

    /// - Throws: while the table is damaged.
    private func checkQuarantine() throws {
        guard let verify, let found = quarantine.withLock({ $0 }), !found.isLifted else { return }
        // A table that is away is told of as such.
        guard try TableFile.at(diagnosis.path) != nil else { return }
        guard found.looks > 0 || TableFile.stamp(diagnosis.path) != found.stamp else { throw found.trouble }
        do {
            try verify()
        } catch {
            // One that the disk has cut short again tells nothing.
            if diagnosis.trouble(error).kind == .corrupt { quarantine.withLock { $0?.looks -= 1 } }
            throw error
        }
        quarantine.withLock {
            $0?.looks -= 1
            $0?.isLifted = true
        }
    }

    private func useOnce<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try checkQuarantine()
        let connection = try take()
        do {
            return try run(body, connection)
        } catch is SchemaChanged {
            // Opening looks at the schema again; if it is newer than the program knows, that says so.
            return try run(body, try connect())
        }
    }

    private func run<Value>(_ body: (Database) throws -> Value, _ connection: Connection) throws -> Value {
        do {
            let value = try connection.queue.inDatabase { db in
                do {
                    let version = try TableSchema.version(db)
                    guard version == connection.schemaVersion else { throw SchemaChanged() }
                    return try body(db)
                } catch let error as DatabaseError where !error.needsWriter {
                    throw diagnosis.trouble(error, systemError: sqlite3_system_errno(db.sqliteConnection))
                }
            }
            giveBack(connection)
            return value
        } catch {
            // The connection may know what is no longer true, and so may the others: connections share what SQLite
            // remembers of locks, and one whose release has failed is held until the last of them is closed.
            if diagnosis.trouble(error).kind == .corrupt {
                closeUntouched(connection.queue)
            } else {
                try? connection.queue.close()
                for idle in takeIdle() { try? idle.queue.close() }
            }
            throw error
        }
    }

    private func take() throws -> Connection {
        let file = try TableFile.at(diagnosis.path)
        // Connections to a file that is no longer the table's are taken out and closed.
        let (found, stale) = state.withLock { state -> (Connection?, [Connection]) in
            let stale = state.idle.filter { $0.file != file }
            if !stale.isEmpty { state.idle.removeAll { $0.file != file } }
            return (state.idle.popLast(), stale)
        }
        for connection in stale { try? connection.queue.close() }
        return try found ?? connect()
    }

    private func connect() throws -> Connection {
        let wasOpen = state.withLock { $0.wasOpen }
        let file = try TableFile.at(diagnosis.path)
        if file == nil, wasOpen || diagnosis.role == .reader { throw diagnosis.missing(wasOpen: wasOpen) }
        let queue = try open(wasOpen)
        guard let opened = try TableFile.at(diagnosis.path), file == nil || file == opened else {
            try? queue.close()
            throw diagnosis.missing(wasOpen: true)
        }
        let version = try queue.inDatabase(TableSchema.version)
        state.withLock { $0.wasOpen = true }
        return Connection(queue: queue, file: opened, schemaVersion: version)
    }

    /// Whether it was opened while the file could not be written: SQLite then opens it for reading only, and so it
    /// would stay after the file was mended.
    private func isCrippled(_ db: Database) -> Bool {
        diagnosis.role == .writer && sqlite3_db_readonly(db.sqliteConnection, "main") == 1
    }

    private func giveBack(_ connection: Connection) {
        let isKept =
            connection.queue.inDatabase { !$0.isInsideTransaction && !isCrippled($0) }
            && state.withLock { state in
                guard state.idle.count < Self.idleLimit else { return false }
                state.idle.append(connection)
                return true
            }
        if !isKept { try? connection.queue.close() }
    }
}

extension DatabaseError {
    /// Whether a reader met the index of the -wal file while a writer was changing it, or as one that was killed has
    /// left it. The writer is done in an instant, or mends it when it starts again.
    fileprivate var needsWriter: Bool { extendedResultCode == .SQLITE_READONLY_RECOVERY }
}
