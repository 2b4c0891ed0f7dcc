import ArgumentParser
import Bookings

/// `acmsctl list`
struct ListCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the committed bookings of an apartment or of a user, newest first.",
        discussion: """
            EXAMPLES
              acmsctl list --apartment A-17 --status pending
              acmsctl list --user alice --limit 20
              acmsctl list --user alice --json | jq -r 'select(.startDate >= "2026-12") | .id'
            """)

    @Option(help: .init("The apartment.", valueName: "apartment")) var apartment: String?
    @Option(help: .init("The user.", valueName: "user")) var user: String?
    @Option(help: .init("Only bookings of this status.", valueName: "status")) var status: BookingStatus?
    @Option(help: .init("At most so many.", valueName: "n")) var limit: Int?
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard (apartment == nil) != (user == nil) else {
            throw ValidationError("Give either --apartment or --user.")
        }
        guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be at least 1.") }
    }

    func run(_ session: Session) async throws {
        if let apartment {
            try await session.list(
                BookingsInterface.method("GetAllBookingsPerApartment"),
                pages: BookingsInterface.BookingList.self, columns: columns("USER", \.userId), limit: limit,
                empty: empty("apartment \(apartment)")
            ) {
                BookingsInterface.ListPerApartment(
                    apartmentId: apartment, bookingStatus: status, limit: $0, nextToken: $1)
            }
        } else if let user {
            try await session.list(
                BookingsInterface.method("GetAllBookingsPerUser"),
                pages: BookingsInterface.BookingList.self, columns: columns("APARTMENT", \.apartmentId),
                limit: limit, empty: empty("user \(user)")
            ) {
                BookingsInterface.ListPerUser(userId: user, bookingStatus: status, limit: $0, nextToken: $1)
            }
        }
    }

    private func empty(_ whose: String) -> String {
        "No \(status.map { "\($0.rawValue) " } ?? "")bookings of \(whose)."
    }

    /// What was asked for is the same in every row, so only the other party is shown.
    private func columns(
        _ title: String, _ party: any KeyPath<Booking, String> & Sendable
    ) -> [Column<Booking>] {
        [
            Column(title: "ID", cut: .last(minimum: 8)) { StyledText($0.id) },
            Column(title: title, cut: .first(minimum: 6)) { StyledText($0[keyPath: party]) },
            Column(title: "FROM") { StyledText($0.startDate) },
            Column(title: "TO") { StyledText($0.endDate) },
            Column(title: "STATUS", reservedWidth: "CANCELLED".count) { StyledText($0.bookingStatus) },
            Column(title: "CREATED", isOptional: true) { StyledText("\($0.createdOn)") },
        ]
    }
}

extension BookingsInterface.BookingList: Page {}
