extension Unicode.Scalar {
    /// Whether a terminal may take the scalar for a command, or shows text in another order because of it.
    var isUnsafeOnTerminal: Bool {
        switch value {
        case 0..<0x20, 0x7f...0x9f: true
        case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}

extension StringProtocol {
    /// The text with all that is unsafe on a terminal made visible, for example `\n` and `\u{1b}`.
    var escapedForTerminal: String {
        guard unicodeScalars.contains(where: \.isUnsafeOnTerminal) else { return String(self) }
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where scalar.isUnsafeOnTerminal: escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
