public import Bookings
import GRDB
import GRDBSQLite
import Glibc

/// The table's file as one end of a move from one engine to another, while no daemon uses it: whoever writes through it
/// holds the spool's locks.
///
/// A file whose bookings were moved away stays as it was, with a mark that keeps every daemon from it. When bookings
/// come back they are written to a file beside it, which takes its place at the end; the old one gets another name.
public final class TransferTable {
    /// Where the table is.
    public let path: String
    /// Where its bookings were moved to; nil when they are here, or there never were any.
    public private(set) var movedTo: String?
    /// Whether there is a file at all.
    public private(set) var isThere: Bool
    private var queue: DatabaseQueue?

    /// Where bookings are written that come in place of a file that was moved away or never was.
    private var arriving: String { path + ".arriving" }
    /// Whether what is open is that file.
    private var isArriving = false

    /// Looks at the file.
    ///
    /// - Throws: when it is no table of acms, was written by a newer version, or can't be read.
    public init(path: String) throws(TableUnavailable) {
        self.path = path
        isThere = try TableFile.at(path) != nil
        guard isThere else { return }
        movedTo = try Self.translating(path) {
            let queue = try TableOpening(diagnosis: Self.diagnosis(path)).forChecking()
            defer { try? queue.close() }
            let state = try queue.inDatabase(TableSchema.state)
            if case .moved(let place) = state { return place }
            if let trouble = Self.diagnosis(path).trouble(state, wasOpen: false) { throw trouble }
            return nil
        }
    }

    deinit { try? queue?.close() }

    private static func diagnosis(_ path: String) -> TableDiagnosis {
        TableDiagnosis(path: path, role: .writer)
    }

    // MARK: - Opening

    /// Opens it to be read, without changing it; nothing is read where there is nothing to move.
    public func openForReading() throws(TableUnavailable) {
        guard isThere, movedTo == nil else { return }
        queue = try Self.translating(path) {
            let queue = try TableOpening(diagnosis: Self.diagnosis(path)).forChecking()
            let state = try queue.inDatabase(TableSchema.state)
            if state == .current { return queue }
            try? queue.close()
            guard state == .empty else {
                throw TableUnavailable(
                    .other, reason: "The table \(path) has an older form; a move brings it up to date.")
            }
            return nil
        }
    }

    /// Opens it as a source. A table that never was is made, so that it can bear the mark.
    public func openAsSource() throws(TableUnavailable) {
        guard movedTo == nil, queue == nil else { return }
        queue = try open(path)
        isThere = true
    }

    /// Opens it as a target.
    public func openAsTarget() throws(TableUnavailable) {
        guard queue == nil else { return }
        isArriving = movedTo != nil || !isThere
        queue = try open(isArriving ? arriving : path)
    }

    private func open(_ path: String) throws(TableUnavailable) -> DatabaseQueue {
        let isNew = try TableFile.at(path) == nil
        if isNew {
            try TableFile.create(path)
            try giveOwner(to: path)
        }
        return try Self.translating(path) {
            try TableOpening(diagnosis: Self.diagnosis(path)).forWriting(wasOpen: false, MigrationState())
        }
    }

    /// Root writes in the name of who owns the table, or the directory that it is in.
    private func giveOwner(to file: String) throws(TableUnavailable) {
        guard geteuid() == 0 else { return }
        var status = stat()
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard stat(path, &status) == 0 && status.st_uid != 0 || stat(directory, &status) == 0,
            chown(file, status.st_uid, status.st_gid) == 0
        else {
            throw TableUnavailable(
                .cannotOpen,
                reason: "The owner of \(file) can't be set: \(String(cString: strerror(errno))).")
        }
    }

    // MARK: - As a source

    /// Up to `limit` bookings in the order of their ids, after `last`.
    public func bookings(after last: String?, limit: Int) throws(TableUnavailable) -> [StoredBooking] {
        try use([]) { db in
            try Prepared(
                db, "\(Self.selection) WHERE id > ? ORDER BY id LIMIT CAST(? AS INTEGER)"
            ).all([last ?? "", String(limit)], Self.stored)
        }
    }

    /// Those bookings of these ids that are here.
    public func bookings(withIDs ids: [String]) throws(TableUnavailable) -> [String: StoredBooking] {
        try use([:]) { db in
            let query = try Prepared(db, "\(Self.selection) WHERE id = ?")
            var found: [String: StoredBooking] = [:]
            for id in ids { found[id] = try query.first([id], Self.stored) }
            return found
        }
    }

    private static let selection =
        "SELECT \(BookingRow.columns), coalesce(idempotencyKey, '') FROM bookings"

    private static func stored(_ row: Columns) throws -> StoredBooking {
        let key = try row.text(8)
        return StoredBooking(booking: try BookingRow.booking(row), idempotencyKey: key.isEmpty ? nil : key)
    }

    /// Messages committed and dead-lettered.
    public func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) {
        try use((0, 0)) { db in
            try Prepared(db, "SELECT committed, deadLettered FROM totals").first([]) {
                (try $0.integer(0), try $0.integer(1))
            } ?? (0, 0)
        }
    }

    /// A number that stands for this table and no other, kept in it: from 1 to 2^30.
    public func token() throws(TableUnavailable) -> Int {
        try use(1) { db in
            let token = try Prepared(db, "PRAGMA user_version").first([]) { try $0.integer(0) } ?? 0
            if token > 0 { return token }
            let new = Int.random(in: 1...(1 << 30))
            try db.execute(sql: "PRAGMA user_version = \(new)")
            return new
        }
    }

    /// Says durably that the bookings were moved, and where to. Nothing is deleted.
    public func markMoved(to place: String) throws(TableUnavailable) {
        guard movedTo == nil else { return }
        try use(()) { db in
            try db.execute(
                sql: "INSERT INTO grdb_migrations VALUES (?)", arguments: [TableSchema.movedPrefix + place])
            try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        movedTo = place
        try? queue?.close()
        queue = nil
    }

    // MARK: - Working

    /// Runs `body` on the open file; `nothing` where there is none.
    func use<Value>(_ nothing: Value, _ body: (Database) throws -> Value) throws(TableUnavailable) -> Value {
        guard let queue else { return nothing }
        return try Self.translating(path) { try queue.inDatabase(body) }
    }

    private static func translating<Value>(
        _ path: String, _ body: () throws -> Value
    ) throws(TableUnavailable) -> Value {
        do {
            return try body()
        } catch {
            throw diagnosis(path).trouble(error)
        }
    }

    // MARK: - Arriving

    /// Puts what has arrived in its place. A file that was moved away is kept under another name.
    ///
    /// - Returns: that name; nil when there was none.
    public func finishArriving(at time: Timestamp) throws(TableUnavailable) -> String? {
        guard isArriving else { return nil }
        try use(()) { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        try? queue?.close()
        queue = nil
        for suffix in ["-wal", "-shm"] { unlink(arriving + suffix) }
        var kept: String?
        if isThere {
            let name = "\(path).moved-\(time.description.filter(\.isNumber).prefix(17))"
            // Both names lead to it until the new file has taken its place: there is none without a table.
            guard link(path, name) == 0 else { throw trouble("keep", path) }
            for suffix in ["-wal", "-shm"] where try TableFile.at(path + suffix) != nil {
                guard rename(path + suffix, name + suffix) == 0 else { throw trouble("keep", path + suffix) }
            }
            kept = name
        }
        FaultPoint.reached("migrate.placing")
        guard rename(arriving, path) == 0 else { throw trouble("rename", arriving) }
        sync()
        (isArriving, isThere, movedTo) = (false, true, nil)
        // Readers need its -wal and -shm files, which opening it leaves.
        queue = try open(path)
        return kept
    }

    private func trouble(_ operation: String, _ path: String) -> TableUnavailable {
        let code = errno
        return TableUnavailable(
            TableFile.kind(ofErrno: code) ?? .cannotOpen,
            reason: "Cannot \(operation) \(path): \(String(cString: strerror(code))) (errno \(code)).")
    }
}
