/// The kinds of value that a key can have.
extension SettingsKey {
    /// The longest path of a Unix socket, in bytes (`sun_path` of unix(7) less its NUL).
    static let maximumSocketPath = 107
    /// The longest path, in bytes (`PATH_MAX` of limits.h less its NUL).
    static let maximumPath = 4095

    /// An absolute path without control characters.
    static func path(
        _ name: String, _ field: any WritableKeyPath<Settings, String> & Sendable,
        maximumBytes: Int = maximumPath
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard text.utf8.first == UInt8(ascii: "/") else {
                throw Unacceptable(reason: "must be an absolute path, is \(shown(text))")
            }
            guard text.utf8.count <= maximumBytes else {
                throw Unacceptable(reason: "must have at most \(maximumBytes) bytes, has \(text.utf8.count)")
            }
            guard text.unicodeScalars.allSatisfy(\.isSafeInText) else {
                throw Unacceptable(reason: "must not hold control characters, is \(shown(text))")
            }
            settings[keyPath: field] = text
        } text: {
            $0[keyPath: field]
        }
    }

    /// A whole number in plain decimal digits. Other spellings are refused, because YAML's versions disagree on
    /// them: `010` is eight in YAML 1.1 and ten in YAML 1.2.
    static func integer(
        _ name: String, _ field: any WritableKeyPath<Settings, Int> & Sendable, _ range: ClosedRange<Int>
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
            guard isDecimal(digits) else {
                throw Unacceptable(reason: "must be an integer, is \(shown(text))")
            }
            guard digits.count == 1 || digits.first != UInt8(ascii: "0") else {
                throw Unacceptable(reason: "must be an integer without leading zeros, is \(shown(text))")
            }
            guard let value = Int(text), range.contains(value) else {
                throw Unacceptable(
                    reason: "must be \(range.lowerBound) to \(range.upperBound), is \(shown(text))")
            }
            settings[keyPath: field] = value
        } text: {
            String($0[keyPath: field])
        }
    }

    /// A number of seconds in decimal digits, with at most nine after the point.
    static func seconds(
        _ name: String, _ field: any WritableKeyPath<Settings, Duration> & Sendable,
        _ range: ClosedRange<Duration>
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard let value = duration(text) else {
                throw Unacceptable(reason: "must be a number of seconds, is \(shown(text))")
            }
            guard range.contains(value) else {
                let bounds = "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
                throw Unacceptable(reason: "must be \(bounds) seconds, is \(shown(text))")
            }
            settings[keyPath: field] = value
        } text: {
            Self.text($0[keyPath: field])
        }
    }

    /// One of the names of an enumeration's cases.
    static func choice<Value: CaseIterable & RawRepresentable<String> & SendableMetatype>(
        _ name: String, _ field: any WritableKeyPath<Settings, Value> & Sendable
    ) -> SettingsKey {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard let value = Value(rawValue: text) else {
                throw Unacceptable(reason: "must be one of \(names), is \(shown(text))")
            }
            settings[keyPath: field] = value
        } text: {
            $0[keyPath: field].rawValue
        }
    }

    /// `true` or `false`; YAML 1.1's other words for them are refused, because YAML 1.2 takes them for text.
    static func choice(
        _ name: String, _ field: any WritableKeyPath<Settings, Bool> & Sendable
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard let value = Bool(text) else {
                throw Unacceptable(reason: "must be true or false, is \(shown(text))")
            }
            settings[keyPath: field] = value
        } text: {
            String($0[keyPath: field])
        }
    }

    /// A connection URI of libpq, or nothing. What it is is never told: it can hold a password.
    static func databaseURL(
        _ name: String, _ field: any WritableKeyPath<Settings, String> & Sendable
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard text.isEmpty || text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") else {
                throw Unacceptable(reason: "must begin with postgresql://")
            }
            guard text.utf8.count <= maximumPath, text.unicodeScalars.allSatisfy(\.isSafeInText) else {
                throw Unacceptable(
                    reason: "must not hold control characters or more than \(maximumPath) bytes")
            }
            settings[keyPath: field] = text
        } text: {
            $0[keyPath: field]
        }
    }

    /// A name that an SQL database keeps whole: at most 63 bytes, lower-case letters, digits and underscores.
    static func identifier(
        _ name: String, _ field: any WritableKeyPath<Settings, String> & Sendable
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            let isName = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
            // The channels are named after it, with a little more.
            guard isName, !text.isEmpty, text.utf8.count <= 40, !text.hasPrefix("pg_") else {
                throw Unacceptable(
                    reason:
                        "must have 1 to 40 lower-case letters, digits and underscores and not begin with pg_, is \(shown(text))"
                )
            }
            settings[keyPath: field] = text
        } text: {
            $0[keyPath: field]
        }
    }

    /// Names separated by commas or blanks; an empty text is an empty list. The file may also hold them as a
    /// YAML sequence.
    static func list(
        _ name: String, _ field: any WritableKeyPath<Settings, [String]> & Sendable
    ) -> SettingsKey {
        SettingsKey(name: name, isList: true) { text, settings throws(Unacceptable) in
            let names = text.split { $0 == "," || $0 == " " }.map(String.init)
            guard text.unicodeScalars.allSatisfy(\.isSafeInText) else {
                throw Unacceptable(reason: "must not hold control characters, is \(shown(text))")
            }
            settings[keyPath: field] = names
        } text: {
            $0[keyPath: field].joined(separator: ", ")
        }
    }

    /// A value as an error quotes it: never nothing, and never a page.
    static func shown(_ text: String) -> String {
        if text.isEmpty { return "empty" }
        return text.count <= 100 ? text : text.prefix(100) + "…"
    }

    /// Whole seconds and decimals are read apart, because 0.05 as a floating-point number is not 50 ms.
    private static func duration(_ text: String) -> Duration? {
        let negative = text.utf8.first == UInt8(ascii: "-")
        let parts = (negative ? text.utf8.dropFirst() : text.utf8[...])
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, isDecimal(whole), whole.count <= 18 else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            guard isDecimal(parts[1]), parts[1].count <= 9 else { return nil }
            let decimals = String(decoding: parts[1], as: UTF8.self)
            nanoseconds = Int64(decimals + String(repeating: "0", count: 9 - decimals.count)) ?? 0
        }
        let seconds = Int64(String(decoding: whole, as: UTF8.self)) ?? 0
        let value = Duration.seconds(seconds) + .nanoseconds(nanoseconds)
        return negative ? .zero - value : value
    }

    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds != 0 else { return String(seconds) }
        var decimals = String(attoseconds / 1_000_000_000)
        decimals = String(repeating: "0", count: 9 - decimals.count) + decimals
        while decimals.last == "0" { decimals.removeLast() }
        return "\(seconds).\(decimals)"
    }

    private static func isDecimal(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
