import Bookings
import Support
import Testing
import Varlink

@testable import Verbs

@Suite struct ImportTroubleTests {
    private static let text = ["alice", "bob", "carol"].map { CreateBookingInput.sample($0).line }.joined()
        .utf8

    @Test func `a full queue is waited for, and is no refusal`() async throws {
        let front = FakeFront { call, input in
            call == 1 && input.userId != "alice" ? .full : .accepting(input)
        }
        let (outcome, directory) = try await front.importing(Self.text)
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("accepted:  3\nrefused:   0\n"))
        #expect(outcome.errors == "The queue is full; 2 lines are sent again in 1 s.\n")
        #expect(front.asked.map { $0.map(\.userId) } == [["alice", "bob", "carol"], ["bob", "carol"]])
        #expect(try directory.names() == ["bookings.jsonl"])
    }

    @Test func `lines after those that found no room are booked once`() async throws {
        let front = FakeFront { call, input in
            (2...3).contains(call) && input.userId.hasSuffix("7") ? .full : .accepting(input)
        }
        let users = (0..<4000).map { "u\($0)" }
        let text = users.map { CreateBookingInput.sample($0).line }.joined()
        let (outcome, _) = try await front.importing(text.utf8, as: "b.jsonl", "--json")
        #expect(outcome.status == 0)
        #expect(outcome.outputLines.count == 4000)
        #expect(Set(outcome.outputLines).count == 4000)
        #expect(front.inputs.count == 4100)
        #expect(Set(front.inputs.map(\.userId)).count == 4000)
    }

    @Test func `storage that comes back is no refusal either`() async throws {
        let front = FakeFront { call, input in call == 1 ? .unavailable : .accepting(input) }
        let (outcome, _) = try await front.importing(Self.text)
        #expect(outcome.status == 0)
        #expect(outcome.errors == "The storage is unavailable; 3 lines are sent again in 0.5 s.\n")
    }

    @Test func `storage that stays away stops it, and it says how to go on`() async throws {
        let front = FakeFront { _, input in input.userId == "alice" ? .invalid : .unavailable }
        let (outcome, directory) = try await front.importing(Self.text)
        #expect(outcome.status == 69)
        #expect(front.asked.count == 5)
        #expect(outcome.output.isEmpty)
        #expect(
            outcome.errors.hasSuffix(
                """
                acmsctl: the storage is unavailable: no disk.
                Run the same command again: it goes on from here, and no line is booked twice.

                """))
        // What is known of refused lines is kept.
        #expect(try directory.read("bookings.jsonl.refused.jsonl").hasPrefix(#"{"line":1,"#))
    }

    @Test func `a call that is refused as a whole ends it`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(CreateBookingInput.sample("alice").line, to: "b.jsonl")
        let denied = ServiceError.PermissionDenied(reason: "not you")
        let outcome = try await FakeDaemon.refusing(
            BookingsInterface.description, "CreateApartmentBookings", denied
        ) { try await Program.run("import", "\(directory.path)/b.jsonl", "--socket", $0) }
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == "acmsctl: acms denies this to you: not you.\nAsk the administrator of acms.\n")
    }

    @Test func `a call that is refused for want of room is sent again as a whole`() async throws {
        let front = FakeFront()
        let refusedOnce = Method("CreateApartmentBookings") {
            (parameters: BookingsInterface.CreateMany, _) throws(ErrorReply) -> BookingsInterface.CreatedMany
            in
            if front.note(parameters.inputs) == 1 {
                throw ErrorReply(BookingsInterface.QueueFull(reason: "no room", retryAfterSeconds: 1))
            }
            return .init(results: parameters.inputs.map { .accepting($0) })
        }
        let directory = try TemporaryDirectory()
        try directory.write(String(Self.text), to: "b.jsonl")
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, [refusedOnce]) {
            try await Program.run("import", "\(directory.path)/b.jsonl", "--socket", $0)
        }
        #expect(outcome.status == 0)
        #expect(front.asked.count == 2)
    }
}

@Suite struct ImportProgressTests {
    private static let half = ImportProgress(
        accepted: 46_990, refused: 10, fraction: 0.47, elapsed: .milliseconds(500))

    @Test func `a bar fills the terminal, and gives way to the numbers`() {
        let numbers = "47 %  47000 lines  94000/s  0 s left  10 refused"
        #expect(Self.half.bar(width: 79) == "[############---------------]  " + numbers)
        #expect(Self.half.bar(width: 300).hasPrefix("[" + String(repeating: "#", count: 18) + "-"))
        #expect(Self.half.bar(width: 60) == numbers)
        #expect(Self.half.bar(width: 20) == "47 %  47000 lines  …")
        #expect(Self.half.text == "47 %, 47000 lines, 94000/s, 0 s left, 10 refused.")
    }

    @Test func `what isn't known is left out`() {
        let unknown = ImportProgress(accepted: 1, refused: 0, fraction: nil, elapsed: .seconds(2))
        #expect(unknown.bar(width: 79) == "1 lines  0/s  0 refused")
        let early = ImportProgress(accepted: 0, refused: 0, fraction: 0.001, elapsed: .zero)
        #expect(early.text == "0 %, 0 lines, 0/s, 0 refused.")
    }
}

@Suite struct ImportManyRefusalsTests {
    @Test(arguments: [20, 21]) func `people are shown the first twenty refusals`(count: Int) async throws {
        let front = FakeFront { _, _ in .invalid }
        let text = (0..<count).map { CreateBookingInput.sample("u\($0)").line }.joined()
        let (outcome, directory) = try await front.importing(text.utf8, as: "b.jsonl")
        let more = count > 20 ? ["Further refused lines are only in b.jsonl.refused.jsonl."] : []
        #expect(outcome.errorLines.dropFirst(20).map(String.init) == more)
        #expect(try directory.read("b.jsonl.refused.jsonl").split(separator: "\n").count == count)
    }
}
