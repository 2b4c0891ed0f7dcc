import ArgumentParser
import Bookings
import FoundationEssentials

/// `acmsctl migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move queue, dead letters and table from one engine to the other.",
        discussion: """
            Moves all that this host's engine keeps: messages that wait, dead letters, a pause, bookings and totals. \
            --to postgres moves them from the spool and the table (spool.directory, table.path) into the database \
            (postgres.url, postgres.schema), --to embedded back. What the configuration says about 'engine' doesn't matter.

            This host's daemons must be stopped, and for --to embedded all hosts' daemons. Everything is copied, then \
            compared, row by row and by checksum, and only then is the source given up: the table's file is marked, so that \
            no daemon uses it any more, and kept; the database's tables are emptied. Whatever interrupts it, the same \
            command again goes on where it was.

            What can't be moved is named and nothing is given up; the exit status is 1 then. The password of postgres.url \
            may be in /etc/acms/postgres-password, ~/.pgpass or wherever else libpq looks for it.

            EXAMPLES
              sudo systemctl stop acms.target
              sudo acmsctl migrate --to postgres --dry-run
              sudo acmsctl migrate --to postgres
            """)

    /// Where all is moved to.
    enum Engine: String, ExpressibleByArgument, CaseIterable {
        case postgres, embedded
    }

    @Option(help: .init("Where to move all to: postgres or embedded.", valueName: "engine")) var to: Engine
    @Flag(help: "Count what would be moved and tell what stands against it; change nothing.") var dryRun =
        false
    @OptionGroup var options: SiteOptions

    func run() async throws {
        try await options.run { settings, output in
            let site = try MigratedSite(
                settings, options.config, ProcessInfo.processInfo.environment, isDryRun: dryRun)
            let report = try site.translating {
                switch to {
                case .postgres:
                    var migration = try MigrationToPostgres(site)
                    return try migration.run()
                case .embedded:
                    var migration = try MigrationToEmbedded(site)
                    return try migration.run()
                }
            }
            try output.write(report) { report.lines(hasColour: output.terminal.hasColour) }
            if !output.isJSON { StandardError.write(report.notes) }
            if report.isStopped { throw ExitCode(1) }
        }
    }
}
