import Glibc

/// A Unix socket that waits.
///
/// What was read stays where it is until `forget()`, so that pointers into a reply hold while it is used.
final class Socket {
    let descriptor: Int32
    private let buffer: UnsafeMutablePointer<UInt8>
    private let capacity = 1 << 20
    private var start = 0
    private var end = 0

    init(_ path: String) throws {
        guard let descriptor = try Self.connect(path) else { throw Failure.system("connect to", path) }
        self.descriptor = descriptor
        buffer = .allocate(capacity: capacity)
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// - Returns: nil if nobody listens there, yet.
    static func connect(_ path: String) throws -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.system("socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure("the path \(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        let code = errno
        close(descriptor)
        guard [ENOENT, ECONNREFUSED, EAGAIN].contains(code) else {
            throw Failure.system("connect to", path, code)
        }
        return nil
    }

    func write(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes {
                send(
                    descriptor, $0.baseAddress?.advanced(by: written), $0.count - written, Int32(MSG_NOSIGNAL)
                )
            }
            guard result > 0 else { throw Failure.system("send") }
            written += result
        }
    }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Reads so many bytes.
    func read(_ count: Int) throws -> UnsafeBufferPointer<UInt8> {
        while end - start < count { try fill() }
        defer { start += count }
        return UnsafeBufferPointer(start: buffer + start, count: count)
    }

    /// Reads up to and with a byte, and returns what is before it.
    func read(to terminator: UInt8) throws -> UnsafeBufferPointer<UInt8> {
        var looked = start
        while true {
            if let found = memchr(buffer + looked, Int32(terminator), end - looked) {
                let count = UnsafeRawPointer(found) - UnsafeRawPointer(buffer + start)
                defer { start += count + 1 }
                return UnsafeBufferPointer(start: buffer + start, count: count)
            }
            looked = end
            try fill()
        }
    }

    /// Reads a line that ends with CR and LF.
    func line() throws -> String {
        let bytes = try read(to: UInt8(ascii: "\n"))
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    /// Gives the room of what was read back; nothing may be left unread.
    func forget() throws {
        guard start == end else { throw Failure("\(end - start) bytes came that nobody has asked for") }
        (start, end) = (0, 0)
    }

    private func fill() throws {
        guard end < capacity else { throw Failure("a reply is too long") }
        let count = Glibc.read(descriptor, buffer + end, capacity - end)
        guard count > 0 else { throw count == 0 ? Failure("the server has hung up") : Failure.system("read") }
        end += count
    }
}

/// One call at a time over Varlink.
extension Socket {
    /// - Returns: the reply; an error is thrown.
    func call(_ method: String, _ parameters: String = "{}") throws -> String {
        try write("{\"method\":\"\(method)\",\"parameters\":\(parameters)}\0")
        let reply = String(decoding: try read(to: 0), as: UTF8.self)
        try forget()
        guard !reply.contains("\"error\"") else { throw Failure("\(method) was answered with \(reply)") }
        return reply
    }
}
