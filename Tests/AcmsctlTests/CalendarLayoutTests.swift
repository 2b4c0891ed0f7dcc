import Bookings
import Testing

@testable import Verbs

@Suite struct CalendarLayoutTests {
    private func layout(
        _ bookings: [Booking], from: String = "2026-12", months: Int = 1, labelDays: Int = 0
    ) throws -> [CalendarLayout.Month] {
        let range = try #require(CalendarRange.from(from, months: months))
        return CalendarLayout(bookings, in: range, labelDays: { _ in labelDays }).months
    }

    @Test(
        arguments: [
            ("2026-11-30", "2026-12-01", nil), ("2026-11-30", "2026-12-02", 1...1),
            ("2026-12-01", "2026-12-02", 1...1), ("2026-12-05", "2026-12-09", 5...8),
            ("2026-12-31", "2027-01-01", 31...31), ("2026-12-31", "2027-01-02", 31...31),
            ("2027-01-01", "2027-01-02", nil), ("2026-01-01", "2027-12-31", 1...31),
            ("2026-12-09", "2026-12-09", nil), ("2026-12-09", "2026-12-05", nil), ("soon", "later", nil),
        ] as [(String, String, ClosedRange<Int>?)])
    func `a bar goes from the first day to the day before the departure`(
        start: String, end: String, days: ClosedRange<Int>?
    ) throws {
        let booking = Booking.stay(1, "alice", start, end)
        let month = try #require(try layout([booking]).first)
        #expect(month.lanes.first?.first?.days == days)
        #expect(CalendarRange.from("2026-12")?.overlaps(booking) == (days != nil))
    }

    @Test func `a stay over months is marked where it goes on`() throws {
        let months = try layout([.stay(1, "alice", "2026-12-30", "2027-02-01")], months: 3)
        let bars = months.map { $0.lanes.first?.first }
        #expect(bars.map { $0?.beginsBefore } == [false, true, nil])
        // It ends on the first of February, so January is its last month.
        #expect(bars.map { $0?.goesOn } == [true, false, nil])
        #expect(bars.map { $0?.days } == [30...31, 1...31, nil])
    }

    @Test func `nights that overlap are in different lanes, a departure and an arrival in one`() throws {
        let month = try #require(
            try layout([
                .stay(1, "a", "2026-12-01", "2026-12-05"), .stay(2, "b", "2026-12-05", "2026-12-07"),
                .stay(3, "c", "2026-12-04", "2026-12-05"), .stay(4, "d", "2026-12-05", "2026-12-06"),
            ]).first)
        #expect(month.lanes.map { $0.map(\.booking.userId) } == [["a", "b"], ["c", "d"]])
    }

    @Test func `a label behind its bar keeps the days that it takes`() throws {
        let bookings: [Booking] = [
            .stay(1, "a", "2026-12-01", "2026-12-02"), .stay(2, "b", "2026-12-04", "2026-12-05"),
            .stay(3, "c", "2026-12-05", "2026-12-06"),
        ]
        let month = try #require(try layout(bookings, labelDays: 3).first)
        #expect(month.lanes.map { $0.map(\.booking.userId) } == [["a", "c"], ["b"]])
    }

    @Test func `of those who come on one day what is decided comes first`() throws {
        let bookings: [Booking] = [
            .stay(1, "c", "2026-12-01", "2026-12-02", .cancelled),
            .stay(2, "p", "2026-12-01", "2026-12-02", .pending),
            .stay(3, "a", "2026-12-01", "2026-12-02", .approved),
        ]
        let month = try #require(try layout(bookings).first)
        #expect(month.lanes.map { $0.first?.booking.userId } == ["a", "p", "c"])
    }

    @Test func `a calendar that begins within a month cuts what is before`() throws {
        let month = try #require(
            try layout([.stay(1, "a", "2026-12-03", "2026-12-20")], from: "2026-12-15").first)
        #expect(month.days == 15...31)
        #expect(month.lanes.first?.first?.days == 15...19)
        #expect(month.lanes.first?.first?.beginsBefore == true)
    }

    @Test(arguments: [
        ("2026-12", 31, 1), ("2027-02", 28, 0), ("2028-02", 29, 1), ("2000-02", 29, 1), ("1900-02", 28, 3),
        ("2027-04", 30, 3), ("0001-01", 31, 0), ("9999-12", 31, 2),
    ])
    func `a month has its days and weekdays`(text: String, length: Int, weekday: Int) throws {
        let month = try #require(CalendarMonth(text))
        #expect(month.length == length)
        #expect(month.weekday(1) == weekday)
        #expect("\(month)" == text)
    }

    @Test func `a range ends with the year 9999 at the latest`() {
        #expect(CalendarRange.from("9999-10", months: 3)?.last == CalendarDate("9999-12-31"))
        #expect(CalendarRange.from("9999-10", months: 4) == nil)
        #expect(CalendarRange.from("2026-11", months: 3)?.last == CalendarDate("2027-01-31"))
    }
}
