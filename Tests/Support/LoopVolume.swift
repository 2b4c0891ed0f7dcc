import Foundation

/// A small ext4 file system with a journal, in a file of its own, mounted on a directory of its own. Only root can
/// make one. It is unmounted when the last reference goes, or before.
public final class LoopVolume: Sendable {
    /// Where it is mounted.
    public let path: String
    private let directory: TemporaryDirectory

    /// Makes one of so many mebibytes.
    public init(mebibytes: Int) async throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/volume"
        let image = "\(directory.path)/image"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try await Command.succeed("/usr/bin/truncate", "--size=\(mebibytes)M", image)
        try await Command.succeed("/usr/sbin/mkfs.ext4", "-q", "-m", "0", image)
        try await Command.succeed("/usr/bin/mount", "-o", "loop", image, path)
    }

    deinit {
        unmount()
    }

    /// Takes the last free byte with a file, or gives all that it took back.
    public func setFull(_ isFull: Bool) throws {
        let filler = "\(path)/filler"
        guard isFull else { return try FileManager.default.removeItem(atPath: filler) }
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        // What was removed is free only once the journal has it, which a sync sees to.
        var isDone = false
        while !isDone {
            isDone = true
            // The last blocks take pieces that are smaller than a page.
            for size in [4096, 256] { while write(descriptor, zeros, size) > 0 { isDone = false } }
            guard errno == ENOSPC, fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
        }
    }

    /// Makes it read-only, or writable again; the former needs that no file of it is open for writing.
    public func setReadOnly(_ isReadOnly: Bool) async throws {
        try await Command.succeed("/usr/bin/mount", "-o", "remount,\(isReadOnly ? "ro" : "rw")", path)
    }

    /// Unmounts it for good. Files that a process still holds keep it busy until that process has ended, at once
    /// for everybody else.
    private func unmount() {
        if umount2(path, 0) != 0 { umount2(path, Int32(MNT_DETACH)) }
    }
}
