import Bookings
import FoundationEssentials
import Testing
import Varlink

@Suite struct QuickFormTests {
    @Test(arguments: [
        CreateBookingInput(userId: "a", apartmentId: "b", startDate: "2026-01-01", endDate: "2026-01-02"),
        CreateBookingInput(
            userId: "\"\\\u{7}", apartmentId: "Zoë", startDate: "", endDate: "\n", bookingStatus: .approved,
            idempotencyKey: "k", traceparent: "t"),
    ]) func `an input that is written by hand is the same for a general decoder`(input: CreateBookingInput)
        throws
    {
        var json: [UInt8] = []
        input.encode(into: &json)
        #expect(try JSONDecoder().decode(CreateBookingInput.self, from: Data(json)) == input)
    }

    @Test func `the reply of many bookings is read with its refusals`() throws {
        let text = """
            {"results":[{"id":"1"},{"error":"E","parameters":{"reason":"a \\"b\\" }]","n":[1,2.5,null]}},\
            {},{"id":"2"}]}
            """
        let read = Array(text.utf8).withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            return BookingsInterface.CreatedMany(quickly: &cursor)
        }
        let decoded = try JSONDecoder().decode(BookingsInterface.CreatedMany.self, from: Data(text.utf8))
        let results = try #require(read).results
        #expect(results.map(\.id) == ["1", nil, nil, "2"])
        #expect(results.map(\.error) == decoded.results.map(\.error))
        #expect(results.map(\.parameters) == decoded.results.map(\.parameters))
    }

    @Test(arguments: [
        #"{"results":[{"id":1}]}"#, #"{"results":[{"id":"1"}"#,
        #"{"results":[{"error":"E","parameters":{"a"}}]}"#,
        #"{"results":[{"id":"1","other":2}]}"#, #"{"other":[]}"#, "[]",
    ]) func `any other form of it is left to a general decoder`(text: String) {
        Array(text.utf8).withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            #expect(BookingsInterface.CreatedMany(quickly: &cursor) == nil)
        }
    }
}
