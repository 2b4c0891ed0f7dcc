import Bookings
import Foundation
import GRDB
import Support
import Testing

@testable import BookingTable

@Suite struct TableOutageTests {
    private let fixture: Fixture
    private var table: SQLiteTable { fixture.table }

    init() throws { fixture = try Fixture() }

    @Test func aReaderSaysThatATableWasNotCreatedYetAndFindsItOnceItIs() throws {
        let reader = SQLiteTableReader(path: fixture.path)
        #expect(kind { try reader.booking(.derived(fileName: "f", line: 1)) } == .missing)
        #expect(try fixture.directory.names().isEmpty)
        let id = try fixture.commit(try fixture.message("u"))
        #expect(try reader.booking(id)?.userId == "u")
    }

    @Test func aDirectoryThatIsNotThereIsToldFromATableThatIsNot() throws {
        let reader = SQLiteTableReader(path: "\(fixture.directory.path)/none/acms.sqlite")
        #expect(kind { try reader.booking(.derived(fileName: "f", line: 1)) } == .cannotOpen)
        let writer = SQLiteTable(path: "\(fixture.directory.path)/none/acms.sqlite")
        #expect(kind { try writer.totals() } == .cannotOpen)
        try FileManager.default.createDirectory(
            atPath: "\(fixture.directory.path)/none", withIntermediateDirectories: false)
        #expect(try writer.totals() == (0, 0))
    }

    @Test func aLockIsWaitedForBrieflyAndThenAnOutageThatPasses() throws {
        try fixture.commit(try fixture.message("u"))
        let other = try DatabaseQueue(path: fixture.path)
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            let message = try fixture.message("v")
            #expect(kind { try table.apply([message], deadLettered: 0) } == .locked)
            #expect(try SQLiteTableReader(path: fixture.path).verdicts(on: [message.request]) == [.free])
            try db.execute(sql: "ROLLBACK")
        }
        try fixture.commit(try fixture.message("w"))
    }

    @Test func anEmptyBatchIsWrittenToTheDiskSoThatItShowsWhetherTheTableCanBeWritten() throws {
        try fixture.commit(try fixture.message("u"))
        func written() throws -> Int {
            try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal")).count
        }
        let before = try written()
        _ = try table.apply([], deadLettered: 0)
        #expect(try written() > before)
        #expect(try table.totals() == (1, 0))
    }

    @Test func aTableThatIsDeletedWhileInUseIsNotBegunAnew() throws {
        try fixture.commit(try fixture.message("u"))
        let reader = SQLiteTableReader(path: fixture.path)
        _ = try reader.booking(.derived(fileName: "f", line: 1))
        for name in try fixture.directory.names() {
            try FileManager.default.moveItem(
                atPath: "\(fixture.directory.path)/\(name)", toPath: "\(fixture.directory.path)/kept-\(name)")
        }
        #expect(kind { try table.apply([], deadLettered: 1) } == .gone)
        #expect(kind { try reader.booking(.derived(fileName: "f", line: 1)) } == .gone)
        for name in try fixture.directory.names() where name.hasPrefix("kept-") {
            try FileManager.default.moveItem(
                atPath: "\(fixture.directory.path)/\(name)",
                toPath: "\(fixture.directory.path)/\(name.dropFirst(5))")
        }
        #expect(try table.totals() == (1, 0))
        #expect(try reader.committed(among: []).isEmpty)
    }

    @Test func whatIsNoDatabaseIsCorruptAndLeftAsItIs() throws {
        let garbage = String(repeating: "garbage ", count: 2000)
        try fixture.directory.write(garbage, to: "acms.sqlite")
        #expect(kind { try table.totals() } == .corrupt)
        #expect(
            kind { try SQLiteTableReader(path: fixture.path).booking(.derived(fileName: "f", line: 1)) }
                == .corrupt)
        #expect(try fixture.directory.read("acms.sqlite") == garbage)
    }

    @Test func aTableOfANewerVersionIsRefusedAndNotTouched() throws {
        try fixture.commit(try fixture.message("u"))
        close(table)
        try fixture.execute(
            "INSERT INTO grdb_migrations VALUES ('99: from the future'); PRAGMA wal_checkpoint(TRUNCATE)")
        let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        let writer = SQLiteTable(path: fixture.path)
        let message = try fixture.message("v")
        #expect(kind { try writer.apply([message], deadLettered: 0) } == .newerSchema)
        #expect(kind { try SQLiteTableReader(path: fixture.path).committed(among: []) } == .newerSchema)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
    }

    @Test func aFullFileSystemTakesTheWholeBatchBackAndBlamesNobody() throws {
        guard getuid() == 0 else {
            print("SKIPPED, because only root can mount: a full file system takes the whole batch back.")
            return
        }
        let mount = "\(fixture.directory.path)/full"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        #expect(Glibc.mount("acms", mount, "tmpfs", 0, "size=400k") == 0)
        defer { umount2(mount, Int32(MNT_DETACH)) }
        let table = SQLiteTable(path: "\(mount)/acms.sqlite")
        _ = try table.totals()
        let filler = "\(mount)/filler"
        #expect(FileManager.default.createFile(atPath: filler, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: filler))
        while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
        try handle.close()
        var failures = 0
        for number in 0..<200 {
            let batch = [try fixture.message("u\(number)"), try fixture.message("v\(number)")]
            guard let failed = kind({ try table.apply(batch, deadLettered: 0) }) else { continue }
            #expect(failed == .full || failed == .inputOutput)
            #expect(try table.committed(among: batch.map(\.id)).isEmpty)
            failures += 1
            if failures == 3 { break }
        }
        #expect(failures == 3)
        try FileManager.default.removeItem(atPath: filler)
        let last = try fixture.message("last")
        #expect(try table.apply([last], deadLettered: 0) == [.committed])
    }
}
