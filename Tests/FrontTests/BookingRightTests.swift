import Bookings
import Testing
import Varlink

@testable import Front

@Suite struct BookingRightTests {
    @Test func whoMayBookForItselfOnlyIsToldItsLoginAndTheTrustedGroups() throws {
        let right = BookingRight.itself(login: "alice", trustedGroups: ["concierges", "web"])
        #expect(right.refusal(for: "alice") == nil)
        let reason = try #require(right.refusal(for: "bob")?.reason)
        for part in ["alice", "concierges", "web", "front.trusted-groups"] { #expect(reason.contains(part)) }
    }

    @Test func loginsAreComparedByteForByte() {
        let right = BookingRight.itself(login: "e\u{301}ve", trustedGroups: [])
        #expect(right.refusal(for: "e\u{301}ve") == nil)
        #expect(right.refusal(for: "\u{e9}ve") != nil)
    }

    @Test func aUserIDWithoutALoginIsNamed() throws {
        let reason = try #require(
            BookingRight.nobody(uid: 4711, trustedGroups: []).refusal(for: "4711")?.reason)
        #expect(reason.contains("4711"))
        #expect(BookingRight.anybody.refusal(for: "whoever") == nil)
    }
}
