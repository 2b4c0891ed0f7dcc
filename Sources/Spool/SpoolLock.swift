import Glibc
import SystemPackage

/// A lock that keeps daemons of one kind to one a spool, held until the last reference goes or the process ends.
/// The kernel frees it with the process, so a crash leaves no lock behind.
public final class SpoolLock: Sendable {
    private let descriptor: Int32
    private let presence: WorkerPresence?

    /// Another daemon holds the lock.
    public struct Taken: Error, Sendable, CustomStringConvertible {
        let path: String
        /// What kind of daemon: "front" or "worker".
        public let role: String
        /// What is locked, and what to do.
        public var description: String {
            "Another \(role) has this spool: \(path) is locked. Only one acms-\(role)d may serve a spool; see "
                + "'systemctl status acms-\(role).service' or 'fuser \(path)'."
        }
    }

    /// Takes the lock that makes a worker the only one on `directory`.
    ///
    /// - Throws: ``Taken``, or ``SpoolError`` when the lock's file can't be made.
    public convenience init(_ directory: SpoolDirectory) throws {
        try self.init(directory.lockPath, showing: directory)
        guard try lock(LOCK_EX | LOCK_NB, directory.lockPath) else {
            throw Taken(path: directory.lockPath, role: "worker")
        }
        presence?.show()
    }

    private init(_ path: String, showing directory: SpoolDirectory? = nil) throws(SpoolError) {
        presence = directory.flatMap(WorkerPresence.init)
        // For reading: the front's lock may be another user's file.
        descriptor = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw SpoolError("open", path, .last) }
    }

    deinit {
        close(descriptor)
    }

    private func lock(_ operation: Int32, _ path: String) throws(SpoolError) -> Bool {
        while flock(descriptor, operation) != 0 {
            switch Errno.last {
            case .wouldBlock: return false
            case .interrupted: continue
            case let errno: throw SpoolError("lock", path, errno)
            }
        }
        return true
    }
}

extension SpoolLock {
    /// The front's lock in `tmp/`.
    static let frontName = ".lock"

    /// How often the front looks for the end of a worker's replay, which is a matter of milliseconds, before it
    /// takes the lock to be another front's.
    private static let tries = 200

    /// Takes the lock that makes a front the only one on `directory`, for the time of a replay by this front alone.
    ///
    /// - Throws: ``Taken``, or ``SpoolError`` when the lock's file can't be made.
    static func ofFront(_ directory: SpoolDirectory) throws -> SpoolLock {
        let path = directory.frontLockPath
        let lock = try SpoolLock(path)
        for attempt in 1... {
            if try lock.lock(LOCK_EX | LOCK_NB, path) { break }
            guard attempt < tries else { throw Taken(path: path, role: "front") }
            usleep(10_000)
        }
        return lock
    }

    /// As `init`, for a repair: nil when no worker has ever been there. The lock's file is left to its owner to make.
    public static func ifThere(_ directory: SpoolDirectory) throws -> SpoolLock? {
        try LocalFileSystem().status(of: directory.lockPath) == nil ? nil : SpoolLock(directory)
    }

    /// As ``ofFront(_:)``, for a repair: nil when no front has ever been there.
    static func ofFrontIfThere(_ directory: SpoolDirectory) throws -> SpoolLock? {
        try LocalFileSystem().status(of: directory.frontLockPath) == nil ? nil : ofFront(directory)
    }

    /// Says that the front's replay is done: from now on others may wait for that.
    func share(_ directory: SpoolDirectory) throws(SpoolError) {
        _ = try lock(LOCK_SH, directory.frontLockPath)
    }

    /// The front's lock if no front is there; otherwise waits until that one's replay is done.
    ///
    /// - Returns: nil when there is a front.
    static func inPlaceOfFront(_ directory: SpoolDirectory) throws(SpoolError) -> SpoolLock? {
        let path = directory.frontLockPath
        let lock = try SpoolLock(path)
        if try lock.lock(LOCK_EX | LOCK_NB, path) { return lock }
        _ = try lock.lock(LOCK_SH, path)
        return nil
    }
}
