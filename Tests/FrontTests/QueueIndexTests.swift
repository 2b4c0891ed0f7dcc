import Bookings
import Testing

@testable import Front
@testable import Spool

@Suite struct QueueIndexTests {
    private let claim = ClaimKey(userID: "u", apartmentID: "a")
    private let other = ClaimKey(userID: "u", apartmentID: "b")
    private let first = BookingID.derived(fileName: "f", line: 1)
    private let second = BookingID.derived(fileName: "f", line: 2)
    private let waiting = SpoolEntry(place: .incoming, name: "f")
    private let taken = SpoolEntry(place: .active, name: "f")

    @Test func aClaimIsHeldWhileItsMessageMovesThroughTheQueue() {
        var index = QueueIndex()
        index.add(waiting, [(first, claim)])
        index.vanish(waiting)
        #expect(index.holder(of: claim) == first)
        #expect(index.appear(taken) == false)
        #expect(index.entry(of: first) == taken)
        index.vanish(taken)
        #expect(index.holder(of: claim) == first)
        let letter = SpoolEntry(place: .dead, name: "f.letter")
        #expect(index.appear(letter))
        index.add(letter, [(first, claim)])
        #expect(index.settleMoves { _ in false } == [first])
        #expect(index.entry(of: first)?.progress == .deadLettered)
        #expect(index.holder(of: claim) == first)
        index.vanish(letter)
        _ = index.settleMoves { _ in false }
        #expect(index.holder(of: claim) == nil)
        #expect(index.count == 0)
    }

    @Test func aMoveWhoseSecondHalfIsNotYetSeenKeepsTheClaim() {
        var index = QueueIndex()
        index.add(waiting, [(first, claim)])
        index.vanish(waiting)
        #expect(index.settleMoves { $0 == taken }.isEmpty)
        #expect(index.holder(of: claim) == first)
        #expect(index.entry(of: first) == taken)
        #expect(index.appear(taken) == false)
    }

    @Test func anEntryThatIsGoneFreesItsClaims() {
        var index = QueueIndex()
        index.add(waiting, [(first, claim), (second, other)])
        index.vanish(waiting)
        #expect(Set(index.settleMoves { _ in false }) == [first, second])
        #expect(index.holder(of: claim) == nil)
        #expect(index.holder(of: other) == nil)
    }

    @Test func ofTwoMessagesWithOneClaimTheSecondHoldsItAfterTheFirst() {
        var index = QueueIndex()
        index.add(waiting, [(first, claim)])
        index.add(SpoolEntry(place: .incoming, name: "g"), [(second, claim)])
        #expect(index.holder(of: claim) == first)
        index.forget(first)
        #expect(index.holder(of: claim) == second)
        index.forget(second)
        #expect(index.holder(of: claim) == nil)
    }

    @Test func theSecondOfTwoClaimsCanGoFirst() {
        var index = QueueIndex()
        index.add(waiting, [(first, claim), (second, claim)])
        index.forget(second)
        index.forget(first)
        #expect(index.holder(of: claim) == nil)
    }

    @Test func aDeferredFileAndANewOneOfTheSameNameAreTwo() {
        var index = QueueIndex()
        let deferred = SpoolEntry(place: .deferred, name: "f")
        index.add(taken, [(first, claim)])
        index.add(deferred, [(first, claim)])
        index.vanish(taken)
        _ = index.settleMoves { $0 == deferred }
        #expect(index.entry(of: first) == deferred)
        #expect(index.holder(of: claim) == first)
    }
}
