import Bookings
import Foundation
import Support
import Testing

@Suite struct DoctorVerbTests {
    /// A private site, where nothing is unless a test puts it there.
    private struct PrivateSite {
        let directory: TemporaryDirectory
        var path: String { directory.path }
        var config: String { "\(path)/acms.yaml" }

        init(database: String? = nil) throws {
            directory = try TemporaryDirectory()
            try FileManager.default.createDirectory(
                atPath: "\(directory.path)/table", withIntermediateDirectories: false)
            try directory.write(
                (database.map { "engine: postgres\npostgres:\n  url: \($0)\n" } ?? "") + """
                    spool:
                      directory: \(directory.path)/spool
                    table:
                      path: \(directory.path)/table/acms.sqlite
                    socket:
                      bookings: \(directory.path)/io.acms.Bookings
                      queue: \(directory.path)/io.acms.Queue
                      caretaker: \(directory.path)/io.acms.Caretaker
                    """, to: "acms.yaml")
        }
    }

    @Test func `in a private site units and accounts are no problem, and a missing daemon is`() async throws {
        let site = try PrivateSite()
        let outcome = try await Program.run("doctor", "--config", site.config)
        #expect(outcome.status == 1)
        for check in ["units", "accounts", "places"] {
            #expect(outcome.output.contains("NOTE     \(check): "))
        }
        #expect(outcome.output.contains("PROBLEM  sockets: \(site.path)/io.acms.Bookings is missing.\n"))
        #expect(
            outcome.output.contains(
                "\n  mend: systemd-socket-activate --listen=\(site.path)/io.acms.Bookings "))
        #expect(outcome.errors.hasPrefix("3 problems"))
    }

    @Test func `each finding is an object with JSON`() async throws {
        let site = try PrivateSite()
        let outcome = try await Program.run("doctor", "--config", site.config, "--json")
        #expect(outcome.status == 1)
        #expect(outcome.errors.isEmpty)
        for line in outcome.outputLines {
            #expect(
                line.hasPrefix(#"{"check":""#) && line.contains(#""severity":""#)
                    && line.contains(#""text":""#))
            #expect(
                line.contains(#""severity":"PROBLEM""#)
                    || line.contains(#""severity":"WARNING""#) == line.contains(#""mend":""#))
        }
    }

    @Test func `an invalid configuration is a problem, and the rest is looked at`() async throws {
        let site = try PrivateSite()
        try site.directory.write("spool:\n  direktory: /x\n", to: "acms.yaml")
        let outcome = try await Program.run("doctor", "--config", site.config)
        #expect(outcome.status == 1)
        #expect(outcome.output.hasPrefix("PROBLEM  configuration: The configuration is invalid"))
        #expect(outcome.output.contains("\n  mend: sudo editor \(site.config)\n"))
        #expect(outcome.output.contains(" versions: acmsctl \(acmsVersion), SQLite 3."))
    }

    @Test func `a daemon that is another program is a problem`() async throws {
        let site = try PrivateSite()
        let outcome = try await FakeDaemon.serving(BookingsInterface.description, []) {
            try await Program.run(
                "doctor", "--config", site.config, "--timeout", "5", environment: ["ACMS_SOCKET_BOOKINGS": $0]
            )
        }
        #expect(outcome.output.contains("acms's fake answers instead of acms-frontd.\n"))
    }

    @Test func `damage is a problem`() async throws {
        let site = try PrivateSite()
        try FileManager.default.createDirectory(
            atPath: "\(site.path)/spool/incoming", withIntermediateDirectories: true)
        let outcome = try await Program.run("doctor", "--config", site.config)
        #expect(outcome.output.contains("PROBLEM  damage: The spool \(site.path)/spool is damaged: "))
        #expect(outcome.output.contains("\n  mend: sudo acmsctl check --repair --config \(site.config)\n"))
    }

    @Test func `with a database no table is looked for, and nothing secret is told`() async throws {
        let site = try PrivateSite(database: "postgresql://acms:geheim@127.0.0.1:1/acms")
        let outcome = try await Program.run("doctor", "--config", site.config)
        #expect(outcome.output.contains("PROBLEM  database: The database can't be reached: "))
        #expect(!outcome.output.contains("The table ") && !outcome.output.contains("SQLite"))
        #expect(outcome.output.contains(" versions: acmsctl \(acmsVersion), libpq "))
        #expect(outcome.output.contains("WARNING  secrets: \(site.config) can be read by everybody"))
        let all = outcome.output + outcome.errors
        #expect(!all.contains("geheim") && !all.contains("postgresql://"))
    }

    @Test func `a variable's password is not the file's`() async throws {
        let site = try PrivateSite(database: "postgresql://127.0.0.1:1/acms")
        let outcome = try await Program.run(
            "doctor", "--config", site.config,
            environment: ["ACMS_POSTGRES_URL": "postgresql://acms:geheim@127.0.0.1:1/acms"])
        #expect(!outcome.output.contains("secrets: "))
        #expect(outcome.output.contains(" --setenv=ACMS_POSTGRES_URL acms-frontd "))
        #expect(!outcome.output.contains("geheim"))
    }

    @Test func `check looks through the spool alone with a database, and says so`() async throws {
        let site = try PrivateSite(database: "postgresql://127.0.0.1:1/acms")
        try site.directory.write("no table", to: "table/acms.sqlite")
        for place in ["tmp", "incoming", "active", "deferred", "dead"] {
            try FileManager.default.createDirectory(
                atPath: "\(site.path)/spool/\(place)", withIntermediateDirectories: true)
        }
        let told = """
            Nothing in the spool is damaged.
            The database is not looked through here; its own tools do that, such as pg_amcheck.

            """
        for arguments in [["check"], ["check", "--repair"]] {
            let outcome = try await Program.run([Program.path] + arguments + ["--config", site.config])
            #expect(outcome.status == 0 && outcome.output.isEmpty)
            #expect(outcome.errors == told)
        }
        #expect(try site.directory.read("table/acms.sqlite") == "no table")
    }

    @Test(arguments: [["--timeout", "0"], ["--frobnicate"], ["x"]])
    func `a wrong command line exits 64`(arguments: [String]) async throws {
        #expect(try await Program.run([Program.path, "doctor"] + arguments).status == 64)
    }

    @Test func `colour is for terminals only`() async throws {
        let site = try PrivateSite()
        let shown = try await Program.runOnTerminal("doctor", "--config", site.config)
        #expect(shown.contains("\u{1b}[31mPROBLEM\u{1b}[0m  sockets: "))
        #expect(try await !Program.run("doctor", "--config", site.config).output.contains("\u{1b}"))
    }
}
