import Bookings
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0), ("2026-11-22T21:10:05.123Z", 1_795_381_805_123),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999), ("1969-12-31T23:59:59.999Z", -1),
        ("1900-03-01T00:00:00.000Z", -2_203_891_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ])
    func textAndMillisecondsBelongTogether(text: String, milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test func otherFormsOfRFC3339AreRead() {
        #expect(Timestamp("2026-11-22T23:10:05+02:00") == Timestamp("2026-11-22T21:10:05Z"))
        #expect(Timestamp("2026-11-22T21:10:05.5Z") == Timestamp("2026-11-22T21:10:05.500Z"))
    }

    @Test(arguments: ["", "now", "2026-11-22", "2026-13-01T00:00:00Z", "21:10:05"])
    func whatIsNoTimeIsRefused(text: String) { #expect(Timestamp(text) == nil) }
}

@Suite struct CalendarDateTests {
    @Test(arguments: ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2023-04-30"])
    func realDaysAreRead(text: String) { #expect(CalendarDate(text)?.description == text) }

    @Test(arguments: [
        "", "2023-02-29", "1900-02-29", "2023-04-31", "2023-00-10", "2023-13-10", "2023-01-00", "2023-01-32",
        "0000-01-01", "2023-1-01", "2023-01-011", "20230101", "2023/01/01", "2023-01-0x", " 2023-01-01",
        "２０２３-01-01", "-023-01-01", "2023-01-01T00:00:00Z",
    ])
    func whatIsNoDayIsRefused(text: String) { #expect(CalendarDate(text) == nil) }

    @Test func theDayOfDepartureDoesNotBelongToAStay() throws {
        func stay(_ start: String, _ end: String) throws -> Stay? {
            Stay(from: try #require(CalendarDate(start)), to: try #require(CalendarDate(end)))
        }
        let stay1 = try #require(try stay("2026-01-10", "2026-01-20"))
        #expect(!stay1.overlaps(try #require(try stay("2026-01-20", "2026-01-21"))))
        #expect(!stay1.overlaps(try #require(try stay("2026-01-01", "2026-01-10"))))
        #expect(stay1.overlaps(try #require(try stay("2026-01-19", "2026-01-21"))))
        #expect(stay1.overlaps(try #require(try stay("2026-01-01", "2026-02-01"))))
        #expect(try stay("2026-01-10", "2026-01-10") == nil)
        #expect(try stay("2026-01-11", "2026-01-10") == nil)
    }
}

@Suite struct BookingIDTests {
    @Test func theTextFormComesBack() {
        let text = "01932b1c-7a5e-7d11-9c55-0242ac120002"
        #expect(BookingID(text)?.description == text)
        #expect(BookingID(text.uppercased())?.description == text)
    }

    @Test(arguments: [
        "", "01932b1c7a5e7d119c550242ac120002", "01932b1c-7a5e-7d11-9c55-0242ac12000",
        "g1932b1c-7a5e-7d11-9c55-0242ac120002",
        "01932b1c-7a5e-7d11-9c55-0242ac1200021", "01932b1c-7a5e-7d11-9c550-242ac120002",
    ])
    func whatIsNoUUIDIsRefused(text: String) { #expect(BookingID(text) == nil) }

    @Test func idsOfAGeneratorRiseThoughTheClockStandsStillOrStepsBack() throws {
        var generator = BookingIDGenerator()
        var last = generator.next(at: Timestamp(milliseconds: 1_700_000_000_000))
        for number in 0..<200_000 {
            let step: Int64 = number % 3 == 0 ? -5 : 0
            let next = generator.next(at: Timestamp(milliseconds: 1_700_000_000_000 + step))
            #expect(last < next)
            #expect(last.description < next.description)
            last = next
        }
        let time = try #require(last.time)
        #expect((1_700_000_000_000...1_700_000_000_010).contains(time.milliseconds))
        let later = generator.next(at: Timestamp(milliseconds: 1_700_000_001_000))
        #expect(later.time == Timestamp(milliseconds: 1_700_000_001_000))
    }

    @Test func aDerivedIDDependsOnNameAndLineAlone() {
        let id = BookingID.derived(fileName: "f", line: 1)
        #expect(id == .derived(fileName: "f", line: 1))
        #expect(
            Set([
                id, .derived(fileName: "f", line: 2), .derived(fileName: "f1", line: 1),
                .derived(fileName: "", line: 11),
            ]).count == 4)
        #expect(id.time == nil)
        // It is written into the spool's documentation, so it stays the same for ever.
        #expect(id.description == "a68d5e89-a58b-8822-836d-bc7976611f36")
    }
}

@Suite struct BookingRequestTests {
    private func field(_ change: (inout CreateBookingInput) -> Void) -> String? {
        var input = CreateBookingInput(
            userId: "u", apartmentId: "a", startDate: "2026-01-01", endDate: "2026-01-02")
        change(&input)
        do throws(BookingsInterface.InvalidInput) {
            _ = try BookingRequest(input)
            return nil
        } catch {
            return error.field
        }
    }

    @Test func anAcceptableInputIsAccepted() {
        #expect(field { _ in } == nil)
        #expect(field { $0.bookingStatus = .pending } == nil)
        #expect(field { $0.userId = String(repeating: "x", count: 256) } == nil)
        #expect(field { $0.userId = "Zoë \u{1F600} \u{2028}" } == nil)
    }

    @Test func theFieldAtFaultIsNamed() {
        #expect(field { $0.userId = "" } == "userId")
        #expect(field { $0.userId = String(repeating: "x", count: 257) } == "userId")
        #expect(field { $0.apartmentId = String(repeating: "é", count: 129) } == "apartmentId")
        for code: UInt32 in [0, 9, 10, 0x1f, 0x7f, 0x85, 0xfdd0, 0xffff, 0x10fffe] {
            let character = Unicode.Scalar(code).map(Character.init) ?? " "
            #expect(field { $0.apartmentId = "a\(character)b" } == "apartmentId", "U+\(code)")
        }
        #expect(field { $0.idempotencyKey = "" } == "idempotencyKey")
        #expect(field { $0.bookingStatus = .approved } == "bookingStatus")
        #expect(field { $0.bookingStatus = .cancelled } == "bookingStatus")
        #expect(field { $0.startDate = "2026-02-30" } == "startDate")
        #expect(field { $0.endDate = "tomorrow" } == "endDate")
        #expect(field { $0.endDate = "2026-01-01" } == "endDate")
        #expect(field { $0.endDate = "2025-12-31" } == "endDate")
    }

    @Test func claimsAreComparedByteForByte() {
        #expect(ClaimKey(userID: "é", apartmentID: "a") != ClaimKey(userID: "e\u{301}", apartmentID: "a"))
        #expect(ClaimKey(userID: "ab", apartmentID: "c") != ClaimKey(userID: "a", apartmentID: "bc"))
        #expect(ClaimKey(userID: "a", apartmentID: "b") == ClaimKey(userID: "a", apartmentID: "b"))
    }
}
