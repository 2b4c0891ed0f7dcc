internal import Glibc
internal import NIOCore

/// Cuts a stream of bytes at its NULs. Pure: bytes in, frames out.
struct FrameSplitter {
    enum Frame: Sendable, Equatable {
        /// A message without its NUL.
        case message(ByteBuffer)
        /// A message longer than the limit; nothing comes after it.
        case tooLong
    }

    /// The longest message, in bytes, the NUL not counted.
    let limit: Int
    private var unread = ByteBuffer()
    /// How many of the unread bytes are known to hold no NUL, so that a message that trickles in isn't
    /// scanned again from its beginning each time.
    private var scanned = 0
    private var isOverLimit = false

    init(limit: Int) {
        self.limit = limit
    }

    /// What the beginning of a message takes in memory, in bytes; 0 between two messages.
    var heldBytes: Int { unread.readableBytes == 0 ? 0 : unread.storageCapacity }

    /// Takes what was read.
    mutating func append(_ bytes: ByteBuffer) {
        guard !isOverLimit else { return }
        if unread.readableBytes == 0 {
            unread = bytes
            scanned = 0
        } else {
            var bytes = bytes
            unread.writeBuffer(&bytes)
        }
    }

    /// The next frame; nil when more bytes are needed.
    mutating func next() -> Frame? {
        guard !isOverLimit else { return nil }
        let length = unread.withUnsafeReadableBytes { bytes -> Int? in
            guard let base = bytes.baseAddress, scanned < bytes.count,
                let found = memchr(base + scanned, 0, bytes.count - scanned)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        scanned = length ?? unread.readableBytes
        guard scanned <= limit else {
            isOverLimit = true
            unread = ByteBuffer()
            return .tooLong
        }
        guard let length, let message = unread.readSlice(length: length) else { return nil }
        unread.moveReaderIndex(forwardBy: 1)
        scanned = 0
        if unread.readableBytes == 0 {
            unread = ByteBuffer()
        }
        return .message(message)
    }
}
