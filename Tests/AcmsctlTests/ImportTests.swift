import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct ImportTests {
    private static func lines(_ users: String...) -> String.UTF8View {
        users.map { CreateBookingInput.sample($0).line }.joined().utf8
    }

    @Test func `each line is booked, and the summary counts them`() async throws {
        let front = FakeFront()
        let (outcome, directory) = try await front.importing(Self.lines("alice", "bob"))
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("accepted:  2\nrefused:   0\nlines:     2\ntime:      "))
        #expect(outcome.outputLines.last?.hasSuffix(" lines/s") == true)
        #expect(outcome.errors.isEmpty)
        #expect(front.inputs.map(\.userId) == ["alice", "bob"])
        #expect(try directory.names() == ["bookings.jsonl"])
    }

    @Test func `more lines than one call takes go in several, in order`() async throws {
        let front = FakeFront()
        let users = (0..<2345).map { "u\($0)" }
        let text = users.map { CreateBookingInput.sample($0).line }.joined()
        let (outcome, _) = try await front.importing(text.utf8, as: "bookings.jsonl", "--json")
        #expect(front.inputs.map(\.userId) == users)
        #expect(front.asked.count == 5)
        #expect(outcome.outputLines.count == 2345)
        #expect(outcome.outputLines.last == #"{"id":"id of u2344","line":2345}"#)
    }

    @Test func `a refused line is kept with its reason, and holds up no other`() async throws {
        let front = FakeFront { $1.userId == "bob" ? .invalid : .accepting($1) }
        let text = Array(Self.lines("alice", "bob", "carol")) + Array("{oops\n\n[]\n".utf8)
        let (outcome, directory) = try await front.importing(text)
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("accepted:  2\nrefused:   3, see bookings.jsonl.refused.jsonl\n"))
        #expect(
            outcome.errors == """
                line 2: endDate: is odd.
                line 4: it is not a JSON object.
                line 6: it is not a JSON object.

                """)
        let bob = CreateBookingInput.sample("bob").line.dropLast()
        let reason = #""error":"acmsctl.InvalidLine","reason":"it is not a JSON object.""#
        #expect(
            try directory.read("bookings.jsonl.refused.jsonl") == """
                {"line":2,"field":"endDate","error":"io.acms.Bookings.InvalidInput","reason":"endDate: is odd.",\
                "input":\(bob)}
                {"line":4,"field":null,\(reason),"input":"{oops"}
                {"line":6,"field":null,\(reason),"input":"[]"}

                """)
    }

    @Test func `with JSON there is an object a line, and the summary beside them`() async throws {
        let front = FakeFront { $1.userId == "bob" ? .invalid : .accepting($1) }
        let text = Array(Self.lines("alice", "bob")) + Array("{}".utf8)
        let (outcome, _) = try await front.importing(text, as: "bookings.jsonl", "--json")
        #expect(outcome.status == 1)
        #expect(
            outcome.output == """
                {"id":"id of alice","line":1}
                {"error":"io.acms.Bookings.InvalidInput","line":2,"parameters":{"field":"endDate","reason":"is odd"}}
                {"error":"acmsctl.InvalidLine","line":3,"parameters":{"reason":"the field userId is missing."}}

                """)
        #expect(
            outcome.errors.hasPrefix(
                #"{"summary":{"accepted":1,"lines":3,"refused":2,"refusedFile":"bookings.j"#))
        #expect(outcome.errorLines.count == 1)
        let quiet = try await front.importing(text, as: "bookings.jsonl", "--json", "--quiet").outcome
        #expect(quiet.errors.isEmpty)
    }

    @Test
    func `the file of refused lines is made anew, can be imported, and is gone when nothing was refused`()
        async throws
    {
        let strict = FakeFront { .init(error: "E", parameters: .object(["u": .string($1.userId)])) }
        let (_, directory) = try await strict.importing(Self.lines("alice", "bob"))
        let front = FakeFront()
        let mended = try await front.importing("bookings.jsonl.refused.jsonl", in: directory)
        #expect(mended.status == 0)
        #expect(front.inputs == strict.inputs)
        // Refused once more, a line of it is kept as it was at first.
        _ = try await strict.importing("bookings.jsonl.refused.jsonl", in: directory)
        let twice = try directory.read("bookings.jsonl.refused.jsonl.refused.jsonl")
        #expect(twice == (try directory.read("bookings.jsonl.refused.jsonl")))
        #expect(try await front.importing("bookings.jsonl", in: directory).status == 0)
        #expect(try directory.names() == ["bookings.jsonl", "bookings.jsonl.refused.jsonl.refused.jsonl"])
    }

    @Test func `no file of another kind is written over`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(CreateBookingInput.sample("alice").line, to: "a.jsonl")
        try directory.write("precious", to: "b")
        let front = FakeFront { _, _ in .invalid }
        for (file, reason) in [("a.jsonl", "is the file to be read"), ("b", "holds no refused lines")] {
            let outcome = try await front.importing("a.jsonl", in: directory, ["--refused", file])
            #expect(outcome.status == 64)
            #expect(outcome.errors.contains(reason))
        }
        #expect(front.asked.isEmpty)
        #expect(try await front.importing("a.jsonl", in: directory, ["--refused", "/dev/null"]).status == 1)
        #expect(try directory.names() == ["a.jsonl", "b"])
    }

    @Test(arguments: ["-", "/dev/stdin", "/proc/self/fd/0"])
    func `standard input is read, and its format known by the first byte`(file: String) async throws {
        let front = FakeFront { _, _ in .invalid }
        let directory = try TemporaryDirectory()
        for text in [
            CreateBookingInput.sample("alice").line, "user,apartment,from,to\nalice,A,2026-12-01,2026-12-04",
        ] {
            try directory.write(text, to: "input")
            let outcome = try await FakeDaemon.serving(BookingsInterface.description, [front.method]) {
                try await Program.run([
                    "/bin/sh", "-c",
                    "cd '\(directory.path)' && cat input | '\(Program.path)' import \(file) --socket '\($0)'",
                ])
            }
            #expect(outcome.status == 1)
            #expect(try directory.read("stdin.refused.jsonl").hasPrefix(#"{"line":"#))
        }
        #expect(front.inputs.count == 2)
        #expect(front.inputs[0] == front.inputs[1])
    }

    @Test func `a file that isn't there exits 66`() async throws {
        let outcome = try await FakeFront().importing("none.jsonl", in: try TemporaryDirectory())
        #expect(outcome.status == 66)
        #expect(outcome.errors.hasPrefix("acmsctl: none.jsonl can't be read: No such file or directory.\n"))
    }

    @Test func `lines of any length and form are read`() async throws {
        let front = FakeFront()
        let long = String(repeating: "x", count: 200_000)
        let lines = [
            "\u{feff}" + CreateBookingInput.sample("alice").line.replacing("\n", with: "\r\n"),
            "{\"long\":\"\(long)\"}\n", " \t\n",
            #"{"userId":"Zo\u00eb","apartmentId":"\"A\"","startDate":"2026-12-01","endDate":"2026-12-04"}"#,
        ]
        let (outcome, directory) = try await front.importing(lines.joined().utf8)
        #expect(front.inputs.map(\.userId) == ["alice", "Zoë"])
        #expect(front.inputs.last?.apartmentId == "\"A\"")
        #expect(
            outcome.errors == "line 2: it has 200011 bytes; at most 65536 are allowed, which are shown.\n")
        #expect(try directory.read("bookings.jsonl.refused.jsonl").utf8.count < 66_000)
    }
}
