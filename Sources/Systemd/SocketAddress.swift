import Glibc

/// Addresses of Unix sockets.
enum SocketAddress {
    /// Calls `body` with the address of `path`; a leading `@` means the abstract namespace, as in
    /// sd_notify(3). Returns nil, without a call, when the path is no absolute one or doesn't fit.
    static func with<Result>(
        path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result? {
        var bytes = Array(path.utf8)
        guard let first = bytes.first, bytes.count > 1, !bytes.contains(0) else { return nil }
        let isAbstract = first == UInt8(ascii: "@")
        guard isAbstract || first == UInt8(ascii: "/") else { return nil }
        if isAbstract { bytes[0] = 0 }

        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A path needs its NUL; an abstract name is delimited by the address's length alone.
        let capacity = MemoryLayout.size(ofValue: address.sun_path) - (isAbstract ? 0 : 1)
        guard bytes.count <= capacity else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = pathOffset + bytes.count + (isAbstract ? 0 : 1)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }

    /// The path that a Unix socket is bound to; nil when it is none, unnamed or abstract.
    static func boundPath(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        return withUnsafeBytes(of: &address.sun_path) { path in
            // The kernel doesn't promise a NUL: a path may fill the field.
            let bytes = path.prefix(max(0, min(Int(length) - pathOffset, path.count))).prefix { $0 != 0 }
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        }
    }

    private static var pathOffset: Int { MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2 }
}
