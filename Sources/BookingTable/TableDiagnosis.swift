import Bookings
import GRDB
import Glibc

/// Says what is wrong with a table and what to do about it.
struct TableDiagnosis: Sendable {
    /// What the program that asks does with the table.
    enum Role: Sendable {
        /// Reads only.
        case reader
        /// Reads and writes.
        case writer
    }

    let path: String
    let role: Role

    /// The kind of trouble with the table as a whole behind a code of SQLite's; nil when the statement is at
    /// fault and not the table. The codes are those of https://www.sqlite.org/rescode.html.
    static func kind(of code: ResultCode) -> TableUnavailable.Kind? {
        switch code.primaryResultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: .locked
        case .SQLITE_FULL: .full
        case .SQLITE_IOERR: .inputOutput
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_NOLFS: .cannotOpen
        case .SQLITE_READONLY: .readOnly
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: .corrupt
        case .SQLITE_NOMEM, .SQLITE_INTERNAL, .SQLITE_MISUSE, .SQLITE_INTERRUPT, .SQLITE_SCHEMA, .SQLITE_AUTH,
            .SQLITE_ABORT, .SQLITE_EMPTY, .SQLITE_NOTFOUND:
            .other
        default: nil
        }
    }

    /// What an error means that no message is to blame for.
    ///
    /// - Parameter systemError: the errno behind it, or 0.
    func trouble(_ error: any Error, systemError: Int32 = 0) -> TableUnavailable {
        switch error {
        case let known as TableUnavailable: return known
        case let error as DatabaseError: return trouble(error, systemError)
        case let row as DamagedRow:
            return TableUnavailable(
                .corrupt,
                reason: "The table \(path) is damaged: a row's \(row.column) holds what it can't. "
                    + remedy(.corrupt))
        default:
            return TableUnavailable(
                .other, reason: "The table \(path) can't be used: \(error). \(remedy(.other))")
        }
    }

    private func trouble(_ error: DatabaseError, _ systemError: Int32) -> TableUnavailable {
        let byCode = Self.kind(of: error.resultCode) ?? .other
        var causes = ["SQLite code \(error.extendedResultCode.rawValue)"]
        var kind = byCode
        if byCode == .inputOutput || byCode == .cannotOpen, systemError != 0 {
            causes.append("errno \(systemError): \(String(cString: strerror(systemError)))")
            kind = TableFile.kind(ofErrno: systemError) ?? byCode
        }
        if byCode == .cannotOpen || byCode == .readOnly,
            let obstacle = TableFile.obstacle(path, writing: role == .writer)
        {
            causes.append(obstacle)
        }
        return TableUnavailable(
            kind,
            reason: "The table \(path) can't be used: \(error.message ?? "no message") "
                + "(\(causes.joined(separator: "; "))). \(remedy(kind))")
    }

    private func remedy(_ kind: TableUnavailable.Kind) -> String {
        switch (kind, role) {
        case (.locked, _): "End the program that holds its lock; 'fuser \(path)' names it."
        case (.full, _): "Free space on its file system, or raise the quota."
        case (.inputOutput, _): "Its disk may be failing or full; see the kernel's log."
        case (.cannotOpen, _): "Check the owner and mode of the file and its directory."
        case (.readOnly, .writer): "Make it, its -wal, its -shm and its directory writable for the worker."
        // A reader may not make the two files that SQLite needs beside the table; the worker leaves them.
        case (.readOnly, .reader): "Start acms-workerd once; it makes and mends the -wal and -shm files."
        case (.corrupt, _):
            "Nothing more is written to it. 'acmsctl check' says what is damaged and 'acmsctl check --repair' mends it; "
                + "or restore it from a copy."
        default: "It is tried again."
        }
    }

    func missing(wasOpen: Bool) -> TableUnavailable {
        TableUnavailable(
            wasOpen ? .gone : .missing,
            reason: wasOpen
                ? "The table \(path) is gone; it was there before. Restore it, or restart acms-workerd to "
                    + "begin an empty one."
                : "The table \(path) has not been created yet; acms-workerd creates it when it first starts.")
    }

    /// What keeps this program from a file with such a schema; nil when it is `current`, or the writer's to
    /// bring up to date.
    ///
    /// - Parameter wasOpen: whether this process has had the table open before.
    func trouble(_ state: TableSchema.State, wasOpen: Bool) -> TableUnavailable? {
        switch (state, role) {
        case (.current, _), (.older, .writer): nil
        // An empty file in the place of a table in use is no table: filled, it would let all be booked again.
        case (.empty, .writer): wasOpen ? missing(wasOpen: true) : nil
        case (.empty, .reader): missing(wasOpen: wasOpen)
        case (.older, .reader):
            // Not `missing`, which says that nothing was ever committed.
            TableUnavailable(
                .other,
                reason: "The table \(path) has an older form; acms-workerd brings it up to date when it "
                    + "starts.")
        case (.moved(let place), _):
            TableUnavailable(
                .newerSchema,
                reason:
                    "The bookings of the table \(path) were moved to \(place). Set 'engine: postgres', or bring "
                    + "them back with 'acmsctl migrate --to embedded'.")
        case (.newer, _):
            TableUnavailable(
                .newerSchema,
                reason: "The table \(path) was written by a newer version of acms. It is not touched; "
                    + "install that version.")
        case (.foreign, _):
            TableUnavailable(
                .other,
                reason: "The database \(path) belongs to another program. It is not touched; check "
                    + "table.path.")
        }
    }
}
