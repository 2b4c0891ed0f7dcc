import Bookings
import Testing
import Varlink

@testable import Front

@Suite struct AcceptanceGroupTests {
    private let id = BookingID.derived(fileName: "f", line: 1)
    private let trouble = ErrorReply(BookingsInterface.StorageUnavailable(reason: "disk"))

    private func request(_ apartment: String = "a", key: String? = nil) throws -> BookingRequest {
        try BookingRequest(
            .init(
                userId: "u", apartmentId: apartment, startDate: "2026-01-01", endDate: "2026-01-02",
                idempotencyKey: key))
    }

    private func message(_ request: BookingRequest) -> Message {
        Message(id: id, acceptedOn: .now(), peer: nil, request: request)
    }

    private func name(_ answer: Result<BookingID, ErrorReply>) -> String? {
        if case .failure(let error) = answer { return error.name }
        return nil
    }

    @Test func callsWithOneKeyGetOneIdAndStandOrFallTogether() throws {
        var group = AcceptanceGroup([1, 2])
        group.accept(0, message(try request(key: "k")))
        let same = group.answerByKey(1, try request(key: "k"))
        let different = group.answerByKey(1, try request("b", key: "k"))
        #expect(same && different)
        #expect(group.messages.count == 1)
        let answers = group.answers
        #expect(try answers[1][0].get() == id)
        #expect(name(answers[1][1]) == BookingsInterface.IdempotencyKeyReused.errorName)
        group.fail(with: trouble)
        #expect(group.answers.joined().compactMap(name).count == 3)
        #expect(group.answers.joined().allSatisfy { name($0) == trouble.name })
    }

    @Test func aClaimOfTheGroupRefusesWithoutAKeyAndADifferentKeyAlike() throws {
        var group = AcceptanceGroup([3])
        group.accept(0, message(try request(key: "k")))
        let other = try request(key: "l")
        let byKey = group.answerByKey(0, other)
        let byClaim = group.answerByClaim(0, other)
        let bare = group.answerByClaim(0, try request())
        #expect(!byKey && byClaim && bare)
        #expect(
            group.answers[0].dropFirst().map(name)
                == [1, 2].map { _ in BookingsInterface.PendingBookingExists.errorName })
    }

    @Test func whatAnEarlierCallMadeStandsThoughTheGroupFails() throws {
        var group = AcceptanceGroup([3])
        group.repeat(0, id)
        group.refuse(0, ErrorReply(BookingsInterface.BookingNotFound(id: "x")))
        group.fail(with: trouble)
        let answers = group.answers[0]
        #expect(try answers[0].get() == id)
        #expect(name(answers[1]) == BookingsInterface.BookingNotFound.errorName)
        #expect(name(answers[2]) == trouble.name, "what was not judged is refused")
    }
}
