import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct CalendarVerbTests {
    private static let method = Method.streaming("GetAllBookingsPerApartment") {
        (
            parameters: BookingsInterface.ListPerApartment, _,
            replies: ReplyStream<BookingsInterface.BookingList>
        ) async throws(ErrorReply) in
        let items = SampleQuarter.bookings.filter {
            parameters.bookingStatus == nil || parameters.bookingStatus == $0.bookingStatus
        }
        await replies.send(.init(items: Array(items.prefix(5)), nextToken: "5"))
        return .init(items: Array(items.dropFirst(5)), nextToken: nil)
    }

    private static let arguments = ["calendar", "--apartment", "A-17", "--from", "2026-12"]

    private func calendar(
        _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        try await FakeDaemon.serving(BookingsInterface.description, [Self.method]) {
            try await Program.run(
                [Program.path] + Self.arguments + arguments + ["--socket", $0], environment: environment)
        }
    }

    @Test func `it shows what is not cancelled, in the characters of the locale`() async throws {
        let ascii = try await calendar()
        #expect(ascii.status == 0)
        #expect(ascii.errors.isEmpty)
        #expect(ascii.output.contains(" #alice#"))
        #expect(!ascii.output.contains("grace") && !ascii.output.contains("CANCELLED"))
        let unicode = try await calendar("--all", environment: ["LANG": "C.UTF-8"])
        #expect(unicode.output.contains(" █alice█"))
        #expect(unicode.output.contains("░grace░") && unicode.output.contains("CANCELLED"))
        let pending = try await calendar("--status", "pending")
        #expect(!pending.output.contains("alice") && pending.output.contains("carol"))
    }

    @Test(arguments: [true, false]) func `it fits a terminal of 80 columns`(hasColour: Bool) async throws {
        let shown = try await FakeDaemon.serving(BookingsInterface.description, [Self.method]) {
            try await Program.runOnTerminal(
                "calendar", "--apartment", "A-17", "--from", "2026-12", "--socket", $0,
                environment: ["LANG": "C.UTF-8", "NO_COLOR": hasColour ? "" : "1"])
        }
        #expect(shown.contains("\u{1b}[32m█alice█\u{1b}[0m") == hasColour)
        let plain = shown.replacing(/\u{1b}\[[0-9;]*m/, with: "")
        #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(plain.contains("December 2026      1                   2                   3\n"))
    }

    @Test func `with JSON it is the bookings in the order of their first days`() async throws {
        let outcome = try await calendar("--json", "--months", "1")
        let days = outcome.outputLines.compactMap { $0.firstMatch(of: /"startDate":"([^"]*)"/)?.1 }
        #expect(outcome.outputLines.count == 7)
        #expect(days.count == 7 && days == days.sorted())
        #expect(outcome.errors.isEmpty)
    }

    @Test func `an empty calendar says so beside the result, and not at all with JSON`() async throws {
        let outcome = try await calendar("--from", "2030-01")
        #expect(outcome.status == 0 && outcome.output.isEmpty)
        #expect(outcome.errors == "No bookings of apartment A-17 from 2030-01-01 to 2030-03-31.\n")
        let json = try await calendar("--from", "2030-01", "--json")
        #expect(json.output.isEmpty && json.errors.isEmpty)
    }

    @Test func `it begins with the present month`() async throws {
        let present = "\(Timestamp.now())".prefix(7)
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [Self.method]) {
            try await Program.run(
                "calendar", "--apartment", "A-17", "--svg", "-", "--months", "1", "--socket", $0)
        }
        #expect(outcome.output.contains("<title>A-17, \(present)-01 to \(present)-"))
    }

    @Test func `SVG goes to a file, or to standard output`() async throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/calendar.svg"
        let outcome = try await calendar("--svg", file)
        #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.errors.isEmpty)
        let piped = try await calendar("--svg", "-")
        #expect(try directory.read("calendar.svg") == piped.output)
        #expect(piped.output.hasPrefix("<svg ") && piped.output.hasSuffix("</svg>\n"))
    }

    @Test func `a file that can't be written is told of`() async throws {
        let outcome = try await calendar("--svg", "/nonexistent/calendar.svg")
        #expect(outcome.status == 74)
        #expect(outcome.errors.hasPrefix("acmsctl: /nonexistent/calendar.svg can't be written: "))
    }

    @Test(arguments: [
        ["--from", "2026-13"], ["--from", "soon"], ["--months", "0"], ["--months", "121"], ["--status", "x"],
        ["--from", "9999-12"], ["--all", "--status", "pending"], ["--svg", "-", "--json"],
    ])
    func `a wrong command line exits 64`(arguments: [String]) async throws {
        let outcome = try await Program.run([Program.path, "calendar", "--apartment", "A-17"] + arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
    }
}
