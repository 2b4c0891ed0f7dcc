import Bookings
import Glibc
import Support
import SystemPackage
import Testing

@testable import Spool

/// Redriving and deleting dead letters.
@Suite struct LetterTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let producer: SpoolProducer
    private let now = Timestamp(milliseconds: 1_700_000_100_000)
    private let name = BookingID.derived(fileName: "redriven", line: 0)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        producer = SpoolProducer(directory)
        try producer.prepare()
    }

    private func started(_ files: any FileSystem = LocalFileSystem()) throws -> SpoolConsumer {
        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: now)
        try consumer.scan()
        return consumer
    }

    private let dead = Settlement.dead(
        .exhausted, reason: "why",
        attempts: [.init(on: .init(milliseconds: 5), class: "FAILED", reason: "no")],
        receiveCount: 1)

    /// Makes letters of the messages that `isBad` names, and commits the others.
    private func letters(
        _ messages: [Message], in consumer: inout SpoolConsumer, isBad: (Message) -> Bool = { _ in true }
    ) throws {
        while true {
            let batch = try consumer.receive(upTo: 10, at: now)
            if batch.isEmpty { return }
            let settlements = try batch.map {
                ($0.receipt, isBad(try $0.content.get()) ? dead : Settlement.committed)
            }
            try consumer.settle(settlements, at: now)
        }
    }

    private func rest(_ consumer: inout SpoolConsumer) throws -> [Message] {
        var messages: [Message] = []
        try consumer.scan()
        while true {
            let batch = try consumer.receive(upTo: 10, at: now)
            if batch.isEmpty { return messages }
            messages += try batch.map { try $0.content.get() }
            try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
        }
    }

    private func redrivable(_ message: Message, _ consumer: SpoolConsumer) throws -> Message {
        try consumer.redrivable(message.id, matching: nil, replacing: nil)
    }

    @Test func aRedrivenMessageHasItsIdItsHistoryAndAFreshCount() throws {
        let messages = try (0..<3).map { try message("u\($0)") }
        try producer.enqueue(messages)
        var consumer = try started()
        try letters(messages, in: &consumer)
        let redriven = try messages.map { try redrivable($0, consumer) }
        try consumer.redrive(redriven, as: name)
        #expect(try root.names(in: "dead").isEmpty)
        let received = try rest(&consumer)
        #expect(received.map(\.id) == messages.map(\.id))
        for (old, new) in zip(messages, received) {
            #expect(new.request == old.request)
            #expect(new.acceptedOn == old.acceptedOn)
            #expect(new.peer == old.peer)
            #expect(new.receiveCount == 0)
            #expect(new.redriveCount == 1)
            #expect(new.attempts == [.init(on: .init(milliseconds: 5), class: "FAILED", reason: "no")])
        }
    }

    @Test func theLetterStaysUntilItsMessageIsDurable() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        let files = RecordingFileSystem(root: root.path)
        var consumer = try started(files)
        try letters([bad], in: &consumer)
        let redriven = try redrivable(bad, consumer)
        files.forget()
        try consumer.redrive([redriven], as: name)
        let file = "\(name).redriven.jsonl"
        #expect(
            files.calls == [
                // What the letter stood against must not come back from a power cut.
                "sync incoming", "sync active", "sync deferred",
                "write dead/.\(file)", "rename dead/.\(file) incoming/\(file)", "sync incoming",
                "remove dead/\(bad.id).letter", "sync dead",
            ])
    }

    @Test func whatALetterStoodAgainstIsDurablyGoneBeforeTheLetterIsDeleted() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        let files = RecordingFileSystem(root: root.path)
        var consumer = try started(files)
        try letters([bad], in: &consumer)
        files.forget()
        #expect(try consumer.delete([bad.id]).isEmpty)
        let removal = try #require(files.calls.firstIndex(of: "remove dead/\(bad.id).letter"))
        for place in ["incoming", "active", "deferred"] {
            #expect(files.calls[..<removal].contains("sync \(place)"))
        }
        #expect(files.calls.last == "sync dead")
    }

    @Test(arguments: ["write dead/.FILE", "rename dead/.FILE incoming/FILE", "sync incoming"])
    func aRedriveThatFailsLeavesTheLetterAndNothingElse(step: String) throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        let files = RecordingFileSystem(root: root.path)
        var consumer = try started(files)
        try letters([bad], in: &consumer)
        files.fail(step.replacing("FILE", with: "\(name).redriven.jsonl"), with: .ioError)
        let redriven = try redrivable(bad, consumer)
        #expect(throws: QueueUnavailable.self) { try consumer.redrive([redriven], as: name) }
        #expect(try root.names(in: "dead") == ["\(bad.id).letter"])
        #expect(try root.names(in: "incoming").isEmpty)
        #expect(try rest(&consumer).isEmpty)
    }

    @Test func aCrashBetweenMessageAndLetterEndsTheRedriveNotTheMessage() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        let files = RecordingFileSystem(root: root.path)
        var consumer = try started(files)
        try letters([bad], in: &consumer)
        var redriven = try redrivable(bad, consumer)
        // Another apartment, so that the message is told from the letter by more than its count.
        redriven.request = try BookingRequest(
            .init(userId: "u", apartmentId: "B", startDate: "2026-01-01", endDate: "2026-01-03"))
        files.fail("remove dead/\(bad.id).letter", with: .ioError)
        try consumer.redrive([redriven], as: name)
        #expect(try root.names(in: "dead").count == 1)

        var next = try started()
        #expect(try rest(&next).map(\.request) == [redriven.request])
        #expect(try root.names(in: "dead").isEmpty)
    }

    @Test func aMessageInHandWhoseOldLetterIsStillThereIsChargedAndNotDropped() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        let files = RecordingFileSystem(root: root.path)
        var consumer = try started(files)
        try letters([bad], in: &consumer)
        let redriven = try redrivable(bad, consumer)
        files.fail("remove dead/\(bad.id).letter", with: .ioError)
        try consumer.redrive([redriven], as: name)
        let file = "\(name).redriven.jsonl"
        try LocalFileSystem().rename(
            directory.path(.incoming, file), to: directory.path(.active, file), replacing: false)

        var next = SpoolConsumer(directory)
        try next.start(at: now)
        let charged = try next.recover(
            upTo: 10, at: now, committed: { _ throws(TableUnavailable) in [] },
            charge: { message in
                var message = message
                message.receiveCount += 1
                return .deferred(message)
            })
        #expect(charged == [bad.id])
        let received = try rest(&next)
        #expect(received.map(\.id) == [bad.id])
        #expect(received.first?.receiveCount == 1)
        #expect(try root.names(in: "dead").isEmpty)
    }

    @Test(arguments: [false, true])
    func whatWasDeletedDoesNotComeBackFromTheFileItCameIn(isReplaced: Bool) throws {
        let messages = try (0..<30).map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        try producer.enqueue(messages)
        var consumer = try started()
        // The first ten are settled, one of them as a letter; the file still waits for the others.
        let first = try consumer.receive(upTo: 10, at: now)
        try consumer.settle(
            first.enumerated().map { ($1.receipt, $0 == 4 ? dead : .committed) }, at: now)
        try consumer.release()
        let bad = messages[4]
        if isReplaced {
            var redriven = try redrivable(bad, consumer)
            redriven.request = try BookingRequest(
                .init(userId: "other", apartmentId: "B", startDate: "2026-01-01", endDate: "2026-01-03"))
            try consumer.redrive([redriven], as: name)
        } else {
            #expect(try consumer.delete([bad.id]).isEmpty)
        }
        #expect(try root.names(in: "dead").allSatisfy { DeadLetterFile.deletedID(in: $0) != nil })

        var next = try started()
        let received = try rest(&next)
        let others = messages.filter { $0.id != bad.id }
        #expect(received.filter { $0.id != bad.id } == others, "their lines are as they were")
        #expect(received.filter { $0.id == bad.id }.map(\.request.userID) == (isReplaced ? ["other"] : []))
    }

    @Test func linesPutInByHandKeepTheirIdsWhenANeighbourIsForgotten() throws {
        let line =
            #"{"input":{"userId":"U","apartmentId":"A","startDate":"2026-01-01","endDate":"2026-01-02"}}"#
        let text = ["a", "b", "c"].map { line.replacing("U", with: $0) }.joined(separator: "\n")
        try root.write(text + "\n", to: "incoming/by-hand")
        var consumer = try started()
        let batch = try consumer.receive(upTo: 2, at: now)
        try consumer.settle([(batch[0].receipt, .committed), (batch[1].receipt, dead)], at: now)
        try consumer.release()
        let id = BookingID.derived(fileName: "by-hand", line: 2)
        #expect(try consumer.delete([id]).isEmpty)
        var next = try started()
        #expect(
            try rest(&next).map(\.id) == [1, 3].map { BookingID.derived(fileName: "by-hand", line: $0) })
    }

    @Test func aLineThatIsNoMessageIsForgottenWithItsLetterAndOnlyThen() throws {
        try root.write("nonsense\nmore nonsense\n", to: "incoming/odd")
        var consumer = try started()
        let batch = try consumer.receive(upTo: 1, at: now)
        try consumer.settle([(batch[0].receipt, dead)], at: now)
        try consumer.release()
        #expect(try consumer.delete([.derived(fileName: "odd", line: 1)]).isEmpty)
        #expect(try root.read("incoming/odd") == "        \nmore nonsense\n")
    }

    @Test func anotherBookingUnderTheSameIdIsNotForgotten() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        var consumer = try started()
        try letters([bad], in: &consumer)
        var other = bad
        other.request = try BookingRequest(
            .init(userId: "u", apartmentId: "B", startDate: "2026-01-01", endDate: "2026-01-03"))
        try root.write(
            String(decoding: try MessageLine.encode(other), as: UTF8.self), to: "incoming/by-hand")
        #expect(try consumer.delete([bad.id]).isEmpty)
        #expect(try rest(&consumer).map(\.request) == [other.request])
    }

    @Test(.enabled("giving a file away takes root") { geteuid() == 0 })
    func nobodyElseTakesALettersPlaceWithAFileOfTheirs() throws {
        let bad = try message("u")
        try producer.enqueue([bad])
        var consumer = try started()
        try letters([bad], in: &consumer)
        var forged = bad
        forged.redriveCount = 7
        let file = "\(name).redriven.jsonl"
        try root.write(
            String(decoding: try MessageLine.encode(forged), as: UTF8.self), to: "incoming/\(file)")
        #expect(chown("\(root.path)/incoming/\(file)", 65534, 65534) == 0)
        var next = try started()
        #expect(try rest(&next).isEmpty, "it is a copy of the letter's message")
        #expect(try root.names(in: "dead") == ["\(bad.id).letter"])
    }

    @Test func aLetterThatCameAsADirectoryIsDeletedWithAllItHolds() throws {
        let files = LocalFileSystem()
        try files.makeDirectory("\(root.path)/incoming/tree", mode: 0o755)
        try files.makeDirectory("\(root.path)/incoming/tree/inner", mode: 0o755)
        try root.write("x", to: "incoming/tree/inner/file")
        try root.write("keep", to: "outside")
        #expect(symlink("\(root.path)/outside", "\(root.path)/incoming/tree/link") == 0)
        var consumer = try started()
        let batch = try consumer.receive(upTo: 1, at: now)
        try consumer.settle([(batch[0].receipt, dead)], at: now)
        let letter = try #require(try DeadLetterStore(directory).ids().first)
        #expect(try consumer.delete([letter]).isEmpty)
        #expect(try root.names(in: "dead").isEmpty)
        #expect(try root.read("outside") == "keep")
    }

    @Test func aReplacedInputIsValidatedAndKeepsTheKeyOfItsUser() throws {
        let input = CreateBookingInput(
            userId: "u", apartmentId: "A", startDate: "2026-01-01", endDate: "2026-01-03", idempotencyKey: "k"
        )
        var bad = try message("u")
        bad.request = try BookingRequest(input)
        try producer.enqueue([bad])
        var consumer = try started()
        try letters([bad], in: &consumer)
        func replaced(_ change: (inout CreateBookingInput) -> Void) throws -> BookingRequest {
            var new = input
            new.idempotencyKey = nil
            change(&new)
            return try consumer.redrivable(bad.id, matching: nil, replacing: new).request
        }
        #expect(try replaced { $0.endDate = "2026-01-04" }.idempotencyKey == "k")
        #expect(try replaced { $0.idempotencyKey = "l" }.idempotencyKey == "l")
        #expect(try replaced { $0.userId = "v" }.idempotencyKey == nil)
        #expect(
            throws: RedriveObstacle.invalid(
                reason: "The booking is not valid: startDate is not a calendar date YYYY-MM-DD.")
        ) { try replaced { $0.startDate = "2026-02-30" } }
        #expect(throws: RedriveObstacle.notFound) {
            try consumer.redrivable(bad.id, matching: .init(class: .poison), replacing: nil)
        }
    }

    @Test(
        "A letter whose head says what no worker writes is damaged, and stops nobody",
        arguments: [
            (#""bodySize":"#, #""bodySize":-"#),
            (#""attempts":"#, #""redriveCount":9223372036854775807,"attempts":"#),
            (#""attempts":"#, #""redriveCount":-1,"attempts":"#),
        ])
    func impossible(_ right: String, _ wrong: String) throws {
        let message = try message("alice")
        try producer.enqueue([message])
        var consumer = try started()
        try letters([message], in: &consumer)
        let path = directory.path(.dead, DeadLetterFile.name(message.id))
        let file = try LocalFileSystem().open(path)
        let text = String(decoding: try file.read(at: 0, count: file.status.size), as: UTF8.self)
        #expect(text.contains(right))
        try LocalFileSystem().write(
            [.bytes(Array(text.replacing(right, with: wrong, maxReplacements: 1).utf8))], to: path,
            mode: 0o640)

        var seen = 0
        let reader = SpoolReader(directory)
        try reader.forEachMessage(in: .dead, DeadLetterFile.name(message.id)) { _ in
            seen += 1
            return true
        }
        #expect(seen == 0)
        let letter = try #require(try DeadLetterStore(directory).letter(message.id, bodyBytes: 100))
        #expect(letter.reason.contains("is damaged"))
        #expect(throws: RedriveObstacle.notFound) {
            try consumer.redrivable(message.id, matching: nil, replacing: nil)
        }
    }
}
