import Foundation

/// A Redis stream.
final class Redis: Peer {
    static let name = "Redis"
    static let program = "/usr/bin/redis-server"
    let process: ServerProcess
    let socket: String

    init(_ room: Room, slowSyncs: Int) throws {
        let directory = try room.makeDirectory("redis")
        socket = "\(directory)/socket"
        process = try ServerProcess(
            [
                Self.program, "--port", "0", "--unixsocket", socket, "--dir", directory, "--daemonize", "no",
                "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                "--auto-aof-rewrite-percentage", "0",
                "--maxclients", "10000",
            ], environment: try room.slowSyncs(slowSyncs), log: "\(room.logs)/redis.log")
        let connection = try wait(for: "Redis", seconds: 60) {
            try process.checkThatItRuns()
            return try? Socket(socket)
        }
        try wait(for: "Redis", seconds: 60) {
            try connection.write("PING\r\n")
            defer { try? connection.forget() }
            return try connection.line() == "+PONG" ? () : nil
        }
    }

    /// The command XADD in the protocol's arrays of strings.
    var format: CallFormat {
        get throws {
            let message = try BookingTemplate(AcmsCalls.message)
            let head =
                "*5\r\n$4\r\nXADD\r\n$8\r\nbookings\r\n$1\r\n*\r\n$1\r\nm\r\n$\(message.bytes.count)\r\n"
            return CallFormat(head: head, item: message, tail: "\r\n")
        }
    }

    var shape: ReplyShape { .redisString }

    func consumer() throws -> any PeerConsumer { try RedisConsumer(Socket(socket)) }
}

/// Reads through a consumer group and acknowledges.
private final class RedisConsumer: PeerConsumer {
    private let socket: Socket
    private var held: [String] = []

    init(_ socket: Socket) throws {
        self.socket = socket
        try socket.write("XGROUP CREATE bookings workers 0\r\n")
        let reply = try socket.line()
        guard reply == "+OK" else { throw Failure("Redis answered XGROUP with \(reply)") }
    }

    func next() throws -> [UnsafePointer<UInt8>] {
        let settled = held.count
        let acknowledgement = settled == 0 ? "" : "XACK bookings workers \(held.joined(separator: " "))\r\n"
        try socket.forget()
        try socket.write(acknowledgement + "XREADGROUP GROUP workers one COUNT 10 STREAMS bookings >\r\n")
        held.removeAll(keepingCapacity: true)
        if settled > 0, try socket.line() != ":\(settled)" {
            throw Failure("Redis didn't acknowledge all messages")
        }
        // One stream, of which name and entries come: each an id, and a list of name and message.
        guard try socket.line() == "*1" else { return [] }
        try expect("*2")
        _ = try string()
        let count = try number("*")
        return try (0..<count).map { _ in
            try expect("*2")
            held.append(String(decoding: try string(), as: UTF8.self))
            try expect("*2")
            _ = try string()
            guard let message = try string().baseAddress else { throw Failure("Redis sent an empty message") }
            return message
        }
    }

    private func string() throws -> UnsafeBufferPointer<UInt8> {
        let count = try number("$")
        return UnsafeBufferPointer(rebasing: try socket.read(count + 2).dropLast(2))
    }

    private func number(_ kind: Character) throws -> Int {
        let line = try socket.line()
        guard line.first == kind, let number = Int(line.dropFirst()) else {
            throw Failure("Redis sent \(line)")
        }
        return number
    }

    private func expect(_ text: String) throws {
        let line = try socket.line()
        guard line == text else { throw Failure("Redis sent \(line)") }
    }
}
