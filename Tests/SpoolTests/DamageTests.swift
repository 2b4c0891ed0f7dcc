import Bookings
import Support
import Testing

@testable import Spool

/// What a worker makes of entries that aren't what they should be.
@Suite struct DamageTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let now = Timestamp(milliseconds: 1_700_000_100_000)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        try directory.makeMissing(using: LocalFileSystem())
    }

    private func line(_ message: Message) throws -> String {
        String(decoding: try MessageLine.encode(message), as: UTF8.self)
    }

    private func letter(_ message: Message) throws -> String {
        let body = try line(message).dropLast()
        let letter = DeadLetterFile(
            id: message.id, class: .exhausted, reason: "why", deadOn: now, receiveCount: 10, attempts: [],
            fromFile: "f", fromLine: 1, bodySize: body.utf8.count)
        return String(decoding: try letter.header(for: [.bytes(Array(body.utf8))]), as: UTF8.self) + body
    }

    @Test func `a letter whose body is said to be longer than can be counted harms nobody`() throws {
        let id = BookingID.version7(at: now, random: (1, 2))
        for version in [1, 2] {
            let head = """
                {"v":\(version),"id":"\(id)","class":"POISON","reason":"r","deadOn":"\(now)","receiveCount":1,\
                "attempts":[],"fromFile":"f","fromLine":3,"bodySize":9223372036854775807}
                """
            try root.write("\(head)\nbody", to: "dead/\(DeadLetterFile.name(id))")
            #expect(try DeadLetterStore(directory).letter(id, bodyBytes: 100)?.id == id.description)
            let consumer = try started()
            #expect(throws: RedriveObstacle.self) {
                try consumer.redrivable(id, matching: nil, replacing: nil)
            }
        }
    }

    private func single(_ message: Message) -> String { SpoolFileName.make(first: message.id, count: 1) }

    private func started() throws -> SpoolConsumer {
        var consumer = SpoolConsumer(directory)
        try consumer.start(at: now)
        _ = try consumer.recover(
            upTo: 10, at: now, committed: { _ throws(TableUnavailable) in [] },
            charge: { .deferred($0) })
        try consumer.scan()
        return consumer
    }

    private func rest(_ consumer: inout SpoolConsumer, failing: Bool = false) throws -> [Result<
        Message, Poison
    >] {
        var found: [Result<Message, Poison>] = []
        while true {
            let batch = try consumer.receive(upTo: 10, at: now)
            if batch.isEmpty { return found }
            found += batch.map(\.content)
            try consumer.settle(
                batch.map { received in
                    guard failing, case .success(var message) = received.content else {
                        return (received.receipt, .committed)
                    }
                    message.notBefore = now.advanced(by: .seconds(60))
                    return (received.receipt, .deferred(message))
                }, at: now)
        }
    }

    @Test func deferredFilesThatWereSwappedLoseNoneOfTheTwoMessages() throws {
        let (first, second) = (try message("u1"), try message("u2"))
        try root.write(try line(first), to: "deferred/\(single(second))")
        try root.write(try line(second), to: "deferred/\(single(first))")
        var consumer = try started()
        // Both fail once more, and are written again.
        let ids = try rest(&consumer, failing: true).map { try $0.get().id }
        #expect(Set(ids) == [first.id, second.id])
        #expect(try root.read("deferred/\(single(first))").contains("\"u1\""))
        #expect(try root.read("deferred/\(single(second))").contains("\"u2\""))
    }

    @Test func aDeferredCopyUnderAnotherNameIsDropped() throws {
        let message = try message("u1")
        let name = SpoolFileName.make(first: BookingID.derived(fileName: "x", line: 1), count: 1)
        try root.write(try line(message), to: "deferred/\(single(message))")
        try root.write(try line(message), to: "deferred/\(name)")
        var consumer = try started()
        #expect(consumer.takeNotices().contains(.misplaced(name: name)))
        #expect(try rest(&consumer).allSatisfy { (try? $0.get().id) == message.id })
        #expect(try root.names(in: "deferred").isEmpty && root.names(in: "incoming").isEmpty)
    }

    @Test func lettersThatWereSwappedGiveNoBookingTheContentOfAnother() throws {
        let (first, second) = (try message("u1"), try message("u2"))
        try root.write(try letter(first), to: "dead/\(DeadLetterFile.name(second.id))")
        try root.write(try letter(second), to: "dead/\(DeadLetterFile.name(first.id))")
        let consumer = try started()
        for id in [first.id, second.id] {
            #expect(throws: RedriveObstacle.notFound) {
                try consumer.redrivable(id, matching: nil, replacing: nil)
            }
            let shown = try DeadLetterStore(directory).letter(id, bodyBytes: 100)
            #expect(shown?.reason.contains("is damaged") == true)
        }
    }

    @Test func aBitThatFlipsInALetterOfALineWithoutChecksumIsFound() throws {
        let message = try message("u1")
        let whole = try letter(message)
        // As a program writes lines by hand.
        let body =
            #"{"input":{"userId":"u1","apartmentId":"a","startDate":"2027-01-01","endDate":"2027-01-02"}}"#
        let fields = DeadLetterFile(
            id: message.id, class: .exhausted, reason: "why", deadOn: now, receiveCount: 10, attempts: [],
            fromFile: "f", fromLine: 1, bodySize: body.utf8.count)
        let byHand =
            String(decoding: try fields.header(for: [.bytes(Array(body.utf8))]), as: UTF8.self) + body
        let consumer = try started()
        let name = "dead/\(DeadLetterFile.name(message.id))"
        for text in [whole, byHand] {
            try root.write(text, to: name)
            _ = try consumer.redrivable(message.id, matching: nil, replacing: nil)
            for (old, new) in [("u1", "u3"), ("EXHAUSTED", "POISON"), ("2027-01-01", "2026-01-01")]
            where text.contains(old) {
                try root.write(text.replacing(old, with: new), to: name)
                #expect(throws: RedriveObstacle.self) {
                    try consumer.redrivable(message.id, matching: nil, replacing: nil)
                }
            }
        }
    }

    /// Its letter holds damaged bytes, so the good copy that a dead worker had in hand is the only one.
    @Test func aMessageInHandIsNotTakenForSettledBecauseALetterBearsItsID() throws {
        let message = try message("u1")
        let damaged = try line(message).replacing("\"u1\"", with: "\"u2\"")
        try root.write(damaged, to: "incoming/\(single(message))")
        var consumer = try started()
        let poison = try rest(&consumer)
        #expect(poison.count == 1 && (try? poison[0].get()) == nil)
        try root.write(
            try letter(message).replacing("\"u1\"", with: "\"u2\""),
            to: "dead/\(DeadLetterFile.name(message.id))")
        try root.write(try line(message), to: "active/\(single(message))")
        var next = try started()
        #expect(try rest(&next).map { try $0.get().request } == [message.request])
    }

    @Test func directoriesWithNamesOfUnfinishedFilesKeepNobodyFromStarting() throws {
        for place in ["tmp", "active", "deferred", "dead"] {
            try LocalFileSystem().makeDirectory(
                "\(root.path)/\(place)/.\(single(try message("u")))", mode: 0o750)
        }
        try SpoolProducer(directory).prepare()
        _ = try started()
    }

    @Test func aPauseWithAFlippedBitLastsUntilSomebodyEndsIt() throws {
        let consumer = try started()
        let until = now.advanced(by: .seconds(60))
        try consumer.setPause(QueuePause(until: until, since: now, uid: 1000))
        #expect(try consumer.pause()?.until == until)
        let text = try root.read("paused")
        try root.write(text.replacing("2023", with: "2022"), to: "paused")
        #expect(try consumer.pause() != nil && consumer.pause()?.until == nil)
        try root.write(
            #"{"since":"2023-11-14T22:15:00.000Z","until":"2023-11-14T22:16:00.000Z"}"#, to: "paused")
        #expect(try consumer.pause()?.until != nil)
    }
}
