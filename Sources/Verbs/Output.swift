import Glibc

/// Standard output, for people or for programs.
struct Output: Sendable {
    let terminal: Terminal
    let isJSON: Bool

    /// Prints `value` as a line of JSON, or as `lines` for people.
    func write(_ value: some Encodable, people lines: () -> [String]) throws(Failure) {
        try write(isJSON ? [JSONLine.text(of: value)] : lines())
    }

    /// Prints lines as they are.
    func write(_ lines: [String]) throws(Failure) {
        var text = lines.joined(separator: "\n")
        if !lines.isEmpty { text += "\n" }
        try write(bytes: Array(text.utf8))
    }

    /// Prints bytes as they are.
    func write(bytes: [UInt8]) throws(Failure) {
        let errno = StandardError.writeAll(bytes, to: STDOUT_FILENO)
        switch errno {
        case 0: return
        // A write to a socket ignores SIGPIPE from the first connection on, and so does this one.
        case EPIPE: throw .outputClosed
        default: throw .outputFailed(errno: errno)
        }
    }

    /// Tells people, and only them, something beside the result.
    func note(_ text: String) {
        if !isJSON { StandardError.write([text]) }
    }
}

/// Standard error.
enum StandardError {
    /// Prints lines, with what is unsafe on a terminal made visible. There is nobody to tell when it fails.
    static func write(_ lines: [String]) {
        let text = lines.map { $0.escapedForTerminal + "\n" }.joined()
        _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
    }

    /// Prints a question and leaves the cursor behind it.
    static func prompt(_ text: String) {
        _ = writeAll(Array(text.escapedForTerminal.utf8), to: STDERR_FILENO)
    }

    /// Shows how far something has come, in place of what was shown before; on a terminal only.
    static func showProgress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        _ = writeAll(Array("\r\u{1b}[K\(text.escapedForTerminal)".utf8), to: STDERR_FILENO)
    }

    /// - Returns: 0, or the errno of the write that failed.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Whoever shares the file made it non-blocking.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Glibc.poll(&poll, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }
}
