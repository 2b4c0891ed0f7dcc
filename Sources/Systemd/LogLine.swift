import Glibc
import Logging

/// One log statement as one line of text. Pure.
///
/// Much of what is logged was written by a peer, so nothing in it may end the line or pass for another
/// key: control characters are escaped, and a value that isn't one plain word is quoted.
enum LogLine {
    /// An array is cut after so many elements.
    static let maximumElements = 3

    /// `message key=value key=[a,b,… (37 in all)]`, keys in order. The message's id is for the journal only.
    static func text(message: String, metadata: Logger.Metadata) -> String {
        var line = escape(message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key })
        where JournalField.name(forMetadataKey: key) != "MESSAGE_ID" {
            line += " \(word(key))=\(text(of: value))"
        }
        return line
    }

    /// `2026-11-22T21:10:05.123Z`.
    static func timestamp(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date =
            "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))"
            + "-\(digits(Int(parts.tm_mday), 2))"
        let clock =
            "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2))"
            + ":\(digits(Int(parts.tm_sec), 2)).\(digits(Int(time.tv_nsec) / 1_000_000, 3))"
        return "\(date)T\(clock)Z"
    }

    private static func text(of value: Logger.MetadataValue) -> String {
        switch value {
        case .array(let elements):
            var items = elements.prefix(maximumElements).map(text(of:))
            if elements.count > maximumElements { items.append("… (\(elements.count) in all)") }
            return "[\(items.joined(separator: ","))]"
        case .dictionary(let dictionary):
            let items = dictionary.sorted { $0.key < $1.key }.map { "\(word($0.key)):\(text(of: $0.value))" }
            return "{\(items.joined(separator: ","))}"
        default:
            return word("\(value)")
        }
    }

    /// The text as it is when it is one plain word, else quoted.
    private static func word(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && (text.utf8.allSatisfy(isPlainASCII)
                || text.unicodeScalars.allSatisfy { !isUnsafe($0) && !isDelimiter($0) })
        return isPlain ? text : "\"\(escape(text, quoted: true))\""
    }

    /// What most words are made of; looking up a character's properties takes far longer.
    private static func isPlainASCII(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !isDelimiter(Unicode.Scalar(byte))
    }

    private static func escape(_ text: String, quoted: Bool = false) -> String {
        let isSafe = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"")
        }
        if isSafe { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case "\\": escaped += "\\\\"
            case "\"" where quoted: escaped += "\\\""
            case _ where isUnsafe(scalar): escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Control characters, line and paragraph separators, and the invisible ones (`Cf`), which can reverse
    /// the direction of what a terminal shows.
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func isDelimiter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "\\", "=", ",", "[", "]", "{", "}", "…": true
        default: scalar.properties.isWhitespace
        }
    }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
