import Bookings
import Systemd

/// What the journal tells of one booking. Pure.
///
/// Only the daemons are believed: everybody may write into the journal, with any field that doesn't begin with an
/// underscore.
struct JournalStory: Sendable {
    let steps: [TraceStep]
    /// The trace that the booking belongs to, where that is certain.
    let traceID: String?
    private let records: [JournalRecord]

    private static let units: Set = ["acms-front.service", "acms-worker.service"]

    /// - Parameters:
    ///   - records: the entries that name the booking.
    ///   - user: whose booking it is, where that is known.
    ///   - daemons: the user ids of the daemons, for entries of one that ended before journald had looked at it.
    init(_ records: [JournalRecord], of id: String, user: String?, daemons: Set<String> = []) {
        let records = records.filter { Self.isTrusted($0, daemons) }
        self.records = records
        let user = user ?? Self.user(in: records)
        steps = records.map { Self.step($0, of: id, user: user) }
        traceID = Self.traceID(in: records)
    }

    /// Whether one of the daemons has written an entry.
    static func isTrusted(_ record: JournalRecord, _ daemons: Set<String>) -> Bool {
        record["_SYSTEMD_UNIT"].map(units.contains) ?? record["_UID"].map(daemons.contains) ?? false
    }

    private static func ids(_ record: JournalRecord) -> Set<String> {
        Set(record.fields["ACMS_BOOKING_ID"] ?? [])
    }

    /// An entry about one booking names its user alone.
    private static func user(in records: [JournalRecord]) -> String? {
        records.lazy.filter { ids($0).count == 1 }.compactMap { $0["ACMS_USER_ID"] }.first
    }

    /// An entry about many bookings doesn't tell whose a trace is. Where each has one, it is among those; and what all
    /// such entries have in common is it.
    private static func traceID(in records: [JournalRecord]) -> String? {
        let sets = records.compactMap { record -> Set<String>? in
            let traces = Set(record.fields["TRACE_ID"] ?? [])
            return !traces.isEmpty && traces.count == ids(record).count ? traces : nil
        }
        guard let first = sets.first else { return nil }
        let common = sets.dropFirst().reduce(first) { $0.intersection($1) }
        return common.count == 1 ? common.first : nil
    }

    private static func step(_ record: JournalRecord, of id: String, user: String?) -> TraceStep {
        let message = LogMessage(record["MESSAGE"] ?? "")
        let others = ids(record).count - 1
        let company = others < 1 ? "" : others == 1 ? ", with another one" : ", with \(others) others"
        let (kind, detail): (TraceStep.Kind, String) =
            switch record.event {
            case .bookingsAccepted: (.accepted, "durable in the queue" + company)
            case .batchCommitted: (.committed, "in the table" + company)
            case .deferred: (.deferred, message.deferral ?? message.text)
            case .crashRecovered: (.crashed, "the worker died with it in hand; it is tried by itself")
            case .deadLettered: (.deadLettered, deadLetter(record, message))
            case .lettersRedriven: (.redriven, who(record))
            case .lettersDeleted: (.deleted, who(record))
            case .duplicateIgnored: (.repeated, "a copy of it was ignored")
            case .pendingExpired: (.expired, message.expiry ?? message.text)
            case .decided: decision(record, message, of: id, user: user)
            default: (.noted, message.text)
            }
        return TraceStep(
            on: TraceTime(microseconds: record.microseconds), kind: kind, detail: detail, source: .journal)
    }

    private static func deadLetter(_ record: JournalRecord, _ message: LogMessage) -> String {
        guard let failure = record["ACMS_CLASS"], let count = record["ACMS_RECEIVE_COUNT"],
            let reason = message.deadReason
        else { return message.text }
        return "\(failure) at receive \(count): \(reason)"
    }

    /// The entry of an approval names the bookings that it cancelled too, in no order. Those are of other users, since
    /// nobody has two undecided bookings of an apartment.
    private static func decision(
        _ record: JournalRecord, _ message: LogMessage, of id: String, user: String?
    ) -> (TraceStep.Kind, String) {
        let others = ids(record).subtracting([id])
        switch message.decision {
        case .cancelled: return (.cancelled, who(record))
        case .approved where others.isEmpty: return (.approved, who(record))
        case .approved:
            guard let user, let decided = record["ACMS_USER_ID"] else { return (.noted, message.text) }
            if user == decided {
                return (.approved, "\(who(record)); cancelled \(others.count) that overlap it")
            }
            let other = others.count == 1 ? others.first : nil
            return (.cancelled, "\(who(record)), who approved \(other ?? "a booking of \(decided)")")
        default: return (.noted, message.text)
        }
    }

    private static func who(_ record: JournalRecord) -> String {
        let uid = record["ACMS_PEER_UID"].map { "uid \($0)" }
        guard let login = record["ACMS_PEER_LOGIN"] else { return "by \(uid ?? "somebody")" }
        return "by \(login)" + (uid.map { " (\($0))" } ?? "")
    }
}
