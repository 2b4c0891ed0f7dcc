internal import Glibc

/// A socket that listens, and the file it must remove at the end.
struct ListeningSocket: Sendable {
    let fileDescriptor: Int32
    /// The socket file this server made; nil for an inherited socket, whose file isn't ours.
    private let file: File?

    private struct File: Sendable {
        let path: String
        let device: dev_t
        let inode: ino_t
    }

    init(_ listener: Server.Listener) throws(ServerError) {
        switch listener {
        case .inherited(let fileDescriptor):
            try Self.check(fileDescriptor)
            self.fileDescriptor = fileDescriptor
            file = nil
        case .path(let path, let mode):
            try Self.removeStaleFile(at: path)
            let descriptor = try Self.makeSocket(path)
            do throws(ServerError) {
                file = try Self.listen(descriptor, at: path, mode: mode)
            } catch {
                close(descriptor)
                throw error
            }
            fileDescriptor = descriptor
        }
    }

    /// Removes the socket file, if it still is the one that was made here.
    func removeFile() {
        guard let file else { return }
        var status = stat()
        if lstat(file.path, &status) == 0, status.st_dev == file.device, status.st_ino == file.inode {
            unlink(file.path)
        }
    }

    private static func check(_ descriptor: Int32) throws(ServerError) {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
        }
        guard option(SO_DOMAIN) == AF_UNIX, option(SO_ACCEPTCONN) == 1,
            option(SO_TYPE) == Int32(SOCK_STREAM.rawValue)
        else { throw .notListening(fileDescriptor: descriptor) }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw .socket(operation: "fcntl", path: nil, errno: errno) }
    }

    /// A file whose socket nobody listens on is what a killed server leaves behind.
    private static func removeStaleFile(at path: String) throws(ServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let descriptor = try makeSocket(path)
        defer { close(descriptor) }
        guard try SocketPath.withAddress(path, { connect(descriptor, $0, $1) }) != 0 else {
            throw .inUse(path: path)
        }
        switch errno {
        case ECONNREFUSED:
            guard unlink(path) == 0 || errno == ENOENT else {
                throw .socket(operation: "unlink", path: path, errno: errno)
            }
        case ENOENT: return
        // The queue of who wants to connect is full, so somebody listens.
        case EAGAIN: throw .inUse(path: path)
        default: throw .socket(operation: "connect", path: path, errno: errno)
        }
    }

    private static func makeSocket(_ path: String) throws(ServerError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .socket(operation: "socket", path: path, errno: errno) }
        return descriptor
    }

    /// The mode is set before anybody can connect: that takes `listen`.
    private static func listen(
        _ descriptor: Int32, at path: String, mode: UInt32
    ) throws(ServerError) -> File {
        guard try SocketPath.withAddress(path, { bind(descriptor, $0, $1) }) == 0 else {
            throw errno == EADDRINUSE
                ? .inUse(path: path) : .socket(operation: "bind", path: path, errno: errno)
        }
        var status = stat()
        guard chmod(path, mode_t(mode)) == 0, lstat(path, &status) == 0 else {
            let error = ServerError.socket(operation: "chmod", path: path, errno: errno)
            unlink(path)
            throw error
        }
        guard Glibc.listen(descriptor, SOMAXCONN) == 0 else {
            let error = ServerError.socket(operation: "listen", path: path, errno: errno)
            unlink(path)
            throw error
        }
        return File(path: path, device: status.st_dev, inode: status.st_ino)
    }
}
