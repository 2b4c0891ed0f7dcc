/// A key of the configuration: its name, and how its text becomes a setting and back.
struct SettingsKey: Sendable {
    /// What is wrong with a value.
    struct Unacceptable: Error {
        let reason: String
    }

    /// Section and name within it, for example `spool.max-messages`.
    let name: String
    /// Whether the file may hold a sequence of values.
    var isList = false
    /// Reads a text; what is acceptable lies in here.
    let apply: @Sendable (String, inout Settings) throws(Unacceptable) -> Void
    /// The setting, written as `apply` reads it.
    let text: @Sendable (Settings) -> String

    /// Every key; its default is the field's. To add one: its field, its line here and its line in the shipped
    /// file, which a test demands.
    static let all: [SettingsKey] = [
        .choice("engine", \.engine),
        .databaseURL("postgres.url", \.postgres.url),
        .identifier("postgres.schema", \.postgres.schema),
        .choice("postgres.buffer", \.postgres.buffer),
        .seconds("postgres.lease-seconds", \.postgres.lease, .seconds(1) ... .seconds(3600)),
        // A daemon that waits for longer than its watchdog allows would be ended.
        .seconds("postgres.timeout-seconds", \.postgres.timeout, .seconds(1) ... .seconds(20)),
        .path("spool.directory", \.spool.directory),
        .integer("spool.max-messages", \.spool.maxMessages, 1...1_000_000_000),
        .integer("spool.max-bytes", \.spool.maxBytes, 1 << 20...1 << 50),
        .integer("spool.min-free-bytes", \.spool.minFreeBytes, 0...1 << 50),
        .path("table.path", \.table.path),
        .path("socket.bookings", \.socket.bookings, maximumBytes: maximumSocketPath),
        .path("socket.queue", \.socket.queue, maximumBytes: maximumSocketPath),
        .path("socket.caretaker", \.socket.caretaker, maximumBytes: maximumSocketPath),
        .integer("server.max-connections", \.server.maxConnections, 1...1_000_000),
        .integer("server.max-connections-per-uid", \.server.maxConnectionsPerUID, 1...1_000_000),
        .integer("server.max-calls-in-flight", \.server.maxCallsInFlight, 1...65_536),
        // Less would not hold the longest call, read and decoded.
        .integer("server.max-bytes-in-flight", \.server.maxBytesInFlight, 8 << 20...1 << 40),
        .seconds("server.idle-timeout-seconds", \.server.idleTimeout, .zero ... .seconds(86_400)),
        .seconds(
            "server.partial-call-timeout-seconds", \.server.partialCallTimeout, .zero ... .seconds(86_400)),
        .choice("front.bind-users", \.front.bindUsers),
        .list("front.trusted-groups", \.front.trustedGroups),
        .integer("worker.batch-size", \.worker.batchSize, 1...10),
        .integer("worker.max-receive-count", \.worker.maxReceiveCount, 1...1000),
        // Times are kept in whole milliseconds, so less than one would be no delay at all.
        .seconds(
            "worker.retry-initial-seconds", \.worker.retryInitial, .milliseconds(1) ... .seconds(86_400)),
        .seconds(
            "worker.retry-maximum-seconds", \.worker.retryMaximum, .milliseconds(1) ... .seconds(86_400)),
        .seconds("worker.idle-exit-seconds", \.worker.idleExit, .zero ... .seconds(86_400)),
        .integer("worker.pending-expires-after-days", \.worker.pendingExpiresAfterDays, 0...36_500),
        .choice("log.level", \.log.level),
    ]

    /// Its name as an environment variable.
    var variable: String { Self.variable(of: name) }

    /// The section it stands in.
    var section: String { String(name.prefix { $0 != "." }) }

    /// Whether it stands by itself, in no section.
    var isAlone: Bool { section == name }

    /// Its name within the section, if it is in one.
    var nameInSection: String { isAlone ? name : String(name.drop { $0 != "." }.dropFirst()) }

    static func variable(of name: String) -> String {
        "ACMS_" + name.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }
}
