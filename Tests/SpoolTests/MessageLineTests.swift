import Bookings
import Foundation
import Testing

@testable import Spool

@Suite struct MessageLineTests {
    private func decode(_ text: String, file: String = "by-hand", number: Int = 1) -> Result<Message, Poison>
    {
        MessageLine.decode(
            Array(text.utf8), fileName: file, number: number, arrival: Timestamp(milliseconds: 42))
    }

    private func reason(_ text: String) -> String? {
        guard case .failure(let poison) = decode(text) else { return nil }
        return poison.reason
    }

    private let input = #"{"userId":"u","apartmentId":"a","startDate":"2026-01-01","endDate":"2026-01-02"}"#

    @Test func aMessageComesBackAsItWas() throws {
        var original = try message("user \"quoted\" / \u{e9}\u{1F600}")
        original.receiveCount = 3
        original.attempts = [Attempt(on: Timestamp(milliseconds: 7), class: Attempt.failed, reason: "x\ny")]
        original.notBefore = Timestamp(milliseconds: 1_700_000_000_123)
        let line = try MessageLine.encode(original)
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(line.dropLast().allSatisfy { $0 != UInt8(ascii: "\n") })
        let decoded = MessageLine.decode(
            Array(line.dropLast()), fileName: "f", number: 1, arrival: Timestamp(milliseconds: 0))
        #expect(try decoded.get() == original)
    }

    @Test func aTraceByHandMayStandWhereALineHasItOrWhereACallDoes() throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let inInput = input.dropLast() + #","traceparent":"\#(trace)"}"#
        for line in [#"{"traceparent":"\#(trace)","input":\#(input)}"#, #"{"input":\#(inInput)}"#] {
            #expect(try decode(line).get().traceParent == TraceParent(trace), "\(line)")
        }
        #expect(
            reason(#"{"traceparent":"here","input":\#(input)}"#)
                == "The member traceparent is not acceptable: it is no traceparent.")
    }

    @Test func everyFlippedBitOfALineIsNoticed() throws {
        let line = Array(try MessageLine.encode(message("user")).dropLast())
        for position in line.indices {
            var damaged = line
            damaged[position] ^= 1
            let decoded = MessageLine.decode(
                damaged, fileName: "f", number: 1, arrival: Timestamp(milliseconds: 0))
            #expect(throws: Poison.self, "byte \(position)") { try decoded.get() }
        }
    }

    @Test func onlyTheInputIsNeededByHand() throws {
        let first = try decode(#"{"input":\#(input)}"#).get()
        #expect(first.id == .derived(fileName: "by-hand", line: 1))
        #expect(first.acceptedOn == Timestamp(milliseconds: 42))
        #expect(first.peer == nil)
        #expect(try decode(#"{"input":\#(input)}"#, number: 2).get().id != first.id)
        #expect(try decode(#"{"input":\#(input)}"#, file: "other").get().id != first.id)
    }

    @Test(arguments: [
        ("not json", "The line is not JSON."),
        ("[1]", "The line is not a JSON object."),
        ("{}", "The member input is missing."),
        (#"{"v":2,"somethingNew":1}"#, "The line's format has the unknown version 2."),
        (#"{"input":{"userId":"u"}}"#, "The member input.apartmentId is missing."),
        (
            #"{"input":{"userId":1,"apartmentId":"a","startDate":"","endDate":""}}"#,
            "The member input.userId has a wrong type."
        ),
        (#"{"inptu":{}}"#, "The line has the unknown member inptu."),
        (#"{"input":{"colour":"red"}}"#, "The line has the unknown member input.colour."),
        (
            #"{"input":{"userId":"u","apartmentId":"a","startDate":"2023-02-29","endDate":"2023-03-01"}}"#,
            "The booking is not valid: startDate is not a calendar date YYYY-MM-DD."
        ),
    ])
    func poisonSaysWhatIsWrong(text: String, expected: String) {
        #expect(reason(text) == expected)
    }

    @Test func anEditedLineWithItsOldChecksumIsPoison() throws {
        let line = String(decoding: try MessageLine.encode(message("user")).dropLast(), as: UTF8.self)
        let edited = line.replacing("2026-01-03", with: "2026-01-04")
        #expect(reason(edited)?.hasPrefix("The checksum does not match") == true)
        let checksum = try #require(edited.range(of: #","crc32c""#))
        #expect(
            try decode(String(edited[..<checksum.lowerBound]) + "}").get().request.stay.end.description
                == "2026-01-04")
    }

    @Test func poisonNamesWhatCanStillBeRead() {
        guard
            case .failure(let poison) = decode(
                #"{"v":9,"receiveCount":4,"input":{"userId":"u","apartmentId":7}}"#)
        else {
            Issue.record("not poison")
            return
        }
        #expect(poison.userID == "u")
        #expect(poison.apartmentID == nil)
        #expect(poison.receiveCount == 4)
    }

    @Test func theChecksumIsTheCastagnoliOne() {
        // The check value of CRC-32C in RFC 3720's terms: 32 bytes of zeros, and "123456789".
        #expect(CRC32C.text(Array(repeating: 0, count: 32)) == "8a9136aa")
        #expect(CRC32C.text(Array("123456789".utf8)) == "e3069283")
    }
}
