import ArgumentParser

/// How and where an export is written.
struct ExportOptions: ParsableArguments {
    @Option(help: .init("The format: jsonl or csv.", valueName: "format")) var format = LineFormat.jsonl
    @Option(
        help: .init(
            "The file to write, instead of standard output. It is there once it is complete and synced; until then its name ends in .part.",
            valueName: "file"))
    var output: String?

    func validate() throws {
        guard output != "" else { throw ValidationError("--output must not be empty.") }
    }
}
