import ArgumentParser
import BookingTable
import Bookings
import FoundationEssentials
import Spool

/// `acmsctl check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for damage in the spool and the table, and repair it.",
        discussion: """
            Looks at the files themselves, so it works without the daemons, and it may run beside them: without \
            --repair nothing is changed. It must be run as root, or as a user who can read all of them.

            Each line names a file, what is wrong with it, and what a repair would do. --repair demands that the worker \
            doesn't run, and neither does the front where its files are damaged. It deletes nothing: what is damaged is \
            kept in the spool's directory damaged/ or beside the table, what can be read waits again, and each booking \
            that can't be recovered is named.

            With 'engine: postgres' the spool alone is looked through; the database's own tools look through the \
            database.

            The exit status is 0 if nothing is damaged, and 1 if something is, or still is after the repair.

            EXAMPLES
              sudo acmsctl check
              sudo acmsctl check --json | jq -r .path
              sudo acmsctl check --repair
            """)

    @Flag(help: "Repair what is damaged.") var repair = false
    @Option(
        help: .init(
            "The configuration to read. (default: /etc/acms/acms.yaml if it exists)", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print JSON Lines: one object a line, errors too.") var json = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: json)
        do {
            let site = try CheckedSite(config, environment)
            let findings = try repair ? site.repair() : site.check()
            for finding in findings { try output.write(finding) { [Self.line(finding)] } }
            let remaining = findings.count { $0.isRepaired != true }
            output.note(
                Self.summary(
                    findings.count, remaining: remaining, isRepair: repair, hasTable: site.hasTable))
            if !site.hasTable {
                output.note(
                    "The database is not looked through here; its own tools do that, such as pg_amcheck.")
            }
            if remaining > 0 { throw ExitCode(1) }
        } catch let failure as Failure {
            throw failure.report(asJSON: json)
        }
    }

    private static func line(_ finding: DamageFinding) -> String {
        let place = finding.line.map { "\(finding.path):\($0)" } ?? finding.path
        let id = finding.bookingId.map { " [\($0)]" } ?? ""
        return "\(place):\(id) \(finding.problem) \(finding.repair)".escapedForTerminal
    }

    private static func summary(_ count: Int, remaining: Int, isRepair: Bool, hasTable: Bool) -> String {
        guard count > 0 else {
            return hasTable ? "Nothing is damaged." : "Nothing in the spool is damaged."
        }
        let found = count == 1 ? "1 finding" : "\(count) findings"
        return isRepair ? "\(found), \(remaining) of them not repaired." : "\(found)."
    }
}

/// The spool and the table of a configuration.
private struct CheckedSite {
    private let directory: SpoolDirectory
    /// Whether there is a table besides the spool; otherwise a database keeps both.
    let hasTable: Bool
    private let tablePath: String

    init(_ config: String?, _ environment: [String: String]) throws(Failure) {
        let settings = try Settings.forVerb(config, environment)
        directory = SpoolDirectory(root: settings.spool.directory)
        hasTable = settings.engine == .embedded
        tablePath = settings.table.path
    }

    func check() throws -> [DamageFinding] {
        try translating {
            try (hasTable ? TableCheck(path: tablePath).run() : []) + SpoolCheck(directory).run()
        }
    }

    func repair() throws -> [DamageFinding] {
        try translating {
            // The database knows what it was given before, so that nothing need be taken for committed.
            guard hasTable else { return try SpoolRepair(directory) { _ in [] }.run() }
            var table = TableRepair.Outcome()
            if try !TableCheck(path: tablePath).run().isEmpty {
                let lock = try SpoolLock.ifThere(directory)
                table = try withExtendedLifetime(lock) { try TableRepair(path: tablePath).run() }
            }
            let reader = SQLiteTableReader(path: tablePath)
            // Where the table can't be read nothing is taken for committed; what is put back in vain does no harm.
            let spool = SpoolRepair(directory) { (try? reader.committed(among: $0)) ?? [] }
            return try table.findings + spool.run(restoring: table.lost)
        }
    }

    private func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let taken as SpoolLock.Taken {
            throw Failure.daemonRuns(role: taken.role)
        } catch let error as SpoolError {
            throw Failure.checkFailed("\(error)")
        } catch let error as TableUnavailable {
            throw Failure.checkFailed(error.reason)
        } catch let error as QueueUnavailable {
            throw Failure.checkFailed(error.reason)
        }
    }
}
