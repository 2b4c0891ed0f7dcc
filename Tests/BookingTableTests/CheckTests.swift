import Bookings
import Foundation
import GRDB
import Support
import Testing

@testable import BookingTable

/// Looking for damage in a table, leaving it alone, and mending it.
@Suite struct CheckTests {
    private let fixture: Fixture
    private let later = Timestamp(milliseconds: 1_800_000_000_000)

    init() throws { fixture = try Fixture() }

    private var check: TableCheck { TableCheck(path: fixture.path) }
    private var repair: TableRepair { TableRepair(path: fixture.path) }

    private func fill(_ count: Int = 300) throws -> [BookingID] {
        let ids = try (0..<count).map { try fixture.commit(try fixture.message("user\($0)", "A\($0 % 7)")) }
        _ = try fixture.table.approve(ids[0], at: later)
        return ids
    }

    /// All is in the main file, and nobody has it open.
    private func closeAndCheckpoint() throws {
        close(fixture.table)
        try fixture.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    private func overwrite(_ suffix: String = "", at offset: Int, with bytes: [UInt8]) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path + suffix))
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(bytes))
    }

    private func rootPage(of name: String) throws -> Int {
        let queue = try DatabaseQueue(path: fixture.path)
        defer { try? queue.close() }
        return try queue.inDatabase { db in
            try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE name = ?", arguments: [name])
        } ?? 0
    }

    private func rows() throws -> Set<String> {
        let queue = try DatabaseQueue(path: fixture.path)
        defer { try? queue.close() }
        return Set(
            try queue.inDatabase { try String.fetchAll($0, sql: "SELECT id FROM bookings NOT INDEXED") })
    }

    @Test func aSoundTableIsFoundSoundInUseOrNotAndNoTableIsNoDamage() throws {
        #expect(try TableCheck(path: fixture.path + "x").run().isEmpty)
        _ = try fill()
        #expect(try check.run().isEmpty)
        try closeAndCheckpoint()
        #expect(try check.run().isEmpty)
    }

    @Test func rowsOutliveADamagedIndex() throws {
        let ids = try fill()
        try closeAndCheckpoint()
        try overwrite(
            at: (try rootPage(of: "bookingsByApartment") - 1) * 4096,
            with: .init(repeating: 0xff, count: 4096))
        #expect(try check.run().isEmpty == false)
        let outcome = try repair.run()
        #expect(outcome.findings.allSatisfy { $0.isRepaired == true } && outcome.lost.isEmpty)
        #expect(try check.run().isEmpty)
        #expect(try rows() == Set(ids.map(\.description)))
        #expect(try SQLiteTableReader(path: fixture.path).booking(ids[0])?.bookingStatus == .approved)
    }

    @Test func anIndexThatLacksARowIsMadeAnewInPlace() throws {
        let ids = try fill()
        try closeAndCheckpoint()
        // As a write that was lost leaves it: the index was away when the row was changed.
        let root = try rootPage(of: "approvedStays")
        try fixture.execute(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'approvedStays'")
        try fixture.execute("UPDATE bookings SET bookingStatus = 'APPROVED' WHERE id = '\(ids[1])'")
        let sql =
            "CREATE INDEX approvedStays ON bookings (apartmentId, startDate, endDate) "
            + "WHERE bookingStatus = ''APPROVED''"
        try fixture.execute(
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_master "
                + "VALUES ('index', 'approvedStays', 'bookings', \(root), '\(sql)')")
        let found = try check.run()
        #expect(found.count == 2 && found.allSatisfy { $0.repair.contains("indexes anew") }, "\(found)")
        let inode = try TableFile.at(fixture.path)
        #expect(try repair.run().findings.allSatisfy { $0.isRepaired == true })
        #expect(try TableFile.at(fixture.path) == inode)
        #expect(try check.run().isEmpty)
        #expect(try rows().count == ids.count)
    }

    @Test func aPageOfRowsThatIsGoneCostsItsRowsAndTheyAreNamed() throws {
        let ids = try fill()
        try closeAndCheckpoint()
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        let leaf = try #require(
            (1..<(whole.count / 4096)).first { whole[$0 * 4096] == 0x0d && whole[$0 * 4096 + 4] > 5 })
        try overwrite(at: leaf * 4096, with: .init(repeating: 0, count: 4096))
        #expect(try check.run().isEmpty == false)
        let outcome = try repair.run()
        let left = try rows()
        #expect(!outcome.lost.isEmpty && outcome.lost.count < 60)
        #expect(left.union(outcome.lost.map(\.description)) == Set(ids.map(\.description)))
        #expect(
            outcome.findings.filter { $0.isRepaired == false }.compactMap(\.bookingId).count
                == outcome.lost.count)
        #expect(try check.run().isEmpty)
    }

    @Test(arguments: [0, 16, 100]) func aFileWithoutItsHeaderGivesItsRows(offset: Int) throws {
        let ids = try fill()
        try closeAndCheckpoint()
        try overwrite(at: offset, with: .init(repeating: 0x5a, count: 60))
        #expect(try check.run().isEmpty == false)
        #expect(try repair.run().lost.isEmpty)
        #expect(try rows() == Set(ids.map(\.description)))
    }

    @Test func whatSQLiteIgnoresBehindADamagedFrameIsFoundAndReadAllTheSame() throws {
        let ids = try fill(60)
        // A copy as a kill leaves it: with its -wal file, and nobody to write it back.
        let path = "\(fixture.directory.path)/copy.sqlite"
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: path + suffix)
        }
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path + "-wal"))
        let frame = (size - 32) / 4120 / 2
        try file.seek(toOffset: UInt64(32 + frame * 4120 + 24 + 3000))
        try file.write(contentsOf: Data([0xaa, 0x55]))
        try file.close()
        let found = try TableCheck(path: path).run()
        #expect(found.contains { $0.path.hasSuffix("-wal") && $0.problem.contains("Frame \(frame + 1) ") })
        let outcome = try TableRepair(path: path).run()
        let reader = SQLiteTableReader(path: path)
        let there = try reader.committed(among: ids)
        #expect(there.union(outcome.lost) == Set(ids))
        #expect(there.contains(ids[59]) && there.count > 55)
    }

    @Test func twoApprovedBookingsThatOverlapAreTold() throws {
        let ids = try fill(8)
        try closeAndCheckpoint()
        try fixture.execute(
            """
            DROP TRIGGER noOverlapWhenApproved; DROP TRIGGER noOverlapWhenInserted;
            UPDATE bookings SET bookingStatus = 'APPROVED' WHERE id = '\(ids[7])';
            """)
        let found = try check.run()
        #expect(found.contains { $0.problem.contains("overlaps another APPROVED booking") })
        #expect(found.contains { $0.problem.contains("noOverlapWhenApproved is missing") })
    }

    @Test func nothingIsWrittenToADamagedTableUntilSomebodyMendsIt() throws {
        let ids = try fill()
        try closeAndCheckpoint()
        let sound = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        try overwrite(
            at: (try rootPage(of: "bookingsByApartment") - 1) * 4096,
            with: .init(repeating: 0xff, count: 4096))
        let damaged = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        let table = SQLiteTable(path: fixture.path)
        let message = try fixture.message("new", "N")
        let first = trouble { try table.apply([message], deadLettered: 0) }
        #expect(first?.kind == .corrupt && first?.reason.contains("'acmsctl check'") == true)
        let wal = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal"))
        // What would succeed isn't tried either.
        #expect(trouble { try table.apply([], deadLettered: 1) }?.kind == .corrupt)
        #expect(trouble { try table.totals() }?.kind == .corrupt)
        #expect(trouble { try table.cancel(ids[3], at: later) }?.kind == .corrupt)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == damaged)
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal")) == wal)
        // Touched, and still damaged.
        try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: fixture.path)
        #expect(trouble { try table.apply([], deadLettered: 1) }?.kind == .corrupt)
        // A copy is put back in place.
        try overwrite(at: 0, with: Array(sound))
        #expect(try table.apply([message], deadLettered: 0) == [.committed])
    }
}
