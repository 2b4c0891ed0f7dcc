import ArgumentParser
import Bookings

/// `acmsctl approve`
struct ApproveCommand: Verb {
    static let service = Service.caretaker
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Approve a PENDING booking, and cancel the PENDING ones that overlap it.",
        discussion: """
            EXAMPLES
              acmsctl approve 01932b1c-7a5e-7d11-9c55-0242ac120002
            """)

    @Argument(help: "The booking's id.") var id: String
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let approved: CaretakerInterface.Approved = try await session.call(
            CaretakerInterface.method("ApproveBooking"), CaretakerInterface.ByID(id: id), about: id,
            ifLost: "The booking may have been approved; see 'acmsctl show \(id)'.")
        try session.output.write(approved) {
            approved.booking.lines(on: session.output.terminal)
                + approved.cancelled.map { "cancelled:  \(StyledText($0).text)" }
        }
    }
}
