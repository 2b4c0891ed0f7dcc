import ArgumentParser
import Bookings

/// `acmsctl cancel`
struct CancelCommand: Verb {
    static let service = Service.caretaker
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a PENDING or APPROVED booking.",
        discussion: """
            EXAMPLES
              acmsctl cancel 01932b1c-7a5e-7d11-9c55-0242ac120002
            """)

    @Argument(help: "The booking's id.") var id: String
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let cancelled: CaretakerInterface.Cancelled = try await session.call(
            CaretakerInterface.method("CancelBooking"), CaretakerInterface.ByID(id: id), about: id,
            ifLost: "The booking may have been cancelled; see 'acmsctl show \(id)'.")
        try session.output.write(cancelled) { cancelled.booking.lines(on: session.output.terminal) }
    }
}
