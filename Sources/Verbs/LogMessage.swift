import Bookings

/// The text of a log entry of a daemon, and what of it no field tells. Where another version of acms puts it in other
/// words, the text itself has to do.
struct LogMessage: Equatable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    /// Of a message that was deferred: which receive failed, why, and when the next one is.
    var deferral: String? {
        guard let match = text.wholeMatch(of: /Deferred a booking( until (\S+))? after receive (\d+): (.*)/)
        else {
            return nil
        }
        guard let due = match.2 else { return "receive \(match.3) failed: \(match.4)" }
        let reason = match.4.hasSuffix(".") ? match.4.dropLast() : match.4
        return "receive \(match.3) failed: \(reason); next try at \(due)"
    }

    /// Why a message became a dead letter.
    var deadReason: String? {
        let beginning = "Set a message aside as a dead letter: "
        return text.hasPrefix(beginning) ? String(text.dropFirst(beginning.count)) : nil
    }

    /// How long nobody had decided.
    var expiry: String? {
        text.firstMatch(of: /nobody had decided for (\d+) days/).map { "nobody decided it for \($0.1) days" }
    }

    /// What a caretaker decided.
    var decision: BookingStatus? {
        text.firstMatch(of: /Booking is now ([A-Z]+)/).flatMap { BookingStatus(rawValue: String($0.1)) }
    }
}
