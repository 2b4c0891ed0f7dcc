import Spool
import SystemPackage

/// The real file system until a crash: from then on every call fails, as if the process were no more.
final class CrashingFileSystem: FileSystem {
    private let real = LocalFileSystem()
    private let crash: CrashSwitch

    init(_ crash: CrashSwitch) {
        self.crash = crash
    }

    private func look(_ path: String) throws(SpoolError) {
        if crash.isCrashed { throw SpoolError("look at", path, .ioError) }
    }

    private func change(_ path: String) throws(SpoolError) {
        if !crash.mayChange() { throw SpoolError("change", path, .ioError) }
    }

    func forEachName(
        in directory: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(SpoolError) {
        try look(directory)
        try real.forEachName(in: directory, body)
    }

    func escapeNames(in directory: String) throws(SpoolError) {
        try look(directory)
        try real.escapeNames(in: directory)
    }

    func status(of path: String) throws(SpoolError) -> FileStatus? {
        try look(path)
        return try real.status(of: path)
    }

    func open(_ path: String) throws(SpoolError) -> OpenFile {
        try look(path)
        return try real.open(path)
    }

    func freeBytes(in directory: String) throws(SpoolError) -> Int {
        try look(directory)
        return try real.freeBytes(in: directory)
    }

    func makeDirectory(_ path: String, mode: UInt32) throws(SpoolError) {
        try change(path)
        try real.makeDirectory(path, mode: mode)
    }

    func write(
        _ contents: [FileContent], to path: String, mode: UInt32, synced: Bool
    ) throws(SpoolError) {
        try change(path)
        try real.write(contents, to: path, mode: mode, synced: synced)
    }

    func openBlocks(_ path: String, bytes: Int, mode: UInt32) throws(SpoolError) -> BlockFile {
        try change(path)
        return try real.openBlocks(path, bytes: bytes, mode: mode)
    }

    func write(_ bytes: [UInt8], at offset: Int, of file: BlockFile) throws(SpoolError) {
        try change(file.path)
        try real.write(bytes, at: offset, of: file)
    }

    func syncFileSystem(of directory: String) throws(SpoolError) {
        try change(directory)
        try real.syncFileSystem(of: directory)
    }

    func rename(_ source: String, to target: String, replacing: Bool) throws(SpoolError) {
        try change(source)
        try real.rename(source, to: target, replacing: replacing)
    }

    func remove(_ path: String) throws(SpoolError) {
        try change(path)
        try real.remove(path)
    }

    func removeTree(_ path: String) throws(SpoolError) {
        try change(path)
        try real.removeTree(path)
    }

    func allocate(_ path: String, bytes: Int) throws(SpoolError) { try look(path) }

    func syncDirectory(_ path: String) throws(SpoolError) {
        try change(path)
        try real.syncDirectory(path)
    }

    func touch(_ path: String) throws(SpoolError) {
        try look(path)
        try real.touch(path)
    }
}
