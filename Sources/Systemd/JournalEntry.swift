import Logging

/// What one log statement becomes in the journal. Pure.
enum JournalEntry {
    /// journald refuses a whole entry that has more than 1024 fields; its own (`_PID` and so on) count too.
    static let maximumFields = 900

    /// The fields of a log statement, entry by entry; each field is `NAME=value`.
    ///
    /// An array repeats its field for each element. A statement that would outgrow an entry becomes several
    /// with the same message, each carrying one stretch of every array, so that no element is lost to a
    /// search.
    static func entries(
        identifier: String, level: Logger.Level, message: String, metadata: Logger.Metadata,
        maximumFields: Int = maximumFields
    ) -> [[[UInt8]]] {
        var common = [
            JournalField.bytes("MESSAGE", message),
            JournalField.bytes("PRIORITY", String(JournalField.priority(of: level))),
            JournalField.bytes("SYSLOG_IDENTIFIER", identifier),
        ]
        var arrays: [(name: String, elements: [Logger.MetadataValue])] = []
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = JournalField.name(forMetadataKey: key)
            if case .array(let elements) = value {
                arrays.append((name, elements))
            } else {
                common.append(JournalField.bytes(name, "\(value)"))
            }
        }
        guard let longest = arrays.map(\.elements.count).max(), longest > 0 else { return [common] }

        let stretch = max(1, (maximumFields - common.count) / arrays.count)
        return stride(from: 0, to: longest, by: stretch).map { start in
            common
                + arrays.flatMap { name, elements in
                    elements.dropFirst(start).prefix(stretch).map { JournalField.bytes(name, "\($0)") }
                }
        }
    }

    /// The datagram of an entry in journald's native protocol: a line a field, or, for a value that holds a
    /// newline, its name, its length as 64 bits little-endian, and the value.
    static func datagram(_ fields: [[UInt8]]) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(fields.reduce(0) { $0 + $1.count + 10 })
        for field in fields {
            if field.contains(newline), let equals = field.firstIndex(of: UInt8(ascii: "=")) {
                let value = field[(equals + 1)...]
                bytes += field[..<equals]
                bytes.append(newline)
                withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes += $0 }
                bytes += value
            } else {
                bytes += field
            }
            bytes.append(newline)
        }
        return bytes
    }
}
