/// As much of PostgreSQL's protocol as is needed: statements, whose results are rows of one text.
final class PostgreSQLConnection {
    private let socket: Socket

    /// Goes on with a new connection.
    init(_ socket: Socket, database: String = "postgres") throws {
        self.socket = socket
        let names = Self.texts("user", PostgresCluster.user, "database", database) + [0]
        try socket.write(Self.integer(names.count + 8) + Self.integer(196_608) + names)
        _ = try rows()
    }

    /// Runs a statement whose result doesn't matter.
    func run(_ statement: String) throws {
        try socket.write(Self.message("Q", Self.texts(statement)))
        _ = try rows()
    }

    /// Runs a query that yields one number.
    func number(_ query: String) throws -> Int {
        try socket.write(Self.message("Q", Self.texts(query)))
        guard let row = try rows().first else { throw Failure("PostgreSQL has no row for \(query)") }
        // What follows a row in the buffer is no digit: the kind of the next message.
        var (value, place) = (0, 0)
        while (48...57).contains(row[place]) {
            value = value * 10 + Int(row[place] - 48)
            place += 1
        }
        return value
    }

    /// Prepares a statement under a name.
    func prepare(_ name: String, _ query: String) throws {
        try socket.write(Self.message("P", Self.texts(name, query) + [0, 0]) + Self.sync)
        _ = try rows()
    }

    /// Runs prepared statements without parameters, one after the other, in one round trip.
    func send(_ names: [String]) throws {
        try socket.write(
            names.flatMap {
                Self.message("B", [0] + Self.texts($0) + [0, 0, 0, 0, 0, 0]) + Self.execute + Self.sync
            })
    }

    func send(_ name: String) throws { try send([name]) }

    /// Reads the rows of a result, up to when the server is ready for more. The pointers hold until the next result
    /// after the last one.
    func rows(isLast: Bool = true) throws -> [UnsafePointer<UInt8>] {
        if mayForget { try socket.forget() }
        mayForget = isLast
        var rows: [UnsafePointer<UInt8>] = []
        while true {
            let head = try socket.read(5)
            let (kind, length) = (Character(Unicode.Scalar(head[0])), Self.integer(head[1...]) - 4)
            let body = try socket.read(length)
            switch kind {
            case "D":
                // The number of columns, and the length of the first.
                if let base = body.baseAddress, length > 6 { rows.append(base + 6) }
            case "E":
                throw Failure(
                    "PostgreSQL: \(String(decoding: body.map { $0 == 0 ? 32 : $0 }, as: UTF8.self))")
            case "Z": return rows
            default: break
            }
        }
    }

    private var mayForget = false

    /// The messages that run a statement with one parameter, up to the parameter.
    static func bindHead(_ name: String, length: Int) -> [UInt8] {
        let body = [0] + texts(name) + [0, 0, 0, 1] + integer(length)
        return [UInt8(ascii: "B")] + integer(4 + body.count + length + 2) + body
    }

    /// And after it.
    static let bindTail: [UInt8] = [0, 0] + execute
    static let sync = message("S", [])
    private static let execute = message("E", [0, 0, 0, 0, 0])

    private static func message(_ kind: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        [UInt8(ascii: kind)] + integer(body.count + 4) + body
    }

    private static func texts(_ texts: String...) -> [UInt8] { texts.flatMap { Array($0.utf8) + [0] } }

    private static func integer(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func integer(_ bytes: some Sequence<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}
