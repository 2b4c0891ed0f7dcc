import Bookings
import Foundation
import Testing
import Varlink

@Suite struct TerminalTests {
    private static let user = String(repeating: "u", count: 200)

    private static let list = Method("GetAllBookingsPerApartment") {
        (_: BookingsInterface.ListPerApartment, _) throws(ErrorReply) in
        BookingsInterface.BookingList(
            items: [.sample(user: user), .sample(status: .approved)], nextToken: nil)
    }

    @Test func `a table fills 80 columns and no more`() async throws {
        let shown = try await FakeDaemon.serving(BookingsInterface.description, [Self.list]) {
            try await Program.runOnTerminal(
                "list", "--apartment", "A-17", "--socket", $0, environment: ["NO_COLOR": "1"])
        }
        #expect(
            shown == """
                ID                                    USER     FROM        TO          STATUS
                01932b1c-7a5e-7d11-9c55-000000000000  uuuuuu…  2026-12-01  2026-12-05  PENDING
                01932b1c-7a5e-7d11-9c55-000000000000  alice    2026-12-01  2026-12-05  APPROVED

                """)
    }

    @Test func `colour is for terminals only, and NO_COLOR turns it off`() async throws {
        try await FakeDaemon.serving(BookingsInterface.description, [Self.list]) { socket in
            let shown = try await Program.runOnTerminal("list", "--apartment", "A-17", "--socket", socket)
            #expect(shown.contains("\u{1b}[33mPENDING\u{1b}[0m"))
            #expect(shown.contains("\u{1b}[32mAPPROVED\u{1b}[0m"))
            let plain = try await Program.runOnTerminal(
                "list", "--apartment", "A-17", "--socket", socket, environment: ["NO_COLOR": "1"])
            #expect(!plain.contains("\u{1b}"))
            let json = try await Program.runOnTerminal(
                "list", "--apartment", "A-17", "--json", "--socket", socket)
            #expect(!json.contains("\u{1b}") && json.contains(Self.user))
            let piped = try await Program.run("list", "--apartment", "A-17", "--socket", socket)
            #expect(!piped.output.contains("\u{1b}") && piped.output.contains(Self.user))
        }
    }

    @Test(arguments: ["", "--json"]) func `head ends it quietly`(option: String) async throws {
        let endless = Method.streaming("GetAllBookingsPerUser") {
            (_: BookingsInterface.ListPerUser, _, replies: ReplyStream<BookingsInterface.BookingList>)
                async throws(ErrorReply) in
            let page = BookingsInterface.BookingList(items: (0..<500).map { .sample($0) }, nextToken: "more")
            while await replies.send(page) {}
            return page
        }
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [endless]) {
            try await Program.run([
                "/bin/bash", "-c",
                "'\(Program.path)' list --user alice \(option) --socket '\($0)' | head -n 1; echo ${PIPESTATUS[0]}",
            ])
        }
        #expect(outcome.errors.isEmpty)
        #expect(outcome.outputLines.count == 2)
        #expect(outcome.outputLines.last == "141")
    }

    @Test func `output that can't be written is told of`() async throws {
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [Self.list]) {
            try await Program.run([
                "/bin/sh", "-c", "'\(Program.path)' list --apartment A-17 --socket '\($0)' > /dev/full",
            ])
        }
        #expect(outcome.status == 74)
        #expect(outcome.errors.contains("No space left on device"))
    }

    @Test func `an interrupt ends await as a shell expects`() async throws {
        let (calls, continuation) = AsyncStream.makeStream(of: Void.self)
        let method = Method("AwaitBooking") { (_: JSONValue, _) async throws(ErrorReply) -> JSONValue in
            continuation.yield()
            continuation.finish()
            await silence()
            return .object([:])
        }
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [method]) {
            try await Program.run([Program.path, "await", "X", "--socket", $0], interruptedBy: calls)
        }
        // A shell reports the end by SIGINT as 130.
        #expect(outcome.status == -SIGINT)
        #expect(outcome.errors.isEmpty)
    }
}
