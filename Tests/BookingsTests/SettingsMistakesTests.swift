import Foundation
import Support
import Testing

@testable import Bookings

@Suite struct SettingsMistakesTests {
    private let site: SettingsSite

    init() throws { site = try SettingsSite() }

    @Test(arguments: [
        ("spool:\n  max-mesages: 5\n", "spool.max-mesages: is no setting; did you mean spool.max-messages?"),
        ("spool:\n  batch-size: 5\n", "spool.batch-size: is no setting; did you mean worker.batch-size?"),
        ("spol:\n  directory: /a\n", "spol: is no setting; did you mean spool?"),
        ("wroker:\n", "wroker: is no setting; did you mean worker?"),
        ("batch-size: 5\n", "batch-size: is no setting; did you mean worker.batch-size?"),
        ("spool.max-messages: 5\n", "spool.max-messages: must be written as max-messages: under spool:"),
        ("spool: 5\n", "spool: must hold keys and values"),
        ("spool: [directory]\n", "spool: must hold keys and values"),
    ])
    func `an unknown key or a wrong place is told`(yaml: String, expected: String) throws {
        #expect(try site.mistake(yaml) == "FILE: \(expected)")
    }

    @Test(arguments: [
        ("ten", "must be an integer, is ten"), ("1.5", "must be an integer, is 1.5"),
        ("true", "must be an integer, is true"), ("\"\"", "must be an integer, is empty"),
        ("+5", "must be an integer, is +5"), ("0x5", "must be an integer, is 0x5"),
        ("010", "must be an integer without leading zeros, is 010"), ("1_0", "must be an integer, is 1_0"),
        ("١", "must be an integer, is ١"),
        ("11", "must be 1 to 10, is 11"), ("0", "must be 1 to 10, is 0"), ("-1", "must be 1 to 10, is -1"),
        ("99999999999999999999", "must be 1 to 10, is 99999999999999999999"),
        ("[1]", "must be a single value"), ("{a: 1}", "must be a single value"),
        ("", "has no value"), ("~", "has no value"), ("null", "has no value"),
        ("\"a\\nb\\e[31m\\u2028\"", "must be an integer, is a\\u{a}b\\u{1b}[31m\\u{2028}"),
        (String(repeating: "x", count: 500), "must be an integer, is \(String(repeating: "x", count: 100))…"),
    ])
    func `an unacceptable integer is told`(value: String, expected: String) throws {
        #expect(
            try site.mistake("worker:\n  batch-size: \(value)\n") == "FILE: worker.batch-size: \(expected)")
    }

    @Test(arguments: [
        ("retry-initial-seconds: 0", "retry-initial-seconds: must be 0.001 to 86400 seconds, is 0"),
        ("retry-initial-seconds: 0.0009", "retry-initial-seconds: must be 0.001 to 86400 seconds, is 0.0009"),
        ("idle-exit-seconds: -1", "idle-exit-seconds: must be 0 to 86400 seconds, is -1"),
        ("idle-exit-seconds: 86400.1", "idle-exit-seconds: must be 0 to 86400 seconds, is 86400.1"),
        ("idle-exit-seconds: 1e3", "idle-exit-seconds: must be a number of seconds, is 1e3"),
        ("idle-exit-seconds: .inf", "idle-exit-seconds: must be a number of seconds, is .inf"),
        ("idle-exit-seconds: 5.", "idle-exit-seconds: must be a number of seconds, is 5."),
        ("idle-exit-seconds: 30s", "idle-exit-seconds: must be a number of seconds, is 30s"),
        (
            "retry-initial-seconds: 9\n  retry-maximum-seconds: 8",
            "retry-maximum-seconds: must not be less than worker.retry-initial-seconds, which is 9"
        ),
        (
            "retry-initial-seconds: 301",
            "retry-initial-seconds: must not be more than worker.retry-maximum-seconds, which is 300"
        ),
    ])
    func `unacceptable seconds are told`(line: String, expected: String) throws {
        #expect(try site.mistake("worker:\n  \(line)\n") == "FILE: worker.\(expected)")
    }

    @Test(arguments: [
        ("table: {path: here}", "table.path: must be an absolute path, is here"),
        ("table: {path: 5}", "table.path: must be an absolute path, is 5"),
        ("table: {path: ''}", "table.path: must be an absolute path, is empty"),
        ("table: {path: \"/a\\tb\"}", "table.path: must not hold control characters, is /a\\u{9}b"),
        (
            "socket: {queue: /\(String(repeating: "x", count: 107))}",
            "socket.queue: must have at most 107 bytes, has 108"
        ),
        (
            "socket: {queue: /\(String(repeating: "é", count: 54))}",
            "socket.queue: must have at most 107 bytes, has 109"
        ),
        (
            "log: {level: INFO}",
            "log.level: must be one of trace, debug, info, notice, warning, error, critical, is INFO"
        ),
    ])
    func `an unacceptable path or level is told`(yaml: String, expected: String) throws {
        #expect(try site.mistake(yaml) == "FILE: \(expected)")
    }

    @Test(arguments: [
        (
            "ACMS_SPOOL_DIRECTROY", "/a",
            "ACMS_SPOOL_DIRECTROY: is no setting; did you mean ACMS_SPOOL_DIRECTORY?"
        ),
        (
            "ACMS_SPOOL_BATCH_SIZE", "1",
            "ACMS_SPOOL_BATCH_SIZE: is no setting; did you mean ACMS_WORKER_BATCH_SIZE?"
        ),
        ("ACMS_LOG_", "1", "ACMS_LOG_: is no setting; did you mean ACMS_LOG_LEVEL?"),
        ("ACMS_log_level", "debug", "ACMS_log_level: is no setting; did you mean ACMS_LOG_LEVEL?"),
        ("ACMS_WORKER_BATCH_SIZE", "0", "ACMS_WORKER_BATCH_SIZE: worker.batch-size: must be 1 to 10, is 0"),
        (
            "ACMS_WORKER_BATCH_SIZE", "",
            "ACMS_WORKER_BATCH_SIZE: worker.batch-size: must be an integer, is empty"
        ),
        (
            "ACMS_WORKER_RETRY_INITIAL_SECONDS", "400",
            "ACMS_WORKER_RETRY_INITIAL_SECONDS: worker.retry-initial-seconds: "
                + "must not be more than worker.retry-maximum-seconds, which is 300"
        ),
    ])
    func `a mistake in the environment is told`(variable: String, value: String, expected: String) throws {
        #expect(try site.mistake("", [variable: value]) == expected)
    }

    @Test func `other variables are others' business`() throws {
        #expect(try site.load("", ["ACMS_OTHER": "x", "ACMS_SPOOL": "x", "SPOOL_X": "x"]) == Settings())
    }

    @Test func `a mistake in the file is told though a variable hides it`() throws {
        #expect(
            try site.mistake("worker: {batch-size: 11}", ["ACMS_WORKER_BATCH_SIZE": "5"])
                == "FILE: worker.batch-size: must be 1 to 10, is 11")
    }
}
