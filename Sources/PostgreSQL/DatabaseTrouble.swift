import Bookings

/// Why something could not be done with the database.
struct DatabaseTrouble: Error {
    enum Kind: Hashable {
        /// There is no connection.
        case unreachable
        /// The connection broke, or no answer came in time: what was under way may have been done.
        case lost
        /// The schema is newer than this program, or was given up.
        case refusedSchema
        /// Something of the schema is missing.
        case incompleteSchema
        /// The server said no: its code (https://www.postgresql.org/docs/current/errcodes-appendix.html).
        case server(String)
    }

    let kind: Kind
    /// Full sentences.
    let reason: String
    /// Whether what was to be committed may have been.
    var isUndecided: Bool

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
        isUndecided = kind == .lost
    }

    /// - Parameter code: the server's, which adds the remedy to the reason.
    init(server code: String, _ reason: String) {
        self.init(.server(code), "\(reason)\(Self.remedies[code].map { " \($0)" } ?? "")")
    }

    private static let remedies: [String: String] = {
        let restore = "The schema isn't as acms has made it; restore it from a backup."
        return [
            "25006": "Name the server that can be written in postgres.url.",
            "3F000": restore, "42703": restore, "42P01": restore,
            "42501": "Make the role the owner of the schema and what is in it.",
            "53100": "Make room on the database's disk.",
            "55P03": "Somebody holds a lock on it for long; pg_stat_activity and pg_locks tell who.",
        ]
    }()

    var code: String? {
        if case .server(let code) = kind { code } else { nil }
    }

    /// Whether the same may succeed when it is done again at once: others were in the way.
    var isCollision: Bool { code == "40001" || code == "40P01" }

    /// Whether one row or value is to blame, and not the database as a whole: data exceptions, violated constraints,
    /// and what a trigger has raised.
    var concernsOneRow: Bool {
        guard let code else { return false }
        return ["22", "23", "27", "44", "P0"].contains(String(code.prefix(2)))
    }

    /// As trouble with the table.
    var ofTable: TableUnavailable { TableUnavailable(tableKind, reason: reason) }

    private var tableKind: TableUnavailable.Kind {
        switch kind {
        case .unreachable, .lost: return .cannotOpen
        case .refusedSchema, .incompleteSchema: return .newerSchema
        case .server(let code):
            switch code {
            case "53100", "54000": return .full
            case "55P03": return .locked
            case "25006": return .readOnly
            case "58030": return .inputOutput
            case _ where code.hasPrefix("XX"): return .corrupt
            default: return .other
            }
        }
    }

    /// As trouble with the queue.
    var ofQueue: QueueUnavailable {
        // The text can differ from try to try, with the host that was tried last.
        let name =
            switch kind {
            case .unreachable, .lost: "unreachable"
            case .refusedSchema, .incompleteSchema: "schema"
            case .server(let code): code
            }
        return QueueUnavailable(reason: reason, kind: name, mayHaveHappened: isUndecided)
    }
}
