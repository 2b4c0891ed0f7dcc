/// Bytes as `hexdump -C` shows them.
enum HexDump {
    private static let row = 16

    static func lines(of bytes: some Collection<UInt8>) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        var offset = 0
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(row))
            let digits = chunk.enumerated().map { index, byte in
                hexadecimal(Int(byte), 2) + (index == row / 2 - 1 ? "  " : " ")
            }.joined()
            let padding = String(repeating: " ", count: row * 3 + 1 - digits.count)
            let text = chunk.map { (0x20..<0x7f).contains($0) ? String(Unicode.Scalar($0)) : "." }.joined()
            lines.append("\(hexadecimal(offset, 8))  \(digits)\(padding) |\(text)|")
            rest = rest.dropFirst(row)
            offset += row
        }
        return lines
    }

    private static func hexadecimal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}
