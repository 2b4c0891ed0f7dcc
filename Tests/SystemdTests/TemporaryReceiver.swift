import Glibc
import Testing

@testable import Systemd

/// A real datagram socket in a directory of its own, standing where journald's or the manager's stands.
final class TemporaryReceiver {
    let directory: String
    let path: String
    private let descriptor: Int32

    init() throws {
        var template = Array("/tmp/acms-systemd-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/socket"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let descriptor = descriptor
        try #require(SocketAddress.with(path: path) { bind(descriptor, $0, $1) } == 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
        rmdir(directory)
    }

    /// The next datagram that has arrived already, or nil; never waits, as a datagram arrives within its send.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    func receiveText() -> String? {
        receive().map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A pipe whose reading end tells what was written to the other.
final class TemporaryPipe {
    let writingEnd: Int32
    private var readingEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        try #require(result == 0)
        (readingEnd, writingEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        closeReadingEnd()
        close(writingEnd)
    }

    func closeReadingEnd() {
        if readingEnd >= 0 { close(readingEnd) }
        readingEnd = -1
    }

    /// All that was written so far.
    func text() -> String {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(readingEnd, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
