import ArgumentParser
import Bookings

/// `acmsctl export bookings`
struct ExportBookingsCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "bookings",
        abstract: "Write the committed bookings, in the order of their ids.",
        discussion: """
            Those of an apartment or of a user are written newest first. What was written can be imported again with \
            'acmsctl import' as far as it is PENDING.

            EXAMPLES
              acmsctl export bookings --output bookings.jsonl
              acmsctl export bookings --status pending --format csv
              acmsctl export bookings --apartment A-17
            """)

    @Option(help: .init("Only those of this apartment.", valueName: "apartment")) var apartment: String?
    @Option(help: .init("Only those of this user.", valueName: "user")) var user: String?
    @Option(help: .init("Only bookings of this status.", valueName: "status")) var status: BookingStatus?
    @OptionGroup var export: ExportOptions
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard apartment == nil || user == nil else {
            throw ValidationError("Give either --apartment or --user.")
        }
    }

    /// As many as the interface allows.
    private static let pageSize = 1000

    func run(_ session: Session) async throws {
        let method = BookingsInterface.method
        try await session.export(export, Self.columns, "bookings") { session, exporter in
            let pages = BookingsInterface.BookingList.self
            if let apartment {
                try await session.export(method("GetAllBookingsPerApartment"), pages: pages, to: &exporter) {
                    BookingsInterface.ListPerApartment(
                        apartmentId: apartment, bookingStatus: status, limit: Self.pageSize, nextToken: $0)
                }
            } else if let user {
                try await session.export(method("GetAllBookingsPerUser"), pages: pages, to: &exporter) {
                    BookingsInterface.ListPerUser(
                        userId: user, bookingStatus: status, limit: Self.pageSize, nextToken: $0)
                }
            } else {
                try await session.export(method("GetAllBookings"), pages: pages, to: &exporter) {
                    BookingsInterface.ListAll(bookingStatus: status, limit: Self.pageSize, nextToken: $0)
                }
            }
        }
    }

    static let columns: [ExportColumn<Booking>] = [
        .init("id") { $0.id }, .init("userId") { $0.userId }, .init("apartmentId") { $0.apartmentId },
        .init("startDate") { $0.startDate }, .init("endDate") { $0.endDate },
        .init("bookingStatus") { $0.bookingStatus.rawValue }, .init("createdOn") { "\($0.createdOn)" },
        .init("updatedOn") { "\($0.updatedOn)" },
    ]
}
