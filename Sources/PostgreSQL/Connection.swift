import Bookings
import CPostgreSQL
import Glibc

/// A connection to the database. Used by one thread at a time.
final class Connection {
    private let pq: LibPQ
    private let handle: OpaquePointer
    private let timeout: Duration
    private var names: [String: String] = [:]
    private let warnings: UnsafeMutablePointer<Int32>
    /// Whether nothing more can be done with it.
    private(set) var isBroken = false

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
                .unreachable, "The database can't be reached: \(reason). See that it runs, and postgres.url.")
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
            "lock_timeout = \(milliseconds / 2)", "idle_in_transaction_session_timeout = \(milliseconds)",
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
    /// - Throws: when one failed; then nothing was done, unless the connection was lost.
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
    /// - Throws: when it or the commit failed; then nothing was done, unless the connection was lost.
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

    /// Runs statements one after the other, sent together.
    ///
    /// - Returns: what each has brought.
    /// - Throws: what is wrong with the first that failed; those behind it were not run.
    @discardableResult
    func run(_ statements: [Statement]) throws(DatabaseTrouble) -> [Rows] {
        guard !isBroken else { throw lost() }
        let deadline = ContinuousClock.now + timeout
        var expected: [(number: Int?, sql: String)] = []
        for (number, statement) in statements.enumerated() {
            if names[statement.sql] == nil,
                !expected.contains(where: { $0.number == nil && $0.sql == statement.sql })
            {
                try prepare(statement.sql)
                expected.append((nil, statement.sql))
            }
            try send(statement)
            expected.append((number, statement.sql))
        }
        guard pq.functions.pointee.PQpipelineSync(handle) == 1 else { throw lost() }
        return try results(of: expected, deadline)
    }

    private func name(of sql: String) -> String { names[sql] ?? "acms\(pendingNames[sql] ?? 0)" }
    private var pendingNames: [String: Int] = [:]
    private var nextName = 0

    private func prepare(_ sql: String) throws(DatabaseTrouble) {
        nextName += 1
        pendingNames[sql] = nextName
        guard pq.functions.pointee.PQsendPrepare(handle, "acms\(nextName)", sql, 0, nil) == 1 else {
            throw lost()
        }
    }

    private func send(_ statement: Statement) throws(DatabaseTrouble) {
        let name = name(of: statement.sql)
        let sent = statement.withParameters { values in
            pq.functions.pointee.PQsendQueryPrepared(
                handle, name, Int32(statement.parameters.count), values, nil, nil, 0)
        }
        guard sent == 1 else { throw lost() }
    }

    private func results(
        of expected: [(number: Int?, sql: String)], _ deadline: ContinuousClock.Instant
    ) throws(DatabaseTrouble) -> [Rows] {
        let functions = pq.functions.pointee
        var rows: [Rows] = []
        var trouble: DatabaseTrouble?
        var index = 0
        while true {
            try wait(until: deadline)
            guard let result = functions.PQgetResult(handle) else {
                // The end of one statement's results.
                guard functions.PQstatus(handle) == CONNECTION_OK else { throw trouble ?? lost() }
                index += 1
                guard index <= expected.count + 1 else { throw lost() }
                continue
            }
            switch functions.PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                functions.PQclear(result)
                if let trouble { throw trouble }
                return rows
            case PGRES_PIPELINE_ABORTED:
                functions.PQclear(result)
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                guard index < expected.count, expected[index].number == nil else {
                    rows.append(Rows(result, pq))
                    continue
                }
                names[expected[index].sql] = name(of: expected[index].sql)
                functions.PQclear(result)
            default:
                let found = self.trouble(in: result)
                functions.PQclear(result)
                if trouble == nil { trouble = found }
                if functions.PQstatus(handle) != CONNECTION_OK {
                    isBroken = true
                    throw found
                }
            }
        }
    }

    private func trouble(in result: OpaquePointer) -> DatabaseTrouble {
        let functions = pq.functions.pointee
        // The fields' letters are those of the protocol, PG_DIAG_SQLSTATE and so on in C.
        func field(_ letter: Unicode.Scalar) -> String? {
            functions.PQresultErrorField(result, Int32(letter.value)).map {
                Self.oneLine(String(cString: $0))
            }
        }
        let message = field("M") ?? Self.message(of: handle, pq)
        guard let code = field("C"), functions.PQstatus(handle) == CONNECTION_OK else {
            isBroken = true
            return DatabaseTrouble(.lost, "The connection to the database broke: \(message).")
        }
        return DatabaseTrouble(
            .server(code), "The database refused it: \(message) (\(code)).")
    }

    /// Sends what is to be sent and waits until a result is there.
    private func wait(until deadline: ContinuousClock.Instant) throws(DatabaseTrouble) {
        let functions = pq.functions.pointee
        while true {
            let unsent = functions.PQflush(handle)
            guard unsent >= 0 else { throw lost() }
            if unsent == 0, functions.PQisBusy(handle) == 0 { return }
            guard try poll(until: deadline, alsoForWriting: unsent == 1) else {
                isBroken = true
                throw DatabaseTrouble(
                    .lost,
                    "The database has not answered for \(timeout.components.seconds) s (postgres.timeout-seconds)."
                )
            }
            guard functions.PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    /// - Returns: false when nothing came in time.
    private func poll(until deadline: ContinuousClock.Instant, alsoForWriting: Bool) throws(DatabaseTrouble)
        -> Bool
    {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var entry = pollfd(
                fd: socket, events: Int16(POLLIN | (alsoForWriting ? POLLOUT : 0)), revents: 0)
            let ready = Glibc.poll(&entry, 1, Int32(min(left / .milliseconds(1), 3_600_000)) + 1)
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { throw lost() }
        }
    }

    /// Notifications that have come, and a wait for them when there are none.
    ///
    /// - Returns: channel and payload of each.
    func notifications(waiting: Duration) throws(DatabaseTrouble) -> [(channel: String, payload: String)] {
        let functions = pq.functions.pointee
        var found: [(channel: String, payload: String)] = []
        let deadline = ContinuousClock.now + waiting
        while true {
            while let notification = functions.PQnotifies(handle) {
                found.append(
                    (
                        String(cString: notification.pointee.relname),
                        String(cString: notification.pointee.extra)
                    ))
                functions.PQfreemem(notification)
            }
            if !found.isEmpty { return found }
            guard try poll(until: deadline, alsoForWriting: false) else { return [] }
            guard functions.PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    private func lost() -> DatabaseTrouble {
        isBroken = true
        let message = Self.message(of: handle, pq)
        return DatabaseTrouble(
            .lost, "The connection to the database broke\(message.isEmpty ? "" : ": \(message)").")
    }

    private static func message(of handle: OpaquePointer, _ pq: LibPQ) -> String {
        pq.functions.pointee.PQerrorMessage(handle).map { oneLine(String(cString: $0)) }
            ?? "no reason is given"
    }

    private static let hidden =
        "why isn't told, as that could quote a password; write \"@\" in postgres.url as %40 and \"/\" as %2F, but for "
        + "the \"@\" before the host and the \"/\" before the database"

    private static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map {
            String($0.drop { $0.isWhitespace })
        }
        var line = lines.joined(separator: "; ")
        while let last = line.last, ".?!".contains(last) { line.removeLast() }
        return line
    }
}
