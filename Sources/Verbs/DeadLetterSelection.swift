import ArgumentParser
import Bookings

/// The options that select dead letters.
struct DeadLetterSelection: ParsableArguments {
    @Option(name: .customLong("class"), help: .init("Only letters of this class.", valueName: "class"))
    var failureClass: FailureClass?
    @Option(help: .init("Only letters with this text in the reason.", valueName: "text")) var reason: String?
    @Option(help: .init("Only letters of this user.", valueName: "user")) var user: String?
    @Option(help: .init("Only letters of this apartment.", valueName: "apartment")) var apartment: String?
    @Option(
        help: .init(
            "Only letters set aside before this time, for example 2026-11-22T21:10:05Z, or this day.",
            valueName: "time"))
    var before: Timestamp?

    func validate() throws {
        // An unset variable of a script must not select everything.
        for (option, text) in [("--reason", reason), ("--user", user), ("--apartment", apartment)]
        where text?.isEmpty ?? false {
            throw ValidationError("\(option) must not be empty.")
        }
    }

    /// Nil when nothing is selected.
    var filter: DeadLetterFilter? {
        let filter = DeadLetterFilter(
            class: failureClass, reasonContains: reason, userId: user, apartmentId: apartment,
            deadBefore: before)
        return filter == DeadLetterFilter() ? nil : filter
    }
}
