import ArgumentParser
import Bookings
import Varlink

/// `acmsctl import`
struct ImportCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Book every line of a file of JSON Lines or CSV.",
        discussion: """
            A line of JSON is an object: {"userId":…,"apartmentId":…,"startDate":…,"endDate":…} and perhaps \
            "idempotencyKey", "bookingStatus" (PENDING) and "traceparent". CSV has the same names in its first line, \
            in any order; user, apartment, from, to and key stand for the first five as well. What 'acmsctl export \
            bookings --status pending' writes can be imported: id, createdOn and updatedOn are passed over.

            Run the same command again after it was interrupted, at whatever moment: each line is booked once. To that \
            end a line without a key of its own gets one that is made of its user, apartment and dates; it is answered with \
            the booking that was made of it, whatever has become of that.

            A line that is refused holds up no other. It is written to FILE.refused.jsonl with the reason, and the \
            exit status is 1 then; mend the lines there and import that file. Where acms has no room for more, the \
            import waits. It stops with status 69 where acms can't store anything or is gone.

            With --json there is an object on standard output for each line, in no certain order: {"line":…,"id":…} \
            or {"line":…,"error":…,"parameters":{…}}; and a last one on standard error, {"summary":{…}}, unless \
            --quiet is given.

            EXAMPLES
              acmsctl import bookings.jsonl
              acmsctl import bookings.csv --key-column orderNumber
              jq -c '.[]' bookings.json | acmsctl import - --json
              acmsctl import bookings.csv.refused.jsonl
            """)

    @Argument(help: .init("The file; - for standard input.", valueName: "file"), completion: .file())
    var file: String
    @Option(
        help: .init(
            "The file's format: jsonl or csv. (default: csv where the name ends so, else jsonl; by its first byte for - and pipes)",
            valueName: "format"))
    var format: LineFormat?
    @Option(
        help: .init(
            "The column, or the member of each object, that holds a key of its own for each line.",
            valueName: "name"))
    var keyColumn: String?
    @Flag(help: "Give no keys to lines that have none: a line that was accepted before is refused.")
    var noKeys = false
    @Option(
        help: .init(
            "Where to write lines that are refused. (default: FILE.refused.jsonl; stdin.refused.jsonl for - and pipes)",
            valueName: "file"))
    var refused: String?
    @Flag(help: "Don't tell how far the import has come.") var quiet = false
    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard let keyColumn else { return }
        guard !keyColumn.isEmpty else { throw ValidationError("--key-column must not be empty.") }
        if let field = BookingColumn(name: keyColumn), field != .idempotencyKey, !field.isPassedOver {
            throw ValidationError("--key-column names \(keyColumn), which is a part of the booking itself.")
        }
    }

    func run(_ session: Session) async throws {
        let input = try InputFile(file)
        let refusedLines = try RefusedLines(
            at: refused ?? "\(input.isNameless ? "stdin" : file).refused.jsonl", besides: input)
        let source = try BookingSource(
            input, format: format, keyColumn: keyColumn, derivesKeys: !noKeys)
        var run = ImportRun(
            source: source, session: session,
            report: ImportReport(
                refused: refusedLines, size: input.size, output: session.output, isQuiet: quiet),
            isRepeatable: !noKeys)
        let summary = try await run.finish()
        if session.output.isJSON {
            if !quiet { StandardError.write([JSONLine.text(of: ["summary": summary])]) }
        } else {
            try session.output.write(summary.text)
        }
        if summary.refused > 0 { throw ExitCode(1) }
    }
}
