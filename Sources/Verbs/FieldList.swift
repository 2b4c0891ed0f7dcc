/// `key: value` lines that tell of one thing.
struct FieldList {
    private var fields: [(key: String, value: StyledText)] = []

    mutating func add(_ key: String, _ value: StyledText) {
        fields.append((key, value))
    }

    /// The lines, values below one another.
    func lines(hasColour: Bool) -> [String] {
        let width = fields.map(\.key.displayWidth).max() ?? 0
        return fields.map { key, value in
            let padding = String(repeating: " ", count: width - key.displayWidth + 2)
            return "\(key):\(padding)\(value.rendered(hasColour: hasColour))"
        }
    }
}
