import Bookings
import Testing

@testable import Verbs

@Suite struct CalendarTextTests {
    private func lines(
        _ glyphs: CalendarGlyphs, _ terminal: Terminal = .none,
        of bookings: [Booking] = SampleQuarter.bookings,
        from: String = "2026-12", months: Int = 3
    ) throws -> [String] {
        let range = try #require(CalendarRange.from(from, months: months))
        return CalendarText(glyphs: glyphs, terminal: terminal).lines(
            bookings.filter(range.overlaps), in: range, of: "A-17")
    }

    @Test func `a quarter in characters of Unicode`() throws {
        #expect(
            try lines(.unicode).joined(separator: "\n") == """
                A-17, 2026-12-01 to 2027-02-28

                December 2026      1                   2                   3
                 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
                 T W T F S S M T W T F S S M T W T F S S M T W T F S S M T W T
                 █alice█ █ bob · · ▒▒▒ dave  · · · · · █erin██████████████████▸
                 · · ▒carol▒▒▒▒▒▒▒▒▒▒▒ · · █████████ 東京太郎  · · · · · · ▒▒▒ frank
                 · · · · · · · · · · · · · · · · · · · · · · · · · · · · · · ░▸grace

                January 2027       1                   2                   3
                 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
                 F S S M T W T F S S M T W T F S S M T W T F S S M T W T F S S
                ◂███ erin  · · · · · · · · · · · · · · · · · · · · · · · · · ·
                ◂░grace░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▸

                February 2027      1                   2
                 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8
                 M T W T F S S M T W T F S S M T W T F S S M T W T F S S
                ◂░░░ grace · · · · · · ▒ some-agency-wit…  · · · · · ███ heidi
                 · · · · · · · · · · · · · · · · · · · · · · · · · · ▒▒▒▸ivan

                ▒▒▒ PENDING   ███ APPROVED   ░░░ CANCELLED   ◂ ▸ begins earlier, goes on
                """)
    }

    @Test func `a quarter in ASCII`() throws {
        #expect(
            try lines(.ascii, from: "2026-12-04", months: 1).joined(separator: "\n") == """
                A-17, 2026-12-04 to 2026-12-31

                December 2026      1                   2                   3
                       4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
                       F S S M T W T F S S M T W T F S S M T W T F S S M T W T
                      <# alice . . === dave  . . . . . #erin##################>
                      <=carol========= . . ######### 東京太郎  . . . . . . === frank
                       . # bob . . . . . . . . . . . . . . . . . . . . . . . ->grace

                === PENDING   ### APPROVED   --- CANCELLED   < > begins earlier, goes on
                """)
    }

    @Test(arguments: [80, 100]) func `no line is wider than the terminal`(width: Int) throws {
        let name = String(repeating: "u", count: 300)
        let bookings = (1...31).flatMap { day -> [Booking] in
            let start = CalendarMonth("2026-12")?.date(day).map { "\($0)" } ?? ""
            return ["2026-12-31", "2027-01-01", "2027-02-01"].map { .stay(day, name, start, $0) }
        }
        let shown = try lines(.unicode, Terminal(width: width, hasColour: false), of: bookings)
        #expect(shown.count > 60)
        #expect(shown.allSatisfy { $0.displayWidth <= width })
        #expect(shown.allSatisfy { !$0.hasSuffix(" ") })
    }

    @Test func `colour takes no room`() throws {
        let plain = try lines(.unicode)
        let coloured = try lines(.unicode, Terminal(width: 80, hasColour: true))
        #expect(coloured.joined().contains("\u{1b}[32m█alice█\u{1b}[0m"))
        #expect(coloured.map { $0.replacing(/\u{1b}\[[0-9;]*m/, with: "") } == plain)
    }

    @Test func `what a terminal may act on is made visible`() throws {
        let shown = try lines(.unicode, of: [.stay(1, "\u{1b}[2J", "2026-12-01", "2026-12-20")])
        #expect(shown.joined().contains("█\\u{1b}[2J█"))
    }

    @Test(arguments: [
        (["LANG": "en_US.UTF-8"], true), (["LANG": "en_US.utf8"], true), (["LANG": "C"], false), ([:], false),
        (["LANG": "en_US.UTF-8", "LC_ALL": "C"], false), (["LANG": "C", "LC_CTYPE": "C.UTF-8"], true),
        (["LC_ALL": "", "LANG": "C.UTF-8"], true), (["LC_ALL": "de_DE.UTF-8@euro"], true),
        (["LC_ALL": "de_DE.ISO-8859-15"], false),
    ])
    func `the locale says which characters are shown`(environment: [String: String], isUTF8: Bool) {
        #expect(Locale(environment: environment).isUTF8 == isUTF8)
    }
}
