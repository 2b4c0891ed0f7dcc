import Bookings
import Support
import Testing

@Suite struct ImportCSVTests {
    @Test func `columns may come in any order, quoted, and with line ends of any system`() async throws {
        let front = FakeFront()
        let text =
            "\u{feff}to,\"from\", apartmentId ,user,bookingStatus,traceparent\r\n"
            + "2026-12-04,2026-12-01,\"a \"\"b\"\", c\r\nd\",Zoë,,\r\n\r\n"
            + "2026-12-04,2026-12-01,\"A\",bob,pending,00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let (outcome, _) = try await front.importing(text.utf8, as: "b.csv", "--no-keys")
        #expect(outcome.status == 0, "\(outcome.errors)")
        var first = CreateBookingInput.sample("Zoë")
        first.apartmentId = "a \"b\", c\r\nd"
        var second = CreateBookingInput.sample("bob")
        second.bookingStatus = .pending
        second.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        #expect(front.inputs == [first, second])
    }

    @Test func `a line that can't be read is refused with its number, and no other with it`() async throws {
        let front = FakeFront { $1.userId == "x" ? .invalid : .accepting($1) }
        let text = """
            user,apartment,from,to
            "open,A,2026-12-01,2026-12-04
            alice,A,2026-12-01,2026-12-04
            x,"two
            lines",2026-12-01,2026-12-04
            few,A
            a"b,A,2026-12-01,2026-12-04
            "a"b,A,2026-12-01,2026-12-04
            bob,A,2026-12-01,2026-12-04
            """
        let (outcome, directory) = try await front.importing(text.utf8, as: "b.csv")
        #expect(front.inputs.map(\.userId) == ["alice", "x", "bob"])
        #expect(
            outcome.errors == """
                line 2: a quotation mark is not closed.
                line 4: endDate: is odd.
                line 6: it has 2 fields, and the header 4.
                line 7: a quotation mark stands in a field that does not begin with one.
                line 8: something other than a comma follows a closing quotation mark.

                """)
        let refused = try directory.read("b.csv.refused.jsonl").split(separator: "\n")
        #expect(refused[0].hasSuffix(#","input":"\"open,A,2026-12-01,2026-12-04"}"#))
        #expect(
            refused[1].hasSuffix(
                #""input":{"userId":"x","apartmentId":"two\u000alines","startDate":"2026-12-01","endDate":"2026-12-04"}}"#
            ))
        let again = FakeFront()
        #expect(try await again.importing("b.csv.refused.jsonl", in: directory).status == 1)
        #expect(again.inputs == [front.inputs[1]])
    }

    @Test(arguments: [
        ("user,apartment,from,to,colour", #"the column "colour" is unknown. Known are userId (or user), "#),
        ("user,apartment,from", "the header has no column endDate."),
        ("user,userId,apartment,from,to", #"the column "userId" is there twice."#),
        ("user,\"apartment,from,to", "the header can't be read: a quotation mark is not closed."),
        ("", "it is empty"),
    ]) func `a header that says something else stops it before anything is sent`(
        header: String, reason: String
    ) async throws {
        let front = FakeFront()
        let text = header.isEmpty ? "" : header + "\na,b,c,d,e\n"
        let (outcome, _) = try await front.importing(text.utf8, as: "b.csv")
        #expect(outcome.status == 66)
        #expect(outcome.errors.hasPrefix("acmsctl: b.csv: \(reason)"))
        #expect(front.asked.isEmpty)
    }

    @Test func `the key column must be there, and --format goes before the name`() async throws {
        let text = "user,apartment,from,to\nalice,A,2026-12-01,2026-12-04"
        let front = FakeFront()
        let missing = try await front.importing(text.utf8, as: "b.csv", "--key-column", "order").outcome
        #expect(
            missing.errors.hasPrefix(#"acmsctl: b.csv: the header has no column "order", which --key-column"#)
        )
        let named = try await front.importing(text.utf8, as: "b.txt", "--format", "csv").outcome
        #expect(named.status == 0)
        #expect(front.inputs.map(\.userId) == ["alice"])
    }

    @Test func `quotation marks that never close hold up no good line`() async throws {
        let front = FakeFront()
        let good = (0..<3000).map { "u\($0),A,2026-12-01,2026-12-04" }
        let text = (["user,apartment,from,to", "\"stray,A,2026-12-01,2026-12-04"] + good).joined(
            separator: "\n")
        let (outcome, _) = try await front.importing(text.utf8, as: "b.csv")
        #expect(outcome.errors == "line 2: a quotation mark is not closed.\n")
        #expect(front.inputs.count == 3000)
    }
}
