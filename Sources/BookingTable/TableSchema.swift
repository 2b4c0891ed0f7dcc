import GRDB

/// The table's schema and its migrations.
enum TableSchema {
    /// SQLite's application id of the file: "acms" in ASCII.
    static let applicationID = 0x6163_6d73

    static let overlapWhenApproved = """
        CREATE TRIGGER noOverlapWhenApproved BEFORE UPDATE OF bookingStatus, startDate, endDate ON bookings
        WHEN NEW.bookingStatus = 'APPROVED' AND EXISTS (
          SELECT 1 FROM bookings WHERE bookingStatus = 'APPROVED' AND apartmentId = NEW.apartmentId
            AND startDate < NEW.endDate AND endDate > NEW.startDate AND id <> NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the dates overlap an approved booking'); END
        """
    static let overlapWhenInserted = """
        CREATE TRIGGER noOverlapWhenInserted BEFORE INSERT ON bookings
        WHEN NEW.bookingStatus = 'APPROVED' AND EXISTS (
          SELECT 1 FROM bookings WHERE bookingStatus = 'APPROVED' AND apartmentId = NEW.apartmentId
            AND startDate < NEW.endDate AND endDate > NEW.startDate)
        BEGIN SELECT RAISE(ABORT, 'the dates overlap an approved booking'); END
        """

    /// Every migration, oldest first. A file that knows others is newer than this program.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: bookings and totals") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(
                sql: """
                    CREATE TABLE bookings (
                      id TEXT NOT NULL PRIMARY KEY,
                      userId TEXT NOT NULL,
                      apartmentId TEXT NOT NULL,
                      startDate TEXT NOT NULL,
                      endDate TEXT NOT NULL CHECK (endDate > startDate),
                      bookingStatus TEXT NOT NULL CHECK (bookingStatus IN ('PENDING', 'APPROVED', 'CANCELLED')),
                      createdOn TEXT NOT NULL,
                      updatedOn TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX bookingsByApartment ON bookings (apartmentId, createdOn, id);
                    CREATE INDEX bookingsByUser ON bookings (userId, createdOn, id);
                    CREATE UNIQUE INDEX onePendingBooking ON bookings (userId, apartmentId)
                      WHERE bookingStatus = 'PENDING';
                    CREATE INDEX approvedStays ON bookings (apartmentId, startDate, endDate)
                      WHERE bookingStatus = 'APPROVED';
                    -- The approving transaction checks this too; the trigger stands against everything else
                    -- that may write here.
                    \(overlapWhenApproved);
                    \(overlapWhenInserted);
                    CREATE TABLE totals (
                      only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
                      committed INTEGER NOT NULL,
                      deadLettered INTEGER NOT NULL
                    ) STRICT;
                    INSERT INTO totals VALUES (1, 0, 0);
                    """)
        }
        migrator.registerMigration("2: idempotency keys and the age of pending bookings") { db in
            try db.execute(
                sql: """
                    ALTER TABLE bookings ADD COLUMN idempotencyKey TEXT;
                    CREATE UNIQUE INDEX oneBookingAKey ON bookings (userId, idempotencyKey)
                      WHERE idempotencyKey IS NOT NULL;
                    CREATE INDEX pendingByAge ON bookings (createdOn, id) WHERE bookingStatus = 'PENDING';
                    """)
        }
        // Inserting a booking costs about as much as the pages that it changes, and users and apartments come at
        // random. A user's undecided bookings are found by onePendingBooking: they are few, one an apartment. And
        // equal times are few too, so that the apartment's index can do without the id.
        migrator.registerMigration("3: fewer and smaller indexes") { db in
            try db.execute(
                sql: """
                    DROP INDEX bookingsByUser;
                    CREATE INDEX decidedByUser ON bookings (userId, createdOn, id) WHERE bookingStatus <> 'PENDING';
                    DROP INDEX bookingsByApartment;
                    CREATE INDEX bookingsByApartment ON bookings (apartmentId, createdOn);
                    """)
        }
        return migrator
    }
}
