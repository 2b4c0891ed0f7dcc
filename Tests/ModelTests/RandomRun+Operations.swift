import Bookings
import Spool
import Synchronization
import Varlink

@testable import Front
@testable import Worker

extension RandomRun {
    /// One random operation.
    func step() async throws {
        // An armed crash may have come in whatever was done last.
        if worker.crash.isCrashed { try await replaceWorker() }
        if Int.random(in: 0..<1000, using: &random) < 6 { worker.table.faults.withLock { $0 = .init() } }
        switch Int.random(in: 0..<1000, using: &random) {
        case ..<380: try await book([try anyRequest()])
        case ..<420: try await book(try anyRequests(Int.random(in: 2...8, using: &random)))
        case ..<500: try await repeatCall()
        case ..<680: try await work(Int.random(in: 1...6, using: &random))
        case ..<750: try await decide(approving: true)
        case ..<810: try await decide(approving: false)
        case ..<860: try await redrive()
        case ..<890: try await delete()
        case ..<900: try await pause()
        case ..<930: curse()
        case ..<940: worker.table.faults.withLock { $0.isOut.toggle() }
        case ..<970: passTime()
        case ..<985: try await crashWorker()
        case ..<993: try await crashFront()
        case ..<996: try await restartFront()
        default: try await restartWorker()
        }
    }

    // MARK: - Booking

    func book(_ requests: [BookingRequest]) async throws {
        // Told before, because each answer changes what the next must be.
        let answers = await front.acceptance.answers(to: requests, from: peer)
        for (request, answer) in zip(requests, answers) { try compare(answer, request) }
    }

    /// Somebody asks again for what was accepted before, perhaps with its key for something else.
    func repeatCall() async throws {
        guard let id = anyID(), let request = model.entries[id]?.request else { return }
        var input = request.input
        if chance(30) { input.apartmentId = Self.apartments.randomElement(using: &random) ?? "" }
        if chance(20) { input.idempotencyKey = nil }
        try await book([try BookingRequest(input)])
    }

    private func compare(_ answer: Result<BookingID, ErrorReply>, _ request: BookingRequest) throws {
        let expected = model.expectation(for: request)
        switch (answer, expected) {
        case (.success(let id), .accepted):
            try expect(model.entries[id] == nil, "\(id) was given twice")
            accepted(id, request)
            note("book", [id])
        case (.success(let id), .repeats(let first)) where id == first:
            note("repeat", [id])
        case (.failure(let reply), .reused(let first)):
            let error = reply.error as? BookingsInterface.IdempotencyKeyReused
            try expect(error?.bookingId == first.description, "\(reply), expected \(expected)")
            note("reused", [first])
        case (.failure(let reply), .pending(let holders)):
            let error = reply.error as? BookingsInterface.PendingBookingExists
            let holder = holders.first { $0.description == error?.bookingId }
            guard let error, let holder, let state = model.entries[holder]?.state else {
                throw Contradiction(description: "\(reply), expected \(expected)")
            }
            try expect(error.progress.agrees(with: state), "\(error) while it is \(state)")
            note("pending", [holder])
        case (.failure(let reply), .notAvailable(let taken)):
            let error = reply.error as? BookingsInterface.ApartmentNotAvailable
            try expect(
                taken.contains { $0.description == error?.bookingId }, "\(reply), expected \(expected)")
            note("not available")
        default:
            throw Contradiction(description: "\(request) was answered \(answer), expected \(expected)")
        }
    }

    // MARK: - Committing

    func work(_ steps: Int) async throws {
        for _ in 0..<steps { _ = await worker.worker.step() }
        note("work")
        if worker.crash.isCrashed { try await replaceWorker() }
        try observe()
    }

    func passTime() {
        let seconds =
            chance(3)
            ? 86_400 * Int.random(in: 10...40, using: &random) : Int.random(in: 0...20, using: &random)
        host.clock.advance(by: .seconds(seconds) + .milliseconds(7))
        note("time", [], "\(seconds)")
    }

    func curse() {
        let apartment = Self.apartments.randomElement(using: &random) ?? ""
        worker.table.faults.withLock { faults in
            if faults.cursed.remove(apartment) == nil { faults.cursed.insert(apartment) }
        }
        note("curse", [], apartment)
    }

    func pause() async throws {
        do throws(ErrorReply) {
            if isPaused {
                try await worker.worker.resume(by: peer)
            } else {
                try await worker.worker.pause(until: nil, by: peer)
            }
            isPaused.toggle()
        } catch {
            try expect(worker.crash.isCrashed, "pause or resume: \(error)")
            try await replaceWorker()
            // Done or not, as long as the next worker knows.
            _ = await worker.worker.step()
            isPaused = await worker.worker.pause != nil
        }
        note("pause", [], "\(isPaused)")
    }

    // MARK: - Deciding

    func decide(approving: Bool) async throws {
        guard let id = (chance(70) ? any(of: model.pending) : nil) ?? anyID(),
            let state = model.entries[id]?.state
        else { return }
        let isOut = worker.table.faults.withLock { $0.isOut }
        do throws(ErrorReply) {
            if approving {
                let done = try await worker.worker.approve(id.description, by: peer)
                let cancelled = model.cancelledByApproval(of: id)
                try compareDecision(id, state == .committed(.pending) && !isOut && cancelled != nil)
                let told = Set(done.cancelled.compactMap { BookingID($0) })
                if told != cancelled {
                    throw ErrorReply(ServiceError.InvalidParameter(parameter: "cancelled \(told)"))
                }
                model.move(id, to: .committed(.approved))
                for other in told { model.move(other, to: .committed(.cancelled)) }
                note("approve", [id])
            } else {
                _ = try await worker.worker.cancel(id.description, by: peer)
                let isOpen = state == .committed(.pending) || state == .committed(.approved)
                try compareDecision(id, isOpen && !isOut)
                model.move(id, to: .committed(.cancelled))
                note("cancel", [id])
            }
        } catch {
            let isKnown = await worker.worker.stage == .serving
            try compareRefusal(
                error, id, state, approving, isOut || worker.crash.isCrashed || !isKnown && state == .gone)
            note(approving ? "approve" : "cancel", [id], error.name)
            if worker.crash.isCrashed { try observeDecision(id, approving) }
            // A worker that begins recovers what the one before it left, to know whether it has the booking.
            try observe()
        }
    }

    /// A worker that died in a decision may have made it.
    private func observeDecision(_ id: BookingID, _ approving: Bool) throws {
        guard let before = model.entries[id]?.state, let present = try committed(id)?.bookingStatus,
            case .committed(let old) = before, old != present
        else { return }
        try expect(
            present == (approving ? .approved : .cancelled), "\(id) was \(old) and is \(present)")
        let cancelled = approving ? model.cancelledByApproval(of: id) : []
        try expect(cancelled != nil, "\(id) was approved")
        model.move(id, to: .committed(present))
        for other in cancelled ?? [] { model.move(other, to: .committed(.cancelled)) }
        note("decided in a crash", [id])
    }

    private func compareDecision(_ id: BookingID, _ isAllowed: Bool) throws(ErrorReply) {
        if !isAllowed { throw ErrorReply(ServiceError.InvalidParameter(parameter: "\(id) was decided")) }
    }

    private func compareRefusal(
        _ reply: ErrorReply, _ id: BookingID, _ state: Model.State, _ approving: Bool, _ isOut: Bool
    ) throws {
        let isRight =
            switch (reply.error, state) {
            case (is CaretakerInterface.StorageUnavailable, _): isOut
            case (is CaretakerInterface.NotYetCommitted, .queued),
                (is CaretakerInterface.NotYetCommitted, .dead):
                true
            case (is CaretakerInterface.BookingNotFound, .gone): true
            case (is CaretakerInterface.WrongStatus, .committed(.cancelled)): true
            case (is CaretakerInterface.WrongStatus, .committed(.approved)): approving
            case (is CaretakerInterface.ApartmentNotAvailable, .committed(.pending)):
                approving && model.cancelledByApproval(of: id) == nil
            default: false
            }
        try expect(isRight, "deciding \(id), which is \(state), was answered \(reply)")
    }
}

extension Progress {
    /// Whether it can be told of a booking in this state.
    func agrees(with state: Model.State) -> Bool {
        switch state {
        case .queued: self == .queued || self == .deferred
        case .dead: self == .deadLettered
        case .committed: self == .committed
        case .gone: false
        }
    }
}
