import Bookings
import Testing

@testable import Front
@testable import Spool

/// Random entries, known in the plainest way.
private struct PlainIndex {
    var entries: [(place: SpoolEntry, held: [QueuedBooking], bytes: Int)] = []

    mutating func remove(_ place: SpoolEntry) { entries.removeAll { $0.place == place } }

    var all: [(place: SpoolEntry, booking: QueuedBooking)] {
        entries.flatMap { entry in entry.held.map { (entry.place, $0) } }
    }

    var waiting: [(place: SpoolEntry, held: [QueuedBooking], bytes: Int)] {
        entries.filter { $0.place.place != .dead }
    }
}

@Suite struct QueueIndexRandomTests {
    private let names = (0..<6).map { "\(BookingID.derived(fileName: "n", line: $0)).\($0 + 1).jsonl" }
    private let ids = (0..<8).map {
        BookingID.version7(
            at: Timestamp(milliseconds: 1_700_000_000_000 + Int64($0)), random: (1, UInt64($0)))
    }

    private func anyBookings() throws -> [QueuedBooking] {
        try (0..<Int.random(in: 0...4)).map { _ in
            let key = Int.random(in: 0...9)
            let input = CreateBookingInput(
                userId: "u", apartmentId: "a\(Int.random(in: 0...5))", startDate: "2026-01-01",
                endDate: "2026-01-02", idempotencyKey: key < 4 ? "k\(key)" : nil)
            return QueuedBooking(id: ids[.random(in: 0..<ids.count)], try BookingRequest(input))
        }
    }

    private func anyEntry() -> SpoolEntry {
        let places: [SpoolPlace] = [.incoming, .active, .deferred, .dead]
        return SpoolEntry(
            place: places[.random(in: 0..<places.count)], name: names[.random(in: 0..<names.count)])
    }

    @Test func whateverComesMovesAndGoesTheIndexKnowsWhatPlainListsKnow() throws {
        var index = QueueIndex()
        var plain = PlainIndex()
        for _ in 0..<20_000 {
            let place = anyEntry()
            let isThere = plain.entries.contains { $0.place == place }
            switch Int.random(in: 0...9) {
            case 0...3:
                let held = try anyBookings()
                let bytes = Int.random(in: 0...100)
                index.add(place, held, bytes: bytes)
                plain.remove(place)
                plain.entries.append((place, held, bytes))
            case 4...5:
                index.remove(place)
                plain.remove(place)
            case 6:
                index.vanish(place)
                #expect(index.isMoving == isThere)
                let gone = index.settleMoves { _ in false }
                #expect(gone == plain.entries.first { $0.place == place }?.held.map(\.id) ?? [])
                plain.remove(place)
            default:
                let target = SpoolEntry(place: .active, name: place.name)
                guard place.canMove(to: .active), isThere, !index.knows(target) else { continue }
                index.vanish(place)
                let mustBeRead = index.appear(target)
                #expect(!mustBeRead)
                for number in plain.entries.indices where plain.entries[number].place == place {
                    plain.entries[number].place = target
                }
            }
            try compare(index, plain)
        }
    }

    private func compare(_ index: QueueIndex, _ plain: PlainIndex) throws {
        let all = plain.all
        try #require(index.count == Set(all.map(\.booking.id)).count)
        try #require(index.waitingMessages == Set(plain.waiting.flatMap { $0.held.map(\.id) }).count)
        try #require(index.waitingBytes == plain.waiting.reduce(0) { $0 + $1.bytes })
        for place in PlaceCounts.places {
            // None of the names is that of a letter.
            let held = plain.entries.filter { $0.place.place == place && place != .dead }
                .reduce(0) { $0 + max(1, $1.held.count) }
            try #require(index.counts[place] == held)
        }
        try #require(
            index.oldestWaiting == plain.waiting.compactMap { $0.held.first?.id.time }.min())
        for number in 0...5 {
            let claim = ClaimKey(userID: "u", apartmentID: "a\(number)")
            let holders = index.holders(of: claim)
            let expected = Set(all.filter { $0.booking.claim == claim }.map(\.booking.id))
            try #require(Set(holders) == expected && holders.count == expected.count)
        }
        for number in 0...3 {
            let key = ClaimKey(userID: "u", idempotencyKey: "k\(number)")
            let holders = Set(all.map(\.booking).filter { $0.key == key })
            let holder = index.holder(ofKey: key)
            try #require(holder.map(holders.contains) ?? holders.isEmpty)
        }
        for id in ids {
            let ranks = all.filter { $0.booking.id == id }.map(\.place.place.rank)
            try #require(index.entry(of: id)?.place.rank == ranks.max())
        }
        for entry in plain.entries {
            try #require(index.messages(in: entry.place) == entry.held.map(\.id))
        }
    }
}
