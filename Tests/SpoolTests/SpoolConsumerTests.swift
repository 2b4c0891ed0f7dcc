import Bookings
import Glibc
import Support
import SystemPackage
import Testing

@testable import Spool

@Suite struct SpoolConsumerTests {
    private let root: TemporaryDirectory
    private let files: RecordingFileSystem
    private let producer: SpoolProducer
    private let directory: SpoolDirectory
    private let now = Timestamp(milliseconds: 1_700_000_100_000)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        files = RecordingFileSystem(root: root.path)
        producer = SpoolProducer(directory)
        try producer.prepare()
    }

    private func consumer() throws -> SpoolConsumer {
        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: now)
        try consumer.scan()
        return consumer
    }

    private func ids(_ batch: [Received]) throws -> [BookingID] {
        try batch.map { try $0.content.get().id }
    }

    private func isEmpty(_ places: String...) throws -> Bool {
        try places.allSatisfy { try root.names(in: $0).isEmpty }
    }

    @Test func batchesRunAcrossFilesInOrderOfArrival() throws {
        let messages = try (0..<25).map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        try producer.enqueue(Array(messages[12..<25]))
        try producer.enqueue(Array(messages[0..<12]))
        var consumer = try consumer()
        var received: [BookingID] = []
        for expected in [10, 10, 5, 0] {
            let batch = try consumer.receive(upTo: 10, at: now)
            #expect(batch.count == expected)
            received += try ids(batch)
            try consumer.settle(batch.map { ($0.receipt, .committed) }, at: now)
        }
        #expect(received == messages.map(\.id))
        #expect(try isEmpty("incoming", "active", "deferred", "dead"))
    }

    @Test func aFileGoesOnlyAfterItsLastMessageIsSettled() throws {
        try producer.enqueue(try (0..<3).map { try message("u\($0)") })
        var consumer = try consumer()
        let first = try consumer.receive(upTo: 2, at: now)
        try consumer.settle(first.map { ($0.receipt, .committed) }, at: now)
        #expect(try root.names(in: "active").count == 1)
        let last = try consumer.receive(upTo: 2, at: now)
        #expect(try root.names(in: "active").count == 1)
        try consumer.settle(last.map { ($0.receipt, .committed) }, at: now)
        // The end of the file is seen when the next message is asked for.
        #expect(try consumer.receive(upTo: 2, at: now).isEmpty)
        #expect(try isEmpty("active"))
    }

    @Test func lettersAndDeferredMessagesAreDurableBeforeTheFileIsRemoved() throws {
        let group = [try message("u1"), try message("u2")]
        try producer.enqueue(group)
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        var later = group[1]
        later.notBefore = now.advanced(by: .seconds(5))
        files.forget()
        try consumer.settle(
            [
                (batch[0].receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)),
                (batch[1].receipt, .deferred(later)),
            ], at: now)
        let calls = files.calls
        let removal = try #require(calls.firstIndex { $0.hasPrefix("remove active/") })
        for sync in ["sync dead", "sync deferred"] {
            #expect(try #require(calls.firstIndex(of: sync)) < removal)
        }
        #expect(
            calls.firstIndex { $0.hasPrefix("rename dead/.") } ?? .max < calls.firstIndex(of: "sync dead")
                ?? 0)
        #expect(
            calls.firstIndex { $0.hasPrefix("write deferred/.") } ?? .max < calls.firstIndex {
                $0.hasPrefix("rename deferred/.")
            } ?? 0)
    }

    @Test(arguments: ["dead", "deferred"])
    func aSettlementThatFailsSettlesNothingAndCanBeRepeated(place: String) throws {
        let group = [try message("u1"), try message("u2")]
        try producer.enqueue(group)
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        var later = group[1]
        later.notBefore = now
        let settlements: [(Receipt, Settlement)] = [
            (batch[0].receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)),
            (batch[1].receipt, .deferred(later)),
        ]
        files.fail("sync \(place)", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try consumer.settle(settlements, at: now) }
        #expect(try root.names(in: "active").count == 1)
        try consumer.settle(settlements, at: now)
        #expect(try isEmpty("active"))
        #expect(try root.names(in: "dead").count == 1)
        #expect(try root.names(in: "deferred").count == 1)
    }

    @Test func oddEntriesAreSetAsideWholeAndTheirNeighboursReceived() throws {
        let good = try message("good")
        try producer.enqueue([good])
        try root.write("", to: "incoming/empty")
        try root.write(" \n\n", to: "incoming/blank")
        let big = String(repeating: "x", count: 3 << 20)
        try root.write(big, to: "incoming/big")
        #expect(mkdir("\(root.path)/incoming/directory", 0o755) == 0)
        #expect(symlink("/etc/passwd", "\(root.path)/incoming/link") == 0)
        #expect(mkfifo("\(root.path)/incoming/pipe", 0o600) == 0)
        try root.write("secret", to: "incoming/unreadable")
        files.fail("open active/unreadable", with: .permissionDenied)
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        #expect(batch.count == 8)
        try consumer.settle(
            batch.map { received in
                switch received.content {
                case .success: (received.receipt, .committed)
                case .failure(let poison):
                    (received.receipt, .dead(.poison, reason: poison.reason, attempts: [], receiveCount: 1))
                }
            }, at: now)
        #expect(try consumer.receive(upTo: 10, at: now).isEmpty)
        #expect(try isEmpty("incoming", "active"))
        let letters = try DeadLetterStore(directory).list(matching: nil, limit: 100, after: nil).items
        #expect(letters.count == 7)
        func letter(_ name: String) throws -> DeadLetter {
            try #require(
                letters.first {
                    $0.id == BookingID.derived(fileName: name, line: name == "big" ? 1 : 0).description
                })
        }
        #expect(try letter("empty").reason == "The file is empty.")
        #expect(try letter("blank").reason == "The file is empty.")
        #expect(try letter("directory").reason.contains("is a directory"))
        #expect(try letter("link").reason.contains("a link, pipe, socket or device"))
        #expect(try letter("unreadable").reason.contains("Permission denied"))
        let bigLetter = try letter("big")
        #expect(bigLetter.reason.contains("3145728 bytes"))
        #expect(bigLetter.bodyIsTruncated == true)
        let bigID = try #require(BookingID(bigLetter.id))
        #expect(try DeadLetterStore(directory).letter(bigID, bodyBytes: 8 << 20)?.body == big)
    }

    @Test func aLetterKeepsTheOriginalBytes() throws {
        let line: [UInt8] = [0xff, 0x00, 0x7b, 0x0d]
        let path = "\(root.path)/incoming/binary"
        try LocalFileSystem().write([.bytes(line + [0x0a] + line)], to: path, mode: 0o600)
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        #expect(batch.count == 2)
        try consumer.settle(
            batch.map { ($0.receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)) }, at: now)
        for number in 1...2 {
            let id = BookingID.derived(fileName: "binary", line: number)
            let letter = try #require(try DeadLetterStore(directory).letter(id, bodyBytes: 100))
            #expect(letter.bodyIsBase64)
            #expect(letter.body == "/wB7DQ==")
            #expect(letter.bodySize == 4)
        }
    }

    @Test func aDeferredMessageComesWhenItIsDueAndNotBefore() throws {
        let original = try message("u")
        try producer.enqueue([original])
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        var later = original
        later.receiveCount = 1
        later.notBefore = now.advanced(by: .seconds(2))
        later.attempts = [Attempt(on: now, class: Attempt.failed, reason: "r")]
        try consumer.settle([(batch[0].receipt, .deferred(later))], at: now)
        #expect(consumer.nextDue == later.notBefore)
        #expect(try consumer.receive(upTo: 10, at: now.advanced(by: .milliseconds(1999))).isEmpty)
        var restarted = try self.consumer()
        let again = try restarted.receive(upTo: 10, at: now.advanced(by: .seconds(2)))
        #expect(try again.map { try $0.content.get() } == [later])
    }

    @Test func deferredMessagesLeaveHalfOfABatchToNewOnes() throws {
        for number in 0..<20 {
            var old = try message("old\(number)", at: 1_600_000_000_000 + Int64(number))
            old.notBefore = now
            try LocalFileSystem().write(
                [.bytes(try MessageLine.encode(old))], to: directory.path(.deferred, "\(old.id).1.jsonl"),
                mode: 0o600)
        }
        try producer.enqueue(try (0..<20).map { try message("new\($0)", at: 1_700_000_000_000 + Int64($0)) })
        var consumer = try consumer()
        let users = try consumer.receive(upTo: 10, at: now).map { try $0.content.get().request.userID }
        #expect(users.count { $0.hasPrefix("old") } == 5)
        #expect(users.count { $0.hasPrefix("new") } == 5)
    }

    @Test func aCopyOfAMessageThatIsDeadIsDroppedAndAnotherOneWithItsIDIsPoison() throws {
        let original = try message("u")
        try producer.enqueue([original])
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        try consumer.settle(
            [(batch[0].receipt, .dead(.exhausted, reason: "r", attempts: [], receiveCount: 10))], at: now)
        try producer.enqueue([original])
        let other = try message("other")
        let impostor = Message(
            id: original.id, acceptedOn: now, peer: nil, request: other.request)
        try LocalFileSystem().write(
            [.bytes(try MessageLine.encode(impostor))], to: directory.path(.incoming, "zz"), mode: 0o600)
        try consumer.scan()
        let second = try consumer.receive(upTo: 10, at: now)
        #expect(second.count == 1)
        #expect(throws: Poison.self) { try second[0].content.get() }
        #expect(consumer.takeNotices() == [.duplicate(original.id, progress: .deadLettered)])
    }

    @Test func whatIsGivenBackIsUnchargedAndComesAgain() throws {
        let messages = try (0..<3).map { try message("u\($0)") }
        try producer.enqueue(messages)
        var consumer = try consumer()
        _ = try consumer.receive(upTo: 2, at: now)
        try consumer.release()
        #expect(try isEmpty("active"))
        #expect(try consumer.receive(upTo: 10, at: now).map { try $0.content.get() } == messages)
    }

    @Test func countsComeFromNamesAndFromFilesPutInByHand() throws {
        try producer.enqueue(try (0..<5).map { try message("u\($0)") })
        try root.write("{}\n\n{}\n{}", to: "incoming/hand")
        var consumer = try consumer()
        #expect(try consumer.counts().incoming == 8)
        _ = try consumer.receive(upTo: 2, at: now)
        let counts = try consumer.counts()
        #expect(counts.active == 5)
        #expect(counts.incoming == 3)
        #expect(counts.oldest == Timestamp(milliseconds: 1_700_000_000_000))
        // One of the three is received, and two are still to be read.
        while try consumer.counts().incoming > 0 { _ = try consumer.receive(upTo: 1, at: now) }
        #expect(try consumer.counts().active == 8)
    }

    @Test func aMessageWhoseIDAPieceOfPoisonNamesIsNotDropped() throws {
        let good = try message("u")
        let damaged = String(decoding: try MessageLine.encode(good), as: UTF8.self).replacing(
            "2026-01-03", with: "2026-01-04")
        try root.write(damaged, to: "incoming/0")
        var consumer = try consumer()
        let first = try consumer.receive(upTo: 10, at: now)
        try consumer.settle(
            first.map { ($0.receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)) }, at: now)
        #expect(try DeadLetterStore(directory).ids() == [good.id])
        try producer.enqueue([good])
        try consumer.scan()
        #expect(try consumer.receive(upTo: 10, at: now).map { try $0.content.get() } == [good])
    }

    @Test func aMessageWhoseLetterWasDeletedIsNotDropped() throws {
        let good = try message("u")
        try producer.enqueue([good])
        var consumer = try consumer()
        let first = try consumer.receive(upTo: 10, at: now)
        try consumer.settle(
            first.map { ($0.receipt, .dead(.exhausted, reason: "r", attempts: [], receiveCount: 1)) }, at: now
        )
        try LocalFileSystem().remove(directory.path(.dead, "\(good.id).letter"))
        try producer.enqueue([good])
        try consumer.scan()
        #expect(try consumer.receive(upTo: 10, at: now).map { try $0.content.get() } == [good])
    }

    @Test func theLastLineOfAFullBatchCanBeDeferredAndComesAgain() throws {
        let messages = try (0..<10).map { try message("u\($0)", at: 1_700_000_000_000 + Int64($0)) }
        for message in messages { try producer.enqueue([message]) }
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        var later = messages[9]
        later.receiveCount = 1
        later.notBefore = now
        try consumer.settle(
            batch.dropLast().map { ($0.receipt, .committed) } + [(batch[9].receipt, .deferred(later))],
            at: now)
        #expect(try consumer.receive(upTo: 10, at: now).map { try $0.content.get() } == [later])
    }

    @Test(arguments: ["sync deferred", "sync dead"])
    func aWholeFileIsSetAsideOnceThoughTheSettlementIsRepeated(fault: String) throws {
        let good = try message("u")
        try root.write("", to: "incoming/0-empty")
        try producer.enqueue([good])
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        var later = good
        later.notBefore = now.advanced(by: .seconds(9))
        let settlements: [(Receipt, Settlement)] = [
            (batch[0].receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)),
            (batch[1].receipt, .deferred(later)),
        ]
        files.fail(fault, with: .noSpace)
        #expect(throws: QueueUnavailable.self) { try consumer.settle(settlements, at: now) }
        try consumer.settle(settlements, at: now)
        #expect(try root.names(in: "dead").count == 2)
        #expect(try isEmpty("active"))
    }

    @Test func whatCanNotBeGivenBackIsGivenBackLater() throws {
        let good = try message("u")
        try producer.enqueue([good])
        var consumer = try consumer()
        _ = try consumer.receive(upTo: 10, at: now)
        files.fail("rename active/\(good.id).1.jsonl incoming/\(good.id).1.jsonl", with: .ioError)
        #expect(throws: QueueUnavailable.self) { try consumer.release() }
        try consumer.release()
        #expect(try consumer.receive(upTo: 10, at: now).map { try $0.content.get() } == [good])
    }

    @Test func oddNamesAndTimesAreDealtWith() throws {
        let line = #"{"receiveCount":9223372036854775807,"input":{}}"#
        try root.write(line, to: "incoming/count")
        let odd = Array("\(root.path)/incoming/".utf8) + Array(repeating: 0xff, count: 200) + [0]
        #expect(rename("\(root.path)/incoming/count", odd.map { CChar(bitPattern: $0) }) == 0)
        var consumer = try consumer()
        let batch = try consumer.receive(upTo: 10, at: now)
        guard case .failure(let poison) = try #require(batch.first).content else {
            Issue.record("not poison")
            return
        }
        #expect(poison.receiveCount == 1_000_000)
        try consumer.settle(
            batch.map { ($0.receipt, .dead(.poison, reason: "r", attempts: [], receiveCount: 1)) }, at: now)
        #expect(try consumer.receive(upTo: 10, at: now).isEmpty)
        #expect(try isEmpty("incoming", "active"))
    }
}
