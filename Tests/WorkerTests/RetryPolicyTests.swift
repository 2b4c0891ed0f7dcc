import Bookings
import Testing
import Varlink

@testable import Worker

@Suite struct RetryPolicyTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func policy(_ maximum: Int = 10) -> RetryPolicy {
        var settings = Settings.Worker()
        settings.maxReceiveCount = maximum
        return RetryPolicy(settings)
    }

    private func fresh() throws -> Message {
        let input = CreateBookingInput(
            userId: "u", apartmentId: "a", startDate: "2026-01-01", endDate: "2026-01-02")
        return Message(
            id: .derived(fileName: "f", line: 1), acceptedOn: now, peer: nil,
            request: try BookingRequest(input))
    }

    @Test func delaysDoubleFromTheFirstToTheLongestAndStayThere() {
        let delays = (1...12).map { policy().delay(after: $0, chance: 0.5) }
        #expect(delays.prefix(9) == [1, 2, 4, 8, 16, 32, 64, 128, 256].map { Duration.seconds($0) }[...])
        #expect(delays.suffix(3) == [300, 300, 300].map { Duration.seconds($0) }[...])
    }

    @Test func chanceSpreadsADelayByAFifthAndNeverBeyondTheLongest() {
        #expect(policy().delay(after: 3, chance: 0) == .milliseconds(3200))
        #expect(policy().delay(after: 3, chance: 1) == .milliseconds(4800))
        #expect(policy().delay(after: 99, chance: 1) == .seconds(300))
    }

    @Test func aMessageIsDeadAtExactlyTheLastReceiveWithEveryAttemptRecorded() throws {
        var message = try fresh()
        for receive in 1..<10 {
            guard
                case .deferred(let later) = policy().afterFailure(
                    message, reason: "r\(receive)", at: now, chance: 0.5)
            else {
                Issue.record("dead at receive \(receive)")
                return
            }
            #expect(later.receiveCount == receive)
            #expect(try #require(later.notBefore) > now)
            message = later
        }
        guard
            case .dead(.exhausted, let reason, let attempts, 10) = policy().afterFailure(
                message, reason: "r10", at: now, chance: 0.5)
        else {
            Issue.record("not dead at the tenth receive")
            return
        }
        #expect(attempts.map(\.reason) == (1...10).map { "r\($0)" })
        #expect(reason.contains("r10"))
    }

    @Test func theFirstCrashIsRetriedAtOnceAndLaterOnesWithDelay() throws {
        guard case .deferred(let once) = policy().afterCrash(try fresh(), at: now, chance: 0.5) else {
            Issue.record("dead at the first crash")
            return
        }
        #expect(once.notBefore == now)
        guard case .deferred(let twice) = policy().afterCrash(once, at: now, chance: 0.5) else {
            Issue.record("dead at the second crash")
            return
        }
        #expect(twice.notBefore == now.advanced(by: .seconds(1)))
        guard case .dead(.crash, _, let attempts, 3) = policy(3).afterCrash(twice, at: now, chance: 0.5)
        else {
            Issue.record("not dead at the third crash of three")
            return
        }
        #expect(attempts.count == 3)
    }

    @Test func anOutageIsProbedWithGrowingPausesUpToTheLongest() {
        var outage = Outage()
        #expect(!outage.mustWait(at: now))
        var pauses: [Duration] = []
        for _ in 0..<8 {
            outage.failed("r", at: now)
            #expect(outage.mustWait(at: now))
            pauses.append(outage.nextProbe.since(now))
            #expect(!outage.mustWait(at: outage.nextProbe))
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 5000, 5000].map { Duration.milliseconds($0) })
        outage.succeeded()
        outage.failed("r", at: now)
        #expect(outage.nextProbe.since(now) == .milliseconds(100))
    }
}
