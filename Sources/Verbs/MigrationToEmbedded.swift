import BookingTable
import Bookings
import PostgreSQL
import Spool

/// Moves all that the database holds into this host's spool and table.
struct MigrationToEmbedded {
    private let site: MigratedSite
    private let database: TransferDatabase
    private let table: TransferTable
    private let spool: TransferSpool
    /// Where the database says its bookings went.
    private let mark: String
    private let isMarked: Bool
    private var report: MigrationReport
    private var comparison = MigrationComparison()

    init(_ site: MigratedSite) throws {
        self.site = site
        database = try site.database()
        let obstacles = [try Self.others(database, site), try site.obstacle()]
        let moved = try database.movedTo()
        if let moved, !moved.hasPrefix(site.place) {
            throw Failure.moveRefused(
                "The bookings of the schema \(site.settings.postgres.schema) were moved to \(moved).",
                remedy: "They are no longer in the database; see there.")
        }
        mark = moved ?? "\(site.place) on \(site.time)"
        isMarked = moved != nil
        let table = try TransferTable(path: site.settings.table.path)
        if site.isDryRun {
            try table.openForReading()
            spool = try TransferSpool(reading: site.directory)
        } else {
            spool = try TransferSpool(site.directory, at: site.time) { (ids) throws(TableUnavailable) in
                try table.openAsTarget()
                let found = try table.bookings(withIDs: ids.map(\.description))
                return Set(ids.filter { found[$0.description] != nil })
            }
            try table.openAsTarget()
        }
        self.table = table
        report = MigrationReport(
            site, from: try database.place(), to: site.place, engine: "embedded",
            remark: "The database's tables are empty and marked: no daemon uses them any more.")
        report.obstacles = obstacles.compactMap { $0 }
    }

    /// What all hosts' daemons stand against.
    ///
    /// - Throws: unless it is only a dry run.
    private static func others(_ database: TransferDatabase, _ site: MigratedSite) throws -> String? {
        let others = try database.connectedDaemons()
        guard !others.isEmpty else { return nil }
        return try site.tolerate(
            .moveRefused(
                "Daemons are connected to the database: \(others.joined(separator: ", ")); nothing is moved.",
                remedy:
                    "Stop them on each of these hosts with 'systemctl stop acms.target', and repeat the command."
            ))
    }

    mutating func run() throws -> MigrationReport {
        try look()
        if report.conflicts.isEmpty && !site.isDryRun {
            try fence()
            try copy()
            FaultPoint.reached("migrate.copied")
            try compare()
            if report.conflicts.isEmpty {
                try giveUp()
            } else if !isMarked {
                try database.setMoved(to: nil)
            }
        }
        report.finish()
        return report
    }

    /// From now on no daemon that connects uses the database.
    private func fence() throws {
        guard !isMarked else { return }
        try database.setMoved(to: mark)
        do {
            _ = try Self.others(database, site)
        } catch {
            try database.setMoved(to: nil)
            throw error
        }
        FaultPoint.reached("migrate.fenced")
    }

    /// Counts all there is, and looks what stands against it.
    private mutating func look() throws {
        let there = try spool.contents()
        var found = report
        try database.forEachBookings { bookings in
            found.bookings += bookings.count
            found.add(try table.objections(to: bookings))
        }
        try database.forEachMessages { messages in
            found.count(messages)
            found.add(try table.objections(to: messages.map(StoredBooking.init)))
            for stored in messages where there.match(stored) == nil {
                let message = stored.message
                guard let other = there.claimant(against: message.request), other != message.id else {
                    continue
                }
                found.add([
                    TransferConflict(
                        id: message.id.description,
                        reason:
                            "The user has the booking \(other) of the apartment, or with the key, in the queue there.",
                        otherId: other.description)
                ])
            }
        }
        try database.forEachLetters { found.deadLetters += $0.count }
        found.isPaused = try database.pause() != nil
        report = found
    }

    private func copy() throws {
        try database.forEachBookings { bookings in
            try table.insert(bookings)
            FaultPoint.reached("migrate.bookings")
        }
        let there = try spool.contents()
        try database.forEachMessages { messages in
            let committed = try table.bookings(withIDs: messages.map(\.message.id.description))
            try spool.write(
                messages.filter {
                    there.match($0) == nil && !there.isDead($0)
                        && committed[$0.message.id.description] == nil
                })
            FaultPoint.reached("migrate.messages")
        }
        try database.forEachLetters { letters in
            for letter in letters where there.match(letter) == nil { try spool.write(letter) }
            FaultPoint.reached("migrate.letters")
        }
        try spool.sync()
        if let pause = try database.pause(), try spool.pause() == nil { try spool.setPause(pause) }
    }

    /// Stands for this move alone, in however many tries.
    private var token: Int {
        var hash = ContentHash()
        hash.mix(mark)
        return Int(hash.low & 0x3fff_ffff) + 1
    }

    // MARK: - Comparing

    private mutating func compare() throws {
        let there = try spool.contents()
        var result = self
        try database.forEachBookings { try result.compare($0) }
        try database.forEachMessages { try result.compare($0, there) }
        try database.forEachLetters { letters in
            for letter in letters {
                result.comparison.take(
                    letter, letter, there.match(letter), id: letter.id.description, &result.report)
            }
        }
        self = result
        guard report.conflicts.isEmpty else { return }
        report.checksum = try comparison.checksum(from: "the database", to: "the spool and the table")
    }

    private mutating func compare(_ bookings: [StoredBooking]) throws {
        var found = try table.bookings(withIDs: bookings.map(\.booking.id))
        for booking in bookings {
            guard let other = found[booking.booking.id], booking.match(other) == .earlier else { continue }
            if let conflict = try table.decide(booking) { report.add([conflict]) }
            found[booking.booking.id] = try table.bookings(withIDs: [booking.booking.id]).values.first
        }
        report.add(try table.objections(to: bookings.filter { found[$0.booking.id] == nil }))
        let named = Set(report.conflicts.map(\.id))
        for booking in bookings where !named.contains(booking.booking.id) {
            let other = found[booking.booking.id]
            comparison.take(booking, other, other.map { booking.match($0) }, id: booking.booking.id, &report)
        }
    }

    private mutating func compare(_ messages: [StoredMessage], _ there: TransferSpool.Contents) throws {
        let committed = try table.bookings(withIDs: messages.map(\.message.id.description))
        for stored in messages {
            let id = stored.message.id.description
            var match = there.match(stored)
            if match == nil, let booking = committed[id] {
                match = booking.isMade(from: stored.message.request) ? .later : .different
            }
            // It has failed there since.
            if match == nil, there.isDead(stored) { match = .later }
            comparison.take(stored, stored, match, id: id, &report)
        }
    }

    private mutating func giveUp() throws {
        FaultPoint.reached("migrate.verified")
        // Not before it is certain that the move comes to its end: another would add them once more.
        try table.add(totals: try database.totals(), token: token)
        report.keptTable = try table.finishArriving(at: site.time)
        FaultPoint.reached("migrate.placed")
        try database.giveUp(comparison.count, to: mark)
        report.isDone = true
    }
}

extension StoredBooking {
    /// The booking that committing a message would make.
    fileprivate init(_ stored: StoredMessage) {
        self.init(
            booking: Booking(stored.message), idempotencyKey: stored.message.request.idempotencyKey)
    }
}
