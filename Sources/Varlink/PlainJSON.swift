internal import Glibc

/// JSON of the common form, in bytes: what its quick readers share.
extension UnsafeRawBufferPointer {
    /// Whether `text` stands at `offset`, which is not beyond the end.
    package func holds(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count - offset >= length, let baseAddress else { return false }
        return memcmp(baseAddress + offset, text.utf8Start, length) == 0
    }

    /// What follows an opening quotation mark up to the closing one.
    ///
    /// - Parameter offset: the place behind the opening one.
    /// - Returns: nil when an escape or a control character comes first, or no closing one at all.
    package func plainString(at offset: Int) -> PlainString? {
        var end = offset
        var isASCII = true
        while end < count, self[end] != UInt8(ascii: "\"") {
            let byte = self[end]
            guard byte >= 0x20, byte != UInt8(ascii: "\\") else { return nil }
            if byte >= 0x80 { isASCII = false }
            end += 1
        }
        guard end < count else { return nil }
        return PlainString(bytes: Self(rebasing: self[offset..<end]), isASCII: isASCII)
    }
}

/// The content of a JSON string without escapes. Its bytes must stay while it is used.
package struct PlainString {
    /// The content, without the quotation marks.
    package let bytes: UnsafeRawBufferPointer
    fileprivate let isASCII: Bool

    /// The string; nil when it is no valid UTF-8.
    package var value: String? {
        isASCII ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }
}
