import CSystemd
import Glibc
public import Logging

/// Sends log statements to journald with their metadata as fields.
///
/// No log statement blocks, raises SIGPIPE or fails the caller. sd_journal_sendv(3) alone doesn't give that:
/// its socket blocks once journald lags behind or is stopped, and it answers success when journald's socket
/// doesn't exist. So an entry that fits into a datagram is sent here, without waiting, and libsystemd gets
/// the big ones, which it passes in a sealed memory file, after a look whether there is room for one.
///
/// An entry that journald doesn't take goes to stderr as a line instead, which under systemd is journald's
/// stream and works while its buffer lasts. What neither takes is lost; the daemon's work matters more than
/// its log. One limit remains: between that look and libsystemd's send, other programs can fill the queue,
/// and then the one big entry waits for journald.
public struct JournalLogHandler: LogHandler {
    /// Where journald listens.
    public static let defaultSocketPath = "/run/systemd/journal/socket"

    /// The metadata of every statement.
    public var metadata: Logger.Metadata = [:]
    /// Where task-local metadata comes from.
    public var metadataProvider: Logger.MetadataProvider?
    /// The least severe level that is logged.
    public var logLevel: Logger.Level

    private let identifier: String
    private let socketPath: String
    private let fallback: LogLineWriter

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - label: `SYSLOG_IDENTIFIER`, by convention the program's name.
    ///   - level: The least severe level that is logged.
    public init(label: String, level: Logger.Level) {
        self.init(
            label: label, level: level, socketPath: Self.defaultSocketPath,
            fallback: LogLineWriter(fileDescriptor: STDERR_FILENO))
    }

    init(label: String, level: Logger.Level, socketPath: String, fallback: LogLineWriter) {
        identifier = label
        logLevel = level
        self.socketPath = socketPath
        self.fallback = fallback
    }

    /// The metadata value of a key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Logs one statement.
    public func log(event: LogEvent) {
        let merged = event.merged(into: metadata, provider: metadataProvider)
        let entries = JournalEntry.entries(
            identifier: identifier, level: event.level, message: "\(event.message)", metadata: merged)
        // A loop without allSatisfy: every stretch is tried, whatever became of the one before.
        var isSent = true
        for entry in entries where !send(entry) { isSent = false }
        guard !isSent else { return }
        // journald's stream takes the priority from this prefix (SyslogLevelPrefix=) and knows the time.
        fallback.write(
            "<\(JournalField.priority(of: event.level))>"
                + LogLine.text(message: "\(event.message)", metadata: merged))
    }

    private func send(_ fields: [[UInt8]]) -> Bool {
        guard let socket = DatagramSocket(path: socketPath) else { return false }
        switch socket.send(JournalEntry.datagram(fields)) {
        case .sent: return true
        case .failed: return false
        case .tooBig:
            // libsystemd knows the one path only.
            guard socketPath == Self.defaultSocketPath, socket.isWritable else { return false }
            return Self.sendThroughLibrary(fields)
        }
    }

    private static func sendThroughLibrary(_ fields: [[UInt8]]) -> Bool {
        var bytes = Array(fields.joined())
        return bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return false }
            var offset = 0
            let vectors = fields.map { field in
                defer { offset += field.count }
                return iovec(iov_base: base + offset, iov_len: field.count)
            }
            return sd_journal_sendv(vectors, Int32(vectors.count)) >= 0
        }
    }
}
