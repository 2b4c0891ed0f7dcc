import Bookings
import Testing

@testable import Verbs

@Suite struct TableTests {
    private static let columns: [Column<[String]>] = [
        Column(title: "ID", cut: .last(minimum: 8)) { StyledText($0[0]) },
        Column(title: "USER", cut: .first(minimum: 6)) { StyledText($0[1]) },
        Column(title: "STATUS") { StyledText($0[2], .yellow) },
        Column(title: "CREATED", isOptional: true) { StyledText($0[3]) },
    ]
    private static let id = "01932b1c-7a5e-7d11-9c55-0242ac120002"

    private func lines(_ rows: [[String]], on terminal: Terminal) -> [String] {
        var table = Table(Self.columns, on: terminal)
        return table.lines(of: rows)
    }

    @Test func `columns are aligned below their titles`() {
        let shown = lines(
            [["1", "alice", "PENDING", "today"], ["22", "bo", "APPROVED", "then"]], on: .none)
        #expect(
            shown == [
                "ID  USER   STATUS    CREATED",
                "1   alice  PENDING   today",
                "22  bo     APPROVED  then",
            ])
    }

    @Test func `a table that is piped is never cut`() {
        let user = String(repeating: "u", count: 300)
        #expect(
            lines([[Self.id, user, "PENDING", "now"]], on: .none)[1] == "\(Self.id)  \(user)  PENDING  now")
    }

    @Test(arguments: [80, 100, 200]) func `no line is wider than the terminal`(width: Int) {
        let user = String(repeating: "u", count: 300)
        let shown = lines(
            [[Self.id, user, "PENDING", "2026-11-22T21:10:05.123Z"]],
            on: Terminal(width: width, hasColour: false))
        #expect(shown.allSatisfy { $0.displayWidth <= width })
        #expect(shown[1].hasPrefix("\(Self.id)  uuu"))
        #expect(shown[1].contains("…"))
    }

    @Test func `an optional column is left out where there is no room`() {
        let row = [Self.id, "a-long-user-name-of-somebody", "PENDING", "2026-11-22T21:10:05.123Z"]
        #expect(lines([row], on: Terminal(width: 60, hasColour: false))[0].hasSuffix("STATUS"))
        #expect(lines([row], on: Terminal(width: 120, hasColour: false))[0].hasSuffix("CREATED"))
    }

    @Test func `an id is cut only when cutting the rest isn't enough`() {
        let shown = lines(
            [[Self.id, "a-long-name", "PENDING", ""]], on: Terminal(width: 40, hasColour: false))
        #expect(shown[1] == "01932b1c-7a5e-7d11-9c5…  a-lon…  PENDING")
        #expect(shown[1].displayWidth <= 40)
    }

    @Test func `a later page keeps the columns of the first`() {
        var table = Table(Self.columns, on: Terminal(width: 80, hasColour: false))
        _ = table.lines(of: [["1", "alice", "PENDING", "today"]])
        #expect(
            table.lines(of: [["2", "alexandra-maria", "PENDING", "today"]])
                == ["2…  alex…  PENDING  today"].map {
                    $0.replacing("2…", with: "2 ")
                })
    }

    @Test func `colour takes no room, and is there only when asked for`() {
        let row = ["1", "alice", "PENDING", "today"]
        let plain = lines([row], on: Terminal(width: 80, hasColour: false))[1]
        let coloured = lines([row], on: Terminal(width: 80, hasColour: true))[1]
        #expect(!plain.contains("\u{1b}"))
        #expect(coloured.contains("\u{1b}[33mPENDING\u{1b}[0m  today"))
        #expect(coloured.replacing("\u{1b}[33m", with: "").replacing("\u{1b}[0m", with: "") == plain)
    }

    @Test func `wide characters count as two columns`() {
        #expect("東京".displayWidth == 4)
        #expect("e\u{301}".displayWidth == 1)
        #expect("👩‍👩‍👧".displayWidth == 2)
        #expect("東京都".cut(toWidth: 4) == "東…")
        #expect("東京".cut(toWidth: 4) == "東京")
    }

    @Test func `no rows are no lines, not even a header`() {
        #expect(lines([], on: .none).isEmpty)
    }
}
