public import Bookings
import GRDB

/// The table for those who may only read it. Needs no writer to run, and can't change a byte of the bookings.
///
/// Usable from several threads; one read goes on at a time.
public final class SQLiteTableReader: BookingQueries, SQLiteQueries {
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
                // This look comes first because it fixes the state that the others see: the worker may be
                // creating the tables just now.
                guard try db.tableExists("grdb_migrations") else { return (false, false) }
                return (try migrator.hasBeenSuperseded(db), try migrator.hasCompletedMigrations(db))
            }
            if isSuperseded { throw TableUnavailable.newerSchema(path) }
            if !isComplete { throw TableUnavailable.missing(path, wasOpen: false) }
            return queue
        }
    }
}
