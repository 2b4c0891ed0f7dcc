public import Bookings

/// Writes groups of messages into the spool. The accepting half of the embedded queue.
///
/// A group is one file: written to `tmp/`, synced, renamed into `incoming/`, the directory synced. The worker
/// sees it whole or not at all.
public struct SpoolProducer: BookingQueueProducer {
    private let directory: SpoolDirectory
    private let files: any FileSystem

    /// Writes into `directory`.
    public init(_ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem()) {
        self.directory = directory
        self.files = files
    }

    /// The name that the file of a group gets.
    public static func fileName(of group: [Message]) -> String? {
        group.first.map { SpoolFileName.make(first: $0.id, count: group.count) }
    }

    /// Makes the directories that are missing and removes what a crash left in `tmp/`. Call it while nothing
    /// is being enqueued.
    ///
    /// - Returns: the names removed.
    public func prepare() throws(SpoolError) -> [String] {
        try directory.makeMissing(using: files)
        let leftovers = try files.names(in: directory.path(of: .tmp)).filter {
            SpoolFileName.count(in: $0) != nil
        }
        for name in leftovers { try files.remove(directory.path(.tmp, name)) }
        return leftovers
    }

    /// Makes a group durable.
    ///
    /// - Throws: when it could not; then the group is not in the queue, unless the worker was quicker to take
    ///   it than the failure to appear, in which case its messages are found like any others in the queue.
    ///
    /// - Returns: the bytes of its file.
    @discardableResult
    public func enqueue(_ group: [Message]) throws(QueueUnavailable) -> Int {
        guard let name = Self.fileName(of: group) else { return 0 }
        var bytes: [UInt8] = []
        for message in group { bytes.append(contentsOf: try MessageLine.encode(message)) }
        let unfinished = directory.path(.tmp, name)
        let complete = directory.path(.incoming, name)
        do {
            FaultPoint.reached("front.write")
            // Written once: not even its owner changes it later.
            try files.write([.bytes(bytes)], to: unfinished, mode: 0o440)
            FaultPoint.reached("front.rename")
            try files.rename(unfinished, to: complete, replacing: true)
            FaultPoint.reached("front.sync")
            try files.syncDirectory(directory.path(of: .incoming))
            FaultPoint.reached("front.answer")
            return bytes.count
        } catch {
            // Nothing refused may leave a trace. Taking it back through tmp/ never shows the worker half of it.
            try? files.rename(complete, to: unfinished, replacing: false)
            try? files.remove(unfinished)
            throw QueueUnavailable(reason: "The spool can't take bookings. \(error)", kind: error.kind)
        }
    }

    /// The bytes that a message for `request` takes at most.
    public func maximumBytes(of request: BookingRequest) -> Int { MessageLine.maximumBytes(of: request) }

    /// Bytes of the spool's file system that are free for those who aren't root.
    public func freeBytes() throws(QueueUnavailable) -> Int {
        do {
            return try files.freeBytes(in: directory.root)
        } catch {
            throw QueueUnavailable(reason: "The spool can't take bookings. \(error)", kind: error.kind)
        }
    }
}
