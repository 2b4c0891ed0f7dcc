import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine the whole installation, and say how to mend what is wrong.",
        discussion: """
            Looks at units, accounts, sockets, directories, room, file systems, damage, the database of 'engine: \
            postgres', the queue, the clock and the journal, and changes nothing. It asks the daemons, which starts those that sleep. Run it as root: what others \
            may not look at is a WARNING.

            Each finding is a line, and below one that is not OK is the command that mends it. The exit status is 1 if \
            there is a PROBLEM.

            EXAMPLES
              sudo acmsctl doctor
              sudo acmsctl doctor --json | jq -r 'select(.severity == "PROBLEM") | .mend'
            """)

    @Option(
        help: .init(
            "The configuration to read. (default: /etc/acms/acms.yaml if it exists)", valueName: "file"),
        completion: .file())
    var config: String?
    @Flag(help: "Print JSON Lines: one object a line.") var json = false
    @Option(help: .init("How long to wait for a daemon's reply.", valueName: "seconds")) var timeout = 30.0

    func validate() throws {
        guard timeout > 0, timeout <= 1e9 else {
            throw ValidationError("--timeout must be more than 0 and at most 1000000000 seconds.")
        }
    }

    /// In this order what is mended first helps what comes later.
    private static let checks: [any HealthCheck] = [
        VersionCheck(), AccountCheck(), PlaceCheck(), FileSystemCheck(), RoomCheck(), SecretCheck(),
        DatabaseCheck(),
        SandboxCheck(), UnitCheck(),
        SocketCheck(service: .bookings), SocketCheck(service: .queue), SocketCheck(service: .caretaker),
        QueueCheck(),
        DamageCheck(), ClockCheck(), JournalCheck(),
    ]

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let output = Output(terminal: .standardOutput(environment: environment), isJSON: json)
        do {
            let (settings, finding) = ConfigurationCheck.load(config, environment)
            var all = [finding]
            try output.write(finding) { finding.lines(on: output.terminal) }
            let site = ExaminedSite(
                settings: settings, config: config, timeout: .seconds(timeout), output: output,
                environment: environment)
            for check in Self.checks {
                for finding in await check.findings(site) {
                    try output.write(finding) { finding.lines(on: output.terminal) }
                    all.append(finding)
                }
            }
            output.note(Self.summary(all))
            if all.contains(where: { $0.severity == .problem }) { throw ExitCode(1) }
        } catch let failure as Failure {
            throw failure.report(asJSON: json)
        }
    }

    static func summary(_ findings: [HealthFinding]) -> String {
        func count(_ severity: HealthFinding.Severity, _ word: String) -> String? {
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : count == 1 ? "1 \(word)" : "\(count) \(word)s"
        }
        let counts = [count(.problem, "problem"), count(.warning, "warning")].compactMap { $0 }
        return counts.isEmpty ? "Nothing is wrong." : counts.joined(separator: ", ") + "."
    }
}

/// The configuration, without which it isn't known what to look at.
enum ConfigurationCheck {
    /// Reads it. When that fails, what a system without one would have is looked at.
    static func load(_ file: String?, _ environment: [String: String]) -> (Settings, HealthFinding) {
        let path = file ?? Settings.defaultFile
        do throws(SettingsError) {
            let settings = try Settings.load(file: file, environment: environment)
            return (settings, finding(.ok, "The configuration is valid.", mend: nil))
        } catch {
            let text = "The configuration is invalid, and the defaults are looked at instead: \(error)"
            return (Settings(), finding(.problem, text, mend: "sudo editor \(path.shellWord)"))
        }
    }

    private static func finding(
        _ severity: HealthFinding.Severity, _ text: String, mend: String?
    ) -> HealthFinding {
        HealthFinding(check: "configuration", severity: severity, text: text, mend: mend)
    }
}
