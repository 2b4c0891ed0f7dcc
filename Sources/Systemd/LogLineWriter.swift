import Glibc

/// Writes whole lines to a descriptor, by default stderr.
///
/// A line is one write(2), so that lines of threads don't mix (up to PIPE_BUF on a pipe). A closed pipe
/// raises no SIGPIPE, and errors are ignored: there is nowhere left to report them. A socket, which is what
/// stderr is under systemd, is never waited for; a terminal or pipe that nobody reads is, as by any program.
struct LogLineWriter: Sendable {
    private let fileDescriptor: Int32
    private let isSocket: Bool

    init(fileDescriptor: Int32) {
        self.fileDescriptor = fileDescriptor
        var status = stat()
        isSocket = fstat(fileDescriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Writes a line, which must contain no newline.
    func write(_ line: String) {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        if isSocket {
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            _ = send(fileDescriptor, bytes, bytes.count, flags)
        } else {
            withoutSIGPIPE { writeAll(bytes) }
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(fileDescriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                written += count
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }

    /// Holds SIGPIPE back from this thread during `body` and swallows the one that it raises. The process's
    /// disposition of the signal isn't ours to change.
    private func withoutSIGPIPE(_ body: () -> Void) {
        var pending = sigset_t()
        sigpending(&pending)
        let wasPending = sigismember(&pending, SIGPIPE) == 1
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        var previous = sigset_t()
        pthread_sigmask(SIG_BLOCK, &pipe, &previous)
        body()
        if !wasPending {
            var now = timespec()
            while sigtimedwait(&pipe, nil, &now) == -1, errno == EINTR {}
        }
        pthread_sigmask(SIG_SETMASK, &previous, nil)
    }
}
