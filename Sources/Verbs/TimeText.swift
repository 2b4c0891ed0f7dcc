import Bookings

extension Duration {
    /// For a person: `12 s`, `3 min`, `5 h`, `2 days`, rounded down.
    var roundText: String {
        let seconds = components.seconds
        return switch seconds {
        case ..<60: "\(max(seconds, 0)) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<(48 * 3600): "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// Seconds, with a fraction where there is one.
    var secondsText: String {
        let seconds = self / .seconds(1)
        return seconds == seconds.rounded() && seconds < 1e15 ? "\(Int64(seconds)) s" : "\(seconds) s"
    }
}

extension Timestamp {
    /// The time as in the data, and how long ago it was.
    func text(at now: Timestamp) -> String {
        let age = self > now ? "in \(since(now).roundText)" : "\(now.since(self).roundText) ago"
        return "\(self) (\(age))"
    }
}
