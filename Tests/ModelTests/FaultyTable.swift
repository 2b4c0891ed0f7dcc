import Bookings
import Synchronization

/// The real table, with faults on demand.
final class FaultyTable: BookingTable {
    struct Faults {
        /// Bookings of these apartments fail, and no others.
        var cursed: Set<String> = []
        /// The table as a whole can't be used.
        var isOut = false
        /// The next batch is committed, and then the process crashes.
        var crashesAfterCommit = false
        /// The process crashes when it has the next batch in hand.
        var diesBeforeCommit = false
        /// The process crashes when it has a booking of one of these apartments in hand.
        var deadly: Set<String> = []
    }

    let faults = Mutex(Faults())
    private let real: any BookingTable
    private let crash: CrashSwitch

    /// - Parameter crash: ends the process that uses the table.
    init(_ real: any BookingTable, crash: CrashSwitch) {
        self.real = real
        self.crash = crash
    }

    private func look() throws(TableUnavailable) {
        if crash.isCrashed || faults.withLock({ $0.isOut }) {
            throw TableUnavailable(.inputOutput, reason: "The table can't be used.")
        }
    }

    func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome] {
        try look()
        if faults.withLock({ faults in
            let dies = !batch.isEmpty && faults.diesBeforeCommit
            if dies { faults.diesBeforeCommit = false }
            return dies || batch.contains { faults.deadly.contains($0.request.apartmentID) }
        }) {
            crash.crash(after: 0)
            try look()
        }
        let (cursed, crashes) = faults.withLock { faults in
            defer { if !batch.isEmpty { faults.crashesAfterCommit = false } }
            return (faults.cursed, faults.crashesAfterCommit && !batch.isEmpty)
        }
        // As with a trigger: what is in the table already is not inserted, and does not fail.
        let suspects = batch.filter { cursed.contains($0.request.apartmentID) }
        let bad = Set(suspects.map(\.id)).subtracting(try real.committed(among: suspects.map(\.id)))
        let good = batch.filter { !bad.contains($0.id) }
        var outcomes = try real.apply(good, deadLettered: deadLettered).makeIterator()
        if crashes {
            crash.crash(after: 0)
            try look()
        }
        return batch.map { message in
            bad.contains(message.id)
                ? .failed(reason: "cursed") : outcomes.next() ?? .failed(reason: "no answer")
        }
    }

    func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try look()
        return try real.approve(id, at: time)
    }

    func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision {
        try look()
        return try real.cancel(id, at: time)
    }

    func expirePending(
        createdBefore time: Timestamp, limit: Int, at now: Timestamp
    ) throws(TableUnavailable) -> [Booking] {
        try look()
        return try real.expirePending(createdBefore: time, limit: limit, at: now)
    }

    func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) {
        try look()
        return try real.totals()
    }

    func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? {
        try look()
        return try real.booking(id)
    }

    func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> {
        try look()
        return try real.committed(among: ids)
    }

    func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] {
        try look()
        return try real.verdicts(on: requests)
    }

    func bookings(
        of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?
    ) throws -> BookingPage {
        try look()
        return try real.bookings(of: owner, status: status, limit: limit, after: token)
    }
}
