/// A database of acms, and the hosts that use it.
final class PostgresSite {
    let connection: PostgreSQLConnection
    private let cluster: PostgresCluster
    private let room: Room
    private var sites: [AcmsSite] = []
    private static let database = "acms"

    /// Makes an empty database.
    init(_ cluster: PostgresCluster, _ room: Room) throws {
        (self.cluster, self.room) = (cluster, room)
        connection = try cluster.makeDatabase(Self.database)
    }

    /// Makes a place as of a host of its own.
    func makeSite() throws -> AcmsSite {
        let site = try AcmsSite(
            room, name: "acms-\(sites.count)", database: cluster.address(of: Self.database))
        sites.append(site)
        return site
    }

    /// How many bookings were ever committed.
    func committed() throws -> Int {
        for site in sites { try site.worker?.checkThatItRuns() }
        return try connection.number("SELECT coalesce(sum(committed), 0) FROM acms.totals")
    }

    /// Checks that a table has so many rows.
    func check(_ count: Int, in table: String) throws {
        let rows = try connection.number("SELECT count(*) FROM acms.\(table)")
        guard rows == count else { throw Failure("of \(count) bookings \(rows) are in \(table)") }
    }

    /// CPU seconds of PostgreSQL and of the workers.
    func processorSeconds() throws -> Double {
        try sites.reduce(cluster.process.processorSeconds()) {
            try $0 + ($1.worker?.processorSeconds() ?? 0)
        }
    }

    /// Ends the daemons and removes what they have on disk, but for the database.
    func remove() throws {
        for site in sites {
            try site.stopFront()
            try site.stopWorker()
            try site.remove()
        }
    }
}
