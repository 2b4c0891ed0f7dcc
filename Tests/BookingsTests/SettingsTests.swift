import Foundation
import Support
import Testing

@testable import Bookings

@Suite struct SettingsTests {
    private let site: SettingsSite

    init() throws { site = try SettingsSite() }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "~\n", "{}\n", "\u{feff}", "spool:\n", "spool: {}\n"])
    func `a file that sets nothing leaves the defaults`(yaml: String) throws {
        #expect(try site.load(yaml) == Settings())
    }

    @Test func `the defaults are those of the design`() {
        let texts = SettingsKey.all.map { "\($0.variable)=\($0.text(Settings()))" }
        #expect(
            texts == [
                "ACMS_ENGINE=embedded", "ACMS_POSTGRES_URL=", "ACMS_POSTGRES_SCHEMA=acms",
                "ACMS_POSTGRES_BUFFER=none",
                "ACMS_POSTGRES_LEASE_SECONDS=15", "ACMS_POSTGRES_TIMEOUT_SECONDS=10",
                "ACMS_SPOOL_DIRECTORY=/var/lib/acms/spool", "ACMS_SPOOL_MAX_MESSAGES=1000000",
                "ACMS_SPOOL_MAX_BYTES=1073741824", "ACMS_SPOOL_MIN_FREE_BYTES=67108864",
                "ACMS_TABLE_PATH=/var/lib/acms/table/acms.sqlite",
                "ACMS_SOCKET_BOOKINGS=/run/acms/io.acms.Bookings",
                "ACMS_SOCKET_QUEUE=/run/acms/io.acms.Queue",
                "ACMS_SOCKET_CARETAKER=/run/acms/io.acms.Caretaker",
                "ACMS_SERVER_MAX_CONNECTIONS=16000", "ACMS_SERVER_MAX_CONNECTIONS_PER_UID=12000",
                "ACMS_SERVER_MAX_CALLS_IN_FLIGHT=256", "ACMS_SERVER_MAX_BYTES_IN_FLIGHT=134217728",
                "ACMS_SERVER_IDLE_TIMEOUT_SECONDS=600", "ACMS_SERVER_PARTIAL_CALL_TIMEOUT_SECONDS=30",
                "ACMS_FRONT_BIND_USERS=false",
                "ACMS_FRONT_TRUSTED_GROUPS=", "ACMS_WORKER_BATCH_SIZE=10",
                "ACMS_WORKER_MAX_RECEIVE_COUNT=10", "ACMS_WORKER_RETRY_INITIAL_SECONDS=1",
                "ACMS_WORKER_RETRY_MAXIMUM_SECONDS=300", "ACMS_WORKER_IDLE_EXIT_SECONDS=30",
                "ACMS_WORKER_PENDING_EXPIRES_AFTER_DAYS=0",
                "ACMS_LOG_LEVEL=info",
            ])
    }

    @Test(arguments: SettingsKey.all.map(\.name))
    func `each key's variable goes before the file and the file before the default`(name: String) throws {
        let key = try #require(SettingsKey.all.first { $0.name == name })
        let first = key.text(Settings())
        // Whatever kind of key it is, two of these are acceptable and not the default, or one for a key that
        // has but two values.
        let number = Int(first) ?? 0
        var others = [
            "true", "spool", "postgres", "postgresql://a", "postgresql://b", "one_schema", "two_schemas",
            "/srv/a", "/srv/b", "debug", "error", "\(number / 2)", "\(number / 4)", "7", "8", "0.5",
            "0.25",
        ]
        .filter { text in
            var settings = Settings()
            return text != first && (try? key.apply(text, &settings)) != nil
        }
        if others.count == 1 { others.append(first) }
        try #require(others.count >= 2, "the test knows no two values of \(name)")
        let yaml =
            key.isAlone
            ? "\(name): \(others[0])\n" : "\(key.section):\n  \(key.nameInSection): \(others[0])\n"
        // A database must be named before it can be the engine.
        let base = key.name == "postgres.url" ? [:] : ["ACMS_POSTGRES_URL": "postgresql://db"]
        func text(_ yaml: String, _ environment: [String: String]) throws -> String {
            key.text(try site.load(yaml, environment.merging(base) { own, _ in own }))
        }
        #expect(try text("", [:]) == first)
        #expect(try text(yaml, [:]) == others[0])
        #expect(try text(yaml, [key.variable: others[1]]) == others[1])
        #expect(try text("", [key.variable: others[1]]) == others[1])
        var expected = try site.load("", base)
        try key.apply(others[0], &expected)
        #expect(try site.load(yaml, base) == expected, "no other setting changes")
    }

    @Test func `the engine postgres needs a database, whose name is never told`() throws {
        #expect(
            try site.mistake("engine: postgres\n")
                == "FILE: postgres.url: must say where the database is, because engine is postgres")
        let url = "postgresql://acms:secret@db/acms"
        let settings = try site.load("engine: postgres\npostgres:\n  url: \(url)\n")
        #expect(settings.engine == .postgres && settings.postgres.url == url)
        for wrong in ["mysql://acms:secret@db", "postgresql://acms:secret@db/\u{7}"] {
            let mistake = try #require(try site.mistake("", ["ACMS_POSTGRES_URL": wrong]))
            #expect(
                mistake.hasPrefix("ACMS_POSTGRES_URL: postgres.url: must ") && !mistake.contains("secret"))
        }
        #expect(try site.mistake("engine:\n  x: 1\n") == "FILE: engine: must be a single value")
    }

    @Test func `a value is its text, quoted or not`() throws {
        #expect(try site.load("worker: {batch-size: \"5\"}\n").worker.batchSize == 5)
        #expect(try site.load("\"worker\":\n  'batch-size': 5\n").worker.batchSize == 5)
    }

    @Test(arguments: [
        ("0.05", 50), ("0.001", 1), ("2", 2000), ("2.5", 2500), ("0.300000000", 300), ("86400", 86_400_000),
    ])
    func `seconds are read exactly`(text: String, milliseconds: Int) throws {
        let yaml = "worker:\n  retry-initial-seconds: \(text)\n  retry-maximum-seconds: 86400\n"
        #expect(try site.load(yaml).worker.retryInitial == .milliseconds(milliseconds))
    }

    @Test func `a socket's path may fill what the kernel allows`() throws {
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(try site.load("socket:\n  queue: \(longest)\n").socket.queue == longest)
    }

    @Test(arguments: [false, true])
    func `the shipped file names every key with its default`(uncommented: Bool) throws {
        var lines = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../config/acms.yaml"), encoding: .utf8
        ).split(separator: "\n", omittingEmptySubsequences: false)
        if uncommented {
            lines = lines.map { $0.hasPrefix("#  ") || $0.hasPrefix("#engine:") ? $0.dropFirst() : $0 }
        }
        let yaml = lines.joined(separator: "\n")
        #expect(try site.load(yaml) == Settings())
        try site.directory.write(yaml, to: "acms.yaml")
        let values = try SettingsFile.read(site.file, mayBeMissing: false)
        let defaults = Dictionary(
            uniqueKeysWithValues: SettingsKey.all.map { ($0.name, $0.text(Settings())) })
        #expect(values == (uncommented ? defaults : [:]))
    }
}

/// A directory with a configuration file.
struct SettingsSite {
    let directory: TemporaryDirectory
    var file: String { "\(directory.path)/acms.yaml" }

    init() throws { directory = try TemporaryDirectory() }

    func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
        try directory.write(yaml, to: "acms.yaml")
        return try Settings.load(file: file, environment: environment)
    }

    /// What is said of the file as it is; `FILE` stands for its path.
    func mistake(_ environment: [String: String] = [:]) -> String? {
        do throws(SettingsError) {
            _ = try Settings.load(file: file, environment: environment)
            return nil
        } catch {
            return error.description.replacing(file, with: "FILE")
        }
    }

    /// What is said of a file that holds `yaml`.
    func mistake(_ yaml: String, _ environment: [String: String] = [:]) throws -> String? {
        try directory.write(yaml, to: "acms.yaml")
        return mistake(environment)
    }
}
