import Glibc
import SystemPackage

/// The lock that makes a worker the only one on its spool, held until the last reference goes or the process
/// ends. The kernel frees it with the process, so a crash leaves no lock behind.
public final class SpoolLock: Sendable {
    private let descriptor: Int32

    /// Another worker holds the lock.
    public struct Taken: Error, Sendable, CustomStringConvertible {
        let path: String
        /// What is locked, and what to do.
        public var description: String {
            "Another worker has this spool: \(path) is locked. Only one acms-workerd may serve a spool; see "
                + "'systemctl status acms-worker.service' or 'fuser \(path)'."
        }
    }

    /// Takes the lock of `directory`.
    ///
    /// - Throws: ``Taken``, or ``SpoolError`` when the lock's file can't be made.
    public init(_ directory: SpoolDirectory) throws {
        let path = directory.lockPath
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw SpoolError("open", path, .last) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = Errno.last
            close(descriptor)
            if failure == .wouldBlock { throw Taken(path: path) }
            throw SpoolError("lock", path, failure)
        }
    }

    deinit {
        close(descriptor)
    }
}
