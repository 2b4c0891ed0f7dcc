import Configuration
import SystemPackage
import Yams

extension Settings {
    /// The file that is read when none is named.
    public static let defaultFile = "/etc/acms/acms.yaml"

    /// Reads the configuration.
    ///
    /// - Parameters:
    ///   - file: the file; it must be there. Without one, `/etc/acms/acms.yaml` is read if it is there.
    ///   - environment: the process's environment.
    /// - Throws: the first mistake: an unknown key, a wrong type, a value out of range, a file that can't be read.
    public static func load(
        file: String?, environment: [String: String]
    ) throws(SettingsError) -> Settings {
        try refuseUnknownVariables(environment)
        let path = file ?? defaultFile
        let values = try SettingsFile.read(path, mayBeMissing: file == nil)
        let variables = environment.filter { $0.key.hasPrefix("ACMS_") }
        let reader = ConfigReader(providers: [
            KeyMappingProvider(upstream: EnvironmentVariablesProvider(environmentVariables: variables)) {
                $0.prepending("acms")
            },
            InMemoryProvider(
                name: path,
                values: Dictionary(
                    uniqueKeysWithValues: values.map {
                        (
                            AbsoluteConfigKey(ConfigKey($0.key)),
                            ConfigValue(.string($0.value), isSecret: false)
                        )
                    })),
        ])
        var settings = Settings()
        for key in SettingsKey.all {
            guard let text = reader.string(forKey: ConfigKey(key.name)) else { continue }
            let source = variables[key.variable] == nil ? path : key.variable
            do {
                try key.apply(text, &settings)
            } catch {
                throw SettingsError(source: source, key: key.name, reason: error.reason)
            }
        }
        guard settings.worker.retryInitial <= settings.worker.retryMaximum else {
            let variable = SettingsKey.variable(of: "worker.retry-maximum-seconds")
            throw SettingsError(
                source: variables[variable] == nil ? path : variable, key: "worker.retry-maximum-seconds",
                reason: "must not be less than worker.retry-initial-seconds")
        }
        return settings
    }

    /// A mistyped variable must not be ignored in silence. Others that begin with `ACMS_` are none of our
    /// business, unless they look like a key.
    private static func refuseUnknownVariables(_ environment: [String: String]) throws(SettingsError) {
        let known = Set(SettingsKey.all.map(\.variable))
        let sections = Set(SettingsKey.all.map { "ACMS_" + $0.name.prefix { $0 != "." }.uppercased() + "_" })
        for name in environment.keys.sorted() where !known.contains(name) {
            if sections.contains(where: name.hasPrefix) {
                throw SettingsError(
                    source: name, key: nil,
                    reason: "is no setting; did you mean \(nearest(to: name, among: known))?")
            }
        }
    }

    /// The name that takes the fewest changes to become.
    static func nearest(to name: String, among names: some Collection<String>) -> String {
        names.min { (distance($0, name), $0) < (distance($1, name), $1) } ?? ""
    }

    /// Levenshtein's distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, character) in left.utf8.enumerated() {
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

/// The YAML file, as keys and the texts of their values.
private enum SettingsFile {
    private static let maximumBytes = 1 << 20

    static func read(_ path: String, mayBeMissing: Bool) throws(SettingsError) -> [String: String] {
        func mistake(_ reason: String, key: String? = nil) -> SettingsError {
            SettingsError(source: path, key: key, reason: reason)
        }
        let bytes: [UInt8]
        do {
            bytes = try contents(of: path)
        } catch {
            if error == .noSuchFileOrDirectory, mayBeMissing { return [:] }
            throw mistake("can't be read: \(error)")
        }
        guard bytes.count <= maximumBytes else { throw mistake("has more than \(maximumBytes) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw mistake("is not UTF-8") }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw mistake("is not YAML: \(error)")
        } catch {
            throw mistake("is not YAML: \(error)")
        }
        guard let root, root.null == nil else { return [:] }
        guard let sections = root.mapping else { throw mistake("must hold keys and values") }
        return try values(of: sections, mistake)
    }

    private static func values(
        of sections: Node.Mapping, _ mistake: (String, String?) -> SettingsError
    ) throws(SettingsError) -> [String: String] {
        let known = Set(SettingsKey.all.map(\.name))
        var values: [String: String] = [:]
        for (sectionNode, content) in sections {
            let section = sectionNode.scalar?.string ?? ""
            guard known.contains(where: { $0.hasPrefix("\(section).") }) else {
                if known.contains(section) {
                    let parts = section.split(separator: ".", maxSplits: 1)
                    throw mistake("must be written as \(parts[1]): under \(parts[0]):", section)
                }
                throw unknown(section, among: Set(known.map { String($0.prefix { $0 != "." }) }), mistake)
            }
            guard let entries = content.mapping else { throw mistake("must hold keys and values", section) }
            for (keyNode, value) in entries {
                let key = "\(section).\(keyNode.scalar?.string ?? "")"
                guard known.contains(key) else { throw unknown(key, among: known, mistake) }
                guard values[key] == nil else { throw mistake("is there twice", key) }
                guard value.null == nil else { throw mistake("has no value", key) }
                guard let scalar = value.scalar else { throw mistake("must be a single value", key) }
                values[key] = scalar.string
            }
        }
        return values
    }

    private static func unknown(
        _ key: String, among known: Set<String>, _ mistake: (String, String?) -> SettingsError
    ) -> SettingsError {
        mistake("is no setting; did you mean \(Settings.nearest(to: key, among: known))?", key)
    }

    private static func contents(of path: String) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
                defer { chunk.deallocate() }
                while bytes.count <= maximumBytes {
                    let count = try file.read(into: chunk)
                    if count == 0 { break }
                    bytes.append(contentsOf: chunk[..<count])
                }
                return bytes
            }
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
