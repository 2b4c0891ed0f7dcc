internal import FoundationEssentials
internal import NIOCore

/// Writes replies: values in, frames with their NUL out.
///
/// The envelope is put around the encoded parameters by hand, which spares the encoder one level.
struct ReplyFormat: Sendable {
    /// A reply's parameters were encoded as something else than an object, which no client could read.
    struct NotAnObject: Error {}

    private let encoder: JSONEncoder
    private let allocator = ByteBufferAllocator()

    init() {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// The last reply of a call.
    func last(_ parameters: some Encodable) throws -> ByteBuffer {
        try frame(before: #"{"parameters":"#, parameters, after: "}\0")
    }

    /// The last reply of a call, whose parameters are encoded already.
    func last(encoded parameters: [UInt8]) -> ByteBuffer { frame(encoded: parameters, after: "}\0") }

    /// A reply that is followed by others, whose parameters are encoded already.
    func continuing(encoded parameters: [UInt8]) -> ByteBuffer {
        frame(encoded: parameters, after: #","continues":true}\#0"#)
    }

    private func frame(encoded parameters: [UInt8], after: StaticString) -> ByteBuffer {
        let before: StaticString = #"{"parameters":"#
        var buffer = allocator.buffer(
            capacity: before.utf8CodeUnitCount + parameters.count + after.utf8CodeUnitCount)
        buffer.writeStaticString(before)
        buffer.writeBytes(parameters)
        buffer.writeStaticString(after)
        return buffer
    }

    /// A reply that is followed by others.
    func continuing(_ parameters: some Encodable) throws -> ByteBuffer {
        try frame(before: #"{"parameters":"#, parameters, after: #","continues":true}"# + "\0")
    }

    /// An error.
    func error(_ reply: ErrorReply) throws -> ByteBuffer {
        let name = try encoder.encode(reply.name)
        return try frame(
            before: #"{"error":"# + String(decoding: name, as: UTF8.self) + #","parameters":"#,
            reply.error, after: "}\0")
    }

    private func frame(before: String, _ parameters: some Encodable, after: String) throws -> ByteBuffer {
        let encoded = try encoder.encode(parameters)
        guard encoded.first == UInt8(ascii: "{") else { throw NotAnObject() }
        var buffer = allocator.buffer(capacity: before.utf8.count + encoded.count + after.utf8.count)
        buffer.writeString(before)
        encoded.withUnsafeBytes { _ = buffer.writeBytes($0) }
        buffer.writeString(after)
        return buffer
    }
}
