/// A file of the journal, made as journald makes them.
public enum JournalFile {
    /// An entry: when, in microseconds since 1970, and its fields, of which one may be there several times.
    public typealias Entry = (microseconds: Int64, fields: [(name: String, value: String)])

    /// Writes `entries` into `NAME.journal` in a directory.
    public static func write(_ entries: [Entry], to name: String, in directory: TemporaryDirectory)
        async throws
    {
        // The journal's export format: https://systemd.io/JOURNAL_EXPORT_FORMATS
        let export = entries.map { entry in
            let fields = [
                ("__REALTIME_TIMESTAMP", "\(entry.microseconds)"),
                ("__MONOTONIC_TIMESTAMP", "\(entry.microseconds)"),
                ("_BOOT_ID", "4ef6c8a3d0b94e2e8a7f9c6b5d4e3f21"),
            ]
            return (fields + entry.fields).map { "\($0.0)=\($0.1)\n" }.joined()
        }
        try directory.write(export.joined(separator: "\n") + "\n", to: "\(name).export")
        try await Command.succeed(
            "/lib/systemd/systemd-journal-remote", "--output=\(directory.path)/\(name).journal",
            "\(directory.path)/\(name).export")
    }
}
