import FoundationEssentials

/// One line of JSON Lines.
enum JSONLine {
    /// The value with sorted keys. What a terminal might act on is written as `\uXXXX`, which is the same JSON.
    static func text(of value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // All that is printed came as JSON or is made of strings and finite numbers.
        guard let bytes = try? encoder.encode(value) else { return "{}" }
        var line = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.isUnsafeOnTerminal {
                // The encoder leaves these in strings only, and all have at most four digits.
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
