import BookingTable
import Bookings
import Foundation
import Spool
import Support
import Testing

@Suite struct ThereAndBackTests {
    @Test func `all that the embedded engine keeps is the same in the database and when it is back`()
        async throws
    {
        let place = try await MigratedPlace()
        try place.fill()
        let there = try await place.migrate(to: "postgres")
        #expect(there.status == 0, "\(there.errors)")
        let moved = try place.postgres()
        #expect(moved.bookings.count == 30)
        #expect(Set(moved.bookings.values.map(\.booking.bookingStatus)) == Set(BookingStatus.allCases))
        #expect(moved.messages.count == 28)
        #expect(moved.messages.values.count(where: \.isDeferred) == 3)
        #expect(moved.messages.values.count(where: \.isAlone) == 1)
        #expect(moved.messages.values.count { $0.message.redriveCount == 1 } == 1)
        #expect(moved.letters.count == 6)
        #expect(moved.letters.values.count { $0.message != nil } == 4)
        #expect(moved.pause?.uid == 12)
        #expect(moved.totals == [30, 3])
        let left = try place.embedded()
        #expect(left == MigratedPlace.Contents(totals: [0, 0]))

        let back = try await place.migrate(to: "embedded")
        #expect(back.status == 0, "\(back.errors)")
        #expect(try place.embedded() == moved)
        #expect(try place.postgres() == MigratedPlace.Contents(totals: [0, 0]))
        let message = try MigratedPlace.message(0x9008)
        #expect(moved.messages[message.id] != nil, "What only the journal held is part of the queue.")
    }

    @Test func `a letter that is no booking keeps its bytes`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        let bodies = try await place.run(
            "SELECT encode(body, 'hex') FROM messages WHERE body IS NOT NULL ORDER BY 1")
        #expect(bodies == ["5b5d", "7b22696e707574223a7b22757365724964223a2275222cff00"])
        _ = try await place.migrate(to: "embedded")
        let names = try place.directory.names(in: "spool/dead").filter { $0.hasSuffix(".letter") }
        let ends = try names.map { try place.directory.bytes("spool/dead/\($0)") }
        #expect(ends.count { $0.suffix(3).elementsEqual(Data("\n[]".utf8)) } == 1)
        #expect(ends.count { $0.suffix(2).elementsEqual(Data([0xff, 0x00])) } == 1)
    }

    @Test func `there and back any number of times`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        var contents: MigratedPlace.Contents?
        for _ in 0..<3 {
            #expect(try await place.migrate(to: "postgres").status == 0)
            let moved = try place.postgres()
            #expect(moved == contents ?? moved)
            contents = moved
            #expect(try await place.run("SELECT moved_to IS NULL FROM control") == ["t"])
            #expect(try await place.migrate(to: "embedded").status == 0)
            #expect(try place.embedded() == moved)
        }
        let kept = try place.directory.names(in: "table").filter {
            $0.hasPrefix("acms.sqlite.moved-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
        }
        #expect(kept.count == 3)
    }

    @Test func `a file whose bookings were moved is used by no daemon and says where they are`() async throws
    {
        let place = try await MigratedPlace()
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        let message = try MigratedPlace.message(1)
        for ask in [
            { try SQLiteTableReader(path: place.tablePath).committed(among: [message.id]) },
            {
                _ = try SQLiteTable(path: place.tablePath).apply([message], deadLettered: 0)
                return []
            },
        ] {
            let error = #expect(throws: TableUnavailable.self) { _ = try ask() }
            #expect(error?.kind == .newerSchema)
            #expect(
                error?.reason.contains("were moved to the schema \(place.schema) of the database postgres")
                    ?? false)
            #expect(error?.reason.contains("'acmsctl migrate --to embedded'") ?? false)
        }
        // It is kept, and nothing is wrong with that.
        let check = try await place.acmsctl(["check"])
        #expect(check.status == 0, "\(check.errors)")
    }

    @Test func `a second move of what was moved does nothing`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        let moved = try place.postgres()
        #expect(try await place.migrate(to: "postgres").status == 0)
        #expect(try place.postgres() == moved)
        _ = try await place.migrate(to: "embedded")
        #expect(try await place.migrate(to: "embedded").status == 0)
        #expect(try place.embedded() == moved)
    }

    @Test func `a dry run counts and changes nothing`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        let before = try place.embedded()
        let look = try await place.migrate(to: "postgres", "--dry-run", "--json")
        #expect(look.status == 0)
        #expect(look.output.contains(#""bookings":30"#) && look.output.contains(#""done":false"#))
        #expect(try place.embedded() == before)
        #expect(try await place.run("SELECT to_regnamespace('\(place.schema)') IS NULL") == ["t"])
        _ = try await place.migrate(to: "postgres")
        let moved = try place.postgres()
        let back = try await place.migrate(to: "embedded", "--dry-run", "--json")
        #expect(back.output.contains(#""deferred":3"#) && back.output.contains(#""deadLetters":6"#))
        #expect(try place.postgres() == moved)
    }

    @Test func `several hosts are moved into one schema`() async throws {
        let first = try await MigratedPlace()
        try first.fill()
        let second = try await MigratedPlace(schema: first.schema)
        let others = try (0x5000..<0x5010).map { try MigratedPlace.message($0, apartment: "B-\($0)") }
        try second.commit(others)
        #expect(try await first.migrate(to: "postgres").status == 0)
        #expect(try await second.migrate(to: "postgres").status == 0)
        let together = try first.postgres()
        #expect(together.bookings.count == 46)
        #expect(together.totals == [46, 3])
        let back = try await second.migrate(to: "embedded")
        #expect(back.status == 0)
        #expect(try second.embedded() == together)
        // It is told where they are.
        let late = try await first.migrate(to: "embedded")
        #expect(late.status == 1)
        #expect(late.errors.contains(second.tablePath))
    }
}
