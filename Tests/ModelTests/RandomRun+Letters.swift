import Bookings
import Synchronization
import Varlink

@testable import Front
@testable import Worker

extension RandomRun {
    func redrive() async throws {
        guard let id = any(of: model.dead), let old = model.entries[id]?.request else { return }
        var input: CreateBookingInput?
        if chance(40) {
            input = try anyRequest().input
            input?.idempotencyKey = nil
            if chance(50) { input?.userId = old.userID }
        }
        var new = old
        if var input {
            if input.userId == old.userID { input.idempotencyKey = old.idempotencyKey }
            new = try BookingRequest(input)
        }
        let isOut = worker.table.faults.withLock { $0.isOut }
        let isDry = chance(10)
        // What is redriven gets a name of the moment, which says nothing about others of the same one.
        host.clock.advance(by: .milliseconds(5))
        defer { host.clock.advance(by: .milliseconds(5)) }
        let done = await worker.worker.redrive([id], matching: nil, input: input, dryRun: isDry, by: peer)
        if worker.crash.isCrashed {
            try await replaceWorker()
            // The next worker finishes what was begun.
            _ = await worker.worker.step()
            return try settleRedrive(id, new)
        }
        let mustFail = isOut || model.refusesRedrive(of: id, new, alsoForQueue: engine == .postgres)
        try expect(
            done.ids == (mustFail ? [] : [id]) && done.failed.count == (mustFail ? 1 : 0),
            "redrive of \(id) as \(new): \(done), expected \(mustFail ? "a refusal" : "success")")
        if !mustFail, !isDry { model.move(id, to: .queued, request: new) }
        note("redrive", [id], mustFail ? "refused" : isDry ? "dry" : "")
    }

    /// After a crash in the middle: either the letter is as it was, or its message is in the queue.
    private func settleRedrive(_ id: BookingID, _ new: BookingRequest) throws {
        let isBack = try host.storage.isRedriven(id)
        try expect(try isBack || letter(id) != nil, "\(id) is lost in a redrive")
        if isBack { model.move(id, to: .queued, request: new) }
        note("redrive crashed", [id], "\(isBack)")
    }

    func delete() async throws {
        guard let id = any(of: model.dead) else { return }
        let done = await worker.worker.delete([id], matching: nil, dryRun: false, by: peer)
        if worker.crash.isCrashed {
            try await replaceWorker()
            if try letter(id) == nil { model.move(id, to: .gone) }
            note("delete crashed", [id])
            return
        }
        try expect(done.ids == [id] && done.failed.isEmpty, "delete of \(id): \(done)")
        model.move(id, to: .gone)
        note("delete", [id])
    }

    // MARK: - Crashes

    /// The worker dies after some more of its changes to the disk, or right after a commit.
    func crashWorker() async throws {
        if chance(30) {
            worker.table.faults.withLock { $0.crashesAfterCommit = true }
        } else {
            worker.crash.crash(after: Int.random(in: 0...12, using: &random))
        }
        note("crash armed")
        if chance(30) { return try await redrive() }
        if chance(30) { return try await delete() }
        try await work(4)
    }

    /// Another worker takes over; what an operator or the world did to the old one stays.
    func replaceWorker() async throws {
        let faults = worker.table.faults.withLock { faults in
            var faults = faults
            faults.crashesAfterCommit = false
            return faults
        }
        worker = host.startWorker()
        worker.table.faults.withLock { $0 = faults }
        note("worker replaced")
    }

    func restartWorker() async throws {
        await worker.worker.stop()
        worker.crash.crash(after: 0)
        try await replaceWorker()
        try observe()
    }

    /// The front dies after some more of its changes to the disk. Callers get no answer they could rely on.
    func crashFront() async throws {
        // Whatever comes after the last answer, such as waking the workers, is done by then.
        await front.acceptance.heartbeat()
        front.crash.crash(after: Int.random(in: 0...3, using: &random))
        let requests = try (0..<Int.random(in: 1...3, using: &random)).map { _ in try anyRequest() }
        let answers = await front.acceptance.answers(to: requests, from: peer)
        note("front crashed")
        try await restartFront()
        // Only a group that was whole on disk can have been accepted, answered or not.
        let unknown = try messages().filter { model.entries[$0.message.id] == nil }.map(\.message)
        for message in unknown.sorted(by: { $0.id < $1.id }) {
            try expect(requests.contains(message.request), "\(message) came from nowhere")
            try expect(model.expectation(for: message.request) == .accepted, "\(message) was not allowed")
            accepted(message.id, message.request, at: message.acceptedOn)
            note("accepted in a crash", [message.id])
        }
        for case .success(let id) in answers { try expect(model.entries[id] != nil, "\(id) is lost") }
    }

    func restartFront() async throws {
        await front.end()
        front = try await host.startFront()
        note("front replaced")
    }
}
