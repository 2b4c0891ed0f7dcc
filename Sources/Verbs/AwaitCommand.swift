import ArgumentParser
import Bookings

/// `acmsctl await`
struct AwaitCommand: Verb {
    static let service = Service.bookings
    static let defaultTimeout: Duration? = nil
    static let configuration = CommandConfiguration(
        commandName: "await",
        abstract: "Wait until a booking is settled: in the table, or a dead letter.",
        discussion: """
            Waits for ever unless --timeout is given. A booking that ends as a dead letter is settled too: \
            the exit status is 0 and the progress DEAD_LETTERED.

            EXAMPLES
              acmsctl await 01932b1c-7a5e-7d11-9c55-0242ac120002 --follow
              acmsctl await 01932b1c-7a5e-7d11-9c55-0242ac120002 --timeout 10 --json | jq -r .progress
            """)

    @Argument(help: "The booking's id.") var id: String
    @Flag(help: "Print where it is now, and each change until it is settled.") var follow = false
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        if follow {
            try await session.follow(id)
        } else {
            try await session.printSettled(id, timeout: session.timeout)
        }
    }
}

extension Session {
    /// Waits until a booking is settled, and prints it.
    func printSettled(_ id: String, timeout: Duration?) async throws(Failure) {
        let state: BookingsInterface.BookingState = try await call(
            BookingsInterface.method("AwaitBooking"), BookingsInterface.ByID(id: id), about: id,
            ifLost: Self.awaitAgain(id), timeout: timeout)
        try print(state)
    }

    /// Prints where a booking is now, and each change.
    fileprivate func follow(_ id: String) async throws(Failure) {
        let output = output
        _ = try await stream(
            BookingsInterface.method("AwaitBooking"), BookingsInterface.ByID(id: id), into: (), about: id,
            ifLost: Self.awaitAgain(id), wholeTime: true
        ) { (state: BookingsInterface.BookingState, _) in
            try output.write(state) {
                let colour = output.terminal.hasColour
                let progress = StyledText(state.progress).rendered(hasColour: colour)
                return ["\(Timestamp.now())  \(progress)"]
            }
            if state.progress == .deadLettered {
                output.note("It was set aside; see 'acmsctl dlq show \(id)'.")
            }
            return true
        }
    }

    private static func awaitAgain(_ id: String) -> String {
        "The booking stays accepted; see 'acmsctl await \(id)' and 'acmsctl show \(id)'."
    }
}
