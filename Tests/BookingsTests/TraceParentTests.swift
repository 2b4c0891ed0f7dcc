import Testing

@testable import Bookings

@Suite struct TraceParentTests {
    private static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a traceparent is kept as it came, and tells its trace`() throws {
        let trace = try #require(TraceParent(Self.text))
        #expect(trace.description == Self.text)
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
    }

    @Test func `of a later version what it has in common is taken over`() {
        #expect(TraceParent("cc-" + Self.text.dropFirst(3) + "-what-comes")?.description == Self.text)
        #expect(TraceParent("cc-" + Self.text.dropFirst(3))?.description == Self.text)
    }

    @Test(
        arguments: [
            "", "00", text + "-more", text + "0", "ff-" + text.dropFirst(3), text.uppercased(),
            text.dropLast() + "g",
            "cc-" + text.dropFirst(3) + ".more", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", text.replacing("-", with: "_"),
            String(text.dropFirst()), " " + text, "0é-" + text.dropFirst(4),
        ] as [String])
    func `what is none is refused`(_ text: String) {
        #expect(TraceParent(text) == nil)
        let input = CreateBookingInput(
            userId: "u", apartmentId: "a", startDate: "2027-01-01", endDate: "2027-01-02", traceparent: text)
        #expect(throws: BookingsInterface.InvalidInput.self) { try BookingRequest(input) }
    }
}
