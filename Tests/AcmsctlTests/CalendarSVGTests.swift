import Bookings
import Foundation
import FoundationXML
import Testing

@testable import Verbs

@Suite struct CalendarSVGTests {
    private func document(_ bookings: [Booking], of apartment: String = "A-17") throws -> String {
        let range = try #require(CalendarRange.from("2026-12", months: 3))
        return CalendarSVG().lines(bookings.filter(range.overlaps), in: range, of: apartment)
            .joined(separator: "\n")
    }

    /// Whether a parser takes it for XML.
    private func isWellFormed(_ text: String) -> Bool {
        XMLParser(data: Data(text.utf8)).parse()
    }

    @Test func `it is well-formed, and each bar tells of its booking`() throws {
        let text = try document(SampleQuarter.bookings)
        #expect(isWellFormed(text))
        #expect(
            text.contains(
                "<title>alice: 2026-12-01 to 2026-12-05, APPROVED, 01932b1c-7a5e-7d11-9c55-000000000001</title>"
            ))
        #expect(text.ranges(of: "class=\"month\"").count == 3)
        // Eleven bookings, three of which are in two months and one in three, and the legend.
        #expect(text.ranges(of: "class=\"bar\"").count == 11 + 1 + 2 + 3)
    }

    @Test(arguments: [
        "a & b", "<script>alert(1)</script>", "\"quoted\" 'too'", "]]>", "\u{1b}[2J\u{0}\u{8}",
        "\u{fffe}\u{ffff}",
        "\u{202e}evil", "line\nbreak", "&#0;",
    ])
    func `what a user or an apartment is called can't break it`(name: String) throws {
        let text = try document([.stay(1, name, "2026-12-01", "2026-12-28")], of: name)
        #expect(isWellFormed(text))
        #expect(!text.contains("<script"))
    }

    @Test func `it is readable in the dark, and needs nothing from elsewhere`() throws {
        let text = try document(SampleQuarter.bookings)
        #expect(text.contains("@media (prefers-color-scheme: dark)"))
        #expect(text.ranges(of: "http").count == 1)
    }

    @Test func `without bookings it is a calendar all the same`() throws {
        let text = try document([])
        #expect(isWellFormed(text))
        #expect(text.contains(">February 2027<"))
        #expect(!text.contains("CANCELLED"))
    }
}
