import CBench
import Foundation

/// A private place with acms' spool, table and sockets.
final class AcmsSite {
    let directory: String
    private let environment: [String: String]
    private let logs: String
    private(set) var front: ServerProcess?
    private(set) var worker: ServerProcess?

    /// - Parameters:
    ///   - room: where it is to be, and to be removed from in the end.
    ///   - slowSyncs: microseconds that each sync takes longer.
    ///   - directory: that of another site, whose spool and table this one goes on with.
    ///   - name: what its own directory is called, if there are more sites than one.
    ///   - database: the address of a PostgreSQL database for queue and table.
    init(
        _ room: Room, slowSyncs: Int = 0, in directory: String? = nil, name: String = "acms",
        database: String? = nil
    ) throws {
        self.directory = try directory ?? room.makeDirectory(name)
        let directory = self.directory
        logs = room.logs
        var environment = [
            "PATH": "/usr/bin:/bin",
            "ACMS_SPOOL_DIRECTORY": "\(directory)/spool",
            "ACMS_TABLE_PATH": "\(directory)/table/acms.sqlite",
            "ACMS_SOCKET_BOOKINGS": "\(directory)/Bookings",
            "ACMS_SOCKET_QUEUE": "\(directory)/Queue",
            "ACMS_SOCKET_CARETAKER": "\(directory)/Caretaker",
            "ACMS_WORKER_IDLE_EXIT_SECONDS": "0",
            "ACMS_SPOOL_MAX_MESSAGES": "100000000",
            "ACMS_SPOOL_MAX_BYTES": "100000000000",
        ]
        environment.merge(try room.slowSyncs(slowSyncs)) { $1 }
        if let database {
            environment["ACMS_ENGINE"] = "postgres"
            environment["ACMS_POSTGRES_URL"] = database
        }
        self.environment = environment
        try FileManager.default.createDirectory(
            atPath: "\(directory)/table", withIntermediateDirectories: true)
    }

    var socket: String { "\(directory)/Bookings" }
    var tablePath: String { "\(directory)/table/acms.sqlite" }

    /// Starts the front.
    ///
    /// - Returns: the seconds until it has answered a first call.
    @discardableResult
    func startFront(
        _ firstCall: (Socket) throws -> Void = { _ = try $0.call("org.varlink.service.GetInfo") }
    ) throws -> Double {
        let start = now()
        front = try ServerProcess(
            [Programs.path("acms-frontd")], environment: environment, log: "\(logs)/front.log")
        try Self.firstAnswer(socket, front, firstCall)
        return Double(now() - start) / 1e9
    }

    /// Starts the worker and returns at once.
    func startWorker() throws {
        worker = try ServerProcess(
            [Programs.path("acms-workerd")], environment: environment, log: "\(logs)/worker.log")
    }

    /// Has the worker make the table.
    func makeTable() throws {
        try startWorker()
        try Self.firstAnswer("\(directory)/Queue", worker) {
            _ = try $0.call("io.acms.Queue.GetQueueAttributes")
        }
        _ = try progress()
        try stopWorker()
    }

    /// Removes all that it has on disk.
    func remove() throws { try FileManager.default.removeItem(atPath: directory) }

    func stopFront() throws {
        try front?.stop()
        front = nil
    }

    func stopWorker() throws {
        try worker?.stop()
        worker = nil
    }

    /// A reader of how many bookings were ever committed, which costs the worker nothing.
    func progress() throws -> TableNumber {
        try wait(for: "the table", seconds: 120) {
            try worker?.checkThatItRuns()
            return TableNumber(tablePath, "SELECT committed FROM totals")
        }
    }

    /// Counts the rows.
    func rows() throws -> Int {
        guard let number = TableNumber(tablePath, "SELECT count(*) FROM bookings") else {
            throw Failure("the table can't be opened")
        }
        return try number.value()
    }

    private static func firstAnswer(
        _ path: String, _ process: ServerProcess?, _ call: (Socket) throws -> Void
    ) throws {
        let descriptor = try wait(for: "the first answer at \(path)", seconds: 600) {
            try process?.checkThatItRuns()
            return try Socket.connect(path)
        }
        close(descriptor)
        try call(Socket(path))
    }
}

/// A number that a table can be asked for again and again.
final class TableNumber {
    private let handle: OpaquePointer

    /// Returns nil if there is no such table yet.
    init?(_ path: String, _ query: String) {
        guard let handle = bench_number_open(path, query) else { return nil }
        self.handle = handle
    }

    deinit {
        bench_number_close(handle)
    }

    func value() throws -> Int {
        var value: Int64 = 0
        let code = bench_number_read(handle, &value)
        guard code == 0 else { throw Failure("the table can't be read: SQLite code \(code)") }
        return Int(value)
    }
}
