/// A caller's place in a distributed trace, as the HTTP header `traceparent` of W3C Trace Context has it
/// (https://www.w3.org/TR/trace-context/#traceparent-header): `00-TRACE_ID-PARENT_ID-FLAGS`.
public struct TraceParent: Hashable, Sendable {
    /// The text form, 55 bytes of ASCII.
    public let description: String

    /// Reads the text form of version 00. Of a later version only what it must have in common is taken over, as the
    /// recommendation asks.
    ///
    /// - Returns: nil when the text is none.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55, bytes.count <= 512, bytes[2] == Self.dash, bytes[35] == Self.dash,
            bytes[52] == Self.dash,
            [0..<2, 3..<35, 36..<52, 53..<55].allSatisfy({ bytes[$0].allSatisfy(Self.isHexDigit) }),
            // No trace and no parent has the id zero, and no version the number 255.
            bytes[3..<35].contains(where: { $0 != Self.zero }),
            bytes[36..<52].contains(where: { $0 != Self.zero }),
            bytes[0] != UInt8(ascii: "f") || bytes[1] != UInt8(ascii: "f")
        else { return nil }
        if bytes.count > 55 {
            let isVersion0 = bytes[0] == Self.zero && bytes[1] == Self.zero
            guard !isVersion0, bytes[55] == Self.dash else { return nil }
        }
        description = "00" + String(decoding: bytes[2..<55], as: UTF8.self)
    }

    /// The trace's id: 32 hexadecimal digits.
    public var traceID: String { String(description.dropFirst(3).prefix(32)) }

    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension CreateBookingInput {
    /// The caller's place in a distributed trace; nil without one, and when the text is none.
    public var traceParent: TraceParent? { traceparent.flatMap(TraceParent.init(_:)) }
}
