import Bookings

/// An instant in microseconds since 1970, as the journal has it.
struct TraceTime: Hashable, Comparable, Sendable {
    let microseconds: Int64

    init(microseconds: Int64) { self.microseconds = microseconds }

    init(_ timestamp: Timestamp) { microseconds = timestamp.milliseconds * 1000 }

    /// In whole milliseconds.
    var timestamp: Timestamp { Timestamp(milliseconds: Int64((Double(microseconds) / 1000).rounded(.down))) }

    func since(_ earlier: TraceTime) -> Duration { .microseconds(microseconds - earlier.microseconds) }

    static func < (left: TraceTime, right: TraceTime) -> Bool { left.microseconds < right.microseconds }
}

extension TraceTime: CustomStringConvertible {
    /// For example `2026-11-22T21:10:05.123456Z`.
    var description: String {
        let rest = String(microseconds - timestamp.milliseconds * 1000)
        let digits = String(repeating: "0", count: max(3 - rest.count, 0)) + rest
        return "\(timestamp)".dropLast() + "\(digits)Z"
    }
}

/// Something that happened to a booking.
struct TraceStep: Hashable, Sendable {
    /// What happened, in the order of those that happen at the same time.
    enum Kind: String, Encodable, CaseIterable, Sendable {
        case accepted = "ACCEPTED"
        /// The worker died with it in hand.
        case crashed = "CRASHED"
        /// A try failed, and nothing else is known of it.
        case failed = "FAILED"
        /// A try failed, and another is to come.
        case deferred = "DEFERRED"
        case deadLettered = "DEAD_LETTERED"
        case redriven = "REDRIVEN"
        case deleted = "DELETED"
        /// A copy of it was ignored.
        case repeated = "REPEATED"
        case committed = "COMMITTED"
        case approved = "APPROVED"
        case cancelled = "CANCELLED"
        case expired = "EXPIRED"
        /// What the log tells in words of its own.
        case noted = "NOTED"
    }

    /// Who tells of it.
    enum Source: String, Encodable, Sendable {
        case journal = "JOURNAL"
        case table = "TABLE"
        case queue = "QUEUE"
    }

    let on: TraceTime
    let kind: Kind
    var detail: String
    let source: Source
}

extension TraceStep.Kind {
    /// Where it stands among those of one instant.
    var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
