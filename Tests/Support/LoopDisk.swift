import Foundation

/// A small disk of its own: an ext4 with a journal in a file, mounted until the last reference goes. Takes root.
public final class LoopDisk: Sendable {
    /// Where it is mounted.
    public let path: String

    /// Whether this process may mount.
    public static var isPossible: Bool { geteuid() == 0 }

    /// A command that prepares the disk failed.
    struct Failure: Error {
        let command: [String]
        let status: Int32
    }

    /// Makes a disk and mounts it at `path`, a directory, which is made.
    public init(at path: String, image: String, megabytes: Int) async throws {
        self.path = path
        try await Self.run("/usr/bin/truncate", "-s", "\(megabytes)M", image)
        try await Self.run("/usr/sbin/mkfs.ext4", "-q", "-F", image)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await Self.run("/usr/bin/mount", "-o", "loop", image, path)
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }

    /// Mounts it anew as readable only, or as writable.
    public func remount(readOnly: Bool) async throws {
        try await Self.run("/usr/bin/mount", "-o", "remount,\(readOnly ? "ro" : "rw")", path)
    }

    /// Fills it to the last byte with a file `filler`.
    public func fill() throws {
        let descriptor = open("\(path)/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        for size in [1 << 20, 4096, 1] {
            let bytes = [UInt8](repeating: 0, count: size)
            while write(descriptor, bytes, size) > 0 {}
        }
    }

    /// Takes the filler away.
    public func empty() throws { try FileManager.default.removeItem(atPath: "\(path)/filler") }

    private static func run(_ command: String...) async throws {
        let status = try await ChildProcess(
            command, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], output: 2, errors: 2
        ).end()
        guard status == 0 else { throw Failure(command: command, status: status) }
    }
}
