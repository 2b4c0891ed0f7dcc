public import Bookings
import FoundationEssentials

// A pause is kept as the file `paused` in the spool, and lasts as long as the file is there.

extension QueuePause {
    /// The file.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Seal.seal(Array(try encoder.encode(self))) { $0 } + [UInt8(ascii: "\n")]
    }

    /// Reads the file; nil when it can't be understood. One that was written by hand has no checksum.
    init?(_ bytes: [UInt8]) {
        var line = bytes
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        guard Seal.isIntact(line, { $0 }) ?? true,
            let pause = try? JSONDecoder().decode(QueuePause.self, from: Data(line))
        else { return nil }
        self = pause
    }
}

extension SpoolDirectory {
    /// The file of a pause.
    fileprivate var pausePath: String { "\(root)/paused" }
}

extension SpoolReader {
    /// Whether there is a pause, which may be over by now.
    public func isPaused() throws(SpoolError) -> Bool {
        try files.status(of: directory.pausePath) != nil
    }
}

extension SpoolConsumer {
    private var pausePath: String { directory.pausePath }

    /// The pause that is in force; nil when there is none. A file that can't be understood is a pause without an
    /// end, because somebody wanted one.
    public func pause() throws(QueueUnavailable) -> QueuePause? {
        do {
            guard let status = try files.status(of: pausePath) else { return nil }
            let unclear = QueuePause(
                until: nil, since: Timestamp(milliseconds: status.modifiedMilliseconds), uid: nil)
            guard status.kind == .regular else { return unclear }
            let bytes = try files.open(pausePath).read(at: 0, count: min(status.size, 4096))
            return QueuePause(bytes) ?? unclear
        } catch {
            throw QueueUnavailable(error)
        }
    }

    /// Makes a pause last, in place of an earlier one, or ends it; durable on return.
    public func setPause(_ pause: QueuePause?) throws(QueueUnavailable) {
        do {
            if let pause {
                let bytes = try pause.bytes()
                let unfinished = "\(directory.root)/.paused"
                try write([.bytes(bytes)], to: unfinished)
                try files.rename(unfinished, to: pausePath, replacing: true)
            } else {
                try files.remove(pausePath)
            }
            try files.syncDirectory(directory.root)
        } catch {
            throw QueueUnavailable(reason: "The spool can't be used. \(error)")
        }
    }
}
