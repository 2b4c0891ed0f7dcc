import Bookings
import Glibc
import Support
import Testing
import Varlink

@Suite struct PoisonTests {
    private let good =
        #"{"input":{"userId":"U","apartmentId":"A","startDate":"2026-01-01","endDate":"2026-01-02"}}"#

    private func good(_ user: String) -> String { good.replacing("\"U\"", with: "\"\(user)\"") }

    @Test func eachKindOfPoisonIsSetAsideWithAReasonAndItsNeighboursAreCommitted() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let lines: [(bad: String, reason: String)] = [
            ("this is not JSON", "not JSON"),
            (#"{"input":{"userId":"u","#, "not JSON"),
            (#"{"v":77,"input":{}}"#, "unknown version 77"),
            (good.replacing("2026-01-01", with: "2026-02-30"), "startDate is not a calendar date"),
            (
                good.replacing(#""endDate":"2026-01-02""#, with: #""bookingStatus":"PENDING""#),
                "input.endDate is missing"
            ),
            (String(repeating: "x", count: 10 << 20), "at most 1048576 are allowed"),
        ]
        var file = ""
        for (number, line) in lines.enumerated() { file += good("with\(number)") + "\n" + line.bad + "\n" }
        try site.drop("mixed.jsonl", file.utf8)
        try site.drop("empty.jsonl", [])
        try site.drop("binary", [0x00, 0xff, 0xfe, 0x0a, 0x80])
        let spool = "\(site.directory.path)/spool"
        #expect(mkdir("\(spool)/incoming/directory", 0o755) == 0)
        try site.drop("zz-after.jsonl", (good("after") + "\n").utf8)

        try await eventually("all to be settled") {
            let (dead, committed) = (try await site.deadLetters().count, try await site.list().count)
            return dead == 10 && committed == lines.count + 1
        }
        try await site.drained()
        let letters = try await site.deadLetters()
        for (bad, reason) in lines {
            let letter = try #require(
                letters.first { $0.reason.contains(reason) && $0.bodySize == bad.utf8.count }, "\(reason)")
            #expect(letter.class == .poison)
            #expect(letter.attempts.count == 1)
            #expect(bad.hasPrefix(letter.body))
        }
        #expect(letters.contains { $0.reason == "The file is empty." })
        #expect(letters.contains { $0.reason.contains("is a directory") })
        #expect(letters.count { $0.bodyIsBase64 } == 2)
        #expect(worker.isRunning)
        #expect(try await site.attributes().deadLetteredTotal == 10)
        await front.stop()
        await worker.stop()
    }

    @Test func aFilePutInByHandTwiceIsBookedOnce() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        for _ in 0..<2 {
            try site.drop("by-hand", good("u").utf8)
            try await eventually("the file to be taken") {
                try site.directory.names(in: "spool/incoming").isEmpty
                    && site.directory.names(in: "spool/active").isEmpty
            }
        }
        #expect(
            try await site.list().map(\.id) == [BookingID.derived(fileName: "by-hand", line: 1).description])
        #expect(try await site.attributes().committedTotal == 1)
        #expect(try await site.deadLetters().isEmpty)
        await front.stop()
        await worker.stop()
    }

    @Test func theClaimOfAFilePutInByHandIsKnownToTheFrontAtOnce() async throws {
        let site = try Site()
        let front = try await site.startFront()
        try site.drop("by-hand", good("u").utf8)
        let error = try #require(try await refusal { try await site.book("u") })
        #expect(
            error.decode(BookingsInterface.PendingBookingExists.self)?.bookingId
                == BookingID.derived(fileName: "by-hand", line: 1).description)
        await front.stop()
    }

    @Test func aSecondPendingBookingThatCameByHandIsADeadLetter() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let id = try await site.book("u")
        try site.drop("zz", good("u").utf8)
        let worker = try await site.startWorker()
        try await eventually("the letter") { try await site.deadLetters().count == 1 }
        let letter = try #require(try await site.deadLetters().first)
        #expect(letter.reason.contains(id))
        #expect(try await site.list().map(\.id) == [id])
        await front.stop()
        await worker.stop()
    }
}
