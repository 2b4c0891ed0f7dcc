import Dispatch
import Synchronization

/// What makes a group durable with one sync: it is appended to a segment, a file whose blocks are there already.
/// Its file in `incoming/` then needs no sync of its own. After a power cut the groups whose files were lost are
/// found here; see ``SpoolReplay``.
///
/// There are two segments. When one is full, the other is begun, and meanwhile all that was written to the file
/// system is made durable, which settles the full one: nothing in it is needed any more, and it can be begun anew.
final class SpoolJournal: Sendable {
    /// How long a segment is.
    static let segmentBytes = 4 << 20
    /// The segments' names in `tmp/`.
    static let names = [".journal-0", ".journal-1"]
    /// How many damaged segments are kept of each, at most.
    static let keptSegments = 9
    /// What a damaged segment is called that is kept for whoever looks into it.
    static func damagedName(_ segment: String, _ number: Int) -> String { "\(segment).damaged-\(number)" }
    /// Whether it is the name of such a segment.
    static func isDamagedName(_ name: String) -> Bool { names.contains { name.hasPrefix("\($0).damaged-") } }
    /// What lies in `tmp/` as long as there may be something to replay: units look for it when the system starts.
    static let marker = ".journal-open"
    /// What lies in `tmp/` since a sync of the spool has failed. What can be read then need not be on the disk, and no
    /// later sync writes it: the next replay makes the files anew. It need not be durable, because what is read after a
    /// power cut is on the disk.
    static let distrust = ".journal-unsynced"

    private struct State {
        var current = 0
        var offset = 0
        var epoch: Int
        var key = UInt64.random(in: 0 ... .max)
        var settledEpoch: Int
        /// Where the last group begins; nil when there is none to be withdrawn.
        var last: Int?
    }

    private let directory: SpoolDirectory
    private let files: any FileSystem
    private let segments: [BlockFile]
    private let state: Mutex<State>
    private let settling = DispatchQueue(label: "io.acms.journal")
    /// Why a segment could not be settled. What a failed sync left out is not written by another, so that segment
    /// is never begun anew; the next start replays it.
    private let failure = Mutex<SpoolError?>(nil)

    /// Opens the segments, or makes them. What they hold must have been replayed.
    ///
    /// - Parameter lastEpoch: the greatest that they hold.
    init(_ directory: SpoolDirectory, files: any FileSystem, after lastEpoch: Int) throws(SpoolError) {
        self.directory = directory
        self.files = files
        var segments: [BlockFile] = []
        for name in Self.names {
            segments.append(
                try files.openBlocks(directory.path(.tmp, name), bytes: Self.segmentBytes, mode: 0o640))
        }
        self.segments = segments
        state = Mutex(State(epoch: lastEpoch + 1, settledEpoch: lastEpoch))
        try files.write([], to: directory.path(.tmp, Self.marker), mode: 0o640)
        if lastEpoch > 0 {
            try files.syncFileSystem(of: directory.root)
        } else {
            try files.syncDirectory(directory.path(of: .tmp))
        }
        try append(name: "", [])
    }

    /// Whether a group with so many bytes of lines can be appended at all.
    static func takes(_ count: Int) -> Bool { JournalGroup.size(ofLines: count) <= segmentBytes }

    /// Notes that what can be read need not be on the disk, if that is what an error means.
    static func distrust(after error: any Error, _ directory: SpoolDirectory, _ files: any FileSystem) {
        guard let error = error as? SpoolError, error.isFailedSync else { return }
        try? files.write([], to: directory.path(.tmp, distrust), mode: 0o640, synced: false)
    }

    /// Appends a group; durable on return. The file of the group before must be in its place by now.
    func append(name: String, _ lines: [UInt8]) throws(SpoolError) {
        try state.withLock { (state) throws(SpoolError) in
            // Should the other segment not be to be had, the group before stays: it was answered.
            state.last = nil
            let size = JournalGroup.size(ofLines: lines.count)
            if state.offset + size > Self.segmentBytes { try turn(&state) }
            let group = JournalGroup(
                epoch: state.epoch, key: state.key, settledEpoch: state.settledEpoch, name: name, lines: lines
            )
            state.last = state.offset
            try files.write(group.blocks, at: state.offset, of: segments[state.current])
            state.offset += size
        }
    }

    /// Takes the group back, durably, whose appending was tried last: it failed, or its file could not be made.
    func withdraw() throws(SpoolError) {
        try state.withLock { (state) throws(SpoolError) in
            guard let last = state.last else { return }
            let nothing = JournalGroup(epoch: state.epoch, key: state.key, settledEpoch: state.settledEpoch)
            try files.write(nothing.blocks, at: last, of: segments[state.current])
            state.offset = last + nothing.blocks.count
        }
    }

    /// Settles all and says so, for an end in good order: nothing is replayed at the next start.
    func close() throws(SpoolError) {
        try state.withLock { (state) throws(SpoolError) in
            try waitForSettling(&state)
            try files.syncFileSystem(of: directory.root)
            let last = JournalGroup(
                epoch: state.epoch + 1, key: state.key, settledEpoch: state.epoch, isLast: true)
            try files.write(last.blocks, at: 0, of: segments[1 - state.current])
            try files.remove(directory.path(.tmp, Self.marker))
        }
    }

    /// Begins the other segment, once it is settled, and settles this one meanwhile.
    private func turn(_ state: inout State) throws(SpoolError) {
        try waitForSettling(&state)
        state.current = 1 - state.current
        state.offset = 0
        state.epoch += 1
        state.key = .random(in: 0 ... .max)
        settling.async { [self] in
            do throws(SpoolError) {
                try files.syncFileSystem(of: directory.root)
            } catch {
                failure.withLock { $0 = error }
                Self.distrust(after: error, directory, files)
            }
        }
    }

    private func waitForSettling(_ state: inout State) throws(SpoolError) {
        settling.sync {}
        if let error = failure.withLock({ $0 }) { throw error }
        // The segment before this one, if there was one.
        state.settledEpoch = max(state.settledEpoch, state.epoch - 1)
    }
}
