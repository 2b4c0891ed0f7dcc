import Bookings
import FoundationEssentials
import Varlink

/// The methods of io.acms.Bookings.
struct BookingsService: Sendable {
    private let acceptance: Acceptance
    private let enquiry: Enquiry
    private let rights: PeerRights
    private let report: FrontReport

    /// - Parameters:
    ///   - acceptance: takes bookings.
    ///   - enquiry: answers questions.
    ///   - rights: knows whom a peer may book for.
    init(acceptance: Acceptance, enquiry: Enquiry, rights: PeerRights, report: FrontReport) {
        self.acceptance = acceptance
        self.enquiry = enquiry
        self.rights = rights
        self.report = report
    }

    /// The interface as a server offers it.
    func interface() throws -> Interface {
        try Interface(
            description: BookingsInterface.description,
            methods: [
                Method("CreateApartmentBooking") {
                    (parameters: BookingsInterface.Create, call) throws(ErrorReply) in
                    try await create(parameters.input, call)
                },
                Method("CreateApartmentBookings") {
                    (parameters: BookingsInterface.CreateMany, call) throws(ErrorReply) in
                    await create(parameters.inputs, call)
                },
                Method("GetBooking") { (parameters: BookingsInterface.ByID, _) throws(ErrorReply) in
                    try await enquiry.state(of: parameters.id)
                },
                .streaming("AwaitBooking") {
                    (
                        parameters: BookingsInterface.ByID, call,
                        replies: ReplyStream<BookingsInterface.BookingState>
                    )
                        throws(ErrorReply) in
                    try await awaitBooking(parameters.id, call, replies)
                },
                .streaming("GetAllBookingsPerApartment") {
                    (
                        parameters: BookingsInterface.ListPerApartment, call,
                        replies: ReplyStream<BookingsInterface.BookingList>
                    ) throws(ErrorReply) in
                    try await list(
                        .apartment(parameters.apartmentId), parameters.bookingStatus, parameters.limit,
                        parameters.nextToken, call, replies)
                },
                .streaming("GetAllBookingsPerUser") {
                    (
                        parameters: BookingsInterface.ListPerUser, call,
                        replies: ReplyStream<BookingsInterface.BookingList>
                    ) throws(ErrorReply) in
                    try await list(
                        .user(parameters.userId), parameters.bookingStatus, parameters.limit,
                        parameters.nextToken, call, replies)
                },
            ])
    }

    private func create(
        _ input: CreateBookingInput, _ call: CallContext
    ) async throws(ErrorReply) -> BookingsInterface.Created {
        let request = try validated(input)
        let right = await rights.right(of: call.peer)
        if let refusal = right.refusal(for: request.userID) {
            report.refused([request.userID], right, call.peer)
            throw ErrorReply(refusal)
        }
        guard let answer = await acceptance.submit([request], from: call.peer).first else {
            throw ErrorReply(BookingsInterface.StorageUnavailable(reason: "The booking was not answered."))
        }
        return .init(id: try answer.get().description)
    }

    private func create(_ inputs: [CreateBookingInput], _ call: CallContext) async
        -> BookingsInterface.CreatedMany
    {
        var requests: [BookingRequest] = []
        var refused: [String] = []
        let right = await rights.right(of: call.peer)
        let invalid = inputs.map { input in
            do throws(ErrorReply) {
                let request = try validated(input)
                if let refusal = right.refusal(for: request.userID) {
                    refused.append(request.userID)
                    return Optional(ErrorReply(refusal))
                }
                requests.append(request)
                return ErrorReply?.none
            } catch {
                return error
            }
        }
        if !refused.isEmpty { report.refused(refused, right, call.peer) }
        let submitted = requests.isEmpty ? [] : await acceptance.submit(requests, from: call.peer)
        var answers = submitted.makeIterator()
        let results = invalid.map { refusal in
            guard refusal == nil, let answer = answers.next() else { return result(refusal) }
            switch answer {
            case .success(let id): return BookingsInterface.CreateResult(id: id.description)
            case .failure(let refusal): return result(refusal)
            }
        }
        return .init(results: results)
    }

    private func validated(_ input: CreateBookingInput) throws(ErrorReply) -> BookingRequest {
        do throws(BookingsInterface.InvalidInput) {
            return try BookingRequest(input)
        } catch {
            throw ErrorReply(error)
        }
    }

    private func result(_ refusal: ErrorReply?) -> BookingsInterface.CreateResult {
        guard let refusal else { return .init() }
        // Any error's parameters encode as an object, so this can't fail; if it did, the name would still tell.
        let parameters = (try? JSONEncoder().encode(refusal.parameters)).flatMap {
            try? JSONDecoder().decode(JSONValue.self, from: $0)
        }
        return .init(error: refusal.name, parameters: parameters)
    }

    private func awaitBooking(
        _ id: String, _ call: CallContext, _ replies: ReplyStream<BookingsInterface.BookingState>
    ) async throws(ErrorReply) -> BookingsInterface.BookingState {
        guard let bookingID = BookingID(id) else {
            throw ErrorReply(BookingsInterface.BookingNotFound(id: id))
        }
        // The watch comes before the first look, so that no change falls between.
        let (number, changes) = await acceptance.changes(of: bookingID)
        let outcome: Result<BookingsInterface.BookingState, ErrorReply>
        do throws(ErrorReply) {
            outcome = .success(try await settled(id, changes, replies))
        } catch {
            outcome = .failure(error)
        }
        await acceptance.stopAwaiting(bookingID, number)
        return try outcome.get()
    }

    private func settled(
        _ id: String, _ changes: AsyncStream<Void>, _ replies: ReplyStream<BookingsInterface.BookingState>
    ) async throws(ErrorReply) -> BookingsInterface.BookingState {
        var state = try await enquiry.state(of: id)
        if state.progress.isSettled { return state }
        await replies.send(state)
        for await _ in changes {
            let newer = try await enquiry.state(of: id)
            if newer.progress.isSettled { return newer }
            if newer.progress != state.progress { await replies.send(newer) }
            state = newer
        }
        let reason =
            "acms-frontd stops; ask again. The booking is accepted and safe, and its progress is \(state.progress.rawValue)."
        throw ErrorReply(BookingsInterface.StorageUnavailable(reason: reason))
    }

    private func list(
        _ owner: BookingOwner, _ status: BookingStatus?, _ limit: Int?, _ token: String?, _ call: CallContext,
        _ replies: ReplyStream<BookingsInterface.BookingList>
    ) async throws(ErrorReply) -> BookingsInterface.BookingList {
        var page = try await enquiry.list(owner, status: status, limit: limit, after: token)
        while call.wantsMore, let next = page.nextToken {
            await replies.send(page)
            page = try await enquiry.list(owner, status: status, limit: limit, after: next)
        }
        return page
    }
}
