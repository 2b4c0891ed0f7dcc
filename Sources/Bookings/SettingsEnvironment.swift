/// The environment variables that are settings.
enum SettingsEnvironment {
    /// Picks them out of `environment`, by their exact names: swift-configuration would also take other letter
    /// cases of a name, and which of two it took would be chance.
    ///
    /// - Throws: when another one begins as if it were a setting: a mistyped one must not be ignored in silence.
    ///   The rest of what begins with `ACMS_` is others' business.
    static func variables(_ environment: [String: String]) throws(SettingsError) -> [String: String] {
        let known = Set(SettingsKey.all.map(\.variable))
        let prefixes = Set(
            SettingsKey.all.filter { !$0.isAlone }.map { SettingsKey.variable(of: $0.section) + "_" })
        for name in environment.keys.sorted() where !known.contains(name) {
            guard prefixes.contains(where: name.uppercased().hasPrefix) else { continue }
            throw SettingsError(source: name, key: nil, reason: "is no setting" + suggestion(for: name))
        }
        return environment.filter { known.contains($0.key) }
    }

    private static func suggestion(for variable: String) -> String {
        let parts = variable.lowercased().split(separator: "_", maxSplits: 2)
        let words = parts.last.map { $0.split(separator: "_").joined(separator: "-") } ?? ""
        let name = parts.count == 3 ? "\(parts[1]).\(words)" : variable
        return SettingsKey.nearest(to: name).map { "; did you mean \($0.variable)?" } ?? ""
    }
}
