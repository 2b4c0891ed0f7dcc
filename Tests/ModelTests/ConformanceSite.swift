import Bookings
import Synchronization
import Testing
import Varlink

@testable import Front
@testable import Worker

/// A host with one engine, and what a case does with it.
final class ConformanceSite {
    let host: Host
    let front: RunningFront
    var worker: RunningWorker
    let start: Timestamp
    let peer = Peer(uid: 1, gid: 2, pid: 3)

    init(_ engine: Engine) async throws {
        host = try Host(engine, seed: 1)
        front = try await host.startFront()
        worker = host.startWorker()
        start = host.now
        // What a worker does once, at its start.
        await step()
        await step()
    }

    var now: Timestamp { host.now }
    var table: any BookingQueries { host.table }
    var reader: any BookingQueueReader { host.storage.reader }

    func end() async { await front.end() }

    func pass(_ time: Duration) { host.clock.advance(by: time) }

    func request(
        _ user: String, _ apartment: String, _ start: String, _ end: String, key: String? = nil
    ) throws -> BookingRequest {
        try BookingRequest(
            CreateBookingInput(
                userId: user, apartmentId: apartment, startDate: start, endDate: end, idempotencyKey: key))
    }

    private func answer(_ request: BookingRequest, _ trace: TraceParent?) async -> Result<
        BookingID, ErrorReply
    > {
        await withCheckedContinuation { continuation in
            front.acceptance.submit([request], traces: trace.map { [$0] } ?? [], from: peer) { answers, _ in
                continuation.resume(returning: answers[0])
            }
        }
    }

    /// Books; it must be accepted.
    func book(
        _ user: String, _ apartment: String, _ start: String, _ end: String, key: String? = nil,
        trace: TraceParent? = nil
    ) async throws -> BookingID {
        try await answer(request(user, apartment, start, end, key: key), trace).get()
    }

    /// Books; it must be refused.
    func refusal(
        _ user: String, _ apartment: String, _ start: String, _ end: String
    ) async throws -> (any VarlinkError)? {
        guard case .failure(let reply) = await answer(try request(user, apartment, start, end), nil) else {
            throw Contradiction(description: "\(user)'s booking of \(apartment) was accepted")
        }
        return reply.error
    }

    /// One step of the worker.
    func step() async { _ = await worker.worker.step() }

    /// Works until nothing waits, as time passes.
    func drain() async throws {
        for _ in 0..<1000 {
            if case .wait = await worker.worker.step() {
                if await worker.worker.isIdle { return }
                pass(.milliseconds(100))
            }
        }
        throw Contradiction(description: "something waits for ever: \(try waiting())")
    }

    /// Works until what fails has failed for good.
    func exhaust() async throws {
        for _ in 0..<1000 {
            if case .wait = await worker.worker.step() {
                if try waiting().isEmpty { return }
                pass(.seconds(1))
            }
        }
        throw Contradiction(description: "something waits for ever: \(try waiting())")
    }

    func replaceWorker() {
        let faults = worker.table.faults.withLock { $0 }
        worker = host.startWorker()
        worker.table.faults.withLock { $0 = faults }
    }

    /// Makes an apartment's bookings fail.
    func curse(_ apartment: String?) {
        worker.table.faults.withLock { $0.cursed = apartment.map { [$0] } ?? [] }
    }

    /// The worker dies when it is about to commit.
    func killInHand() { worker.table.faults.withLock { $0.diesBeforeCommit = true } }

    func waiting() throws -> [QueueInterface.QueuedMessage] {
        var pages = try reader.messages(after: nil)
        return try pages.next(1000).items
    }

    func status(_ id: BookingID) throws -> BookingStatus? { try table.booking(id)?.bookingStatus }
}

extension BookingID {
    /// An id that nobody has.
    var other: BookingID { .version7(at: Timestamp(milliseconds: 1), random: (1, 1)) }
}
