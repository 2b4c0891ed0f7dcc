import Bookings

/// What may still be accepted before a limit is reached. Pure: what is there is passed in.
struct QueueRoom {
    private let limits: Settings.Spool
    private var messages: Int
    private var bytes: Int
    private var freeBytes: Int

    /// - Parameters:
    ///   - messages: that wait.
    ///   - bytes: that they take.
    ///   - freeBytes: of the spool's file system.
    init(limits: Settings.Spool, messages: Int, bytes: Int, freeBytes: Int) {
        self.limits = limits
        self.messages = messages
        self.bytes = bytes
        self.freeBytes = freeBytes
    }

    /// Takes up the room of one message.
    ///
    /// - Parameter size: its bytes at most.
    /// - Returns: the limit that stands against it, and what to do; nil when it fits.
    mutating func take(_ size: Int) -> String? {
        if messages + 1 > limits.maxMessages {
            return """
                \(messages) messages wait, and spool.max-messages is \(limits.maxMessages). See with \
                'acmsctl queue' whether they are being committed, or raise the limit.
                """
        }
        if bytes + size > limits.maxBytes {
            return """
                Messages of \(bytes) bytes wait, and spool.max-bytes is \(limits.maxBytes). See with \
                'acmsctl queue' whether they are being committed, or raise the limit.
                """
        }
        if freeBytes - size < limits.minFreeBytes {
            return """
                \(freeBytes) bytes are free on the file system of \(limits.directory), and \
                spool.min-free-bytes is \(limits.minFreeBytes). Free space on it.
                """
        }
        messages += 1
        bytes += size
        freeBytes -= size
        return nil
    }
}

/// How long the queue has been full, which tells when to try again. Pure: time is passed in.
struct Backpressure: Hashable {
    /// Since when the queue is full; nil while it is not.
    private(set) var since: Timestamp?
    /// The bytes of what was refused last, at most.
    private var wanted = 0

    /// When to try again, in seconds: after as long as the queue has been full so far, at least 1 and at most 60.
    func retryAfterSeconds(at time: Timestamp) -> Int {
        guard let since else { return 1 }
        return min(max(1, Int(time.since(since).components.seconds)), 60)
    }

    /// A message found no room.
    ///
    /// - Parameter size: its bytes at most.
    mutating func refused(at time: Timestamp, size: Int) {
        since = since ?? time
        wanted = size
    }

    /// Whether the queue was full and what was refused last would fit by now. That a smaller one fits says nothing:
    /// the queue would be full and not full by turns.
    func isOver(_ room: QueueRoom) -> Bool {
        var room = room
        return since != nil && room.take(wanted) == nil
    }

    mutating func hasRoom() { since = nil }
}
