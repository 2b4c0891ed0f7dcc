/// A key of the configuration: its name, and how its text becomes a setting.
struct SettingsKey: Sendable {
    /// What is wrong with a value.
    struct Unacceptable: Error {
        let reason: String
    }

    let name: String
    let apply: @Sendable (String, inout Settings) throws(Unacceptable) -> Void

    /// Its name as an environment variable.
    var variable: String { Self.variable(of: name) }

    static func variable(of name: String) -> String {
        "ACMS_" + name.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// Every key. The one place to add one, beside its field and the shipped file.
    static let all: [SettingsKey] = [
        .path("spool.directory", \.spool.directory),
        .integer("spool.max-messages", \.spool.maxMessages, 1...1_000_000_000),
        .integer("spool.max-bytes", \.spool.maxBytes, 1 << 20...1 << 50),
        .integer("spool.min-free-bytes", \.spool.minFreeBytes, 0...1 << 50),
        .path("table.path", \.table.path),
        .path("socket.bookings", \.socket.bookings, maximumBytes: maximumSocketPath),
        .path("socket.queue", \.socket.queue, maximumBytes: maximumSocketPath),
        .path("socket.caretaker", \.socket.caretaker, maximumBytes: maximumSocketPath),
        .integer("worker.batch-size", \.worker.batchSize, 1...10),
        .integer("worker.max-receive-count", \.worker.maxReceiveCount, 1...1000),
        .seconds("worker.retry-initial-seconds", \.worker.retryInitial, 0.001...86_400),
        .seconds("worker.retry-maximum-seconds", \.worker.retryMaximum, 0.001...86_400),
        .seconds("worker.idle-exit-seconds", \.worker.idleExit, 0...86_400),
        SettingsKey(name: "log.level") { text, settings throws(Unacceptable) in
            guard let level = Settings.Log.Level(rawValue: text) else {
                let names = Settings.Log.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw Unacceptable(reason: "must be one of \(names), is \(text)")
            }
            settings.log.level = level
        },
    ]

    /// The longest path of a Unix socket (sun_path of unix(7) less its NUL).
    private static let maximumSocketPath = 107

    private static func path(
        _ name: String, _ field: any WritableKeyPath<Settings, String> & Sendable, maximumBytes: Int = 4095
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard text.hasPrefix("/") else {
                throw Unacceptable(reason: "must be an absolute path, is \(text)")
            }
            guard text.utf8.count <= maximumBytes else {
                throw Unacceptable(reason: "must have at most \(maximumBytes) bytes, has \(text.utf8.count)")
            }
            guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
                throw Unacceptable(reason: "must not hold control characters")
            }
            settings[keyPath: field] = text
        }
    }

    private static func integer(
        _ name: String, _ field: any WritableKeyPath<Settings, Int> & Sendable, _ range: ClosedRange<Int>
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard let value = Int(text) else { throw Unacceptable(reason: "must be an integer, is \(text)") }
            guard range.contains(value) else {
                throw Unacceptable(reason: "must be \(range.lowerBound) to \(range.upperBound), is \(value)")
            }
            settings[keyPath: field] = value
        }
    }

    private static func seconds(
        _ name: String, _ field: any WritableKeyPath<Settings, Duration> & Sendable,
        _ range: ClosedRange<Double>
    ) -> SettingsKey {
        SettingsKey(name: name) { text, settings throws(Unacceptable) in
            guard let value = Double(text), value.isFinite else {
                throw Unacceptable(reason: "must be a number of seconds, is \(text)")
            }
            guard range.contains(value) else {
                throw Unacceptable(
                    reason: "must be \(range.lowerBound) to \(range.upperBound) seconds, is \(text)")
            }
            settings[keyPath: field] = .seconds(value)
        }
    }
}
