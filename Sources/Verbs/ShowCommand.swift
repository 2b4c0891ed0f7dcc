import ArgumentParser
import Bookings

/// `acmsctl show`
struct ShowCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one booking, wherever it is.",
        discussion: """
            EXAMPLES
              acmsctl show 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl show 01932b1c-7a5e-7d11-9c55-0242ac120002 --json | jq -r .progress
            """)

    @Argument(help: "The booking's id.") var id: String
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let state: BookingsInterface.BookingState = try await session.call(
            BookingsInterface.method("GetBooking"), BookingsInterface.ByID(id: id), about: id)
        try session.print(state)
    }
}

extension Session {
    /// Prints a booking and where it is.
    func print(_ state: BookingsInterface.BookingState) throws(Failure) {
        try output.write(state) { state.booking.lines(progress: state.progress, on: output.terminal) }
        if state.progress == .deadLettered {
            output.note("It was set aside; see 'acmsctl dlq show \(state.booking.id)'.")
        }
    }
}

extension Booking {
    /// The booking as `key: value` lines.
    func lines(progress: Progress? = nil, on terminal: Terminal) -> [String] {
        let now = Timestamp.now()
        var fields = FieldList()
        fields.add("id", StyledText(id))
        if let progress { fields.add("progress", StyledText(progress)) }
        fields.add("status", StyledText(bookingStatus))
        fields.add("user", StyledText(userId))
        fields.add("apartment", StyledText(apartmentId))
        fields.add("from", StyledText(startDate))
        fields.add("to", StyledText(endDate))
        fields.add("created", StyledText(createdOn.text(at: now)))
        fields.add("updated", StyledText(updatedOn.text(at: now)))
        return fields.lines(hasColour: terminal.hasColour)
    }
}
