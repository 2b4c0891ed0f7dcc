import Bookings
import Foundation
import Spool
import Testing
import Varlink

@testable import Front
@testable import Worker

/// Something that the model doesn't allow.
struct Contradiction: Error, CustomStringConvertible {
    let description: String
}

/// A run of random operations on a host, held against the model after each.
final class RandomRun {
    let host: Host
    var model = Model()
    var random: SeededGenerator
    var front: RunningFront
    var worker: RunningWorker
    var isPaused = false
    /// Ids in the order of acceptance: the same number is the same booking in every run of a seed.
    private(set) var order: [BookingID] = []
    private(set) var counts: [String: Int] = [:]
    /// What happened to each booking.
    private(set) var stories: [BookingID: [String]] = [:]
    /// All that happened, in order; the same for every run of a seed.
    private(set) var history: [String] = []

    static let users = (0..<6).map { "user-\($0)" }
    static let apartments = (0..<5).map { "apartment-\($0)" }
    let peer = Peer(uid: 1, gid: 2, pid: 3)

    let engine: Engine

    init(_ engine: Engine, seed: UInt64) async throws {
        self.engine = engine
        host = try Host(engine, seed: seed)
        random = SeededGenerator(seed: seed)
        front = try await host.startFront()
        worker = host.startWorker()
    }

    /// Notes what happened, with bookings by number.
    func note(_ operation: String, _ ids: [BookingID] = [], _ outcome: String = "") {
        counts[operation, default: 0] += 1
        let numbers = ids.map { id in order.firstIndex(of: id).map(String.init) ?? "?" }
        for id in ids {
            stories[id, default: []].append("\(counts.values.reduce(0, +)) \(operation) \(outcome)")
        }
        history.append("\(operation) \(numbers.joined(separator: ",")) \(outcome)")
    }

    /// What happened to each booking that a text names.
    func stories(in text: String) -> [String] {
        stories.filter { text.contains($0.key.description) }.map {
            "\($0.key): \($0.value.joined(separator: "; "))"
        }
    }

    /// Where each message lies that a text names.
    func places(in text: String) -> [String] {
        let found = (try? messages()) ?? []
        return found.filter { text.contains($0.message.id.description) }.map {
            "\($0.place) holds \($0.message)"
        }
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        if !condition { throw Contradiction(description: what()) }
    }

    func accepted(_ id: BookingID, _ request: BookingRequest, at time: Timestamp? = nil) {
        order.append(id)
        model.add(id, request, at: time ?? host.now)
    }

    /// A booking that somebody accepted; nil when there is none.
    func anyID() -> BookingID? { order.isEmpty ? nil : order[recentIndex()] }

    /// Mostly a late one, because early ones are decided long since.
    private func recentIndex() -> Int {
        let reach = chance(80) ? min(60, order.count) : order.count
        return order.count - 1 - Int.random(in: 0..<reach, using: &random)
    }

    /// One of these, the same in every run of the seed.
    func any(of ids: Set<BookingID>) -> BookingID? { ids.sorted().randomElement(using: &random) }

    func anyRequest() throws -> BookingRequest {
        let month = Int.random(in: 1...12, using: &random)
        let year = Int.random(in: 2027...2030, using: &random)
        let day = Int.random(in: 1...24, using: &random)
        let last = day + Int.random(in: 1...4, using: &random)
        func date(_ day: Int) -> String {
            "\(year)-" + String(format: "%02d-%02d", month, day)
        }
        var input = CreateBookingInput(
            userId: Self.users.randomElement(using: &random) ?? "",
            apartmentId: Self.apartments.randomElement(using: &random) ?? "", startDate: date(day),
            endDate: date(last))
        if chance(30) { input.idempotencyKey = "key-\(Int.random(in: 0..<100_000, using: &random))" }
        return try BookingRequest(input)
    }

    /// Requests of one call, which may be in each other's way.
    func anyRequests(_ count: Int) throws -> [BookingRequest] {
        let first = try anyRequest().input
        return try (0..<count).map { _ in
            var input = try anyRequest().input
            if chance(30) { (input.userId, input.apartmentId) = (first.userId, first.apartmentId) }
            if chance(20) { (input.userId, input.idempotencyKey) = (first.userId, first.idempotencyKey) }
            if chance(30) { (input.startDate, input.endDate) = (first.startDate, first.endDate) }
            return try BookingRequest(input)
        }
    }

    // MARK: - Looking

    /// Brings the model up to what the worker did, as far as that is allowed.
    func observe() throws {
        for id in model.queued.sorted() { try observeQueued(id) }
        let oldest = host.now.advanced(by: .seconds(-86_400 * Host.expiryDays))
        for id in model.pending.sorted() {
            guard let entry = model.entries[id], entry.acceptedOn < oldest else { continue }
            if try host.table.booking(id)?.bookingStatus == .cancelled {
                model.move(id, to: .committed(.cancelled))
                note("expired", [id])
            }
        }
    }

    private func observeQueued(_ id: BookingID) throws {
        guard let entry = model.entries[id] else { return }
        if let booking = try committed(id) {
            try expect(
                booking.userId == entry.request.userID && booking.apartmentId == entry.request.apartmentID
                    && booking.startDate == entry.request.stay.start.description
                    && booking.endDate == entry.request.stay.end.description
                    && booking.createdOn == entry.acceptedOn,
                "\(id) was committed as another booking: \(booking)")
            try expect(!isPaused, "\(id) was committed during a pause")
            let isExpired =
                booking.bookingStatus == .cancelled
                && host.now.since(entry.acceptedOn) > .seconds(86_400 * Host.expiryDays)
            try expect(
                booking.bookingStatus == .pending || isExpired, "\(id) was committed \(booking.bookingStatus)"
            )
            model.move(id, to: .committed(booking.bookingStatus))
            note("committed", [id], booking.bookingStatus.rawValue)
        } else if let letter = try letter(id) {
            try expect(
                !letter.reason.isEmpty && !letter.attempts.isEmpty, "a letter without a reason: \(letter)")
            model.move(id, to: .dead)
            note("dead", [id], letter.class.rawValue)
        }
    }

    /// The booking in the table, where there is one.
    func committed(_ id: BookingID) throws -> Booking? {
        do {
            return try host.table.booking(id)
        } catch  where error.kind == .missing {
            return nil
        }
    }

    func letter(_ id: BookingID) throws -> DeadLetter? {
        try host.storage.reader.letter(id)
    }

    /// Every message that the queue holds anywhere.
    func messages() throws -> [(place: SpoolPlace, message: Message)] { try host.storage.messages() }
}
