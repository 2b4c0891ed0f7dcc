/// How long and how large the cases are.
struct Plan {
    /// Seconds that calls are made in a case.
    let seconds: Double
    /// How often rates are measured; the median counts. The systems take turns, so that a disturbance from outside
    /// doesn't meet only one of them.
    let rounds: Int
    /// Bookings of the backlogs that are drained.
    let backlogs: [Int]
    /// The large backlog, and the rows of the large table.
    let largeBacklog, largeTable: Int
    /// Seconds of accepting and committing at once, at each rate; and the rates.
    let bothSeconds: Double
    let bothRates: [Double]
    /// Bookings that are drained with slow syncs.
    let slowBacklog: Int
    /// Bookings that are drained within PostgreSQL.
    let postgresBacklog: Int
    /// How often a daemon is started, and how long the front is watched at rest.
    let coldStarts: Int
    let restSeconds: Double

    /// The whole.
    static let full = Plan(
        seconds: 5, rounds: 3, backlogs: [10_000, 200_000], largeBacklog: 1_000_000, largeTable: 10_000_000,
        bothSeconds: 60,
        bothRates: [2_500, 5_000, 10_000, 20_000, 25_000, 30_000, 40_000, 50_000], slowBacklog: 50_000,
        postgresBacklog: 100_000,
        coldStarts: 11,
        restSeconds: 20)
    /// For a first look.
    static let quick = Plan(
        seconds: 2, rounds: 1, backlogs: [10_000], largeBacklog: 100_000, largeTable: 1_000_000,
        bothSeconds: 10,
        bothRates: [2_500, 5_000, 10_000, 25_000], slowBacklog: 5_000,
        postgresBacklog: 50_000, coldStarts: 5, restSeconds: 5)

    /// As many calls as the fastest server may answer in `seconds`, at this many bookings a second.
    func calls(_ bookingsPerCall: Int = 1, perSecond: Double = 100_000) -> Int {
        Int(seconds * perSecond) / bookingsPerCall
    }
}
