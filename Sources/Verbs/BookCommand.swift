import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl book`
struct BookCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "book",
        abstract: "Book an apartment for a user.",
        discussion: """
            Prints the booking's id once the booking is durable; it is committed to the table soon after, \
            which --wait waits for. The day of departure (--to) is free for the next guest.

            EXAMPLES
              acmsctl book --user alice --apartment A-17 --from 2026-12-01 --to 2026-12-05
              acmsctl book --user bob --apartment B --from 2026-12-01 --to 2026-12-02 --wait
            """)

    @Option(help: .init("Who stays.", valueName: "user")) var user: String
    @Option(help: .init("Where.", valueName: "apartment")) var apartment: String
    @Option(help: .init("The first day.", valueName: "YYYY-MM-DD")) var from: CalendarDate
    @Option(help: .init("The day of departure.", valueName: "YYYY-MM-DD")) var to: CalendarDate
    @Option(
        help: .init(
            "A name for this request: repeated with the same key it is one booking.", valueName: "key"))
    var key: String?
    @Option(
        help: .init(
            "The place in a distributed trace that the booking belongs to, as in the HTTP header of that name.",
            valueName: "00-TRACE-PARENT-FLAGS"))
    var traceparent: String?
    @Flag(help: "Wait until the booking is settled: in the table, or a dead letter.") var wait = false
    @OptionGroup var options: CommonOptions

    func run(_ session: Session) async throws {
        let input = CreateBookingInput(
            userId: user, apartmentId: apartment, startDate: "\(from)", endDate: "\(to)", idempotencyKey: key,
            traceparent: traceparent)
        let created: BookingsInterface.Created = try await session.call(
            BookingsInterface.method("CreateApartmentBooking"), BookingsInterface.Create(input: input),
            ifLost: ifLost)
        try session.output.write(created) { [StyledText(created.id).text] }
        if wait {
            try await session.printSettled(created.id, timeout: options.timeout.map { .seconds($0) })
        } else {
            session.output.note("Accepted; follow it with 'acmsctl await \(created.id)'.")
        }
    }

    /// A repeat is safe, because acms refuses a second undecided booking of a user and an apartment.
    private var ifLost: String {
        key == nil
            ? "The booking may have been accepted. Repeat the command: if it was, acms refuses and names its id."
            : "The booking may have been accepted. Repeat the command with the same --key: it books once."
    }
}
