import Bookings
import Support
import Testing

@Suite struct InterruptedMoveTests {
    /// Of the debug build, in their order.
    private static let there = [
        "migrate.bookings", "migrate.messages", "migrate.letters", "migrate.copied", "migrate.verified",
        "migrate.marked", "migrate.removed",
    ]
    private static let back = [
        "migrate.fenced", "migrate.bookings", "migrate.messages", "migrate.letters", "migrate.copied",
        "migrate.verified", "migrate.placing", "migrate.placed",
    ]

    /// More than a portion where it is killed between two.
    private static func bookings(at point: String) -> Int { point == "migrate.bookings" ? 2500 : 30 }

    @Test(arguments: there)
    func `a move to the database that was killed goes on`(point: String) async throws {
        let place = try await MigratedPlace()
        let count = Self.bookings(at: point)
        try place.fill(bookings: count)
        let killed = try await place.migrate(to: "postgres", environment: ["ACMS_FAULT_POINT": point])
        #expect(killed.status == -9)
        let resumed = try await place.migrate(to: "postgres")
        #expect(resumed.status == 0, "\(resumed.errors)")
        check(try place.postgres(), count)
        #expect(try place.embedded() == MigratedPlace.Contents(totals: [0, 0]))
        #expect(try await place.migrate(to: "embedded").status == 0)
        check(try place.embedded(), count)
    }

    @Test(arguments: back)
    func `a move from the database that was killed goes on`(point: String) async throws {
        let place = try await MigratedPlace()
        try place.fill(bookings: Self.bookings(at: point))
        #expect(try await place.migrate(to: "postgres").status == 0)
        let moved = try place.postgres()
        let killed = try await place.migrate(to: "embedded", environment: ["ACMS_FAULT_POINT": point])
        #expect(killed.status == -9)
        let resumed = try await place.migrate(to: "embedded")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try place.embedded() == moved)
        #expect(try place.postgres() == MigratedPlace.Contents(totals: [0, 0]))
        #expect(try await place.migrate(to: "postgres").status == 0)
        #expect(try place.postgres() == moved)
    }

    @Test func `a move from the database that was killed can be taken back`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        let moved = try place.postgres()
        _ = try await place.migrate(to: "embedded", environment: ["ACMS_FAULT_POINT": "migrate.copied"])
        let taken = try await place.migrate(to: "postgres")
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(try place.postgres() == moved)
        #expect(try await place.run("SELECT moved_to IS NULL FROM control") == ["t"])
    }

    private func check(_ contents: MigratedPlace.Contents, _ count: Int) {
        #expect(contents.bookings.count == count)
        #expect(contents.messages.count == 28)
        #expect(contents.letters.count == 6)
        #expect(contents.totals == [count, 3])
        #expect(contents.pause?.uid == 12)
    }
}
