public import Bookings

/// The table for those who may only read it. Needs no writer to run, and can't change a byte of the bookings.
///
/// Usable from several threads at once.
public final class SQLiteTableReader: BookingQueries, SQLiteQueries {
    let connections: TableConnections

    /// Reads the table at `path`; it is opened at the first question.
    public convenience init(path: String) {
        self.init(path: path, pause: TableConnections.moment)
    }

    /// - Parameter pause: passes a moment while a writer mends the table's files.
    init(path: String, pause: @escaping @Sendable () -> Void) {
        let diagnosis = TableDiagnosis(path: path, role: .reader)
        connections = TableConnections(diagnosis, pause: pause) {
            try TableOpening(diagnosis: diagnosis).forReading(wasOpen: $0)
        }
    }
}
