import Bookings
import Testing

@testable import Spool

@Suite struct EntryNameTests {
    private static let id = "01a2057f-52e9-7a31-86a5-a73cae814316"
    private static let names = [
        "\(id).1.jsonl", "\(id).1024.jsonl", "\(id).999999999.jsonl", "\(id).letter", "\(id).body", "\(id)",
        "\(id).0.jsonl", "\(id).01.jsonl", "\(id).+1.jsonl", "\(id).1234567890.jsonl", "\(id)..jsonl",
        "\(id).jsonl", "\(id).1.JSONL", "\(id.uppercased()).1.jsonl", "\(id).redriven.jsonl",
        ".\(id).1.jsonl",
        "mine.jsonl", "Zoë", "Zoe\u{308}", "日本", "-", "\(id).letter ", String(repeating: "x", count: 255),
    ]

    @Test(arguments: names) func aNameIsGivenBackToTheByte(name: String) {
        #expect(Array(EntryName(name).description.utf8) == Array(name.utf8))
    }

    @Test func differentNamesAreDifferentAlsoWhenTheyLookAlike() {
        #expect(Set(Self.names.map { EntryName($0) }).count == Self.names.count)
    }

    @Test func namesAreInTheOrderOfTheirBytes() {
        let later = BookingID.version7(at: Timestamp(milliseconds: 1_900_000_000_000), random: (0, 0))
        let names = Self.names + ["\(later).1.jsonl", "\(later).10.jsonl", "\(later).9.jsonl"]
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(names.map { EntryName($0) }.sorted().map(\.description) == sorted)
    }

    @Test func onlyNamesOfGroupsPromiseACount() {
        #expect(EntryName("\(Self.id).64.jsonl").count == 64)
        for name in Self.names.dropFirst(3) { #expect(EntryName(name).count == nil) }
    }
}
