public import Bookings
import GRDB
import Glibc

/// Looks through a whole table without changing it, beside daemons that run or without them: the file as SQLite sees
/// it, the -wal file frame by frame, the rows, and what may not be twice.
///
/// SQLite keeps no checksums of pages. A flipped bit in a date of a row is not found unless it makes it none.
public struct TableCheck: Sendable {
    let path: String

    /// Checks the table at `path`.
    public init(path: String) { self.path = path }

    /// What is damaged; nothing when there is no table yet.
    ///
    /// - Throws: when the table can't be read, is another program's, or was written by a newer version of acms.
    public func run() throws(TableUnavailable) -> [DamageFinding] { try look().map(\.told) }

    func look() throws(TableUnavailable) -> [TableFinding] {
        guard try TableFile.at(path) != nil else { return [] }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return [
                TableFinding(path, "It is no regular file.", .byHand("Move it away, and restore a copy."))
            ]
        }
        var findings = try frames()
        do {
            try throughSQLite(&findings)
        } catch let trouble as TableUnavailable where trouble.kind != .corrupt {
            throw trouble
        } catch {
            let trouble = TableDiagnosis(path: path, role: .reader).trouble(error)
            guard trouble.kind == .corrupt || trouble.kind == .missing else { throw trouble }
            let found = (error as? DatabaseError)?.message ?? trouble.reason
            findings.append(TableFinding(path, "SQLite can't read it: \(found).", .rebuild))
        }
        return findings
    }

    private func frames() throws(TableUnavailable) -> [TableFinding] {
        var frames = try TablePages.frames(of: path)
        if !frames.damaged.isEmpty || frames.isHeaderDamaged {
            // The worker may just be writing.
            usleep(300_000)
            frames = try TablePages.frames(of: path)
        }
        if frames.isHeaderDamaged {
            return [
                TableFinding(
                    "\(path)-wal", "Its header is damaged, so that SQLite ignores the file.", .rebuild)
            ]
        }
        let indexed = try TablePages.indexedFrames(of: path, frames)
        if indexed > frames.count {
            return [
                TableFinding(
                    "\(path)-wal", "It has \(frames.count) of the \(indexed) frames that it had.", .rebuild)
            ]
        }
        guard let first = frames.damaged.first else { return [] }
        let behind = frames.count - first
        return [
            TableFinding(
                "\(path)-wal",
                "Frame \(first) is not as it was written; SQLite ignores it and \(behind) behind it once it reads "
                    + "the file anew.", .rebuild)
        ]
    }

    private func throughSQLite(_ findings: inout [TableFinding]) throws {
        let queue = try TableOpening(diagnosis: TableDiagnosis(path: path, role: .writer)).forChecking()
        defer { try? queue.close() }
        try queue.inDatabase { db in
            let state = try TableSchema.state(db)
            // Nobody uses it any more, and it is kept as it was.
            if case .moved = state { return }
            if let trouble = TableDiagnosis(path: path, role: .writer).trouble(state, wasOpen: false) {
                throw trouble
            }
            for text in try Prepared(db, "PRAGMA integrity_check(100)").all([], { try $0.text(0) })
            where text != "ok" {
                let text = text.replacing("\n", with: " ")
                findings.append(
                    TableFinding(path, text + ".", Self.concernsIndex(text) ? .reindex : .rebuild))
            }
            guard try TableSchema.state(db) == .current else { return }
            if findings.allSatisfy({ $0.remedy != .rebuild }) {
                findings += try rows(db)
                findings += try doubles(db)
            }
            findings += try missingParts(db)
        }
    }

    /// The words of SQLite's `PRAGMA integrity_check` about what REINDEX mends.
    private static func concernsIndex(_ text: String) -> Bool {
        text.hasPrefix("row ") && text.contains(" missing from index ")
            || text.hasPrefix("wrong # of entries in index ")
    }

    private func missingParts(_ db: Database) throws -> [TableFinding] {
        let query =
            "SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        let present = Set(try Prepared(db, query).all([]) { try $0.text(0) })
        let model = try DatabaseQueue()
        try TableSchema.migrator.migrate(model)
        let expected = try model.inDatabase { try Prepared($0, query).all([]) { try $0.text(0) } }
        var findings = expected.filter { !present.contains($0) }.sorted().map {
            TableFinding(path, "The \($0) is missing.", .rebuild)
        }
        let totals = try Prepared(
            db, "SELECT count(*) FROM totals WHERE committed >= 0 AND deadLettered >= 0"
        )
        .first([]) { try $0.integer(0) }
        if totals != 1 { findings.append(TableFinding(path, "The totals are missing.", .rebuild)) }
        return findings
    }

    private func rows(_ db: Database) throws -> [TableFinding] {
        let sql = "SELECT \(BookingRow.columns), idempotencyKey FROM bookings NOT INDEXED"
        var findings: [TableFinding] = []
        _ = try Prepared(db, sql).all([]) { row in
            let columns = (0..<9).map { try? row.text($0) }
            guard SalvagedRow(columns) == nil, findings.count < 100 else { return }
            let id = columns[0].flatMap { BookingID($0) }?.description
            findings.append(TableFinding(path, "A row holds what no booking can be.", .rebuild, id: id))
        }
        return findings
    }

    private func doubles(_ db: Database) throws -> [TableFinding] {
        var findings: [TableFinding] = []
        func find(_ sql: String, _ problem: (_ other: String) -> String) throws {
            for (id, other) in try Prepared(db, sql).all([], { (try $0.text(0), try $0.text(1)) }) {
                findings.append(
                    TableFinding(
                        path, problem(other),
                        .byHand("Decide which is to stay: 'acmsctl cancel \(id)' or the other."),
                        id: id))
            }
        }
        try find(
            """
            SELECT id, other FROM (
              SELECT id, startDate, lag(id) OVER stays AS other, max(endDate) OVER (
                PARTITION BY apartmentId ORDER BY startDate, endDate, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken
              FROM bookings NOT INDEXED WHERE bookingStatus = 'APPROVED'
              WINDOW stays AS (PARTITION BY apartmentId ORDER BY startDate, endDate, id))
            WHERE startDate < taken LIMIT 100
            """
        ) { "It is APPROVED and overlaps another APPROVED booking, as \($0)." }
        try find(
            """
            SELECT max(id), min(id) FROM bookings NOT INDEXED WHERE bookingStatus = 'PENDING'
            GROUP BY userId, apartmentId HAVING count(*) > 1 LIMIT 100
            """
        ) { "It is PENDING, and so is \($0) of the same user and apartment." }
        return findings
    }
}

/// Something wrong with the table, and what can be done about it.
struct TableFinding: Hashable {
    enum Remedy: Hashable {
        /// The indexes are made anew from the rows.
        case reindex
        /// A new file is made of all rows that can be read.
        case rebuild
        /// For people to decide.
        case byHand(String)
    }

    let path: String
    let problem: String
    let remedy: Remedy
    let id: String?

    init(_ path: String, _ problem: String, _ remedy: Remedy, id: String? = nil) {
        self.path = path
        self.problem = problem
        self.remedy = remedy
        self.id = id
    }

    var told: DamageFinding {
        let plan =
            switch remedy {
            case .reindex: "--repair makes the indexes anew."
            case .rebuild:
                "--repair sets the file aside and makes a new one of all rows that can be read."
            case .byHand(let text): text
            }
        return DamageFinding(path: path, bookingId: id, problem: problem, repair: plan)
    }
}
