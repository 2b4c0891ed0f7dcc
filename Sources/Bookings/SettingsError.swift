/// Why a configuration can't be used.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path, or the environment variable's name.
    public let source: String
    /// The key, when one is at fault.
    public let key: String?
    /// What is wrong.
    public let reason: String

    /// Exactly one line: source, key and reason. What could break the line or mislead a terminal is escaped as
    /// in Swift's literals.
    public var description: String {
        let line = [source, key, reason].compactMap { $0 }.joined(separator: ": ")
        if PlantedFault.errorNotEscaped.isPlanted { return line }
        return line.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
