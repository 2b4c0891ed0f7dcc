import Glibc

/// What the load generator knows of a connection.
struct LoadConnection {
    /// How much of the last bytes is kept, so that a mark that comes in two pieces is seen.
    static let carryLimit = 16

    var descriptor: Int32 = -1
    /// How many calls wait for replies.
    var inFlight = 0
    /// Which of the encoded bytes are still to be sent.
    var unsent = 0..<0
    /// Whether the poll tells when the socket takes more.
    var isWaitingForRoom = false
    /// How much of a reply has come, in terminators or bytes.
    var partial = 0
    /// Whether some of a reply has come.
    var isInside = false
    /// The last bytes of a reply that has not ended.
    let carry: UnsafeMutablePointer<UInt8>
    var carryCount = 0
    /// When each of the calls in flight was begun, as a ring.
    let begun: UnsafeMutablePointer<Int64>
    let depth: Int
    var oldest = 0
    /// Whether it awaits each of its bookings, and does so now.
    let awaits: Bool
    var isAwaiting = false

    init(depth: Int, awaits: Bool) {
        self.depth = depth
        self.awaits = awaits
        begun = .allocate(capacity: depth)
        carry = .allocate(capacity: Self.carryLimit)
    }

    var hasUnsent: Bool { !unsent.isEmpty }

    mutating func noteBegun(_ time: Int64) {
        begun[(oldest + inFlight) % depth] = time
        inFlight += 1
    }

    mutating func noteReply() -> Int64 {
        defer {
            oldest = (oldest + 1) % depth
            inFlight -= 1
        }
        return begun[oldest]
    }

    func end() {
        if descriptor >= 0 { close(descriptor) }
        begun.deallocate()
        carry.deallocate()
    }
}
