import Bookings
import CPostgreSQL
import Glibc

/// A connection to the database. Used by one thread at a time.
final class Connection {
    let pq: LibPQ
    let handle: OpaquePointer
    let timeout: Duration
    /// Statements by their SQL.
    var prepared: [String: PreparedStatement] = [:]
    /// The number in the name of the last one.
    var lastName = 0
    private let warnings: UnsafeMutablePointer<Int32>
    /// Whether nothing more can be done with it.
    var isBroken = false

    /// Connects to the first host that can be written, and makes the session ready.
    ///
    /// - Throws: when none can be reached in time; with the hosts' own reasons.
    init(_ target: DatabaseTarget) throws(DatabaseTrouble) {
        pq = try LibPQ()
        timeout = target.timeout
        guard let handle = try target.connect(pq) else {
            throw DatabaseTrouble(.unreachable, "There is no memory for a connection to the database.")
        }
        self.handle = handle
        warnings = .allocate(capacity: 1)
        warnings.initialize(to: 0)
        let functions = pq.functions.pointee
        guard functions.PQstatus(handle) == CONNECTION_OK else {
            let reason = target.mayBeQuoted ? Self.hidden : Self.message(of: handle, pq)
            throw DatabaseTrouble(
                .unreachable,
                "The database can't be reached: \(reason). See that it runs and lets acms in, and postgres.url."
            )
        }
        acms_pq_count_warnings(handle, warnings)
        _ = functions.PQsetnonblocking(handle, 1)
        guard functions.PQenterPipelineMode(handle) == 1 else { throw lost() }
        try prepareSession(target)
    }

    deinit {
        pq.functions.pointee.PQfinish(handle)
        warnings.deallocate()
    }

    /// The server's version as a number: 150008 is 15.8.
    var serverVersion: Int { Int(pq.functions.pointee.PQserverVersion(handle)) }

    /// To wait for notifications with poll(2).
    var socket: Int32 { pq.functions.pointee.PQsocket(handle) }

    /// Whether a database of this encoding keeps UTF-8 as it is: SQL_ASCII stands for no encoding at all.
    static func keepsUTF8(_ encoding: String?) -> Bool { encoding == "UTF8" || encoding == "SQL_ASCII" }

    /// Whether the server has not ended the connection, as far as can be told without asking it.
    var isAlive: Bool {
        while !isBroken {
            var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&entry, 1, 0) > 0 else { return true }
            // Something that nobody has asked for: the server's farewell, or its end.
            if pq.functions.pointee.PQconsumeInput(handle) != 1 { isBroken = true }
        }
        return false
    }

    private func prepareSession(_ target: DatabaseTarget) throws(DatabaseTrouble) {
        let milliseconds = Int(target.timeout / .milliseconds(1))
        // The server must notice as soon as this end does that the other is gone: what it holds in hand is locked.
        let settings = [
            "client_encoding = 'UTF8'", "TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "bytea_output = 'hex'",
            "search_path = \(target.quotedSchema)", "default_transaction_isolation = 'read committed'",
            "statement_timeout = 0", "lock_timeout = \(milliseconds / 2)",
            "idle_in_transaction_session_timeout = \(milliseconds)",
            "tcp_keepalives_idle = \(max(1, milliseconds / 2000))", "tcp_keepalives_interval = 1",
            "tcp_keepalives_count = 3", "tcp_user_timeout = \(milliseconds)",
        ]
        // Statements are planned once, mostly while the tables are as good as empty, and go on when they are not. All that is
        // asked often is found by an index.
        let plans =
            ["seqscan", "bitmapscan", "hashjoin", "mergejoin"].map { "enable_\($0) = off" } + ["jit = off"]
        try run((settings + plans).map { Statement("SET \($0)") })
        let encoding = try run(Statement("SHOW server_encoding")).first?.optionalText(0)
        guard Self.keepsUTF8(encoding) else {
            throw DatabaseTrouble(
                .refusedSchema,
                "The database has the encoding \(encoding ?? "unknown"). Make one with the encoding UTF8.")
        }
    }

    /// Runs a statement.
    @discardableResult
    func run(_ statement: Statement) throws(DatabaseTrouble) -> Rows {
        guard let rows = try run([statement]).first else { throw lost() }
        return rows
    }

    /// Runs statements in one transaction, sent together; durable on return as far as the database's
    /// `synchronous_commit` goes.
    ///
    /// - Returns: what each has brought.
    /// - Throws: when one failed; then nothing was done, unless that is undecided.
    @discardableResult
    func transaction(_ statements: [Statement]) throws(DatabaseTrouble) -> [Rows] {
        warnings.pointee = 0
        do {
            let rows = try run([Statement("BEGIN")] + statements + [Statement("COMMIT")])
            try checkWarnings()
            return Array(rows.dropFirst().dropLast())
        } catch {
            rollBack()
            throw error
        }
    }

    /// Runs what `body` does in one transaction, durable on return.
    ///
    /// - Throws: when it or the commit failed; then nothing was done, unless that is undecided.
    func inTransaction<R>(_ body: () throws(DatabaseTrouble) -> R) throws(DatabaseTrouble) -> R {
        do {
            try run([Statement("BEGIN")])
            let value = try body()
            warnings.pointee = 0
            try run([Statement("COMMIT")])
            try checkWarnings()
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    private func rollBack() {
        if !isBroken { _ = try? run([Statement("ROLLBACK")]) }
    }

    private func checkWarnings() throws(DatabaseTrouble) {
        guard warnings.pointee > 0 else { return }
        // The one warning of a COMMIT: it was not waited for the standby.
        isBroken = true
        throw DatabaseTrouble(
            .lost, "The database has committed without its standby, which it was told to wait for.")
    }

    func lost() -> DatabaseTrouble {
        isBroken = true
        let message = Self.message(of: handle, pq)
        return DatabaseTrouble(
            .lost, "The connection to the database broke\(message.isEmpty ? "" : ": \(message)").")
    }

    static func message(of handle: OpaquePointer, _ pq: LibPQ) -> String {
        pq.functions.pointee.PQerrorMessage(handle).map { oneLine(String(cString: $0)) }
            ?? "no reason is given"
    }

    private static let hidden =
        "why isn't told, as that could quote a password; write \"@\" in postgres.url as %40 and \"/\" as %2F, but for "
        + "the \"@\" before the host and the \"/\" before the database"

    static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map {
            String($0.drop { $0.isWhitespace })
        }
        var line = lines.joined(separator: "; ")
        while let last = line.last, ".?!".contains(last) { line.removeLast() }
        return line
    }
}
