import Bookings
import Daemon
import Varlink

/// The methods of io.acms.Bookings.
struct BookingsService: Sendable {
    let acceptance: Acceptance
    let enquiry: Enquiry
    let rights: PeerRights
    let report: FrontReport
    /// How many callers are connected.
    let connections: @Sendable () -> Int
    let process = ProcessMetrics(daemon: "front")
    let letters: LetterClasses

    /// - Parameters:
    ///   - acceptance: takes bookings.
    ///   - enquiry: answers questions.
    ///   - letters: counts dead letters.
    ///   - rights: knows whom a peer may book for.
    init(
        acceptance: Acceptance, enquiry: Enquiry, letters: LetterClasses, rights: PeerRights,
        report: FrontReport,
        connections: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.acceptance = acceptance
        self.enquiry = enquiry
        self.letters = letters
        self.rights = rights
        self.report = report
        self.connections = connections
    }

    /// The interface as a server offers it.
    func interface() throws -> Interface {
        try Interface(
            description: BookingsInterface.description,
            methods: [
                .deferred("CreateApartmentBooking", quickly: BookingsInterface.Create.init(quickly:)) {
                    (
                        parameters: BookingsInterface.Create, call, reply: Reply<BookingsInterface.Created>
                    ) in
                    withRight(of: call.peer) { right in create(parameters, right, call, reply) }
                },
                .deferred("CreateApartmentBookings", quickly: BookingsInterface.CreateMany.init(quickly:)) {
                    (
                        parameters: BookingsInterface.CreateMany, call,
                        reply: Reply<BookingsInterface.CreatedMany>
                    ) in
                    withRight(of: call.peer) { right in create(parameters, right, call, reply) }
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
                .streamingEncoded("GetAllBookingsPerApartment") {
                    (parameters: BookingsInterface.ListPerApartment, call, replies) throws(ErrorReply) in
                    try await list(
                        .apartment(parameters.apartmentId), parameters.bookingStatus, parameters.limit,
                        parameters.nextToken, call, replies)
                },
                .streamingEncoded("GetAllBookingsPerUser") {
                    (parameters: BookingsInterface.ListPerUser, call, replies) throws(ErrorReply) in
                    try await list(
                        .user(parameters.userId), parameters.bookingStatus, parameters.limit,
                        parameters.nextToken, call, replies)
                },
                .streamingEncoded("GetAllBookings") {
                    (parameters: BookingsInterface.ListAll, call, replies) throws(ErrorReply) in
                    try await list(
                        .everybody, parameters.bookingStatus, parameters.limit, parameters.nextToken, call,
                        replies)
                },
                .streaming("WatchEvents", requiresMore: true) {
                    (filter: EventFilter, call, replies: ReplyStream<EventsReply>) throws(ErrorReply) in
                    guard let last = await report.events.watch(filter, by: call.peer, replies) else {
                        throw ErrorReply(BookingsInterface.TooManyWatchers(limit: EventHub.maximumWatchers))
                    }
                    return last
                },
                Method("GetMetrics") { (_: NoParameters, _) in await metrics() },
            ])
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
        _ replies: EncodedReplyStream
    ) async throws(ErrorReply) -> [UInt8] {
        var (page, next) = try await enquiry.list(owner, status: status, limit: limit, after: token)
        while call.wantsMore, let token = next {
            await replies.send(page)
            (page, next) = try await enquiry.list(owner, status: status, limit: limit, after: token)
        }
        return page
    }
}
