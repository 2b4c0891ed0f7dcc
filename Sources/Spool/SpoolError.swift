public import SystemPackage

/// A file operation of the spool that failed.
public struct SpoolError: Error, Hashable, Sendable {
    /// What was tried, as a verb: "open", "rename", …
    public let operation: String
    /// On what.
    public let path: String
    /// Why it failed.
    public let errno: Errno

    /// Records a failure where it happened.
    public init(_ operation: String, _ path: String, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// What went wrong, without the path.
    public var kind: String { "\(operation) \(errno.rawValue)" }

    /// Whether there was no room.
    var meansFull: Bool { errno == .noSpace || errno == .diskQuotaExceeded }

    /// Whether a sync has failed. What it was to make durable may be lost then, and no later sync tells so.
    var isFailedSync: Bool { operation.hasPrefix("sync") }

    /// Whether the file itself is at fault, not the spool: it is gone, odd, or not ours to read.
    var concernsOnlyTheFile: Bool {
        switch errno {
        case .permissionDenied, .notPermitted, .tooManySymbolicLinkLevels, .isDirectory,
            .noSuchAddressOrDevice,
            .noSuchFileOrDirectory, .fileTooLarge:
            true
        default:
            false
        }
    }
}

extension SpoolError {
    private static let readFormat = "use the format of"

    /// What only a newer version of acms understands.
    static func newerFormat(_ path: String) -> SpoolError { SpoolError(readFormat, path, .notSupported) }

    private var isNewerFormat: Bool { operation == Self.readFormat }
}

extension SpoolError: CustomStringConvertible {
    /// What failed, on what, why, and what to do.
    public var description: String {
        "Cannot \(operation) \(path): \(errno) (errno \(errno.rawValue)). \(remedy)"
    }

    private var remedy: String {
        switch errno {
        case _ where isNewerFormat:
            "A newer version of acms has written it. Nothing is touched; install that version."
        case .noSpace, .diskQuotaExceeded: "Free space on its file system."
        case .ioError: "Its disk may be failing; see the kernel's log."
        case .permissionDenied, .notPermitted: "Check the owners and modes of the spool's directories."
        case .readOnlyFileSystem: "Mount its file system writable, and let the unit write (ReadWritePaths=)."
        case .noSuchFileOrDirectory, .notDirectory:
            "Check spool.directory and that its file system is mounted."
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "Raise the limit of open files."
        default: "Check its file system."
        }
    }
}
