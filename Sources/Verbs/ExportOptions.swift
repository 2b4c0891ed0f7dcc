import ArgumentParser

/// How and where an export is written.
struct ExportOptions: ParsableArguments {
    @Option(
        help: .init(
            "The format: jsonl or csv. (default: csv where the name of the file ends so, else jsonl)",
            valueName: "format"))
    var format: LineFormat?
    @Option(
        help: .init(
            "The file to write, instead of standard output. It is replaced once all is written and synced; a pipe or a device is written to.",
            valueName: "file"))
    var output: String?

    /// The format that is asked for, or that the file's name asks for.
    var lineFormat: LineFormat { format ?? output.flatMap(LineFormat.init(path:)) ?? .jsonl }

    func validate() throws {
        guard output != "" else { throw ValidationError("--output must not be empty.") }
    }
}
