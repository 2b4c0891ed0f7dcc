import Bookings

/// What was done with dead letters so far, and what could not be.
struct LetterOutcome: Sendable {
    var done = 0
    var failed: [QueueInterface.LetterFailure] = []

    /// The summary for people.
    ///
    /// - Parameter verb: what was done, or would be: "Redrove", "Would delete".
    func lines(_ verb: String) -> [String] {
        let stay =
            switch failed.count {
            case 0: ""
            case 1: " 1 stays:"
            default: " \(failed.count) stay:"
            }
        return ["\(verb) \(done) \(done == 1 ? "dead letter" : "dead letters").\(stay)"]
            + failed.map { "\($0.id): \($0.reason)".escapedForTerminal }
    }
}
