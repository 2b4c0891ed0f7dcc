import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct ReachTests {
    private static let book = [
        "book", "--user", "alice", "--apartment", "A-17", "--from", "2026-12-01", "--to", "2026-12-05",
    ]

    @Test(arguments: [
        (["show", "X"], "acms-front.socket"), (["queue"], "acms-worker.socket"),
        (["approve", "X"], "acms-caretaker.socket"), (["metrics"], "acms-front.socket"),
    ]) func `where nothing listens, the exit status is 69 and the unit is named`(
        arguments: [String], unit: String
    ) async throws {
        let outcome = try await Program.run([Program.path] + arguments + ["--socket", "/nonexistent/socket"])
        #expect(outcome.status == 69)
        #expect(
            outcome.errors == """
                acmsctl: nothing can be reached at /nonexistent/socket: No such file or directory.
                See 'systemctl status \(unit)', or name another socket with --socket.

                """)
    }

    @Test func `a socket that nobody listens on any more is unreachable`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "socket")
        let outcome = try await Program.run("queue", "--socket", "\(directory.path)/socket")
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("Connection refused"))
    }

    @Test(arguments: [
        (["show", "X"], "acms-clients"), (["queue"], "acms-admins"), (["cancel", "X"], "acms-caretakers"),
    ]) func `without permission the group to join is named`(arguments: [String], group: String) async throws {
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, []) { socket in
            chmod(socket, 0)
            // Root without capabilities is subject to the mode like anybody else.
            let prefix = geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-all"] : []
            return try await Program.run(prefix + [Program.path] + arguments + ["--socket", socket])
        }
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("that takes the group \(group).\n"))
        #expect(outcome.errors.contains("sudo usermod -aG \(group) $USER"))
    }

    @Test func `an unreachable daemon is one object with JSON`() async throws {
        let outcome = try await Program.run("queue", "--json", "--socket", "/nonexistent/socket")
        #expect(outcome.status == 69)
        #expect(outcome.errors.hasPrefix(#"{"error":"acmsctl.Unreachable","parameters":{"errno":2,"#))
        #expect(outcome.errorLines.count == 1)
    }

    /// Runs acmsctl against a service that is gone once it has got the call.
    private func runWhileDaemonDies(_ arguments: [String]) async throws -> Program.Outcome {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/socket"
        let daemon = try DyingDaemon(path)
        async let death: Void = daemon.dieAfterFirstCall()
        let outcome = try await Program.run([Program.path] + arguments + ["--socket", path])
        await death
        return outcome
    }

    @Test func `a connection that breaks while booking says how to find out`() async throws {
        let outcome = try await runWhileDaemonDies(Self.book)
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("ended before the reply came.\nThe booking may have been accepted."))
        #expect(outcome.errors.contains("acms refuses and names its id."))
    }

    @Test func `with a key a repeat is said to book once`() async throws {
        let outcome = try await runWhileDaemonDies(Self.book + ["--key", "k"])
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("The booking may have been accepted."))
        #expect(outcome.errors.contains("the same --key"))
    }

    @Test func `a connection that breaks while approving says that it may have happened`() async throws {
        let outcome = try await runWhileDaemonDies(["approve", "X"])
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("may have been approved; see 'acmsctl show X'"))
    }

    @Test func `a list that breaks off exits 69`() async throws {
        let outcome = try await runWhileDaemonDies(["list", "--user", "alice"])
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("ended before the reply came."))
    }

    @Test(arguments: [
        ["show", "X"], ["list", "--user", "alice"], ["await", "X"], ["await", "X", "--follow"],
    ])
    func `a daemon that doesn't answer in time exits 69`(arguments: [String]) async throws {
        let methods = ["GetBooking", "GetAllBookingsPerUser", "AwaitBooking"].map { name in
            Method(name) { (_: JSONValue, _) async throws(ErrorReply) -> JSONValue in
                await silence()
                return .object([:])
            }
        }
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, methods) {
            try await Program.run([Program.path] + arguments + ["--timeout", "0.25", "--socket", $0])
        }
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("within 0.25 s."))
    }

    @Test func `the time of a list is that between two pages`() async throws {
        let method = Method.streaming("GetAllBookingsPerUser") {
            (_: JSONValue, _, replies: ReplyStream<BookingsInterface.BookingList>) async throws(ErrorReply) in
            for number in 0..<6 {
                try? await Task.sleep(for: .milliseconds(800))
                await replies.send(.init(items: [.sample(number)], nextToken: "more"))
            }
            return .init(items: [], nextToken: nil)
        }
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [method]) {
            try await Program.run("list", "--user", "alice", "--timeout", "3", "--socket", $0)
        }
        #expect(outcome.status == 0)
        #expect(outcome.outputLines.count == 7)
    }

    @Test func `a reply that is no Varlink exits 69`() async throws {
        let method = Method("GetBooking") { (_: JSONValue, _) async throws(ErrorReply) -> JSONValue in
            .object(["progress": .string("LOST")])
        }
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [method]) {
            try await Program.run("show", "X", "--socket", $0)
        }
        #expect(outcome.status == 69)
        #expect(outcome.errors.contains("is of no use"))
    }
}

/// Accepts one connection, reads the beginning of a call and closes everything.
private struct DyingDaemon {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isListening = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isListening, listen(descriptor, 1) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func dieAfterFirstCall() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let connection = accept(descriptor, nil, nil)
                var byte: UInt8 = 0
                _ = read(connection, &byte, 1)
                close(connection)
                close(descriptor)
                continuation.resume()
            }
        }
    }
}
