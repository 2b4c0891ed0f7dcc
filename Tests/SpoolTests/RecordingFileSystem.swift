import Bookings
import Spool
import Synchronization
import SystemPackage
import Varlink

/// The real file system, with a record of the calls that change something, and faults on demand.
final class RecordingFileSystem: FileSystem {
    private struct State {
        var calls: [String] = []
        var faults: [String: Errno] = [:]
    }

    private let real = LocalFileSystem()
    private let root: String
    private let state = Mutex(State())

    init(root: String) {
        self.root = root
    }

    /// The calls so far, with paths relative to the spool.
    var calls: [String] { state.withLock { $0.calls } }

    /// Makes the next call that is recorded as `call` fail.
    func fail(_ call: String, with errno: Errno) { state.withLock { $0.faults[call] = errno } }

    func forget() { state.withLock { $0.calls = [] } }

    private func record(_ call: String, _ paths: String...) throws(SpoolError) {
        let text = ([call] + paths.map { $0.replacing(root + "/", with: "") }).joined(separator: " ")
        let fault = state.withLock { state in
            state.calls.append(text)
            return state.faults.removeValue(forKey: text)
        }
        if let fault { throw SpoolError(call, paths.joined(separator: " to "), fault) }
    }

    func forEachName(
        in directory: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(SpoolError) { try real.forEachName(in: directory, body) }
    func escapeNames(in directory: String) throws(SpoolError) { try real.escapeNames(in: directory) }
    func status(of path: String) throws(SpoolError) -> FileStatus? { try real.status(of: path) }
    func open(_ path: String) throws(SpoolError) -> OpenFile {
        let fault = state.withLock {
            $0.faults.removeValue(forKey: "open " + path.replacing(root + "/", with: ""))
        }
        if let fault { throw SpoolError("open", path, fault) }
        return try real.open(path)
    }
    func freeBytes(in directory: String) throws(SpoolError) -> Int { try real.freeBytes(in: directory) }
    func touch(_ path: String) throws(SpoolError) { try real.touch(path) }

    func makeDirectory(_ path: String, mode: UInt32) throws(SpoolError) {
        try real.makeDirectory(path, mode: mode)
    }

    func write(
        _ contents: [FileContent], to path: String, mode: UInt32, synced: Bool
    ) throws(SpoolError) {
        try record(synced ? "write" : "write unsynced", path)
        try real.write(contents, to: path, mode: mode, synced: synced)
    }

    func openBlocks(_ path: String, bytes: Int, mode: UInt32) throws(SpoolError) -> BlockFile {
        try record("open blocks", path)
        return try real.openBlocks(path, bytes: bytes, mode: mode)
    }

    func write(_ bytes: [UInt8], at offset: Int, of file: BlockFile) throws(SpoolError) {
        try record("write blocks", file.path)
        try real.write(bytes, at: offset, of: file)
    }

    func syncFileSystem(of directory: String) throws(SpoolError) {
        try record("sync file system", directory)
        try real.syncFileSystem(of: directory)
    }

    func rename(_ source: String, to target: String, replacing: Bool) throws(SpoolError) {
        try record("rename", source, target)
        try real.rename(source, to: target, replacing: replacing)
    }

    func remove(_ path: String) throws(SpoolError) {
        try record("remove", path)
        try real.remove(path)
    }

    func removeTree(_ path: String) throws(SpoolError) {
        try record("remove tree", path)
        try real.removeTree(path)
    }

    func allocate(_ path: String, bytes: Int) throws(SpoolError) {
        try record("allocate", path)
        try real.allocate(path, bytes: bytes)
    }

    func syncDirectory(_ path: String) throws(SpoolError) {
        try record("sync", path)
        try real.syncDirectory(path)
    }
}

/// A message of a user and an apartment that stand for themselves.
func message(_ user: String, _ apartment: String = "A", at milliseconds: Int64 = 1_700_000_000_000) throws
    -> Message
{
    let input = CreateBookingInput(
        userId: user, apartmentId: apartment, startDate: "2026-01-01", endDate: "2026-01-03")
    var ids = BookingIDGenerator()
    return Message(
        id: ids.next(at: Timestamp(milliseconds: milliseconds)),
        acceptedOn: Timestamp(milliseconds: milliseconds),
        peer: .init(uid: 1, gid: 2, pid: 3), request: try BookingRequest(input))
}
