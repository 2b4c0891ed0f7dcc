import Bookings
import FoundationEssentials
import Spool
import Varlink

/// Answers questions about bookings from the table and the spool, on a thread of its own, so that a long list
/// never holds up the accepting of bookings.
actor Enquiry {
    private let executor = BlockingExecutor(label: "io.acms.enquiry")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let acceptance: Acceptance
    private let reader: SpoolReader
    private let shared: (any SharedBookingQueue)?
    private let queue: any BookingQueueReader
    private let table: any BookingQueries
    private let report: FrontReport
    private let encoder = JSONEncoder()

    /// - Parameters:
    ///   - acceptance: knows where messages are in the queue.
    ///   - directory: the spool, to read messages from.
    ///   - table: the table, to read.
    ///   - shared: the queue that hosts share; nil where the spool is the queue.
    ///   - queue: the queue, to look at.
    init(
        acceptance: Acceptance, spool directory: SpoolDirectory, table: any BookingQueries,
        report: FrontReport, shared: (any SharedBookingQueue)? = nil, queue: any BookingQueueReader
    ) {
        self.acceptance = acceptance
        self.table = table
        self.report = report
        self.shared = shared
        self.queue = queue
        reader = SpoolReader(directory)
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// Where a booking is, and what it says.
    func state(of text: String) async throws(ErrorReply) -> BookingsInterface.BookingState {
        let notFound = ErrorReply(BookingsInterface.BookingNotFound(id: text))
        guard let id = BookingID(text) else { throw notFound }
        // A message that moves on between two looks is found by the next; it never moves back to where it
        // could be missed again and again.
        for _ in 0..<8 {
            let (booking, tableTrouble) = committed(id)
            if let booking { return .init(progress: .committed, booking: booking) }
            let entry: SpoolEntry?
            let found: (progress: Progress, message: Message)?
            do {
                entry = try await acceptance.location(of: id)
                let own = try entry.flatMap { entry in
                    try reader.message(id, in: entry.place, entry.name.description).map {
                        (progress: entry.progress, message: $0)
                    }
                }
                found =
                    if let own { own } else if tableTrouble == nil { try shared?.message(id) } else { nil }
            } catch {
                throw ErrorReply(BookingsInterface.StorageUnavailable(reason: Self.reason(of: error)))
            }
            if let found { return .init(progress: found.progress, booking: Booking(found.message)) }
            if let tableTrouble {
                throw ErrorReply(BookingsInterface.StorageUnavailable(reason: tableTrouble))
            }
            guard entry == nil else { continue }
            let (later, trouble) = committed(id)
            if let trouble { throw ErrorReply(BookingsInterface.StorageUnavailable(reason: trouble)) }
            if later == nil { throw notFound }
        }
        throw notFound
    }

    /// A page of committed bookings, `BookingList` as JSON, and where the next one begins.
    func list(
        _ owner: BookingOwner, status: BookingStatus?, limit: Int?, after token: String?
    ) throws(ErrorReply) -> (page: [UInt8], nextToken: String?) {
        // Who has gone meanwhile wants no list.
        guard !Task.isCancelled else { return (Array("{}".utf8), nil) }
        let limit = try PageLimit.checked(limit)
        do {
            let page = try table.bookings(of: owner, status: status, limit: limit, after: token)
            report.table(nil)
            // Here and not on an event loop: a thousand bookings take as long as hundreds of other calls.
            let list = BookingsInterface.BookingList(items: page.items, nextToken: page.nextToken)
            return (try Array(encoder.encode(list)), page.nextToken)
        } catch is InvalidPageToken {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "nextToken"))
        } catch {
            let reason = Self.reason(of: error)
            report.table(error as? TableUnavailable ?? TableUnavailable(.other, reason: reason))
            throw ErrorReply(BookingsInterface.StorageUnavailable(reason: reason))
        }
    }

    /// What the table and the spool tell of the worker's work, whether it runs or not.
    ///
    /// - Parameter others: more figures, some of which are files to be read.
    func metrics(_ others: @Sendable () -> [Metric]) -> [Metric] {
        func gauge(_ name: String, _ help: String, _ value: Bool?) -> Metric {
            Metric(name, .gauge, help: help, samples: value.map { [Metric.Sample($0 ? 1 : 0)] } ?? [])
        }
        func counter(_ name: String, _ help: String, _ value: Int?) -> Metric {
            Metric(name, .counter, help: help, samples: value.map { [Metric.Sample(Double($0))] } ?? [])
        }
        let totals = try? table.totals()
        return others() + [
            gauge("acms_worker_running", "Whether a worker has the spool.", reader.isBeingServed),
            gauge(
                "acms_queue_paused", "Whether the committing is paused, or was when a worker last ran.",
                try? queue.isPaused()),
            counter(
                "acms_bookings_committed", "Bookings committed since the table was created.",
                totals?.committed),
            counter(
                "acms_messages_dead_lettered", "Messages set aside since the table was created.",
                totals?.deadLettered),
        ]
    }

    private func committed(_ id: BookingID) -> (booking: Booking?, trouble: String?) {
        do {
            let booking = try table.booking(id)
            report.table(nil)
            return (booking, nil)
        } catch {
            if error.kind == .missing { return (nil, nil) }
            report.table(error)
            return (nil, error.reason)
        }
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as TableUnavailable: error.reason
        case let error as QueueUnavailable: error.reason
        default: "\(error)"
        }
    }
}
