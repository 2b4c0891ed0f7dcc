import Bookings
import Support
import Testing
import Varlink

@testable import Verbs

@Suite struct ImportKeyTests {
    private static func keys(_ text: String, _ arguments: String..., as file: String = "b.jsonl") async throws
        -> [String?]
    {
        let directory = try TemporaryDirectory()
        try directory.write(text, to: file)
        let front = FakeFront()
        let outcome = try await front.importing(file, in: directory, arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return front.inputs.map(\.idempotencyKey)
    }

    @Test func `a line without a key gets one that is made of its content`() async throws {
        var other = CreateBookingInput.sample("alice")
        other.endDate = "2026-12-05"
        let text = [.sample("alice"), .sample("bob"), other, .sample("alice")].map(\.line).joined()
        let keys = try await Self.keys(text)
        #expect(keys.allSatisfy { $0?.wholeMatch(of: /import-[0-9a-f]{32}/) != nil })
        #expect(Set(keys).count == 3)
        #expect(keys[0] == keys[3])
        // Whoever changes it books every line of a file twice that was imported in part before.
        #expect(keys[0] == "import-45d0d1f4ae42eb7ccd9e55bd10d82dd1")
        #expect(try await Self.keys(text, "--no-keys") == [nil, nil, nil, nil])
    }

    @Test func `fields that run into each other make different keys`() {
        var left = CreateBookingInput.sample("ab")
        var right = CreateBookingInput.sample("a")
        left.apartmentId = "c"
        right.apartmentId = "bc"
        #expect(DerivedKey.of(left) != DerivedKey.of(right))
    }

    @Test func `a key of the line's own comes first, then the column that is named`() async throws {
        let csv = """
            user,apartment,from,to,key,order
            a,A,2026-12-01,2026-12-04,own,1
            b,A,2026-12-01,2026-12-04,,2
            c,A,2026-12-01,2026-12-04,,
            """
        let keys = try await Self.keys(csv, "--key-column", "order", as: "b.csv")
        #expect(keys[..<2] == ["own", "2"])
        #expect(keys[2]?.hasPrefix("import-") == true)
    }

    @Test func `a member that holds the key is taken out of a line of JSON`() async throws {
        let booking = #""userId":"a","apartmentId":"A","startDate":"2026-12-01","endDate":"2026-12-04""#
        let text = """
            {"order":"x",\(booking)}
            {\(booking),"order":17}
            {\(booking),"order":"\\u00e9"}
            {\(booking),"order":null,"idempotencyKey":"own"}
            """
        #expect(try await Self.keys(text, "--key-column", "order") == ["x", "17", "é", "own"])
        let refused = try await FakeFront().importing(
            "{\(booking),\"order\":[1]}".utf8, as: "b.jsonl", "--key-column", "order")
        #expect(refused.outcome.errors == "line 1: the member order is neither text nor an integer.\n")
        let unknown = try await FakeFront().importing("{\(booking),\"order\":1}".utf8)
        #expect(unknown.outcome.errors == "line 1: the field order is unknown.\n")
    }

    @Test func `an exported booking can be its own key`() async throws {
        let keys = try await Self.keys(JSONLine.text(of: Booking.sample()), "--key-column", "id")
        #expect(keys == [Booking.sample().id])
    }

    @Test(arguments: ["userId", "from", ""]) func `a part of the booking can't be its key`(name: String)
        async throws
    {
        let outcome = try await Program.run("import", "-", "--key-column", name)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("acmsctl: --key-column "))
    }
}
