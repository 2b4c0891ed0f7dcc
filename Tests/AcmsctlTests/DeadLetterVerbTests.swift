import Bookings
import Foundation
import Support
import Testing
import Varlink

@Suite struct DeadLetterVerbTests {
    private static let id = DeadLetter.sample().id

    private func queue(
        _ methods: [Method], _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        try await FakeDaemon.serving(QueueInterface.description, methods) {
            try await Program.run([Program.path] + arguments + ["--socket", $0], environment: environment)
        }
    }

    /// Redrives all that is asked for and tells what that was, in two replies if it may.
    private static let redrive = Method.streaming("RedriveDeadLetters") {
        (
            parameters: QueueInterface.RedriveDeadLetters, call, replies: ReplyStream<QueueInterface.Redriven>
        ) async throws(ErrorReply) in
        let asked = QueueInterface.LetterFailure(
            id: "X", error: "E", reason: JSONText.of(parameters, call.wantsMore))
        await replies.send(.init(redriven: ["1", "2"], failed: []))
        return .init(redriven: ["3"], failed: [asked])
    }

    private static let delete = Method("DeleteDeadLetters") {
        (parameters: QueueInterface.DeleteDeadLetters, call) throws(ErrorReply) in
        QueueInterface.Deleted(
            deleted: ["1", "2"],
            failed: [.init(id: "X", error: "E", reason: JSONText.of(parameters, call.wantsMore))])
    }

    /// What a method was asked.
    private enum JSONText {
        static func of(_ parameters: some Encodable, _ wantsMore: Bool) -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let text = (try? encoder.encode(parameters)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            return wantsMore ? "more " + text : text
        }
    }

    @Test func `redrive sums up all replies and tells what stays`() async throws {
        let outcome = try await queue([Self.redrive], "dlq", "redrive", "A", "B", "--rate", "5")
        #expect(outcome.status == 1)
        #expect(
            outcome.output == """
                Redrove 3 dead letters. 1 stays:
                X: more {"ids":["A","B"],"maxPerSecond":5}

                """)
        let json = try await queue([Self.redrive], "dlq", "redrive", "--class", "crash", "--json")
        #expect(json.outputLines.count == 2)
        #expect(json.outputLines.first == #"{"failed":[],"redriven":["1","2"]}"#)
        #expect(json.status == 1)
    }

    @Test func `redrive says what would be done, and all is asked for in so many words`() async throws {
        let outcome = try await queue([Self.redrive], "dlq", "redrive", "--all", "--dry-run")
        #expect(outcome.output.hasPrefix("Would redrive 3 dead letters."))
        #expect(outcome.output.contains(#"more {"dryRun":true,"filter":{}}"#))
    }

    @Test func `a redrive in which nothing fails is a success`() async throws {
        let method = Method("RedriveDeadLetters") {
            (_: QueueInterface.RedriveDeadLetters, _) throws(ErrorReply) in
            QueueInterface.Redriven(redriven: ["1"], failed: [])
        }
        let outcome = try await queue([method], "dlq", "redrive", "1")
        #expect(outcome.status == 0)
        #expect(outcome.output == "Redrove 1 dead letter.\n")
        #expect(outcome.errors.isEmpty)
    }

    @Test func `delete needs yes where letters are only described and nobody can be asked`() async throws {
        let refused = try await queue([Self.delete], "dlq", "delete", "--apartment", "A")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("Deleting can't be undone. Give --yes"))
        let dry = try await queue([Self.delete], "dlq", "delete", "--apartment", "A", "--dry-run")
        #expect(dry.output.hasPrefix("Would delete 2 dead letters. 1 stays:\n"))
        #expect(dry.output.contains(#"{"dryRun":true,"filter":{"apartmentId":"A"}}"#))
        let done = try await queue([Self.delete], "dlq", "delete", "--apartment", "A", "--yes")
        #expect(done.output.contains(#"X: {"filter":{"apartmentId":"A"}}"#))
        let named = try await queue([Self.delete], "dlq", "delete", "1", "2", "--json")
        #expect(named.status == 1)
        #expect(named.output.hasPrefix(#"{"deleted":["1","2"],"failed":[{"error":"E","id":"X","#))
    }

    @Test(arguments: ["redrive", "delete"])
    func `neither verb does anything to all by leaving something out`(verb: String) async throws {
        let nothing = try await Program.run("dlq", verb)
        #expect(nothing.status == 64)
        #expect(nothing.errors.contains("or give --all"))
        let both = try await Program.run("dlq", verb, "X", "--all")
        #expect(both.status == 64)
        #expect(both.errors.contains("--all goes with neither"))
    }

    @Test func `an empty text selects nothing`() async throws {
        for option in ["--reason", "--user", "--apartment"] {
            let outcome = try await Program.run("dlq", "delete", option, "", "--yes")
            #expect(outcome.status == 64)
            #expect(outcome.errors.contains("\(option) must not be empty."))
        }
    }

    // MARK: - edit

    private static func editable(_ letter: DeadLetter) -> [Method] {
        [
            Method("GetDeadLetter") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in
                QueueInterface.OneDeadLetter(letter: letter)
            },
            Method("RedriveDeadLetters") {
                (parameters: QueueInterface.RedriveDeadLetters, _) throws(ErrorReply) in
                QueueInterface.Redriven(
                    redriven: [],
                    failed: [.init(id: "X", error: "E", reason: JSONText.of(parameters, false))])
            },
        ]
    }

    private static let body =
        #"{"v":1,"input":{"userId":"u","apartmentId":"A","startDate":"2022-02-30","endDate":"2022-03-05"}}"#

    private func edit(
        _ editor: String, body: String = body, class: FailureClass = .poison, variable: String = "EDITOR",
        _ arguments: String...
    ) async throws -> Program.Outcome {
        var letter = DeadLetter.sample(reason: "no such \u{1b}day", body: body)
        letter.class = `class`
        return try await FakeDaemon.serving(QueueInterface.description, Self.editable(letter)) {
            try await Program.run(
                [Program.path, "dlq", "edit", Self.id, "--yes", "--socket", $0] + arguments,
                environment: [variable: editor])
        }
    }

    @Test(arguments: ["EDITOR", "VISUAL"])
    func `edit shows the difference and redrives with it`(variable: String) async throws {
        let outcome = try await edit("sed -i s/2022-02-30/2022-02-28/", variable: variable)
        #expect(
            outcome.output == """
                  userId:         u
                  apartmentId:    A
                - startDate:      2022-02-30
                + startDate:      2022-02-28
                  endDate:        2022-03-05
                Redrove 0 dead letters. 1 stays:
                X: {"ids":["\(Self.id)"],"input":{"apartmentId":"A","endDate":"2022-03-05",\
                "startDate":"2022-02-28","userId":"u"}}

                """)
    }

    @Test func `edit explains the letter and leaves no file behind`() async throws {
        let directory = try TemporaryDirectory()
        let outcome = try await edit(
            "sh -c 'cat \"$0\" > \(directory.path)/seen; echo \"$0\" > \(directory.path)/name; stat -c %a \"$0\" > \(directory.path)/mode; exit 3'"
        )
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("ended with status 3"))
        #expect(outcome.output.isEmpty)
        let seen = try directory.read("seen")
        #expect(seen.hasPrefix("# The dead letter \(Self.id): no such \\u{1b}day\n"))
        #expect(seen.contains(#"  "startDate": "2022-02-30","#))
        #expect(try directory.read("mode") == "600\n")
        let name = try directory.read("name").trimmingCharacters(in: .newlines)
        #expect(name.hasPrefix("/tmp/"))
        #expect(!FileManager.default.fileExists(atPath: name))
    }

    @Test func `edit of what can't be read begins with what is known`() async throws {
        let outcome = try await edit(
            #"sed -i 's/"userId": ""/"userId": "u"/; s/"\(start\|end\)Date": ""/"\1Date": "2026-01-01"/'"#,
            body: "{oops")
        #expect(outcome.errors.contains("endDate must be after startDate"))
        #expect(outcome.status == 1)
        let mended = try await edit(
            #"sed -i 's/"userId": ""/"userId": "u"/; s/"startDate": ""/"startDate": "2026-01-01"/; s/"endDate": ""/"endDate": "2026-01-02"/'"#,
            body: "{oops")
        #expect(mended.output.contains("+ userId:         u\n"))
        #expect(mended.output.contains("  apartmentId:    A-17\n"))
    }

    @Test func `edit refuses what is no booking, and does nothing where nothing was changed`() async throws {
        #expect(try await edit("sed -i s/userId/user/").errors.contains("the field user is unknown."))
        #expect(try await edit("sed -i d").errors.contains("it is not a JSON object."))
        #expect(try await edit("true").errors.contains("startDate is not a calendar date"))
        let valid = Self.body.replacing("2022-02-30", with: "2022-02-28")
        let unchanged = try await edit("true", body: valid, class: .exhausted)
        #expect(unchanged.status == 0)
        #expect(unchanged.output.isEmpty)
        #expect(unchanged.errors.contains("Nothing was changed; redrive it as it is"))
        // What is wrong may lie around the booking.
        let around = try await edit("true", body: valid.replacing("\"v\":1", with: "\"v\":99"))
        #expect(around.output.contains(#"X: {"ids":["\#(Self.id)"],"input":{"apartmentId":"A""#))
        #expect(try await edit("/nonexistent/editor").errors.contains("ended with status 127"))
    }

    // MARK: - pause and resume

    private static let pause = [
        Method("Pause") { (parameters: QueueInterface.Pause, _) throws(ErrorReply) -> NoParameters in
            if let until = parameters.until, until <= .now().advanced(by: .seconds(1700)) {
                throw ErrorReply(ServiceError.InvalidParameter(parameter: "until"))
            }
            return NoParameters()
        },
        Method("Resume") { (_: NoParameters, _) throws(ErrorReply) in NoParameters() },
    ]

    @Test func `pause and resume tell what is now so`() async throws {
        let pause = try await queue(Self.pause, "pause")
        #expect(pause.status == 0)
        #expect(pause.output == "committing:  paused\n")
        let ends = try await queue(Self.pause, "pause", "--for", "30m")
        #expect(ends.output.hasPrefix("committing:  paused until 2"))
        #expect(ends.output.hasSuffix(" (in 29 min)\n"))
        let time = try await queue(Self.pause, "pause", "--until", "2999-01-01T00:00:00Z", "--json")
        #expect(time.output == #"{"paused":true,"pausedUntil":"2999-01-01T00:00:00.000Z"}"# + "\n")
        let resume = try await queue(Self.pause, "resume")
        #expect(resume.output == "committing:  yes\n")
        #expect(try await queue(Self.pause, "resume", "--json").output == #"{"paused":false}"# + "\n")
    }

    @Test(arguments: [
        ["--for", "0s"], ["--for", "5"], ["--for", "1y"], ["--until", "2000-01-01"], ["--until", "later"],
        ["--for", "5m", "--until", "2999-01-01"],
    ])
    func `pause refuses what is no time to come`(arguments: [String]) async throws {
        let outcome = try await Program.run([Program.path, "pause"] + arguments)
        #expect(outcome.status == 64)
    }

    @Test func `a letter tells how often it was redriven`() async throws {
        var letter = DeadLetter.sample()
        letter.redriveCount = 2
        let outcome = try await queue(Self.editable(letter), "dlq", "show", "X")
        #expect(outcome.output.contains("redriven:       2 times\n"))
    }
}
