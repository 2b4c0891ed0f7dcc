import BookingTable
import Bookings
import PostgreSQL
import Spool

/// Moves all that this host's spool and table hold into the database.
struct MigrationToPostgres {
    private let site: MigratedSite
    private let database: TransferDatabase
    private let table: TransferTable
    private let spool: TransferSpool
    private var report: MigrationReport
    private var comparison = MigrationComparison()

    init(_ site: MigratedSite) throws {
        self.site = site
        let obstacle = try site.obstacle()
        let table = try TransferTable(path: site.settings.table.path)
        database = try site.database()
        if let moved = try database.movedTo(), table.movedTo != nil, !moved.hasPrefix(site.place) {
            throw Failure.moveRefused(
                "The bookings of the schema \(site.settings.postgres.schema) were moved to \(moved), and this host has none.",
                remedy: "Move them back from there, with 'acmsctl migrate --to postgres'.")
        }
        if site.isDryRun {
            try table.openForReading()
            spool = try TransferSpool(reading: site.directory)
        } else {
            // The spool's locks come first: nobody else may use the table.
            spool = try TransferSpool(site.directory, at: site.time) { (ids) throws(TableUnavailable) in
                try table.openAsSource()
                let found = try table.bookings(withIDs: ids.map(\.description))
                return Set(ids.filter { found[$0.description] != nil })
            }
            try table.openAsSource()
            if spool.newLetters > 0 { try table.add(deadLettered: spool.newLetters) }
        }
        self.table = table
        report = MigrationReport(
            site, from: site.place, to: try database.place(), engine: "postgres",
            remark: table.movedTo.map { "The table's bookings were moved before, to \($0)." }
                ?? "The table \(table.path) is kept and marked: no daemon uses it any more.")
        report.obstacles = [obstacle].compactMap(\.self)
    }

    mutating func run() throws -> MigrationReport {
        try look()
        if report.conflicts.isEmpty && !site.isDryRun {
            try copy()
            FaultPoint.reached("migrate.copied")
            try compare()
            if report.conflicts.isEmpty { try giveUp() }
        }
        report.keptLetters = spool.kept
        report.finish()
        return report
    }

    /// Counts all there is, and looks what stands against it.
    private mutating func look() throws {
        let isEmpty = try database.isEmpty()
        var found = report
        try table.forEachBookings { bookings in
            found.bookings += bookings.count
            if !isEmpty { found.add(try database.objections(to: bookings)) }
        }
        try spool.forEachMessages(upTo: MigratedSite.messages) { messages in
            found.count(messages)
            if !isEmpty { found.add(try database.objections(to: messages)) }
        }
        try spool.forEachLetters(upTo: MigratedSite.letters) { found.deadLetters += $0.count }
        found.isPaused = try spool.pause() != nil
        found.add(spool.conflicts)
        report = found
    }

    private func copy() throws {
        try table.forEachBookings { bookings in
            try database.insert(bookings)
            FaultPoint.reached("migrate.bookings")
        }
        try spool.forEachMessages(upTo: MigratedSite.messages) { messages in
            try database.insert(messages)
            FaultPoint.reached("migrate.messages")
        }
        try spool.forEachLetters(upTo: MigratedSite.letters) { letters in
            try database.insert(letters)
            FaultPoint.reached("migrate.letters")
        }
        if table.movedTo == nil { try database.add(totals: try table.totals(), token: try table.token()) }
        if let pause = try spool.pause() { try database.setPause(pause) }
    }

    // MARK: - Comparing

    private mutating func compare() throws {
        var result = self
        try table.forEachBookings { try result.compare($0) }
        try spool.forEachMessages(upTo: MigratedSite.messages) { try result.compare($0) }
        try spool.forEachLetters(upTo: MigratedSite.letters) { try result.compare($0) }
        self = result
        guard report.conflicts.isEmpty else { return }
        report.checksum = try comparison.checksum(from: "the spool and the table", to: "the database")
    }

    private mutating func compare(_ bookings: [StoredBooking]) throws {
        let ids = bookings.map(\.booking.id)
        var found = try database.bookings(withIDs: ids)
        for booking in bookings {
            guard let other = found[booking.booking.id], booking.match(other) == .earlier else { continue }
            // It was decided here since it was copied by an earlier try.
            if let conflict = try database.decide(booking) { report.add([conflict]) }
            found[booking.booking.id] = try database.bookings(withIDs: [booking.booking.id]).values.first
        }
        let refused = try database.objections(to: bookings.filter { found[$0.booking.id] == nil })
        report.add(refused)
        let named = Set(report.conflicts.map(\.id))
        for booking in bookings where !named.contains(booking.booking.id) {
            let other = found[booking.booking.id]
            comparison.take(booking, other, other.map { booking.match($0) }, id: booking.booking.id, &report)
        }
    }

    private mutating func compare(_ messages: [StoredMessage]) throws {
        let found = try database.messages(withIDs: messages.map(\.message.id))
        let missing = messages.filter { found[$0.message.id] == nil }
        let committed = try database.bookings(withIDs: missing.map(\.message.id.description))
        report.add(try database.objections(to: missing))
        let named = Set(report.conflicts.map(\.id))
        for stored in messages where !named.contains(stored.message.id.description) {
            let other = found[stored.message.id]
            var match = other.map { stored.match($0) }
            if other == nil, let booking = committed[stored.message.id.description] {
                match = booking.isMade(from: stored.message.request) ? .later : .different
            }
            comparison.take(stored, other, match, id: stored.message.id.description, &report)
        }
    }

    private mutating func compare(_ letters: [StoredLetter]) throws {
        let found = try database.letters(withIDs: letters.map(\.id))
        let missing = letters.filter { found[$0.id] == nil }
        let queued = try database.messages(withIDs: missing.map(\.id))
        let committed = try database.bookings(withIDs: missing.map(\.id.description))
        for letter in letters {
            let other = found[letter.id]
            var match: TransferMatch? = other.map { $0 == letter ? .same : .different }
            if other == nil, let message = letter.message {
                // It was redriven there.
                let isQueued = queued[letter.id]?.message.request == message.request
                let isCommitted = committed[letter.id.description]?.isMade(from: message.request) ?? false
                if isQueued || isCommitted { match = .later }
            }
            comparison.take(letter, other, match, id: letter.id.description, &report)
        }
    }

    private mutating func giveUp() throws {
        FaultPoint.reached("migrate.verified")
        // First, so that never both sides say that the bookings are elsewhere.
        if try database.movedTo() != nil { try database.setMoved(to: nil) }
        try table.markMoved(to: "\(report.to) on \(site.time)")
        FaultPoint.reached("migrate.marked")
        try spool.removeMoved()
        FaultPoint.reached("migrate.removed")
        report.isDone = true
    }
}
