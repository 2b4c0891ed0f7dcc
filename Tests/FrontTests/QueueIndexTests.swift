import Bookings
import Testing

@testable import Front
@testable import Spool

@Suite struct QueueIndexTests {
    private let claim = ClaimKey(userID: "u", apartmentID: "a")
    private let other = ClaimKey(userID: "u", apartmentID: "b")
    private let first = BookingID.derived(fileName: "f", line: 1)
    private let second = BookingID.derived(fileName: "f", line: 2)

    private func held(_ id: BookingID, _ apartment: String, key: String? = nil) throws -> QueuedBooking {
        QueuedBooking(
            id: id,
            try BookingRequest(
                .init(
                    userId: "u", apartmentId: apartment, startDate: "2026-01-01", endDate: "2026-01-02",
                    idempotencyKey: key)))
    }

    private let waiting = SpoolEntry(place: .incoming, name: "f")
    private let taken = SpoolEntry(place: .active, name: "f")

    @Test func aClaimIsHeldWhileItsMessageMovesThroughTheQueue() throws {
        var index = QueueIndex()
        try index.add(waiting, [held(first, "a")], bytes: 100)
        index.vanish(waiting)
        #expect(index.holders(of: claim) == [first])
        let mustBeRead = index.appear(taken)
        #expect(!mustBeRead)
        #expect(index.entry(of: first) == taken)
        index.vanish(taken)
        #expect(index.holders(of: claim) == [first])
        let letter = SpoolEntry(place: .dead, name: "f.letter")
        let isUnknown = index.appear(letter)
        #expect(isUnknown)
        try index.add(letter, [held(first, "a")], bytes: 100)
        let gone = index.settleMoves { _ in false }
        #expect(gone == [first])
        #expect(index.entry(of: first)?.progress == .deadLettered)
        #expect(index.holders(of: claim) == [first])
        index.vanish(letter)
        _ = index.settleMoves { _ in false }
        #expect(index.holders(of: claim) == [])
        #expect(index.count == 0)
    }

    @Test func aMoveWhoseSecondHalfIsNotYetSeenKeepsTheClaim() throws {
        var index = QueueIndex()
        try index.add(waiting, [held(first, "a")], bytes: 100)
        index.vanish(waiting)
        let gone = index.settleMoves { $0 == taken }
        #expect(gone.isEmpty)
        #expect(index.holders(of: claim) == [first])
        #expect(index.entry(of: first) == taken)
        let mustBeRead = index.appear(taken)
        #expect(!mustBeRead)
    }

    @Test func anEntryThatIsGoneFreesItsClaims() throws {
        var index = QueueIndex()
        try index.add(waiting, [held(first, "a"), held(second, "b")], bytes: 100)
        index.vanish(waiting)
        let gone = index.settleMoves { _ in false }
        #expect(Set(gone) == [first, second])
        #expect(index.holders(of: claim) == [])
        #expect(index.holders(of: other) == [])
    }

    @Test func twoMessagesWithOneClaimHoldItUntilBothAreGone() throws {
        let later = SpoolEntry(place: .incoming, name: "g")
        for order in [[waiting, later], [later, waiting]] {
            var index = QueueIndex()
            try index.add(waiting, [held(first, "a")], bytes: 100)
            try index.add(later, [held(second, "a")], bytes: 100)
            #expect(index.holders(of: claim) == [first, second])
            index.remove(order[0])
            #expect(index.holders(of: claim) == [order[0] == waiting ? second : first])
            index.remove(order[1])
            #expect(index.holders(of: claim) == [])
        }
    }

    @Test func aDeferredFileAndANewOneOfTheSameNameAreTwo() throws {
        var index = QueueIndex()
        let deferred = SpoolEntry(place: .deferred, name: "f")
        try index.add(taken, [held(first, "a")], bytes: 100)
        try index.add(deferred, [held(first, "a")], bytes: 100)
        index.vanish(taken)
        _ = index.settleMoves { $0 == deferred }
        #expect(index.entry(of: first) == deferred)
        #expect(index.holders(of: claim) == [first])
    }

    @Test func aClaimIsHeldUntilTheLastEntryOfItsMessageGoes() throws {
        var index = QueueIndex()
        let letter = SpoolEntry(place: .dead, name: "f.letter")
        try index.add(letter, [held(first, "a")], bytes: 100)
        // A copy comes in and is dropped by the worker.
        try index.add(waiting, [held(first, "a")], bytes: 100)
        #expect(index.entry(of: first) == letter)
        index.vanish(waiting)
        _ = index.settleMoves { _ in false }
        #expect(index.holders(of: claim) == [first])
        // The same id with another claim, as a file put in by hand again with other content gives.
        try index.add(waiting, [held(first, "b")], bytes: 100)
        #expect(index.holders(of: other) == [first])
        index.remove(letter)
        #expect(index.holders(of: claim) == [])
        #expect(index.holders(of: other) == [first])
        index.remove(waiting)
        #expect(index.holders(of: other) == [])
        #expect(index.count == 0)
    }

    @Test func aKeyIsHeldAsLongAsItsMessageIs() throws {
        var index = QueueIndex()
        let booking = try held(first, "a", key: "k")
        let key = ClaimKey(userID: "u", idempotencyKey: "k")
        index.add(waiting, [booking, try held(second, "b")], bytes: 100)
        #expect(index.holder(ofKey: key) == booking)
        #expect(index.holder(ofKey: ClaimKey(userID: "v", idempotencyKey: "k")) == nil)
        index.vanish(waiting)
        #expect(index.holder(ofKey: key) == booking)
        _ = index.settleMoves { $0 == taken }
        #expect(index.holder(ofKey: key) == booking)
        index.remove(taken)
        #expect(index.holder(ofKey: key) == nil)
    }

    @Test func whatWaitsIsCountedAndWhatIsDeadIsNot() throws {
        var index = QueueIndex()
        func waits(_ messages: Int, _ bytes: Int) -> Bool {
            index.waitingMessages == messages && index.waitingBytes == bytes
        }
        index.add(waiting, [try held(first, "a"), try held(second, "b")], bytes: 100)
        #expect(waits(2, 100))
        index.resize(waiting, bytes: 80)
        #expect(waits(2, 80))
        index.vanish(waiting)
        #expect(waits(2, 80))
        _ = index.appear(taken)
        #expect(waits(2, 80))
        let deferred = SpoolEntry(place: .deferred, name: "g")
        index.add(deferred, [try held(first, "a")], bytes: 50)
        #expect(waits(2, 130), "one message in two places is one message")
        index.add(SpoolEntry(place: .dead, name: "l"), [try held(second, "b")], bytes: 1000)
        index.remove(taken)
        #expect(waits(1, 50))
        index.vanish(deferred)
        _ = index.settleMoves { _ in false }
        #expect(waits(0, 0))
        #expect(index.count == 1)
    }

    @Test func aFileOfItsOwnIsNotReadAndOneThatTakesAnothersPlaceIs() throws {
        var index = QueueIndex()
        index.announce(waiting, [try held(first, "a")], bytes: 100)
        let first = index.appear(waiting)
        #expect(!first)
        let replaced = index.appear(waiting)
        #expect(replaced)
        index.add(waiting, [try held(second, "b")], bytes: 60)
        #expect(index.holders(of: claim) == [])
        #expect(index.holders(of: other) == [second])
        #expect(index.waitingBytes == 60)
    }

    @Test func aMessageThatIsDeferredAgainAtOnceIsForgottenWhenItGoes() throws {
        var index = QueueIndex()
        let deferred = SpoolEntry(place: .deferred, name: "f")
        index.add(deferred, [try held(first, "a")], bytes: 100)
        index.vanish(deferred)
        let mustBeRead = index.appear(deferred)
        #expect(mustBeRead)
        index.add(deferred, [try held(first, "a")], bytes: 120)
        _ = index.settleMoves { _ in false }
        #expect(index.holders(of: claim) == [first])
        #expect(index.waitingBytes == 120)
        index.vanish(deferred)
        _ = index.settleMoves { _ in false }
        #expect(index.holders(of: claim) == [])
        #expect(index.waitingBytes == 0)
    }

    @Test func whatIsDeferredUnderTheNameOfWhatHasLeftIsReadAndNotTakenForIt() throws {
        var index = QueueIndex()
        index.add(taken, [try held(first, "a")], bytes: 100)
        index.vanish(taken)
        let deferred = SpoolEntry(place: .deferred, name: "f")
        let mustBeRead = index.appear(deferred)
        #expect(mustBeRead)
        #expect(index.departed == [taken])
        index.add(deferred, [try held(first, "b")], bytes: 100)
        #expect(index.knows(deferred))
        _ = index.settleMoves { _ in false }
        #expect(index.holders(of: claim) == [])
        #expect(index.holders(of: other) == [first])
    }
}
