import Bookings
import Support
import Testing
import Varlink

@Suite struct DuplicateTests {
    private func pending(_ site: Site) async throws -> BookingsInterface.PendingBookingExists {
        let error = try #require(try await refusal { try await site.book("test1@gmail.com") })
        #expect(error.name == BookingsInterface.PendingBookingExists.errorName)
        return try #require(error.decode(BookingsInterface.PendingBookingExists.self))
    }

    @Test func aSecondBookingIsRefusedWithTheFirstOnesIDWhereverThatIs() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let id = try await site.book("test1@gmail.com")
        #expect(try await pending(site) == .init(bookingId: id, progress: .queued))
        await front.stop()
        let second = try await site.startFront()
        #expect(try await pending(site) == .init(bookingId: id, progress: .queued))
        let worker = try await site.startWorker()
        #expect(try await site.settled(id).progress == .committed)
        #expect(try await pending(site) == .init(bookingId: id, progress: .committed))
        #expect(await worker.stop() == 0)
        #expect(await second.stop() == 0)
        let third = try await site.startFront()
        let fourth = try await site.startWorker()
        #expect(try await pending(site) == .init(bookingId: id, progress: .committed))
        await third.stop()
        await fourth.stop()
        #expect(try !site.log(of: "acms-frontd").contains(" error: "))
    }

    @Test func ofManyWhoBookTheSameAtOnceOneWins() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let answers = try await withThrowingTaskGroup(of: (id: String?, refused: String?).self) { group in
            for _ in 0..<64 {
                group.addTask {
                    do {
                        return (try await site.book("u"), nil)
                    } catch {
                        let remote = try #require(try await refusal { throw error })
                        let pending = remote.decode(BookingsInterface.PendingBookingExists.self)
                        return (nil, try #require(pending).bookingId)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let ids = answers.compactMap(\.id)
        #expect(ids.count == 1)
        #expect(Set(answers.compactMap(\.refused)) == Set(ids))
        #expect(answers.compactMap(\.refused).count == 63)
        await front.stop()
        await worker.stop()
    }

    @Test func twoOfOneCallAreJudgedLikeTwoCalls() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let inputs = [site.input("u"), site.input("u"), site.input(""), site.input("v")]
        let results = try await site.bookings(
            "CreateApartmentBookings", BookingsInterface.CreateMany(inputs: inputs),
            returning: BookingsInterface.CreatedMany.self
        ).results
        #expect(
            results.map(\.error) == [
                nil, BookingsInterface.PendingBookingExists.errorName,
                BookingsInterface.InvalidInput.errorName, nil,
            ])
        let id = try #require(results[0].id)
        #expect(results[1].parameters == .object(["bookingId": .string(id), "progress": .string("QUEUED")]))
        await front.stop()
    }

    @Test func datesOfAnApprovedBookingAreRefusedAndTouchingOnesAreNot() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let first = try await site.book("u")
        let rival = try await site.book("rival")
        _ = try await site.settled(rival)
        _ = try await site.settled(first)
        #expect(try await site.approve(first).cancelled == [rival])
        let error = try #require(try await refusal { try await site.book("v") })
        #expect(
            error.decode(BookingsInterface.ApartmentNotAvailable.self)
                == .init(bookingId: first, startDate: "2022-09-22", endDate: "2022-10-22"))
        let touching = CreateBookingInput(
            userId: "v", apartmentId: "A", startDate: "2022-10-22", endDate: "2022-10-23")
        let created: BookingsInterface.Created = try await site.bookings(
            "CreateApartmentBooking", BookingsInterface.Create(input: touching))
        #expect(try await site.settled(created.id).progress == .committed)
        await front.stop()
        await worker.stop()
    }
}
