import CLinux
import Glibc
import SystemPackage

/// A file that is open to be written in place: its length and its blocks stay as they are, so that a sync of its
/// data needs no change of the file system's own.
public final class BlockFile: Sendable {
    let descriptor: Int32
    /// The path it was opened by.
    public let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
    }
}

extension LocalFileSystem {
    /// Opens a file to be written in place, or makes it.
    public func openBlocks(_ path: String, bytes: Int, mode: UInt32) throws(SpoolError) -> BlockFile {
        if let status = try status(of: path), status.kind == .regular, status.size == bytes, status.isOwn {
            let number = Glibc.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
            guard number >= 0 else { throw SpoolError("open", path, .last) }
            return BlockFile(descriptor: number, path: path)
        }
        try remove(path)
        let number = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else { throw SpoolError("create", path, .last) }
        let file = BlockFile(descriptor: number, path: path)
        do throws(SpoolError) {
            // Written, not only allocated: the first write to an allocated block changes the file's own records.
            let zeros = [UInt8](repeating: 0, count: min(bytes, 1 << 20))
            var written = 0
            while written < bytes {
                let count = min(zeros.count, bytes - written)
                try writeAll(count == zeros.count ? zeros : Array(zeros[..<count]), to: number, path: path)
                written += count
            }
            try Self.sync(number, path)
            try syncDirectory(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".")
        } catch {
            try? remove(path)
            throw error
        }
        return file
    }

    /// Writes in place and syncs the data.
    public func write(_ bytes: [UInt8], at offset: Int, of file: BlockFile) throws(SpoolError) {
        try writeAll(bytes, at: offset, to: file.descriptor, path: file.path)
        try Self.sync(file.descriptor, file.path, by: fdatasync)
    }

    /// Makes all that was written to a file system durable (syncfs(2); errors since it was opened are told from
    /// Linux 5.8 on).
    public func syncFileSystem(of directory: String) throws(SpoolError) {
        try withDirectory(directory) { (number) throws(SpoolError) in
            guard syncfs(number) == 0 else { throw SpoolError("sync the file system of", directory, .last) }
        }
    }
}
