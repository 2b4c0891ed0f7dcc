import Logging

/// One field of a journal entry, as `NAME=value`.
enum JournalField {
    /// The names that other programs know by heart, which a prefix would hide from them.
    private static let wellKnown: Set<String> = ["MESSAGE_ID", "TRACE_ID"]

    /// journald drops a field whose name is longer.
    private static let maximumNameLength = 64

    /// The field that a metadata key becomes: `booking-id` is `ACMS_BOOKING_ID`.
    static func name(forMetadataKey key: String) -> String {
        let name = String(
            key.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "a"..."z": Character(Unicode.Scalar(UInt8(scalar.value) - 32))
                case "A"..."Z", "0"..."9": Character(scalar)
                default: "_"
                }
            })
        let isComplete = wellKnown.contains(name) || name.hasPrefix("ACMS_")
        return String((isComplete ? name : "ACMS_" + name).prefix(maximumNameLength))
    }

    /// The field's bytes.
    static func bytes(_ name: String, _ value: String) -> [UInt8] {
        Array("\(name)=\(value)".utf8)
    }

    /// syslog's priority of a level.
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
