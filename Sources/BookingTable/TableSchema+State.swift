import GRDB

extension TableSchema {
    /// What a file holds, as far as this program is concerned.
    enum State: Equatable {
        /// Nothing was ever committed: a new file, or one whose creation was cut short or goes on right now, a
        /// migration a transaction.
        case empty
        /// A table that lacks a migration of this program's.
        case older
        /// The table as this program knows it.
        case current
        /// A table with a migration that this program doesn't know.
        case newer
        /// A table whose bookings were moved to this place. What is in the file is what was moved, kept as it was.
        case moved(String)
        /// Another program's database.
        case foreign
    }

    /// How the migration is called that a table has whose bookings were moved away: one that no version knows, so that
    /// each keeps its hands off the file.
    static let movedPrefix = "moved to "

    /// Looks at the file, in one state of it.
    static func state(_ db: Database) throws -> State {
        try db.snapshot { db in
            let tables = try Prepared(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
                .all([]) { try $0.text(0) }
            let application = try Prepared(db, "PRAGMA application_id").first([]) { try $0.integer(0) }
            // The migrator makes its own table before the first migration sets the application id.
            if application != applicationID, tables.contains(where: { $0 != "grdb_migrations" }) {
                return .foreign
            }
            guard tables.contains(where: { $0 != "grdb_migrations" }) else { return .empty }
            let applied = try Prepared(db, "SELECT identifier FROM grdb_migrations").all([]) {
                try $0.text(0)
            }
            if let mark = applied.first(where: { $0.hasPrefix(movedPrefix) }) {
                return .moved(String(mark.dropFirst(movedPrefix.count)))
            }
            let known = migrator.migrations
            if applied.contains(where: { !known.contains($0) }) { return .newer }
            if known.allSatisfy(applied.contains) { return .current }
            guard tables.contains("bookings") else { return .older }
            let isUsed = try Prepared(db, "SELECT 1 FROM bookings LIMIT 1").first([]) { _ in true } ?? false
            return isUsed ? .older : .empty
        }
    }

    /// A number that changes with every change of the schema, whoever makes it.
    static func version(_ db: Database) throws -> Int {
        try Prepared(db, "PRAGMA schema_version").first([]) { try $0.integer(0) } ?? 0
    }
}
