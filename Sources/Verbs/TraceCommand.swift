import ArgumentParser
import Bookings
import FoundationEssentials
import Systemd

/// `acmsctl trace`
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Tell one booking's life: each step, when, and how long after the one before.",
        discussion: """
            The steps come from the journal, and from the table and the queue what it no longer has, or what may not be \
            read there. That takes the group systemd-journal; for the tries of a dead letter the group acms-admins as \
            well. Of the journal only what acms' units have logged counts.

            EXAMPLES
              acmsctl trace 01932b1c-7a5e-7d11-9c55-0242ac120002
              acmsctl trace 01932b1c-7a5e-7d11-9c55-0242ac120002 --json | jq -r '[.on, .step] | @tsv'
              acmsctl trace 01932b1c-7a5e-7d11-9c55-0242ac120002 --directory /mnt/var/log/journal/ID
            """)

    @Argument(help: "The booking's id.") var id: String
    @Option(
        help: .init("Read the journal files in this directory instead of this host's.", valueName: "path"),
        completion: .directory)
    var directory: String?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: options.json)
        do {
            let sources = TraceSources(
                settings: try Settings.forVerb(options.config, environment), options: options, output: output)
            // As acms writes it, which is how the journal is searched.
            let known = await sources.state(of: BookingID(id)?.description ?? id)
            let id = known.state?.booking.id ?? BookingID(id)?.description ?? id
            let letter = await sources.letter(id, known)
            let user = known.state?.booking.userId ?? letter?.userId
            let story = try sources.story(of: id, user: user, directory)
            let trace = BookingTrace(story, state: known.state, letter: letter)
            if let failure = known.failure, trace.steps.isEmpty { throw failure }
            try output.write(trace, known, isLetter: letter != nil, Locale(environment: environment))
            // What is printed is all that could be had, and isn't all.
            if let failure = known.failure, !known.isNowhere { throw failure }
        } catch let failure as Failure {
            throw failure.report(asJSON: options.json)
        }
    }
}

extension Output {
    fileprivate func write(
        _ trace: BookingTrace, _ known: TraceSources.Known, isLetter: Bool, _ locale: Locale
    ) throws(Failure) {
        let lines = zip(trace.steps, trace.delays).map { step, delay in
            TraceLine(step: step, delay: delay, traceID: trace.traceID)
        }
        if isJSON { return try write(lines.map { JSONLine.text(of: $0) }) }
        var table = Table(TraceLine.columns(locale), on: terminal)
        var fields = FieldList()
        if let traceID = trace.traceID { fields.add("trace", StyledText(traceID)) }
        fields.add("now", known.text(isLetter: isLetter))
        try write(table.lines(of: lines) + [""] + fields.lines(hasColour: terminal.hasColour))
    }
}

/// A step as it is printed.
private struct TraceLine: Encodable, Sendable {
    let step: TraceStep
    /// Since the step before; nil for the first.
    let delay: Duration?
    let traceID: String?

    private enum CodingKeys: String, CodingKey { case on, delaySeconds, step, detail, source, traceId }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode("\(step.on)", forKey: .on)
        try fields.encodeIfPresent(delay.map { $0 / .seconds(1) }, forKey: .delaySeconds)
        try fields.encode(step.kind, forKey: .step)
        try fields.encode(step.detail, forKey: .detail)
        try fields.encode(step.source, forKey: .source)
        try fields.encodeIfPresent(traceID, forKey: .traceId)
    }

    static func columns(_ locale: Locale) -> [Column<TraceLine>] {
        [
            Column(title: "TIME") { StyledText("\($0.step.on.timestamp)") },
            Column(title: "DELAY") { line in
                let text = line.delay.map { "+\(DelayText($0).text)" } ?? ""
                return StyledText(locale.isUTF8 ? text : text.replacing("µ", with: "u"))
            },
            Column(title: "STEP") { StyledText($0.step.kind.rawValue, $0.step.kind.style) },
            Column(title: "DETAIL", cut: .first(minimum: 20)) { StyledText($0.step.detail) },
        ]
    }
}

extension TraceStep.Kind {
    fileprivate var style: StyledText.Style? {
        switch self {
        case .crashed, .failed, .deadLettered: .red
        case .deferred, .redriven: .yellow
        case .committed, .approved: .green
        case .deleted, .repeated, .cancelled, .expired, .noted: .dim
        case .accepted: nil
        }
    }
}
