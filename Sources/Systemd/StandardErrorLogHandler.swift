import Glibc
public import Logging

/// Writes log statements to stderr, a line each, where there is no journal:
/// `2026-11-22T21:10:05.123Z acms-frontd[123] warning: message key=value`.
public struct StandardErrorLogHandler: LogHandler {
    /// The metadata of every statement.
    public var metadata: Logger.Metadata = [:]
    /// Where task-local metadata comes from.
    public var metadataProvider: Logger.MetadataProvider?
    /// The least severe level that is logged.
    public var logLevel: Logger.Level

    private let label: String
    private let writer: LogLineWriter

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - label: What stands before the process's id, by convention the program's name.
    ///   - level: The least severe level that is logged.
    public init(label: String, level: Logger.Level) {
        self.init(label: label, level: level, writer: LogLineWriter(fileDescriptor: STDERR_FILENO))
    }

    init(label: String, level: Logger.Level, writer: LogLineWriter) {
        self.label = label
        logLevel = level
        self.writer = writer
    }

    /// The metadata value of a key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Logs one statement.
    public func log(event: LogEvent) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let merged = event.merged(into: metadata, provider: metadataProvider)
        let text = LogLine.text(message: "\(event.message)", metadata: merged)
        writer.write("\(LogLine.timestamp(now)) \(label)[\(getpid())] \(event.level): \(text)")
    }
}
