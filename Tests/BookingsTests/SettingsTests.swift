import Bookings
import Foundation
import Support
import Testing

@testable import Bookings

@Suite struct SettingsTests {
    private let directory: TemporaryDirectory
    private var file: String { "\(directory.path)/acms.yaml" }

    init() throws { directory = try TemporaryDirectory() }

    private func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
        try directory.write(yaml, to: "acms.yaml")
        return try Settings.load(file: file, environment: environment)
    }

    /// What is said of a mistake, after the file's name.
    private func mistake(_ yaml: String, _ environment: [String: String] = [:]) throws -> String? {
        do {
            _ = try load(yaml, environment)
            return nil
        } catch let error as SettingsError {
            #expect(!error.description.contains("\n"))
            return error.description.replacing("\(file): ", with: "")
        }
    }

    @Test func withoutAFileTheDefaultsHold() throws {
        #expect(try load("") == Settings())
        #expect(try load("# nothing\n") == Settings())
    }

    @Test func theEnvironmentGoesBeforeTheFileAndTheFileBeforeTheDefaults() throws {
        let yaml =
            "spool:\n  directory: /a\n  max-messages: 5\nworker:\n  idle-exit-seconds: 0.05\nlog:\n  level: debug\n"
        let settings = try load(
            yaml, ["ACMS_SPOOL_MAX_MESSAGES": "6", "ACMS_LOG_LEVEL": "error", "ACMS_OTHER": "x"])
        #expect(settings.spool.directory == "/a")
        #expect(settings.spool.maxMessages == 6)
        #expect(settings.worker.idleExit == .milliseconds(50))
        #expect(settings.log.level == .error)
        #expect(settings.worker.batchSize == 10)
    }

    @Test(arguments: [
        ("spool:\n  max-mesages: 5\n", "spool.max-mesages: is no setting; did you mean spool.max-messages?"),
        ("spol:\n  directory: /a\n", "spol: is no setting; did you mean spool?"),
        ("spool.max-messages: 5\n", "spool.max-messages: must be written as max-messages: under spool:"),
        ("spool: 5\n", "spool: must hold keys and values"),
        ("worker:\n  batch-size: ten\n", "worker.batch-size: must be an integer, is ten"),
        ("worker:\n  batch-size: 11\n", "worker.batch-size: must be 1 to 10, is 11"),
        ("worker:\n  batch-size: 1.5\n", "worker.batch-size: must be an integer, is 1.5"),
        ("worker:\n  batch-size: [1]\n", "worker.batch-size: must be a single value"),
        ("worker:\n  batch-size:\n", "worker.batch-size: has no value"),
        (
            "worker:\n  retry-initial-seconds: 0\n",
            "worker.retry-initial-seconds: must be 0.001 to 86400.0 seconds, is 0"
        ),
        (
            "worker:\n  retry-initial-seconds: 9\n  retry-maximum-seconds: 8\n",
            "worker.retry-maximum-seconds: must not be less than worker.retry-initial-seconds"
        ),
        ("table:\n  path: here\n", "table.path: must be an absolute path, is here"),
        (
            "log:\n  level: loud\n",
            "log.level: must be one of trace, debug, info, notice, warning, error, critical, is loud"
        ),
        ("- a\n", "must hold keys and values"),
    ])
    func aMistakeIsToldInOneLine(yaml: String, expected: String) throws {
        #expect(try mistake(yaml) == expected)
    }

    @Test func aSocketsPathMustFitTheKernelsLimit() throws {
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(try load("socket:\n  queue: \(longest)\n").socket.queue == longest)
        #expect(
            try mistake("socket:\n  queue: \(longest)x\n")
                == "socket.queue: must have at most 107 bytes, has 108")
    }

    @Test func brokenYAMLIsToldInOneLine() throws {
        #expect(try mistake("spool: [1\n")?.hasPrefix("is not YAML: ") == true)
        #expect(try mistake("spool:\n  directory: /a\n  directory: /b\n") != nil)
        try Data([0x73, 0xff]).write(to: URL(fileURLWithPath: file))
        #expect(throws: SettingsError.self) { try Settings.load(file: file, environment: [:]) }
    }

    @Test func aMistypedVariableIsNotIgnored() throws {
        #expect(
            try mistake("", ["ACMS_SPOOL_DIRECTROY": "/a"])
                == "ACMS_SPOOL_DIRECTROY: is no setting; did you mean ACMS_SPOOL_DIRECTORY?")
        #expect(
            try mistake("", ["ACMS_WORKER_BATCH_SIZE": "0"])
                == "ACMS_WORKER_BATCH_SIZE: worker.batch-size: must be 1 to 10, is 0")
    }

    @Test func aNamedFileMustBeThereAndBeAFile() throws {
        #expect(throws: SettingsError.self) {
            try Settings.load(file: "/nowhere/acms.yaml", environment: [:])
        }
        #expect(throws: SettingsError.self) { try Settings.load(file: directory.path, environment: [:]) }
    }

    @Test func theShippedFileNamesEveryKeyWithItsDefault() throws {
        let shipped = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../config/acms.yaml"), encoding: .utf8)
        #expect(try load(shipped) == Settings())
        let uncommented = shipped.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#  ") || $0.hasSuffix(":") && !$0.contains(" ") ? $0.dropFirst() : $0 }
            .joined(separator: "\n")
        #expect(try load(uncommented) == Settings())
        for key in SettingsKey.all {
            let name = try #require(key.name.split(separator: ".").last)
            #expect(uncommented.contains("\n  \(name): "), "\(key.name)")
        }
    }
}
