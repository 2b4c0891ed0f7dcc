import Glibc

/// Shows that a worker serves a spool to those who may read it but not the worker's lock: a lock of the directory
/// `active/` that stands against nobody, and goes with the process.
final class WorkerPresence: Sendable {
    /// Of fcntl(2), for which the C library wants a macro.
    private static let setLock: Int32 = 37
    private static let getLock: Int32 = 36

    private let descriptor: Int32

    /// - Returns: nil when the directory can't be opened.
    init?(_ directory: SpoolDirectory) {
        descriptor = open(directory.path(of: .active), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit {
        close(descriptor)
    }

    /// Shows it as long as this object lives.
    func show() {
        var lock = flock()
        lock.l_type = Int16(F_RDLCK)
        // Where it can't be had nobody sees the worker, which does no other harm.
        _ = fcntl(descriptor, Self.setLock, &lock)
    }

    /// Whether somebody shows it; nil when that can't be told.
    var isShown: Bool? {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        guard fcntl(descriptor, Self.getLock, &lock) == 0 else { return nil }
        return lock.l_type != Int16(F_UNLCK)
    }
}

extension SpoolReader {
    /// Whether a worker serves the spool now; nil when that can't be told.
    public var isBeingServed: Bool? { WorkerPresence(directory)?.isShown }
}
