import Dispatch
import Synchronization

/// How a database is for acms, as somebody finds it who changes nothing.
public struct DatabaseLook: Hashable, Sendable {
    /// What stands against its use.
    public enum Obstacle: Hashable, Sendable {
        /// PostgreSQL's client library is missing.
        case library
        /// It can't be reached.
        case connection
        /// The server wants a password, or another one.
        case password
        /// The server lets in by the name of the system's user, and this process is run by another.
        case peer
        /// The server is older than what acms needs.
        case oldServer
        /// Texts aren't kept in UTF-8.
        case encoding
        /// The schema is of a newer acms.
        case newerSchema
        /// Something of the schema is missing.
        case incomplete
        /// The bookings were moved to another place.
        case moved
        /// There is no schema, and the role may not make one.
        case rights
        /// The server refused to tell.
        case refusal
    }

    /// What came of it.
    public enum Outcome: Hashable, Sendable {
        /// It can be used.
        case usable
        /// It can be used; the first daemon makes the schema.
        case empty
        /// Something stands against it; the reason is full sentences without anything secret.
        case unusable(Obstacle, reason: String)
    }

    /// A setting by which the server answers before what was committed is on its disk.
    public struct Haste: Hashable, Sendable {
        /// `fsync` or `synchronous_commit`, which is off.
        public var setting: String
        /// The SQL that sets it.
        public var remedy: String

        /// Describes a setting.
        public init(setting: String, remedy: String) {
            self.setting = setting
            self.remedy = remedy
        }
    }

    /// The server's version, such as 15.8; nil when it isn't known.
    public var server: String?
    /// What makes answers of a database that can be used worth less than they seem; nil when nothing is known to.
    public var haste: Haste?
    /// What came of it.
    public var outcome: Outcome

    /// Describes a look.
    public init(server: String? = nil, _ outcome: Outcome) {
        self.server = server
        self.outcome = outcome
    }

    private static let oldestServer = 140_000

    /// Looks at a database, on a thread of its own.
    ///
    /// - Returns: nil when that wasn't over in time, whatever it waits for.
    public static func take(_ target: DatabaseTarget, within limit: Duration) async -> DatabaseLook? {
        await withCheckedContinuation { continuation in
            let told = Told(continuation)
            DispatchQueue(label: "io.acms.look").async { told.resume(take(target)) }
            DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { told.resume(nil) }
        }
    }

    /// Looks at a database; blocks while it is connected to.
    static func take(_ target: DatabaseTarget) -> DatabaseLook {
        if case .missing(let reason) = ClientLibrary.find() {
            return DatabaseLook(
                .unusable(.library, reason: "PostgreSQL's client library can't be used: \(reason)."))
        }
        let connection: Connection
        do throws(DatabaseTrouble) {
            connection = try Connection(target)
        } catch {
            return DatabaseLook(.unusable(obstacle(to: error), reason: error.reason))
        }
        let number = connection.serverVersion
        let server = ClientLibrary.text(of: number)
        guard number >= oldestServer else {
            return DatabaseLook(
                server: server,
                .unusable(
                    .oldServer, reason: "The server is PostgreSQL \(server), and acms needs 14 or later."))
        }
        var look = DatabaseLook(server: server, schema(of: target, connection))
        if [.usable, .empty].contains(look.outcome) { look.haste = try? haste(connection) }
        return look
    }

    private static func haste(_ connection: Connection) throws(DatabaseTrouble) -> Haste? {
        let row = try connection.run(
            Statement(
                """
                SELECT setting, remedy FROM (VALUES
                  (1, 'fsync', 'ALTER SYSTEM SET fsync = on'),
                  (2, 'synchronous_commit', format('ALTER ROLE %I IN DATABASE %I SET synchronous_commit = on', current_user,
                    current_database()))) AS known(number, setting, remedy)
                WHERE current_setting(setting) = 'off' ORDER BY number
                """)
        ).first
        return try row.map { row throws(DatabaseTrouble) in
            Haste(setting: try row.text(0), remedy: try row.text(1))
        }
    }

    /// Why a connection wasn't made.
    private static func obstacle(to trouble: DatabaseTrouble) -> Obstacle {
        switch trouble.kind {
        case .refusedSchema: return .encoding
        case .server, .incompleteSchema: return .refusal
        case .lost: return .connection
        case .unreachable:
            // There is no code for it.
            let reason = trouble.reason
            if reason.contains("on socket"), reason.lowercased().contains("peer authentication") {
                return .peer
            }
            let isRefused = ["password authentication failed", "no password supplied"].contains(
                where: reason.contains)
            return isRefused ? .password : .connection
        }
    }

    private static func schema(of target: DatabaseTarget, _ connection: Connection) -> Outcome {
        var step = Obstacle.newerSchema
        do throws(DatabaseTrouble) {
            var open = target
            open.ignoresMove = true
            guard try Schema.present(connection, open) != nil else {
                return try mayMakeSchema(target, connection)
                    ? .empty
                    : .unusable(
                        .rights,
                        reason:
                            "There is no schema \(target.schema), or nothing in it, and the role may not make it. "
                            + "Let it make schemas in the database, or make the schema for it."
                    )
            }
            try Schema.checkIsWhole(connection, target)
            step = .moved
            _ = try Schema.present(connection, target)
            return .usable
        } catch {
            let obstacle: Obstacle =
                switch error.kind {
                case .refusedSchema: step
                case .incompleteSchema: .incomplete
                case .unreachable, .lost, .server: .refusal
                }
            return .unusable(obstacle, reason: error.reason)
        }
    }

    private static func mayMakeSchema(
        _ target: DatabaseTarget, _ connection: Connection
    ) throws(DatabaseTrouble) -> Bool {
        try connection.run(
            Statement(
                """
                SELECT CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                  ELSE has_schema_privilege(to_regnamespace($1), 'CREATE') END
                """, [.text(target.quotedSchema)])
        ).first?.flag(0) ?? false
    }
}

/// Somebody who waits and is told once, by whoever comes first.
private final class Told: Sendable {
    private let awaited: Mutex<CheckedContinuation<DatabaseLook?, Never>?>

    init(_ continuation: CheckedContinuation<DatabaseLook?, Never>) { awaited = Mutex(continuation) }

    func resume(_ look: DatabaseLook?) {
        let continuation = awaited.withLock { awaited in
            defer { awaited = nil }
            return awaited
        }
        continuation?.resume(returning: look)
    }
}
