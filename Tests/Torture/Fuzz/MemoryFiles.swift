import Synchronization
import SystemPackage

@testable import Spool

/// Files in memory, to be read: descriptors as the spool needs them, and no disk.
final class MemoryFiles: FileSystem {
    private let contents = Mutex<[String: [UInt8]]>([:])

    /// Puts files in place of those that were there, by path.
    func replace(with files: [String: [UInt8]]) { contents.withLock { $0 = files } }

    func forEachName(
        in directory: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(SpoolError) {
        for path in contents.withLock({ Array($0.keys) }) where path.hasPrefix(directory + "/") {
            Array(path.utf8.dropFirst(directory.utf8.count + 1)).withUnsafeBufferPointer(body)
        }
    }

    func status(of path: String) throws(SpoolError) -> FileStatus? {
        contents.withLock { $0[path] }.map { Self.status($0.count) }
    }

    func open(_ path: String) throws(SpoolError) -> OpenFile {
        guard let bytes = contents.withLock({ $0[path] }) else {
            throw SpoolError("open", path, .noSuchFileOrDirectory)
        }
        let file = MemoryFile()
        bytes.withUnsafeBytes { file.replace(with: $0) }
        return OpenFile(
            descriptor: FileDescriptor(rawValue: file.descriptor), path: path,
            status: Self.status(bytes.count))
    }

    private static func status(_ size: Int) -> FileStatus {
        FileStatus(
            kind: .regular, size: size, modifiedMilliseconds: 1_700_000_000_000,
            identity: FileIdentity(device: 1, inode: 1), isOwn: true)
    }

    // Nothing is written here.

    private func refuse(_ operation: String, _ path: String) throws(SpoolError) -> Never {
        throw SpoolError(operation, path, .readOnlyFileSystem)
    }
    func escapeNames(in directory: String) throws(SpoolError) { try refuse("rename", directory) }
    func makeDirectory(_ path: String, mode: UInt32) throws(SpoolError) { try refuse("mkdir", path) }
    func write(
        _ contents: [FileContent], to path: String, mode: UInt32, synced: Bool
    ) throws(SpoolError) { try refuse("write", path) }
    func openBlocks(_ path: String, bytes: Int, mode: UInt32) throws(SpoolError) -> BlockFile {
        try refuse("open", path)
    }
    func write(_ bytes: [UInt8], at offset: Int, of file: BlockFile) throws(SpoolError) {
        try refuse("write", file.path)
    }
    func syncFileSystem(of directory: String) throws(SpoolError) { try refuse("sync", directory) }
    func rename(_ source: String, to target: String, replacing: Bool) throws(SpoolError) {
        try refuse("rename", source)
    }
    func remove(_ path: String) throws(SpoolError) { try refuse("remove", path) }
    func removeTree(_ path: String) throws(SpoolError) { try refuse("remove", path) }
    func allocate(_ path: String, bytes: Int) throws(SpoolError) { try refuse("allocate", path) }
    func syncDirectory(_ path: String) throws(SpoolError) { try refuse("sync", path) }
    func freeBytes(in directory: String) throws(SpoolError) -> Int { try refuse("statvfs", directory) }
    func touch(_ path: String) throws(SpoolError) { try refuse("touch", path) }
}
