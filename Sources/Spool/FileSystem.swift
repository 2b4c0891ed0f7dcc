/// What a directory entry is.
public enum FileKind: Hashable, Sendable {
    /// A regular file.
    case regular
    /// A directory.
    case directory
    /// Anything else: a symbolic link, a pipe, a socket, a device.
    case other
}

/// A file's identity, size and kind.
public struct FileStatus: Hashable, Sendable {
    /// What it is.
    public var kind: FileKind
    /// Its length in bytes.
    public var size: Int
    /// Its last change of content, in milliseconds since 1970.
    public var modifiedMilliseconds: Int64
    /// Its device and inode.
    public var identity: FileIdentity
    /// Whether it belongs to the user that this process runs as.
    public var isOwn: Bool
}

/// A device and inode: the same for the same file.
public struct FileIdentity: Hashable, Sendable {
    /// The device.
    public var device: UInt64
    /// The inode on it.
    public var inode: UInt64
}

/// A piece of a file to be written.
public enum FileContent: Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// A copy of this part of an open file.
    case part(of: OpenFile, offset: Int, count: Int)
}

/// What the spool does to a disk; the tests hold a recording twin against it. Each call either did all it says
/// or throws. Nothing is durable before the file or directory was synced.
public protocol FileSystem: Sendable {
    /// Calls `body` with the bytes of each name in a directory, in no order, without `.` and `..`.
    func forEachName(
        in directory: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(SpoolError)
    /// Renames entries whose names are no UTF-8, so that they can be dealt with like others: their odd bytes
    /// become `%` and two hexadecimal digits.
    func escapeNames(in directory: String) throws(SpoolError)
    /// Makes a directory; one that exists is fine.
    func makeDirectory(_ path: String, mode: UInt32) throws(SpoolError)
    /// What lies at `path`; symbolic links are not followed. Nil when nothing does.
    func status(of path: String) throws(SpoolError) -> FileStatus?
    /// Opens a regular file for reading; symbolic links are not followed and nothing blocks.
    func open(_ path: String) throws(SpoolError) -> OpenFile
    /// Writes a file, in place of one of that name, and syncs its content unless told not to. The entry is not
    /// synced.
    func write(_ contents: [FileContent], to path: String, mode: UInt32, synced: Bool) throws(SpoolError)
    /// Opens a file to be written in place. One that isn't there or has another length is made anew: all its
    /// bytes written, and synced together with its entry.
    func openBlocks(_ path: String, bytes: Int, mode: UInt32) throws(SpoolError) -> BlockFile
    /// Writes into a file in place and syncs what was written.
    func write(_ bytes: [UInt8], at offset: Int, of file: BlockFile) throws(SpoolError)
    /// Makes all that was written to the file system of a directory durable.
    func syncFileSystem(of directory: String) throws(SpoolError)
    /// Renames. Unless `replacing`, an existing target makes it throw `fileExists`; that is looked up first, so
    /// it holds against others only where nobody else writes.
    func rename(_ source: String, to target: String, replacing: Bool) throws(SpoolError)
    /// Removes a file; one that is gone is fine.
    func remove(_ path: String) throws(SpoolError)
    /// Removes a file, or a directory with all it holds; nothing outside is touched, and one that is gone is fine.
    func removeTree(_ path: String) throws(SpoolError)
    /// Makes a file that takes up `bytes` of the disk.
    func allocate(_ path: String, bytes: Int) throws(SpoolError)
    /// Makes the entries of a directory durable.
    func syncDirectory(_ path: String) throws(SpoolError)
    /// Bytes that are free on the file system of a directory, for those who aren't root.
    func freeBytes(in directory: String) throws(SpoolError) -> Int
    /// Sets the times of a file or directory to now: a hint to those who watch it.
    func touch(_ path: String) throws(SpoolError)
}

extension FileSystem {
    /// Writes a file, in place of one of that name, and syncs its content. The entry is not synced.
    func write(_ contents: [FileContent], to path: String, mode: UInt32) throws(SpoolError) {
        try write(contents, to: path, mode: mode, synced: true)
    }

    /// The names in a directory, in no order, without `.` and `..` and those that are no UTF-8.
    public func names(in directory: String) throws(SpoolError) -> [String] {
        var names: [String] = []
        try forEachName(in: directory) { name in
            if let name = String(validating: name, as: UTF8.self) { names.append(name) }
        }
        return names
    }
}
