import Bookings
import Testing
import Varlink

@testable import Verbs

@Suite struct TextTests {
    @Test func `what a terminal may act on is made visible`() {
        #expect("a\u{1b}[31m".escapedForTerminal == "a\\u{1b}[31m")
        #expect("a\nb\tc\rd".escapedForTerminal == "a\\nb\\tc\\rd")
        #expect("\u{9b}2J".escapedForTerminal == "\\u{9b}2J")
        #expect("\u{202e}txt\u{2028}".escapedForTerminal == "\\u{202e}txt\\u{2028}")
        #expect("Zoë 東京 👩‍👧".escapedForTerminal == "Zoë 東京 👩‍👧")
    }

    @Test func `cells and fields are escaped`() {
        var fields = FieldList()
        fields.add("user", StyledText("\u{1b}]0;gotcha\u{7}"))
        #expect(fields.lines(hasColour: true) == ["user:  \\u{1b}]0;gotcha\\u{7}"])
    }

    @Test func `JSON escapes the same, and stays the same JSON`() throws {
        let value = JSONValue.object(["user": .string("\u{1b}\u{9b}\u{202e}\n/é")])
        #expect(JSONLine.text(of: value) == #"{"user":"\u001b\u009b\u202e\n/é"}"#)
    }

    @Test func `JSON has the names of the interfaces`() {
        let line = JSONLine.text(of: Booking.sample())
        #expect(
            line
                == #"{"apartmentId":"A-17","bookingStatus":"PENDING","createdOn":"2023-11-14T22:13:20.123Z","#
                + #""endDate":"2026-12-05","id":"01932b1c-7a5e-7d11-9c55-000000000000","startDate":"2026-12-01","#
                + #""updatedOn":"2023-11-14T22:13:20.123Z","userId":"alice"}"#)
    }

    @Test func `each status has its colour`() {
        func rendered(_ text: StyledText) -> String { text.rendered(hasColour: true) }
        #expect(rendered(StyledText(BookingStatus.pending)) == "\u{1b}[33mPENDING\u{1b}[0m")
        #expect(rendered(StyledText(BookingStatus.approved)) == "\u{1b}[32mAPPROVED\u{1b}[0m")
        #expect(rendered(StyledText(BookingStatus.cancelled)) == "\u{1b}[2mCANCELLED\u{1b}[0m")
        #expect(rendered(StyledText(Progress.deadLettered)) == "\u{1b}[31mDEAD_LETTERED\u{1b}[0m")
        #expect(StyledText(BookingStatus.pending).rendered(hasColour: false) == "PENDING")
    }

    @Test(arguments: [
        (0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"),
        (47 * 3600, "47 h ago"), (48 * 3600, "2 days ago"), (-90, "in 1 min"),
    ]) func `an age is in the largest unit that fits`(seconds: Int64, age: String) {
        let time = Timestamp(milliseconds: 1_700_000_000_123)
        let now = time.advanced(by: .seconds(seconds))
        #expect(time.text(at: now) == "2023-11-14T22:13:20.123Z (\(age))")
    }

    @Test func `a hexdump has sixteen bytes a line, in less than 80 columns`() {
        let lines = HexDump.lines(of: Array("0123456789abcdef\u{1b}é".utf8))
        #expect(
            lines == [
                "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|",
                "00000010  1b c3 a9                                          |...|",
            ])
    }

    @Test func `a mistyped verb gets a suggestion`() {
        func suggestion(_ arguments: String...) -> String? {
            VerbSuggestion(for: arguments, among: Acmsctl.self)?.text
        }
        #expect(suggestion("shwo", "x") == "Did you mean 'acmsctl show'?")
        #expect(suggestion("dlq", "lits") == "Did you mean 'acmsctl dlq list'?")
        #expect(suggestion("frobnicate") == nil)
        #expect(suggestion("show", "shwo") == nil)
        #expect(suggestion("--json") == nil)
    }

    @Test func `a sentence is broken between words`() {
        #expect("one two three".wrapped(to: 7) == ["one two", "three"])
        #expect("a verylongword b".wrapped(to: 4) == ["a", "verylongword", "b"])
        #expect("one two".wrapped(to: nil) == ["one two"] && "".wrapped(to: 4) == [""])
    }
}
