import Bookings
import Foundation
import GRDB
import Support
import Testing

@testable import BookingTable

@Suite struct DamageTests {
    private let fixture: Fixture
    private let later = Timestamp(milliseconds: 1_800_000_000_000)

    init() throws { fixture = try Fixture() }

    @Test func aValueThatTheSchemaRulesOutIsCorruptionAndNoCrash() throws {
        let id = try fixture.commit(try fixture.message("u"))
        for (column, value) in [
            ("createdOn", "'yesterday'"), ("updatedOn", "CAST(x'ff' AS TEXT)"), ("bookingStatus", "'LOST'"),
            ("userId", "x'00'"), ("endDate", "NULL"),
        ] {
            let path = "\(fixture.directory.path)/\(column).sqlite"
            close(fixture.table)
            try FileManager.default.copyItem(atPath: fixture.path, toPath: path)
            let other = try DatabaseQueue(path: path)
            try other.inDatabase { db in
                // Only somebody who turns the checks off, or a broken disk, can bring this about.
                try db.execute(
                    sql: """
                        PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;
                        UPDATE sqlite_master SET sql = replace(replace(sql, ' STRICT', ''), 'NOT NULL', '')
                        WHERE name = 'bookings';
                        """)
            }
            try other.close()
            let loose = try DatabaseQueue(path: path)
            try loose.inDatabase { db in
                try db.execute(
                    sql: "PRAGMA ignore_check_constraints = ON; UPDATE bookings SET \(column) = \(value)")
            }
            try loose.close()
            let found = trouble { try SQLiteTableReader(path: path).booking(id) }
            #expect(found?.kind == .corrupt, "\(column): \(String(describing: found))")
            #expect(found?.reason.contains(column) == true)
        }
    }

    @Test func noDamageToTheFileEndsTheProcess() throws {
        var ids: [BookingID] = []
        for number in 0..<60 {
            ids.append(try fixture.commit(try fixture.message("user\(number)", "A\(number % 7)")))
        }
        _ = try fixture.table.approve(ids[0], at: later)
        close(fixture.table)
        try fixture.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        var random = SplitMix(state: 42)
        var troubles: [TableUnavailable.Kind: Int] = [:]
        for round in 0..<150 {
            var bytes = whole
            switch round % 3 {
            case 0:
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] ^= UInt8.random(in: 1...255, using: &random)
            case 1:
                let start = Int.random(in: 0..<bytes.count, using: &random)
                for index in start..<min(bytes.count, start + 64) {
                    bytes[index] = .random(in: 0...255, using: &random)
                }
            default: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
            }
            let path = "\(fixture.directory.path)/\(round).sqlite"
            try bytes.write(to: URL(fileURLWithPath: path))
            for found in try everything(path, ids) { troubles[found, default: 0] += 1 }
            for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
        }
        #expect(troubles[.corrupt, default: 0] > 0)
        #expect(troubles[.locked] == nil)
    }

    /// Makes every call on a damaged table, first as a reader.
    private func everything(_ path: String, _ ids: [BookingID]) throws -> [TableUnavailable.Kind] {
        let (reader, writer) = (SQLiteTableReader(path: path), SQLiteTable(path: path))
        let batch = try (0..<5).map {
            try fixture.message("new\($0)", "A\($0)", from: "2027-01-01", to: "2027-01-02")
        }
        var found: [TableUnavailable.Kind?] = []
        for table: any BookingQueries in [reader, writer] {
            found.append(kind { try table.booking(ids[3]) })
            found.append(kind { try table.committed(among: ids) })
            found.append(kind { try table.verdicts(on: batch.map(\.request)) })
            for owner in [BookingOwner.apartment("A1"), .user("user3")] {
                found.append(kind { try table.bookings(of: owner, status: nil, limit: 50, after: nil) })
            }
        }
        found.append(kind { try writer.totals() })
        found.append(kind { try writer.apply(batch, deadLettered: 1) })
        found.append(kind { try writer.approve(ids[1], at: later) })
        found.append(kind { try writer.cancel(ids[0], at: later) })
        return found.compactMap(\.self)
    }
}

/// A generator whose numbers are the same in every run (SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
