import Foundation
import Support
import Testing

@testable import Bookings

@Suite struct SettingsFileTests {
    private let site: SettingsSite

    init() throws { site = try SettingsSite() }

    @Test(arguments: [
        ("- a\n", "must hold keys and values"), ("hello\n", "must hold keys and values"),
        ("? [a]\n: 1\n", "has a key that is no plain word in line 1"),
        (
            "spool: [1\n",
            "is not YAML: line 2: did not find expected ',' or ']', while parsing a flow sequence in line 1"
        ),
        (
            "spool:\n\tdirectory: /a\n",
            "is not YAML: line 2: found character that cannot start any token, "
                + "while scanning for the next token in line 2"
        ),
        ("spool:\n  directory: /a\u{7}\n", "is not YAML: line 2: control characters are not allowed"),
        ("spool:\n  directory: \u{0}\n", "is not YAML: line 2: control characters are not allowed"),
        (
            "log:\n---\nlog:\n",
            "is not YAML: line 2: but found another document, expected a single document in the stream in line 1"
        ),
        ("log: *x\n", "is not YAML: line 1: found undefined alias"),
        ("spool:\n  directory: /a\n  directory: /b\n", "directory: is there twice, first in line 2"),
        ("log:\nspool:\nlog:\n", "log: is there twice, first in line 1"),
        ("log:\n  level: info\n  !x level: info\n", "log.level: is there twice"),
    ])
    func `a file that is not of the right form is told`(yaml: String, expected: String) throws {
        #expect(try site.mistake(yaml) == "FILE: \(expected)")
    }

    @Test func `a file that isn't UTF-8 is told`() throws {
        try Data([0x6c, 0x6f, 0x67, 0x3a, 0xff]).write(to: URL(fileURLWithPath: site.file))
        #expect(site.mistake() == "FILE: is not UTF-8")
    }

    @Test func `a file may have 1 MiB and no more`() throws {
        let longest = String(repeating: "#", count: SettingsFile.maximumBytes)
        #expect(try site.load(longest) == Settings())
        #expect(try site.mistake(longest + "#") == "FILE: has more than 1048576 bytes")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a bomb of aliases and a tower of brackets are refused at once`() throws {
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...20 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(try site.mistake(bomb + "? *a20\n: 1\n") == "FILE: has more than 8 YAML aliases")
        let tower = String(repeating: "[", count: 500_000)
        #expect(
            try site.mistake(tower)?.hasPrefix("FILE: is not YAML: line 1: Maximum nesting level") == true)
    }

    @Test func `a named file must be there and be a file`() throws {
        #expect(site.mistake() == "FILE: can't be read: No such file or directory")
        try FileManager.default.createDirectory(atPath: site.file, withIntermediateDirectories: false)
        #expect(site.mistake() == "FILE: can't be read: Is a directory")
        try FileManager.default.removeItem(atPath: site.file)
        #expect(mkfifo(site.file, 0o600) == 0)
        #expect(site.mistake() == "FILE: can't be read: it is a pipe, not a file")
        try FileManager.default.removeItem(atPath: site.file)
        #expect(symlink("acms.yaml", site.file) == 0)
        #expect(site.mistake() == "FILE: can't be read: Too many levels of symbolic links")
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `a file that may not be read is told`() throws {
        try site.directory.write("", to: "acms.yaml")
        #expect(chmod(site.file, 0) == 0)
        #expect(site.mistake() == "FILE: can't be read: Permission denied")
    }

    @Test func `a file that isn't named may be missing but not be damaged`() throws {
        #expect(try SettingsFile.read(site.file, mayBeMissing: true).isEmpty)
        try site.directory.write("hello", to: "acms.yaml")
        #expect(throws: SettingsError.self) { try SettingsFile.read(site.file, mayBeMissing: true) }
    }

    @Test func `an empty device stands for an empty file`() throws {
        #expect(try Settings.load(file: "/dev/null", environment: [:]) == Settings())
    }

    @Test func `a name with a line break stays on the one line`() {
        let error = SettingsError(source: "/a\n/b", key: nil, reason: "is not UTF-8")
        #expect(error.description == "/a\\u{a}/b: is not UTF-8")
    }
}
