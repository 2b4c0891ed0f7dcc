import CPostgreSQL
import Glibc

/// A statement that the server was told to plan.
struct PreparedStatement {
    let name: String
    /// Whether it has.
    var isReady = false
}

/// Sending statements in a pipeline, and waiting for what they bring.
extension Connection {
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
            if prepared[statement.sql]?.isReady != true,
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

    private func prepare(_ sql: String) throws(DatabaseTrouble) {
        lastName += 1
        let statement = PreparedStatement(name: "acms\(lastName)")
        prepared[sql] = statement
        guard pq.functions.pointee.PQsendPrepare(handle, statement.name, sql, 0, nil) == 1 else {
            throw lost()
        }
    }

    private func send(_ statement: Statement) throws(DatabaseTrouble) {
        guard let name = prepared[statement.sql]?.name else { throw lost() }
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
                prepared[expected[index].sql]?.isReady = true
                functions.PQclear(result)
            default:
                var found = self.trouble(in: result)
                functions.PQclear(result)
                // All was done before it.
                if index >= expected.count { found.isUndecided = true }
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
        // A farewell can follow a commit that was done.
        let isFarewell = ["FATAL", "PANIC"].contains(field("V"))
        guard let code = field("C"), functions.PQstatus(handle) == CONNECTION_OK, !isFarewell else {
            isBroken = true
            return DatabaseTrouble(.lost, "The connection to the database broke: \(message).")
        }
        // Statements that were planned before somebody changed the schema, or that are gone, stay of no use.
        if ["0A000", "26000"].contains(code) { isBroken = true }
        return DatabaseTrouble(server: code, "The database refused it: \(message) (\(code)).")
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
}
