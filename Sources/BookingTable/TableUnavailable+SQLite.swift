import Bookings
import GRDB
import Glibc

extension TableUnavailable {
    /// The table's trouble behind an error of SQLite; nil when the statement is at fault and not the table.
    ///
    /// The codes are those of https://www.sqlite.org/rescode.html.
    init?(_ error: DatabaseError, path: String) {
        let (kind, remedy): (Kind, String)
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            (kind, remedy) = (.locked, "End the program that holds its lock; 'fuser \(path)' names it.")
        case .SQLITE_FULL:
            (kind, remedy) = (.full, "Free space on its file system.")
        case .SQLITE_IOERR:
            (kind, remedy) = (.inputOutput, "Its disk may be failing or full; see the kernel's log.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_NOLFS:
            (kind, remedy) = (.cannotOpen, "Check the owner and mode of the file and its directory.")
        case .SQLITE_READONLY:
            (kind, remedy) = (.readOnly, "Make the file and its directory writable for the worker.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            (kind, remedy) = (
                .corrupt, "Nothing is committed to it. Restore it from a copy or with sqlite3's .recover."
            )
        case .SQLITE_NOMEM, .SQLITE_INTERNAL, .SQLITE_MISUSE, .SQLITE_INTERRUPT, .SQLITE_SCHEMA:
            (kind, remedy) = (.other, "It is tried again.")
        default:
            return nil
        }
        self.init(
            kind,
            reason: "The table \(path) can't be used: \(error.message ?? "no message") (SQLite code "
                + "\(error.extendedResultCode.rawValue)). \(remedy)")
    }

    /// Any error of the table that is nobody else's.
    init(any error: any Error, path: String) {
        if let known = error as? TableUnavailable {
            self = known
        } else if let known = (error as? DatabaseError).flatMap({ TableUnavailable($0, path: path) }) {
            self = known
        } else {
            self.init(.other, reason: "The table \(path) can't be used: \(error).")
        }
    }

    static func missing(_ path: String, wasOpen: Bool) -> TableUnavailable {
        TableUnavailable(
            wasOpen ? .gone : .missing,
            reason: wasOpen
                ? "The table \(path) is gone; it was there before. Restore it, or restart acms-workerd to begin an empty one."
                : "The table \(path) has not been created yet; acms-workerd creates it when it first starts.")
    }

    static func newerSchema(_ path: String) -> TableUnavailable {
        TableUnavailable(
            .newerSchema,
            reason:
                "The table \(path) was written by a newer version of acms. It is not touched; install that version."
        )
    }
}

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
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if code == ENOENT, stat(directory.isEmpty ? "/" : directory, &status) == 0 { return nil }
        throw TableUnavailable(
            .cannotOpen,
            reason:
                "The table \(path) can't be reached: \(String(cString: strerror(code))). Check table.path, that "
                + "its file system is mounted, and the mode of its directory.")
    }
}
