import Bookings
import Synchronization
import Varlink

/// All interfaces of acms on one server, over a few bookings in memory. Parameters, errors and replies are the real
/// ones; bookings are answered when `commit` is called, as if a group had become durable.
final class MemoryService: Sendable {
    private struct State {
        var bookings: [BookingID: Booking] = [:]
        var messages: [Message] = []
        var ids = BookingIDGenerator()
        /// Replies that wait, in the order of their calls.
        var waiting: [@Sendable (inout ReplyBatch) -> Void] = []
    }

    private let state = Mutex(State())
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)
    private static let maximumBookings = 8

    /// Forgets all.
    func reset() { state.withLock { $0 = State() } }

    /// Whether calls wait for `commit`.
    var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Answers what waits, the last first.
    func commit() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        var replies = ReplyBatch()
        for answer in waiting.reversed() { answer(&replies) }
        replies.send()
    }

    func interfaces() throws -> [Interface] {
        [
            try Interface(description: BookingsInterface.description, methods: bookingMethods),
            try Interface(description: QueueInterface.description, methods: queueMethods),
            try Interface(
                description: CaretakerInterface.description,
                methods: [
                    Method("ApproveBooking") {
                        [self] (parameters: CaretakerInterface.ByID, _) throws(ErrorReply) in
                        let booking = try decide(parameters.id, .approved)
                        return CaretakerInterface.Approved(booking: booking, cancelled: [])
                    },
                    Method("CancelBooking") {
                        [self] (parameters: CaretakerInterface.ByID, _) throws(ErrorReply) in
                        CaretakerInterface.Cancelled(booking: try decide(parameters.id, .cancelled))
                    },
                ]),
        ]
    }

    private var bookingMethods: [Method] {
        [
            .deferred("CreateApartmentBooking", quickly: BookingsInterface.Create.init(quickly:)) {
                [self] (parameters: BookingsInterface.Create, _, reply: Reply<BookingsInterface.Created>) in
                let result = accept(parameters.input)
                guard case .success(let id) = result else {
                    return reply.send(result.map { BookingsInterface.Created(id: $0) })
                }
                let json = Array(#"{"id":"\#(id)"}"#.utf8)
                state.withLock { $0.waiting.append { $0.add(encoded: json, to: reply) } }
            },
            .deferred("CreateApartmentBookings", quickly: BookingsInterface.CreateMany.init(quickly:)) {
                [self]
                (parameters: BookingsInterface.CreateMany, _, reply: Reply<BookingsInterface.CreatedMany>) in
                let results = parameters.inputs.map(accept).map { result in
                    switch result {
                    case .success(let id): BookingsInterface.CreateResult(id: id)
                    case .failure(let refusal): BookingsInterface.CreateResult(error: refusal.name)
                    }
                }
                if results.isEmpty, isPlanted("empty-list-unanswered") { return }
                state.withLock { state in
                    state.waiting.append { $0.add(.success(.init(results: results)), to: reply) }
                }
            },
            Method("GetBooking") { [self] (parameters: BookingsInterface.ByID, _) throws(ErrorReply) in
                BookingsInterface.BookingState(progress: .queued, booking: try booking(parameters.id))
            },
            .streaming("AwaitBooking") {
                [self]
                (
                    parameters: BookingsInterface.ByID, _,
                    replies: ReplyStream<BookingsInterface.BookingState>
                ) throws(ErrorReply) in
                let booking = try booking(parameters.id)
                for progress in [Progress.queued, .deferred] {
                    await replies.send(.init(progress: progress, booking: booking))
                }
                return .init(progress: .committed, booking: booking)
            },
            .streaming("GetAllBookingsPerApartment") {
                [self]
                (
                    parameters: BookingsInterface.ListPerApartment, call,
                    replies: ReplyStream<BookingsInterface.BookingList>
                ) throws(ErrorReply) in
                try await list(parameters.limit, parameters.nextToken, call, replies) {
                    $0.apartmentId == parameters.apartmentId
                }
            },
            .streaming("GetAllBookingsPerUser") {
                [self]
                (
                    parameters: BookingsInterface.ListPerUser, call,
                    replies: ReplyStream<BookingsInterface.BookingList>
                ) throws(ErrorReply) in
                try await list(parameters.limit, parameters.nextToken, call, replies) {
                    $0.userId == parameters.userId
                }
            },
            .streaming("GetAllBookings") {
                [self]
                (
                    parameters: BookingsInterface.ListAll, call,
                    replies: ReplyStream<BookingsInterface.BookingList>
                ) throws(ErrorReply) in
                try await list(parameters.limit, parameters.nextToken, call, replies) {
                    $0.bookingStatus == parameters.bookingStatus ?? $0.bookingStatus
                }
            },
            watchEvents, getMetrics,
        ]
    }

    /// Tells of all bookings, each as one that was just accepted, and ends.
    private var watchEvents: Method {
        .streaming("WatchEvents", requiresMore: true) {
            [self] (filter: EventFilter, _, replies: ReplyStream<EventsReply>) throws(ErrorReply) in
            let events = state.withLock { $0.messages }.map {
                BookingEvent(
                    on: $0.acceptedOn, .accepted, id: $0.id.description, userId: $0.request.input.userId,
                    apartmentId: $0.request.input.apartmentId, traceId: $0.traceParent?.traceID)
            }
            await replies.send(.init(events: [], missed: 0))
            return .init(events: events.filter(filter.matches), missed: 1)
        }
    }

    private var getMetrics: Method {
        Method("GetMetrics") { [self] (_: NoParameters, _) throws(ErrorReply) in
            let count = state.withLock { $0.bookings.count }
            let buckets = [Metric.Bucket(upTo: 0.001, count: count), .init(upTo: 1e300, count: .max)]
            return MetricsReply(metrics: [
                Metric(
                    "acms_a", .counter, help: "\"h\"", samples: [.init(Double(count), labels: ["l": "\u{0}"])]
                ),
                Metric(
                    "acms_b", .histogram, unit: "seconds", help: "",
                    samples: [.init(sum: 0.1, buckets: buckets)]),
            ])
        }
    }

    // ListDeadLetters is declared and not given: it must be answered with MethodNotImplemented.
    private var queueMethods: [Method] {
        [
            Method("GetQueueAttributes") { [self] (_: NoParameters, _) throws(ErrorReply) in
                QueueInterface.Attributes(
                    incoming: state.withLock { $0.bookings.count }, active: 0, deferred: 0, dead: 0,
                    oldestSeconds: nil, committedTotal: .max, deadLetteredTotal: 0, paused: false,
                    pausedUntil: Self.now, tableAvailable: true, tableError: nil)
            },
            Method("GetDeadLetter") {
                (parameters: QueueInterface.ByID, _) throws(ErrorReply) -> NoParameters in
                throw ErrorReply(QueueInterface.DeadLetterNotFound(id: parameters.id))
            },
            .streaming("RedriveDeadLetters") {
                (
                    parameters: QueueInterface.RedriveDeadLetters, _,
                    replies: ReplyStream<QueueInterface.Redriven>
                ) throws(ErrorReply) in
                guard let ids = parameters.ids else { throw Self.invalid("ids") }
                for id in ids.prefix(3) { await replies.send(.init(redriven: [id], failed: [])) }
                return .init(redriven: ids, failed: [])
            },
            Method("DeleteDeadLetters") {
                (parameters: QueueInterface.DeleteDeadLetters, _) throws(ErrorReply) in
                guard parameters.ids != nil || parameters.filter != nil else { throw Self.invalid("ids") }
                return QueueInterface.Deleted(deleted: parameters.ids ?? [], failed: [])
            },
            Method("Pause") { (_: QueueInterface.Pause, _) throws(ErrorReply) in NoParameters() },
            Method("Resume") { (_: NoParameters, _) throws(ErrorReply) in NoParameters() },
            .streaming("ListMessages") {
                [self]
                (
                    parameters: QueueInterface.ListMessages, _,
                    replies: ReplyStream<QueueInterface.MessageList>
                ) throws(ErrorReply) in
                let limit = try PageLimit.checked(parameters.limit)
                let messages = state.withLock { $0.messages }.prefix(limit).map {
                    QueueInterface.QueuedMessage($0, in: .incoming, file: "f")
                }
                await replies.send(.init(items: messages, nextToken: "f"))
                return .init(items: [], nextToken: nil)
            },
            Method("GetAgeProfile") {
                [self] (parameters: QueueInterface.GetAgeProfile, _) throws(ErrorReply) in
                let count = state.withLock { $0.messages.count }
                let all = QueueInterface.AgeRow(name: nil, total: count, counts: [count, 0])
                if parameters.by.isOfLetters, parameters.dead != true { throw Self.invalid("by") }
                return QueueInterface.AgeProfile(
                    bounds: [5], total: all, rows: [], others: parameters.limit == 0 ? all : nil)
            },
            watchEvents, getMetrics,
        ]
    }

    private func accept(_ input: CreateBookingInput) -> Result<String, ErrorReply> {
        let request: BookingRequest
        do throws(BookingsInterface.InvalidInput) {
            request = try BookingRequest(input)
        } catch {
            return .failure(ErrorReply(error))
        }
        return state.withLock { state in
            guard state.bookings.count < Self.maximumBookings else {
                let full = BookingsInterface.QueueFull(reason: "It is full.", retryAfterSeconds: 1)
                return .failure(ErrorReply(full))
            }
            let id = state.ids.next(at: Self.now)
            let message = Message(id: id, acceptedOn: Self.now, peer: nil, request: request)
            state.bookings[id] = Booking(message)
            state.messages.append(message)
            return .success(id.description)
        }
    }

    private func booking(_ text: String) throws(ErrorReply) -> Booking {
        // Ids are random; `first` is one that an input can name.
        let found = state.withLock { state in
            text == "first"
                ? state.bookings.min { $0.key < $1.key }?.value
                : BookingID(text).flatMap { state.bookings[$0] }
        }
        guard let found else { throw ErrorReply(BookingsInterface.BookingNotFound(id: text)) }
        return found
    }

    private func decide(_ id: String, _ status: BookingStatus) throws(ErrorReply) -> Booking {
        var booking: Booking
        do throws(ErrorReply) {
            booking = try self.booking(id)
        } catch {
            throw ErrorReply(CaretakerInterface.BookingNotFound(id: id))
        }
        guard booking.bookingStatus == .pending else {
            throw ErrorReply(CaretakerInterface.WrongStatus(bookingStatus: booking.bookingStatus))
        }
        booking.bookingStatus = status
        let changed = booking
        if let key = BookingID(booking.id) { state.withLock { $0.bookings[key] = changed } }
        return booking
    }

    private func list(
        _ limit: Int?, _ token: String?, _ call: CallContext,
        _ replies: ReplyStream<BookingsInterface.BookingList>,
        _ isWanted: @Sendable (Booking) -> Bool
    ) async throws(ErrorReply) -> BookingsInterface.BookingList {
        let limit = try PageLimit.checked(limit)
        if let token, BookingID(token) == nil { throw Self.invalid("nextToken") }
        var rest = state.withLock { $0.bookings.values.filter(isWanted) }[...]
        while call.wantsMore, rest.count > limit {
            await replies.send(.init(items: Array(rest.prefix(limit)), nextToken: rest.last?.id))
            rest = rest.dropFirst(limit)
        }
        return .init(items: Array(rest.prefix(limit)), nextToken: rest.count > limit ? rest.last?.id : nil)
    }

    private static func invalid(_ parameter: String) -> ErrorReply {
        ErrorReply(ServiceError.InvalidParameter(parameter: parameter))
    }
}
