import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl calendar`
struct CalendarCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "calendar",
        abstract: "Show an apartment's bookings as bars on a calendar.",
        discussion: """
            A bar goes from the first day to the day before the departure, which is free for the next guest. What is \
            not in the table yet is not shown, and CANCELLED bookings only with --all or --status.

            EXAMPLES
              acmsctl calendar --apartment A-17
              acmsctl calendar --apartment A-17 --from 2026-12 --months 6 --status approved
              acmsctl calendar --apartment A-17 --svg A-17.svg
            """)

    @Option(help: .init("The apartment.", valueName: "apartment")) var apartment: String
    @Option(
        help: .init(
            "The first day or month. (default: the present month, in UTC)", valueName: "YYYY-MM[-DD]"))
    var from: CalendarStart?
    @Option(help: .init("How many months, at most 120.", valueName: "n")) var months = 3
    @Option(help: .init("Only bookings of this status.", valueName: "status")) var status: BookingStatus?
    @Flag(help: "CANCELLED bookings too.") var all = false
    @Option(
        help: .init("Draw it as SVG into this file; - for standard output.", valueName: "file"),
        completion: .file())
    var svg: String?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard (1...120).contains(months) else {
            throw ValidationError("--months must be at least 1 and at most 120.")
        }
        guard range != nil else { throw ValidationError("The calendar must end before the year 10000.") }
        guard status == nil || !all else { throw ValidationError("Give either --status or --all.") }
        guard svg == nil || !options.json else { throw ValidationError("Give either --svg or --json.") }
    }

    private var range: CalendarRange? {
        let today = CalendarDate(String("\(Timestamp.now())".prefix(10)))
        let first = from?.date ?? today.flatMap { CalendarMonth($0).date(1) }
        return first.flatMap { CalendarRange(from: $0, months: months) }
    }

    func run(_ session: Session) async throws {
        // The clock can't have gone to the year 10000 since.
        guard let range else { return }
        let bookings = try await session.bookings(of: apartment, status, in: range) {
            all || status != nil || $0.bookingStatus != .cancelled
        }
        if let svg {
            let picture = CalendarSVG().lines(bookings, in: range, of: apartment)
            try session.output.write(picture, to: svg)
        } else if session.output.isJSON {
            try session.output.write(bookings.map { JSONLine.text(of: $0) })
        } else if !bookings.isEmpty {
            let locale = Locale(environment: ProcessInfo.processInfo.environment)
            let text = CalendarText(
                glyphs: locale.isUTF8 ? .unicode : .ascii, terminal: session.output.terminal)
            try session.output.write(text.lines(bookings, in: range, of: apartment))
        }
        if bookings.isEmpty {
            let kind = status.map { "\($0.rawValue) " } ?? ""
            session.output.note(
                "No \(kind)bookings of apartment \(apartment) from \(range.first) to \(range.last).")
        }
    }
}

extension Session {
    /// The committed bookings of an apartment that have a night in a range and are wanted, by their first days. Others
    /// are let go as they come, however many there are.
    fileprivate func bookings(
        of apartment: String, _ status: BookingStatus?, in range: CalendarRange,
        where isWanted: @escaping @Sendable (Booking) -> Bool
    ) async throws(Failure) -> [Booking] {
        var found: [Booking] = []
        var token: String?
        repeat {
            let parameters = BookingsInterface.ListPerApartment(
                apartmentId: apartment, bookingStatus: status, limit: 1000, nextToken: token)
            (found, token) = try await stream(
                BookingsInterface.method("GetAllBookingsPerApartment"), parameters, into: (found, token)
            ) { (page: BookingsInterface.BookingList, state) in
                state.0 += page.items.filter { range.overlaps($0) && isWanted($0) }
                state.1 = page.nextToken
                return true
            }
            // A service that knows no `more` here returns one page.
        } while token != nil
        return found.sorted(by: CalendarLayout.isBefore)
    }
}
