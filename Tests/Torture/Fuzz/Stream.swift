import NIOCore

@testable import Varlink

/// Bytes of a connection in the pieces in which they arrive.
///
/// The input's first byte chooses how they are cut; the other bytes are sent.
struct Stream {
    let choice: UInt8
    let bytes: [UInt8]

    init?(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return nil }
        self.choice = choice
        bytes = Array(input.dropFirst())
    }

    /// The pieces: all at once, or of lengths that differ.
    var pieces: [ByteBuffer] {
        let most = choice & 0x40 == 0 ? bytes.count : Int(choice & 0x0f) * 5 + 1
        var pieces: [ByteBuffer] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = max(1, most - pieces.count % 3)
            pieces.append(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    /// The messages that it holds, found the plain way.
    func frames(limit: Int) -> [FrameSplitter.Frame] {
        var frames: [FrameSplitter.Frame] = []
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        for (number, part) in parts.enumerated() {
            if part.count > limit { return frames + [.tooLong] }
            if number < parts.count - 1 { frames.append(.message(ByteBuffer(bytes: part))) }
        }
        return frames
    }
}
