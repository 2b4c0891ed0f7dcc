extension SettingsKey {
    /// The key that somebody meant who wrote `name`: a name within the wrong section, or without one, counts
    /// as nearly right.
    static func nearest(to name: String) -> SettingsKey? {
        let bare = String(name.drop { $0 != "." }.dropFirst())
        // A short name without a section is as near as any to what resembles none.
        let candidates = all.filter { !$0.isAlone || distance(name, $0.name) <= 3 }
        return candidates.min { distance(from: name, bare, to: $0) < distance(from: name, bare, to: $1) }
    }

    /// The section that somebody meant who wrote `name`.
    static func nearestSection(to name: String) -> String? {
        all.filter { !$0.isAlone }.map(\.section).min { distance($0, name) < distance($1, name) }
    }

    private static func distance(from name: String, _ bare: String, to key: SettingsKey) -> Int {
        min(distance(name, key.name), distance(bare.isEmpty ? name : bare, key.nameInSection) + 1)
    }

    /// Levenshtein's distance, in bytes; of a long text, its beginning tells enough.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8.prefix(100))
        var row = Array(0...right.count)
        for (index, character) in left.utf8.prefix(100).enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (right[column] == character ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, min(row[column], row[column + 1]) + 1)
            }
        }
        return row[right.count]
    }
}
