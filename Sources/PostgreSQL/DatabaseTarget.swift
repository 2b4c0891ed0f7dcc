public import Bookings
import CPostgreSQL
import Glibc

/// Which database to connect to, and how. It can hold a password, so it has no description.
public struct DatabaseTarget: Sendable {
    let url: String
    let schema: String
    let password: String?
    let timeout: Duration
    let lease: Duration
    let program: String
    /// What all connections of the process have in common.
    let used: UsedSchema
    /// Whether to use a schema whose bookings were moved away.
    package var ignoresMove = false

    /// - Parameters:
    ///   - settings: the database.
    ///   - program: what the server shows as the connection's `application_name`.
    ///   - credentials: the directory of the service's credentials (`$CREDENTIALS_DIRECTORY`), in which
    ///     `postgres-password` is the password, if it is there.
    ///   - onSchemaMade: called with its name when this process has made the schema.
    public init(
        _ settings: Settings.Postgres, program: String, credentials: String?,
        onSchemaMade: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        url = settings.url
        schema = settings.schema
        timeout = settings.timeout
        lease = settings.lease
        self.program = program
        used = UsedSchema(onMade: onSchemaMade)
        password = credentials.flatMap { Self.line(of: "\($0)/postgres-password") }
    }

    var quotedSchema: String { "\"\(schema.replacing("\"", with: "\"\""))\"" }

    /// Whether libpq takes a part of what may be meant as a password for a host or a database, and so would quote it.
    var mayBeQuoted: Bool {
        let place = Self.place(in: url)
        guard let at = place.firstIndex(of: "@") else { return false }
        let isBehindSlash = place.firstIndex(of: "/").map { $0 < at } ?? false
        return isBehindSlash || place[at...].dropFirst().contains("@")
    }

    /// Whether the URI itself holds a password.
    package static func holdsPassword(_ url: String) -> Bool {
        let place = place(in: url)
        // What is before the last one, since a password that is written wrongly is one too.
        if let at = place.lastIndex(of: "@"), let colon = place[..<at].firstIndex(of: ":") {
            if place.index(after: colon) < at { return true }
        }
        guard let question = url.firstIndex(of: "?") else { return false }
        return url[question...].dropFirst().split(separator: "&").contains {
            ["password", "sslpassword"].contains($0.prefix { $0 != "=" }) && !$0.hasSuffix("=")
        }
    }

    /// Whether all hosts of the URI are this one, as far as it can be seen from their names.
    package var isOnThisHost: Bool {
        guard let pq = try? LibPQ(), let given = given(pq) else { return false }
        let hosts = (given["hostaddr"] ?? given["host"] ?? "").split(separator: ",")
        return hosts.allSatisfy { $0.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains($0) }
    }

    /// What is between the scheme and the options. A password may hold a question mark.
    private static func place(in url: String) -> Substring {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let rest = url[scheme.upperBound...]
        let name = rest.prefix { $0 != "@" && $0 != "/" }
        let begin = rest[name.endIndex...].first == "@" ? name.endIndex : rest.startIndex
        return rest[..<(rest[begin...].firstIndex(of: "?") ?? rest.endIndex)]
    }

    /// A name for the locks and the channels of this schema alone.
    func channel(_ name: String) -> String { "\(schema)_\(name)" }

    private static func line(of file: String) -> String? {
        guard let stream = fopen(file, "re") else { return nil }
        defer { fclose(stream) }
        var buffer = [CChar](repeating: 0, count: 4096)
        guard fgets(&buffer, Int32(buffer.count), stream) != nil else { return nil }
        let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(line.prefix { !$0.isNewline })
    }

    /// Connects; blocks for some seconds a host at most.
    ///
    /// - Returns: the connection, whose status tells whether it stands; nil without memory.
    /// - Throws: when the URI is none.
    func connect(_ pq: LibPQ) throws(DatabaseTrouble) -> OpaquePointer? {
        var options: [(key: String, value: String)] = [("dbname", url)]
        guard let given = given(pq) else {
            // What libpq says of it would quote it, with the password in it.
            throw DatabaseTrouble(
                .unreachable,
                "postgres.url can't be read as a connection URI; see "
                    + "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS.")
        }
        let seconds = max(2, min(5, Int(timeout.components.seconds) / 2))
        let defaults = [
            ("connect_timeout", String(seconds)), ("keepalives_idle", String(seconds)),
            ("keepalives_interval", "1"),
            ("keepalives_count", "3"), ("tcp_user_timeout", String(Int(timeout / .milliseconds(1)))),
        ]
        options += defaults.filter { given[$0.0] == nil }
        // Bookings are written; where several hosts are named, it is the primary that is meant.
        options.append(("target_session_attrs", "read-write"))
        // By this a move knows the daemons that are connected.
        options.append(("application_name", program))
        if let password, given["password"] == nil { options.append(("password", password)) }
        var keys = options.map { strdup($0.key) } + [nil]
        var values = options.map { strdup($0.value) } + [nil]
        defer { for text in keys + values { free(text) } }
        return keys.withUnsafeMutableBufferPointer { keys in
            values.withUnsafeMutableBufferPointer { values in
                // Constant for libpq, which only reads them.
                let keys = UnsafeRawPointer(keys.baseAddress)?.assumingMemoryBound(
                    to: UnsafePointer<CChar>?.self)
                let values = UnsafeRawPointer(values.baseAddress)?.assumingMemoryBound(
                    to: UnsafePointer<CChar>?.self)
                guard let keys, let values else { return nil }
                return pq.functions.pointee.PQconnectdbParams(keys, values, 1)
            }
        }
    }

    /// The options that the URI gives; nil when it is none.
    private func given(_ pq: LibPQ) -> [String: String]? {
        guard let options = pq.functions.pointee.PQconninfoParse(url, nil) else { return nil }
        defer { pq.functions.pointee.PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }
}
