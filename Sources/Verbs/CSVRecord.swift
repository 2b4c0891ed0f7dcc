/// The fields of one record of comma-separated values (RFC 4180).
///
/// The package SwiftCSV reads the same, but holds the whole file, and needs all of Foundation, of which the programs use
/// only the essential part.
enum CSVRecord {
    /// Whether a quoted field of `text` is open at its end, so that the record goes on with the next line.
    static func isOpen(_ text: UnsafeRawBufferPointer) -> Bool {
        text.reduce(into: false) { if $1 == quote { $0.toggle() } }
    }

    /// Reads a record.
    /// - Parameter fields: Takes the fields; what is in it is replaced.
    /// - Returns: what is wrong with the record; nil when nothing is.
    static func read(_ text: UnsafeRawBufferPointer, into fields: inout [String]) -> InvalidInputText? {
        fields.removeAll(keepingCapacity: true)
        var position = 0
        while true {
            let field: String?
            if position < text.count, text[position] == quote {
                guard let end = closingQuote(of: text, from: position + 1) else {
                    return .init(reason: "a quotation mark is not closed.")
                }
                field = unquoted(UnsafeRawBufferPointer(rebasing: text[(position + 1)..<end]))
                position = end + 1
                guard position == text.count || text[position] == comma else {
                    return .init(reason: "something other than a comma follows a closing quotation mark.")
                }
            } else {
                let start = position
                while position < text.count, text[position] != comma {
                    guard text[position] != quote else {
                        return .init(
                            reason: "a quotation mark stands in a field that does not begin with one.")
                    }
                    position += 1
                }
                field = String(validating: text[start..<position], as: UTF8.self)
            }
            guard let field else { return .init(reason: "it is not in UTF-8.") }
            fields.append(field)
            guard position < text.count else { return nil }
            position += 1
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    private static func closingQuote(of text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while position < text.count {
            if text[position] == quote {
                guard position + 1 < text.count, text[position + 1] == quote else { return position }
                position += 1
            }
            position += 1
        }
        return nil
    }

    /// What stands between the quotation marks of a field, in which two of them mean one.
    private static func unquoted(_ text: UnsafeRawBufferPointer) -> String? {
        guard text.contains(quote) else { return String(validating: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isSecond = false
        for byte in text {
            isSecond = byte == quote && !isSecond
            if !isSecond { bytes.append(byte) }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
