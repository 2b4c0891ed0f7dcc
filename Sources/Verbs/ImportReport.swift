import Bookings
import Varlink

/// What is told of an import while it goes on, and what is counted.
struct ImportReport {
    /// How many refused lines people are shown; all are in the file.
    private static let shownRefusals = 20

    private var refusedLines: RefusedLines
    private let size: Int?
    private let output: Output
    private var display: ProgressDisplay
    private let start = ContinuousClock.now
    private var acceptedCount = 0
    /// Outcomes that are not printed yet.
    private var printed: [UInt8] = []

    /// - Parameter size: The bytes of the file, if it is known.
    init(refused: RefusedLines, size: Int?, output: Output, isQuiet: Bool) {
        refusedLines = refused
        self.size = size
        self.output = output
        display = ProgressDisplay(isJSON: output.isJSON, isQuiet: isQuiet, start: start)
    }

    /// What became of a line, for programs.
    private struct Outcome: Encodable {
        let line: Int
        let error: String
        let parameters: JSONValue?
    }

    mutating func accepted(_ line: Int, id: String) throws(Failure) {
        acceptedCount += 1
        guard output.isJSON else { return }
        printed.append(#"{"id":"#)
        printed.append(quoting: id)
        printed.append(#","line":"#)
        printed += String(line).utf8
        printed.append("}\n")
    }

    /// - Parameter original: The line as JSON.
    mutating func refused(_ line: Int, _ refusal: Refusal, original: [UInt8]) throws(Failure) {
        try refusedLines.add(line, refusal, original: original)
        if output.isJSON {
            let outcome = Outcome(line: line, error: refusal.error, parameters: refusal.parameters)
            printed += JSONLine.text(of: outcome).utf8
            printed.append("\n")
        } else if refusedLines.count <= Self.shownRefusals {
            note("line \(line): \(refusal.reason)")
        } else if refusedLines.count == Self.shownRefusals + 1 {
            note("Further refused lines are only in \(refusedLines.path).")
        }
    }

    /// Tells people something in between.
    func note(_ text: String) {
        display.clear()
        output.note(text)
    }

    /// All up to this byte of the file is answered.
    mutating func progressed(to offset: Int) throws(Failure) {
        try print()
        display.show(progress(at: offset))
    }

    private func progress(at offset: Int) -> ImportProgress {
        ImportProgress(
            accepted: acceptedCount, refused: refusedLines.count,
            fraction: size.map { $0 > 0 ? min(Double(offset) / Double($0), 1) : 1 },
            elapsed: ContinuousClock.now - start)
    }

    private mutating func print() throws(Failure) {
        guard !printed.isEmpty else { return }
        try output.write(bytes: printed)
        printed.removeAll(keepingCapacity: true)
    }

    /// Ends the report.
    mutating func finish() throws(Failure) -> ImportSummary {
        display.clear()
        try print()
        try refusedLines.finish()
        return ImportSummary(
            accepted: acceptedCount, refused: refusedLines.count,
            refusedFile: refusedLines.count > 0 ? refusedLines.path : nil,
            elapsed: ContinuousClock.now - start)
    }

    /// Ends the report where the import can't go on; what is known of refused lines is kept.
    mutating func stop() {
        display.clear()
        try? print()
        try? refusedLines.flush()
    }
}
