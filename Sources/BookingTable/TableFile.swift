import Bookings
import Glibc

/// Which file a path leads to: shows when it was deleted or replaced under an open connection.
struct TableFile: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    /// - Throws: `TableUnavailable` when the path can't be looked at.
    /// - Returns: nil when there is no file, in a directory that is there.
    static func at(_ path: String) throws(TableUnavailable) -> TableFile? {
        var status = stat()
        if stat(path, &status) == 0 {
            return TableFile(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        }
        let code = errno
        if code == ENOENT, stat(directory(of: path), &status) == 0 { return nil }
        throw TableUnavailable(
            .cannotOpen,
            reason:
                "The table \(path) can't be reached: \(String(cString: strerror(code))) (errno \(code)). "
                + "Check table.path, that its file system is mounted, and the mode of its directory.")
    }

    /// Shows whether anybody has changed the table's files since: which they are, how long, and when written.
    ///
    /// The -shm file is no part of it; readers change it.
    static func stamp(_ path: String) -> [Int64] {
        var values: [Int64] = []
        for file in [path, path + "-wal"] {
            var status = stat()
            guard stat(file, &status) == 0 else {
                values.append(-1)
                continue
            }
            values += [
                Int64(truncatingIfNeeded: status.st_dev), Int64(truncatingIfNeeded: status.st_ino),
                Int64(status.st_size), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
            ]
        }
        return values
    }

    /// Makes an empty file with mode 0640 whatever the umask: the worker writes, its directory's group reads.
    /// SQLite gives the mode to the files it puts beside it. A file that is there is left as it is.
    static func create(_ path: String) throws(TableUnavailable) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        if descriptor < 0, errno == EEXIST { return }
        guard descriptor >= 0, fchmod(descriptor, 0o640) == 0 else {
            let code = errno
            if descriptor >= 0 {
                close(descriptor)
                // One of another mode would be taken for what somebody has put there.
                unlink(path)
            }
            throw TableUnavailable(
                kind(ofErrno: code) ?? .cannotOpen,
                reason:
                    "The table \(path) can't be created: \(String(cString: strerror(code))) (errno \(code)). "
                    + "Make its directory writable for the worker and free space on its file system.")
        }
        // No connection of this process can hold a lock on a file that was not there, so closing drops none.
        close(descriptor)
    }

    /// The kind of trouble that an errno tells more exactly than SQLite's code; nil when it doesn't.
    static func kind(ofErrno code: Int32) -> TableUnavailable.Kind? {
        switch code {
        case ENOSPC, EDQUOT: .full
        case EROFS: .readOnly
        case EIO: .inputOutput
        default: nil
        }
    }

    /// Why SQLite may have failed to open the table, which its message doesn't say. Opening a file to find out
    /// would drop this process's locks on it when it is closed again, so permissions are asked for instead.
    static func obstacle(_ path: String, writing: Bool) -> String? {
        let mode = writing ? R_OK | W_OK : R_OK
        for file in [path, path + "-wal", path + "-shm"] {
            if faccessat(AT_FDCWD, file, mode, AT_EACCESS) == 0 { continue }
            let code = errno
            if code == ENOENT, faccessat(AT_FDCWD, directory(of: path), W_OK, AT_EACCESS) == 0 { continue }
            return "\(file): \(String(cString: strerror(code))) (errno \(code))"
        }
        return nil
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
