public import Bookings
import GRDB

/// The table for those who may only read it. Needs no writer to run, and can't change a byte of the bookings.
///
/// Usable from several threads; one read goes on at a time.
public final class SQLiteTableReader: BookingQueries {
    let connection: TableConnection

    /// Reads the table at `path`; it is opened at the first question.
    public init(path: String) {
        connection = TableConnection(path: path, create: false) { path in
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(0.25)
            configuration.label = "acms.reader"
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = TableSchema.migrator
            let (isSuperseded, isComplete) = try queue.read { db in
                (try migrator.hasBeenSuperseded(db), try migrator.hasCompletedMigrations(db))
            }
            if isSuperseded { throw TableUnavailable.newerSchema(path) }
            if !isComplete { throw TableUnavailable.missing(path, wasOpen: false) }
            return queue
        }
    }

    /// The booking with this id, or nil.
    public func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? {
        try connection.use { try $0.read { try BookingRow.booking($0, id) } }
    }

    /// Which of these ids are in the table.
    public func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> {
        try connection.use { try $0.read { try BookingRow.committed($0, among: ids) } }
    }

    /// Judges each request, in order, against one state of the table.
    public func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] {
        try connection.use { try $0.read { db in try requests.map { try BookingRow.verdict(db, on: $0) } } }
    }

    /// A page of bookings, newest first.
    public func bookings(
        of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?
    ) throws -> BookingPage {
        let position = try token.map(PagePosition.init(token:))
        return try connection.use { try $0.read { try BookingRow.page($0, owner, status, limit, position) } }
    }
}
