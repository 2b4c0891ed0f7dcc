import Bookings
import Testing

@Suite struct TimestampParsingTests {
    @Test(arguments: [
        ("2026-11-22T21:10:05+02:00", "2026-11-22T19:10:05.000Z"),
        ("2026-11-22T21:10:05-05:30", "2026-11-23T02:40:05.000Z"),
        ("2026-11-22t21:10:05z", "2026-11-22T21:10:05.000Z"),
        ("2026-11-22T21:10:05-00:00", "2026-11-22T21:10:05.000Z"),
        ("2026-11-22T21:10:05.1Z", "2026-11-22T21:10:05.100Z"),
        ("2026-11-22T21:10:05.0129999999999999999999999Z", "2026-11-22T21:10:05.012Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("1500-03-01T00:00:00Z", "1500-03-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ])
    func `every form of RFC 3339 is read`(text: String, written: String) {
        #expect(Timestamp(text)?.description == written)
    }

    @Test(arguments: [
        "2026-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T21:60:05Z", "2026-11-22T21:10:61Z", "2026-11-22T21:10:05Zjunk", "2026-11-22T21:10:05Z ",
        " 2026-11-22T21:10:05Z", "2026-11-22T21:10:05", "2026-11-22 21:10:05Z", "2026-11-22T21:10:05+0200",
        "2026-11-22T21:10:05+02", "2026-11-22T21:10:05+24:00", "2026-11-22T21:10:05+02:60",
        "2026-11-22T21:10:05.Z", "2026-11-22T21:10:05.123", "12026-11-22T21:10:05Z", "2026-1-2T3:4:5Z",
        "20261122T211005Z", "٢026-11-22T21:10:05Z", "2026-11-22T2１:10:05Z", "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ])
    func `what is no time of RFC 3339 is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `every millisecond that can be written is read back`() {
        let first: Int64 = -62_135_596_800_000
        let last: Int64 = 253_402_300_799_999
        // A step of about a hundred days that is no whole number of any unit meets every month and most times of day.
        for milliseconds in stride(from: first, through: last, by: 8_639_999_983) {
            let time = Timestamp(milliseconds: milliseconds)
            #expect(Timestamp(time.description) == time)
        }
    }

    @Test func `the time in an id is the time it was made`() {
        let earlier = BookingID.version7(at: Timestamp(milliseconds: 1), random: (.max, .max))
        let later = BookingID.version7(at: Timestamp(milliseconds: 2), random: (0, 0))
        #expect(earlier < later)
        #expect(earlier.description < later.description)
        #expect(earlier.time == Timestamp(milliseconds: 1))
        #expect(earlier.description == "00000000-0001-7fff-bfff-ffffffffffff")
    }
}
