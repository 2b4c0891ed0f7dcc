public import Bookings
import GRDB
import GRDBSQLite
import Glibc

/// Mends what ``TableCheck`` finds, while no worker runs: whoever calls it holds the spool's lock.
///
/// The damaged files are kept under new names.
public struct TableRepair: Sendable {
    private let path: String

    /// What became of it.
    public struct Outcome: Sendable {
        /// What was found, and what has become of it.
        public var findings: [DamageFinding] = []
        /// Bookings that were in the table and can't be read any more.
        public var lost: [BookingID] = []
        /// Nothing was found.
        public init() {}
    }

    /// Mends the table at `path`.
    public init(path: String) { self.path = path }

    private var unfinished: String { path + ".repair" }

    /// Mends the table.
    ///
    /// - Throws: when it can't be read or written, is another program's, or was written by a newer version of acms.
    public func run() throws -> Outcome {
        let check = TableCheck(path: path)
        let found = try check.look()
        var outcome = Outcome()
        outcome.findings = found.map(\.told)
        guard !found.isEmpty else { return outcome }
        var done = ""
        if found.allSatisfy({ $0.remedy == .reindex }) {
            do {
                try reindex()
                done = "The indexes were made anew."
            } catch {
                done = ""
            }
        }
        let rest = try check.look()
        if rest.contains(where: { !$0.isByHand }) {
            done = try rebuild(&outcome)
        }
        let remaining = Set(try check.look())
        outcome.findings = zip(found, outcome.findings).map { finding, told in
            var told = told
            told.isRepaired = !remaining.contains(finding)
            if !finding.isByHand { told.repair = done }
            return told
        }
        outcome.findings += remaining.subtracting(found).map { finding in
            var told = finding.told
            told.isRepaired = false
            return told
        }
        for id in outcome.lost {
            outcome.findings.append(
                DamageFinding(
                    path: path, bookingId: id.description, problem: "The booking's row can't be read.",
                    repair: "It can't be recovered from the table.", isRepaired: false))
        }
        return outcome
    }

    private func reindex() throws {
        let diagnosis = TableDiagnosis(path: path, role: .writer)
        let queue = try TableOpening(diagnosis: diagnosis).forWriting(wasOpen: false, MigrationState())
        defer { try? queue.close() }
        try queue.inDatabase { try $0.execute(sql: "REINDEX") }
    }

    /// Makes a new file of all rows that can be read, and puts it in the place of the old one.
    private func rebuild(_ outcome: inout Outcome) throws -> String {
        // What an earlier repair left that was cut short is a source like the table itself.
        let earlier = unfinished + ".old"
        if try TableFile.at(unfinished) != nil { try Self.rename(unfinished, earlier) }
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(unfinished + suffix) }
        let totals = try? readTotals()
        let diagnosis = TableDiagnosis(path: unfinished, role: .writer)
        let queue = try TableOpening(diagnosis: diagnosis).forWriting(wasOpen: false, MigrationState())
        var rows = 0
        var refused: [String: SalvagedRow] = [:]
        var ids: Set<String> = []
        do {
            for source in [path, earlier] where try TableFile.at(source) != nil {
                try copy(source, to: queue, &ids, &refused)
            }
            // What stood against them may have been an old version of a row.
            let again = Array(refused.values)
            refused = [:]
            try queue.inDatabase { try insert(again, &refused, $0) }
            rows = try queue.inDatabase { db in
                let count =
                    try Prepared(db, "SELECT count(*) FROM bookings").first([]) { try $0.integer(0) } ?? 0
                try Prepared(
                    db,
                    "UPDATE totals SET committed = max(CAST(? AS INTEGER), CAST(? AS INTEGER)), "
                        + "deadLettered = CAST(? AS INTEGER)"
                ).run("\(count)", "\(totals?.committed ?? 0)", "\(totals?.deadLettered ?? 0)")
                ids.subtract(try Prepared(db, "SELECT id FROM bookings").all([]) { try $0.text(0) })
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                return count
            }
            try queue.close()
        } catch {
            try? queue.close()
            throw error
        }
        outcome.lost = ids.union(refused.keys).compactMap { BookingID($0) }.sorted()
        let kept = try replace()
        unlink(earlier)
        return "A new file was made of \(rows) rows; the old one is \(kept)."
    }

    /// Read without opening the file for writing, which could write back half of a damaged -wal file.
    private func readTotals() throws -> (committed: Int, deadLettered: Int)? {
        let queue = try TableOpening(diagnosis: TableDiagnosis(path: path, role: .writer)).forChecking()
        defer { try? queue.close() }
        return try queue.inDatabase { db in
            try Prepared(db, "SELECT committed, deadLettered FROM totals").first([]) {
                (try $0.integer(0), try $0.integer(1))
            }
        }
    }

    private func copy(
        _ source: String, to queue: DatabaseQueue, _ ids: inout Set<String>,
        _ refused: inout [String: SalvagedRow]
    ) throws {
        let pages = try TablePages(source)
        try queue.inDatabase { db in
            var rows: [SalvagedRow] = []
            try pages.forEach { page, isFirst in
                ids.formUnion(PageRows.ids(page, isFirst: isFirst))
                rows += PageRows.rows(page, isFirst: isFirst)
                guard rows.count > 100_000 else { return }
                try insert(rows, &refused, db)
                rows = []
            }
            try insert(rows, &refused, db)
        }
    }

    /// Inserts rows in one transaction. The newest version of a row counts: free pages may hold older ones.
    private func insert(
        _ rows: [SalvagedRow], _ refused: inout [String: SalvagedRow], _ db: Database
    ) throws {
        let statement = try Prepared(
            db,
            """
            INSERT INTO bookings (\(BookingRow.columns), idempotencyKey)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, '')) ON CONFLICT (id) DO UPDATE SET
            bookingStatus = excluded.bookingStatus, updatedOn = excluded.updatedOn
            WHERE excluded.updatedOn > updatedOn
            """)
        try db.beginTransaction(.immediate)
        for row in rows {
            do {
                try statement.runAll(row.values + [row.key ?? ""])
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                if refused[row.id].map({ $0.values[7] < row.values[7] }) ?? true { refused[row.id] = row }
            }
        }
        try db.commit()
    }

    /// Puts the new file in the place of the old one, which is kept.
    ///
    /// - Returns: the old one's new path.
    private func replace() throws -> String {
        let stamp = Timestamp.now().description.filter { $0.isNumber }.prefix(17)
        let kept = "\(path).damaged-\(stamp)"
        var status = stat()
        guard stat(path, &status) == 0 else { throw Self.trouble("look at", path) }
        // The new one is whole on the disk before anything is moved.
        for suffix in ["-wal", "-shm"] { unlink(unfinished + suffix) }
        let descriptor = open(unfinished, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0, fsync(descriptor) == 0 else { throw Self.trouble("sync", unfinished) }
        close(descriptor)
        if geteuid() == 0 { _ = chown(unfinished, status.st_uid, status.st_gid) }
        guard chmod(unfinished, status.st_mode & 0o777) == 0, link(path, kept) == 0 else {
            throw Self.trouble("keep", path)
        }
        for suffix in ["-wal", "-shm"] where (try TableFile.at(path + suffix)) != nil {
            try Self.rename(path + suffix, kept + suffix)
        }
        try Self.rename(unfinished, path)
        sync()
        // Readers need its -wal and -shm files, which the owner's opening leaves.
        let opening = TableOpening(diagnosis: TableDiagnosis(path: path, role: .writer))
        try opening.forWriting(wasOpen: true, MigrationState()).close()
        return kept
    }

    private static func rename(_ source: String, _ target: String) throws(TableUnavailable) {
        guard Glibc.rename(source, target) == 0 else { throw trouble("rename", source) }
    }

    private static func trouble(_ operation: String, _ path: String) -> TableUnavailable {
        let code = errno
        return TableUnavailable(
            TableFile.kind(ofErrno: code) ?? .cannotOpen,
            reason: "Cannot \(operation) \(path): \(String(cString: strerror(code))) (errno \(code)). "
                + "Run this as root, or as the worker's user.")
    }
}

extension TableFinding {
    fileprivate var isByHand: Bool { if case .byHand = remedy { true } else { false } }
}
