import Glibc
public import Logging

/// Makes the log handler that suits where this process runs: journald's when stderr is connected to the
/// journal, else lines on stderr. Both daemons bootstrap swift-log with it.
///
/// - Parameters:
///   - label: The program's name: `SYSLOG_IDENTIFIER`, and what begins a line on stderr.
///   - level: The least severe level that is logged.
public func makeLogHandler(label: String, level: Logger.Level) -> any LogHandler {
    let stream = getenv("JOURNAL_STREAM").map { String(cString: $0) }
    guard isJournalStream(stream, fileDescriptor: STDERR_FILENO) else {
        return StandardErrorLogHandler(label: label, level: level)
    }
    return JournalLogHandler(label: label, level: level)
}

/// Whether a descriptor is the stream that `$JOURNAL_STREAM` names by device and inode, systemd.exec(5). The
/// variable alone proves nothing: a child inherits it also when its stderr is redirected.
func isJournalStream(_ variable: String?, fileDescriptor: Int32) -> Bool {
    let numbers = variable?.split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
    guard let numbers, numbers.count == 2, let device = numbers[0], let inode = numbers[1] else {
        return false
    }
    var status = stat()
    guard fstat(fileDescriptor, &status) == 0 else { return false }
    return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
}
