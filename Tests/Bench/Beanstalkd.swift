import Foundation

/// A beanstalkd tube.
final class Beanstalkd: Peer {
    static let name = "beanstalkd"
    static let program = "/usr/bin/beanstalkd"
    let process: ServerProcess
    let socket: String

    init(_ room: Room, slowSyncs: Int) throws {
        let directory = try room.makeDirectory("beanstalkd")
        socket = "\(directory)/socket"
        process = try ServerProcess(
            [Self.program, "-b", directory, "-f0", "-l", "unix:\(socket)"],
            environment: try room.slowSyncs(slowSyncs), log: "\(room.logs)/beanstalkd.log")
        try wait(for: "beanstalkd", seconds: 60) {
            try process.checkThatItRuns()
            return try? Socket(socket)
        }
    }

    var format: CallFormat {
        get throws {
            let message = try BookingTemplate(AcmsCalls.message)
            return CallFormat(head: "put 0 0 3600 \(message.bytes.count)\r\n", item: message, tail: "\r\n")
        }
    }

    var shape: ReplyShape { .beanstalkd }

    func consumer() throws -> any PeerConsumer { try BeanstalkdConsumer(Socket(socket)) }
}

/// Reserves ten jobs, and deletes them.
private final class BeanstalkdConsumer: PeerConsumer {
    private let socket: Socket
    private var held: [String] = []

    init(_ socket: Socket) {
        self.socket = socket
    }

    func next() throws -> [UnsafePointer<UInt8>] {
        let deletions = held.map { "delete \($0)\r\n" }.joined()
        try socket.forget()
        try socket.write(deletions + String(repeating: "reserve-with-timeout 0\r\n", count: 10))
        for _ in held {
            let line = try socket.line()
            guard line == "DELETED" else { throw Failure("beanstalkd answered delete with \(line)") }
        }
        held.removeAll(keepingCapacity: true)
        return try (0..<10).compactMap { _ in
            let words = try socket.line().split(separator: " ")
            guard words.count == 3, words[0] == "RESERVED", let length = Int(words[2]) else {
                guard words == ["TIMED_OUT"] else { throw Failure("beanstalkd sent \(words)") }
                return nil
            }
            held.append(String(words[1]))
            return try socket.read(length + 2).baseAddress
        }
    }
}
