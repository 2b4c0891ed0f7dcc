import Bookings
import Foundation
import GRDB
import Support
import Synchronization
import Testing

@testable import BookingTable

@Suite struct OpeningTests {
    private let fixture: Fixture
    private var table: SQLiteTable { fixture.table }

    init() throws { fixture = try Fixture() }

    @Test func anotherProgramsDatabaseIsRefusedAndNotTouched() throws {
        try fixture.execute("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
        let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        let found = trouble { try table.apply([], deadLettered: 1) }
        #expect(found?.kind == .other)
        #expect(found?.reason.contains("another program") == true)
        #expect(kind { try SQLiteTableReader(path: fixture.path).committed(among: []) } == .other)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
    }

    @Test func aCreationThatWasCutShortIsTakenUpAgain() throws {
        // An empty file is what a kill right after the file's creation leaves.
        try fixture.directory.write("", to: "acms.sqlite")
        #expect(kind { try SQLiteTableReader(path: fixture.path).committed(among: []) } == .missing)
        #expect(try table.totals() == (0, 0))
    }

    @Test func aCreationThatWasKilledInsideATransactionIsPlayedBackFirst() throws {
        let source = "\(fixture.directory.path)/source.sqlite"
        let other = try DatabaseQueue(path: source)
        try other.inDatabase { db in
            try db.execute(
                sql: """
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY); PRAGMA cache_size = 1;
                    BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO grdb_migrations SELECT 'cut short ' || i FROM n
                    """)
            // The journal is hot where no process holds the lock.
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: source + suffix, toPath: fixture.path + suffix)
            }
            try db.execute(sql: "ROLLBACK")
        }
        try other.close()
        #expect(try table.totals() == (0, 0))
        #expect(try table.pragma("journal_mode") == "wal")
    }

    @Test func aFileThatTakesTheTablesPlaceIsNotFilled() throws {
        try fixture.commit(try fixture.message("u"))
        for name in try fixture.directory.names() { unlink("\(fixture.directory.path)/\(name)") }
        #expect(kind { try table.totals() } == .gone)
        try fixture.directory.write("", to: "acms.sqlite")
        #expect(kind { try table.apply([], deadLettered: 1) } == .gone)
        #expect(try fixture.directory.read("acms.sqlite").isEmpty)
        // A fresh process begins a new table.
        #expect(try SQLiteTable(path: fixture.path).totals() == (0, 0))
        #expect(try table.totals() == (0, 0))
    }

    @Test func aSchemaThatBecomesNewerWhileItIsOpenIsRefusedToo() throws {
        let id = try fixture.commit(try fixture.message("u"))
        let reader = SQLiteTableReader(path: fixture.path)
        #expect(try reader.booking(id) != nil)
        try fixture.execute("CREATE TABLE harmless (a)")
        #expect(try reader.booking(id) != nil)
        #expect(try table.totals() == (1, 0))
        try fixture.execute(
            "CREATE TABLE more (a); INSERT INTO grdb_migrations VALUES ('99: from the future')")
        #expect(kind { try reader.booking(id) } == .newerSchema)
        #expect(kind { try table.apply([], deadLettered: 1) } == .newerSchema)
    }

    @Test func anOlderSchemaIsNotTakenForATableThatWasNeverCreated() throws {
        try fixture.execute(
            """
            CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
            CREATE TABLE ancient (a); PRAGMA application_id = \(TableSchema.applicationID)
            """)
        let diagnosis = TableDiagnosis(path: fixture.path, role: .reader)
        #expect(diagnosis.trouble(.older, wasOpen: false)?.kind == .other)
        #expect(kind { try SQLiteTableReader(path: fixture.path).committed(among: []) } == .other)
    }

    @Test func aPathThroughAFileCanNotBeOpened() throws {
        try fixture.directory.write("", to: "file")
        let path = "\(fixture.directory.path)/file/acms.sqlite"
        for found in [
            trouble { try SQLiteTable(path: path).totals() },
            trouble { try SQLiteTableReader(path: path).committed(among: []) },
        ] {
            #expect(found?.kind == .cannotOpen)
            #expect(found?.reason.contains("Not a directory") == true)
            #expect(found?.reason.contains(path) == true)
        }
    }

    @Test func readersOnSeveralThreadsAndTheWriterDoNotDisturbEachOther() throws {
        let first = try fixture.commit(try fixture.message("first"))
        let reader = SQLiteTableReader(path: fixture.path)
        let batches = try (0..<50).map { [try fixture.message("u\($0)"), try fixture.message("v\($0)")] }
        let pairs = batches.map { $0.map(\.id) }
        let writer = table
        let problems = Problems()
        DispatchQueue.concurrentPerform(iterations: 7) { thread in
            do {
                if thread == 0 {
                    for batch in batches { _ = try writer.apply(batch, deadLettered: 0) }
                    return
                }
                for round in 0..<300 {
                    // Each call sees whole transactions only.
                    let found = try reader.committed(among: pairs[round % pairs.count]).count
                    if found == 1 { problems.add("half a batch") }
                    if try reader.booking(first) == nil { problems.add("gone") }
                }
            } catch {
                problems.add("\(error)")
            }
        }
        #expect(problems.all.isEmpty)
        #expect(try writer.totals() == (101, 0))
    }

    @Test func anAnswerComesFromOneStateOfTheTableThoughAnotherIsCommittedMeanwhile() throws {
        try fixture.commit(try fixture.message("first"))
        let pair = [try fixture.message("a"), try fixture.message("b")]
        let reader = SQLiteTableReader(path: fixture.path)
        let committed = try whileReading(reader, commit: pair) { try $0.committed(among: pair.map(\.id)) }
        #expect(committed.isEmpty)
        #expect(try reader.committed(among: pair.map(\.id)).count == 2)
        let more = [try fixture.message("c"), try fixture.message("d")]
        let verdicts = try whileReading(reader, commit: more) { try $0.verdicts(on: more.map(\.request)) }
        #expect(verdicts == [.free, .free])
        #expect(!(try reader.verdicts(on: more.map(\.request)).contains(.free)))
    }

    /// Commits `batch` at the moment when `read` has made its first query and begins its second.
    private func whileReading<Value>(
        _ reader: SQLiteTableReader, commit batch: [Message], _ read: (SQLiteTableReader) throws -> Value
    ) throws -> Value {
        let writer = table
        let queries = Mutex(0)
        let outcomes = Mutex<[ApplyOutcome]>([])
        // The one idle connection is the one that the next call uses.
        try reader.connections.use { db in
            db.trace(options: .statement) { event in
                guard case .statement(let statement) = event, statement.sql.hasPrefix("SELECT") else {
                    return
                }
                let number = queries.withLock { count in
                    count += 1
                    return count
                }
                guard number == 2 else { return }
                outcomes.withLock { $0 = (try? writer.apply(batch, deadLettered: 0)) ?? [] }
            }
        }
        let value = try read(reader)
        try reader.connections.use { $0.trace(options: []) }
        #expect(outcomes.withLock { $0 } == batch.map { _ in .committed })
        return value
    }

    @Test func everyCommitReachesTheDiskBeforeItIsAnswered() throws {
        let strace = "/usr/bin/strace"
        guard FileManager.default.isExecutableFile(atPath: strace) else {
            print("SKIPPED, because there is no \(strace): every commit reaches the disk.")
            return
        }
        _ = try table.totals()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: strace)
        let trace = "\(fixture.directory.path)/trace"
        process.arguments = [
            "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, "-p", "\(getpid())",
        ]
        let messages = Pipe()
        process.standardError = messages
        try process.run()
        // Its first words say that it is attached, or why it can't be.
        let words = String(decoding: messages.fileHandleForReading.availableData, as: UTF8.self)
        guard words.contains("attached") else {
            process.waitUntilExit()
            print("SKIPPED, because strace may not attach: \(words)")
            return
        }
        for number in 0..<10 { try fixture.commit(try fixture.message("u\(number)")) }
        // It has written a call's line before the call returns. It may have inherited a mask that keeps milder
        // signals off, and its end sets the traced process free.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let synced = try fixture.directory.read("trace").split(separator: "\n").filter {
            // Another thread's call in between cuts a line in two; only the first half names the file.
            $0.contains("sync(") && $0.contains("\(fixture.path)-wal>")
        }
        #expect(synced.count >= 10)
    }
}

private final class Problems: Sendable {
    private let found = Mutex<[String]>([])
    var all: [String] { found.withLock { $0 } }
    func add(_ problem: String) { found.withLock { $0.append(problem) } }
}
