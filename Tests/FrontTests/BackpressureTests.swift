import Bookings
import Testing
import Varlink

@testable import Front
@testable import Spool

@Suite struct BackpressureTests {
    private func room(_ messages: Int = 0, _ bytes: Int = 0, free: Int = .max) -> QueueRoom {
        var limits = Settings.Spool()
        (limits.maxMessages, limits.maxBytes, limits.minFreeBytes) = (3, 1000, 500)
        return QueueRoom(limits: limits, messages: messages, bytes: bytes, freeBytes: free)
    }

    @Test func asManyFitAsTheLimitAllows() {
        var room = room(1)
        #expect(room.take(1) == nil)
        #expect(room.take(1) == nil)
        let reason = room.take(1)
        #expect(reason?.contains("3 messages wait, and spool.max-messages is 3") == true)
    }

    @Test func asManyBytesFitAsTheLimitAllows() {
        var room = room(0, 400)
        #expect(room.take(601)?.contains("spool.max-bytes is 1000") == true)
        #expect(room.take(600) == nil)
        #expect(room.take(1) != nil)
    }

    @Test func soMuchOfTheDiskIsLeftFree() {
        var room = room(free: 600)
        #expect(room.take(101)?.contains("spool.min-free-bytes is 500") == true)
        #expect(room.take(100) == nil)
        #expect(room.take(1) != nil)
    }

    @Test(arguments: [(0, 1), (900, 1), (2000, 2), (59_999, 59), (3_600_000, 60)])
    func callersAreToldToWaitAsLongAsItHasBeenFull(milliseconds: Int64, seconds: Int) {
        var pressure = Backpressure()
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        pressure.refused(at: start, size: 100)
        let now = start.advanced(by: .milliseconds(milliseconds))
        pressure.refused(at: now, size: 100)
        #expect(pressure.retryAfterSeconds(at: now) == seconds)
        pressure.hasRoom()
        pressure.refused(at: now, size: 100)
        #expect(pressure.retryAfterSeconds(at: now) == 1)
    }

    @Test func theQueueIsFullUntilWhatWasRefusedLastWouldFit() {
        var pressure = Backpressure()
        #expect(!pressure.isOver(room()), "it was not full")
        pressure.refused(at: .now(), size: 300)
        #expect(!pressure.isOver(room(0, 701)), "a smaller message would fit, and this one doesn't")
        #expect(!pressure.isOver(room(3, 0)))
        #expect(!pressure.isOver(room(free: 799)))
        #expect(pressure.isOver(room(2, 700, free: 800)))
        pressure.hasRoom()
        #expect(!pressure.isOver(room()))
    }

    @Test func noLineIsLongerThanItsBound() throws {
        let letters = ["a", "\"", "\\", "/", "\u{2028}", "ü", "漢", "😀", "&", "<"]
        for letter in letters {
            let text = String(repeating: letter, count: 256 / letter.utf8.count)
            let request = try BookingRequest(
                .init(
                    userId: text, apartmentId: text, startDate: "2026-01-01", endDate: "2026-01-02",
                    idempotencyKey: text))
            let message = Message(
                id: .derived(fileName: "f", line: 1), acceptedOn: .now(),
                peer: .init(uid: .max, gid: .max, pid: .min), request: request)
            #expect(
                try MessageLine.encode(message).count <= MessageLine.maximumBytes(of: request), "\(letter)")
        }
    }
}
