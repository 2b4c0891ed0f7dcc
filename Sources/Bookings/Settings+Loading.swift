import Configuration

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
        let path = file ?? defaultFile
        let variables = try SettingsEnvironment.variables(environment)
        let values = try SettingsFile.read(path, mayBeMissing: file == nil)
        // A mistake in the file counts even where a variable hides it, or it would show only once that is gone.
        for key in SettingsKey.all {
            var unused = Settings()
            if let text = values[key.name] { try key.set(text, in: &unused, from: path) }
        }
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
                            ConfigValue(.string($0.value), isSecret: $0.key == "postgres.url")
                        )
                    })),
        ])
        var settings = Settings()
        for key in SettingsKey.all {
            guard let text = reader.string(forKey: ConfigKey(key.name)) else { continue }
            try key.set(text, in: &settings, from: variables[key.variable] == nil ? path : key.variable)
        }
        try settings.checkRetries(path, values, variables)
        if settings.engine == .postgres, settings.postgres.url.isEmpty {
            let isVariable = variables[SettingsKey.variable(of: "engine")] != nil
            throw SettingsError(
                source: isVariable ? SettingsKey.variable(of: "engine") : path, key: "postgres.url",
                reason: "must say where the database is, because engine is postgres")
        }
        return settings
    }

    /// The one rule about two keys. At fault is the one from the higher layer: a default is never to blame.
    private func checkRetries(
        _ path: String, _ values: [String: String], _ variables: [String: String]
    ) throws(SettingsError) {
        guard worker.retryInitial > worker.retryMaximum else { return }
        let initial = "worker.retry-initial-seconds"
        let maximum = "worker.retry-maximum-seconds"
        func layer(_ key: String) -> Int {
            if variables[SettingsKey.variable(of: key)] != nil { return 2 }
            return values[key] == nil ? 0 : 1
        }
        let (key, reason) =
            layer(initial) > layer(maximum)
            ? (initial, "must not be more than \(maximum)") : (maximum, "must not be less than \(initial)")
        let seconds =
            SettingsKey.all.first { $0.name == (key == initial ? maximum : initial) }?.text(self) ?? ""
        throw SettingsError(
            source: layer(key) == 2 ? SettingsKey.variable(of: key) : path, key: key,
            reason: "\(reason), which is \(seconds)")
    }
}

extension SettingsKey {
    fileprivate func set(
        _ text: String, in settings: inout Settings, from source: String
    ) throws(SettingsError) {
        do {
            try apply(text, &settings)
        } catch {
            throw SettingsError(source: source, key: name, reason: error.reason)
        }
    }
}
