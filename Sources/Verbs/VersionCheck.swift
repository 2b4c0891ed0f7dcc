import BookingTable
import Bookings
import PostgreSQL

/// Which versions are at work; those of the daemons are told with their sockets.
struct VersionCheck: HealthCheck {
    static let name = "versions"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let systemd = ProgramOutput(["systemctl", "--version"])?.text
        guard let database = site.database else {
            return [Self.judge(sqlite: SQLiteVersion.text, systemctl: systemd)]
        }
        let library = ClientLibrary.find()
        let server = if case .version = library { await database.found()?.server } else { String?.none }
        return Self.judge(library, server: server, systemctl: systemd, site)
    }

    /// - Parameter systemctl: what `systemctl --version` prints; nil without it.
    static func judge(sqlite: String, systemctl: String?) -> HealthFinding {
        ok("acmsctl \(acmsVersion), SQLite \(sqlite), \(systemd(systemctl)).")
    }

    /// - Parameters:
    ///   - server: its version; nil when it isn't known.
    ///   - systemctl: what `systemctl --version` prints; nil without it.
    static func judge(
        _ library: ClientLibrary, server: String?, systemctl: String?, _ site: ExaminedSite
    ) -> [HealthFinding] {
        let systemd = systemd(systemctl)
        switch library {
        case .version(let version):
            let server = server.map { "PostgreSQL \($0)" } ?? "a PostgreSQL that doesn't tell its version"
            return [ok("acmsctl \(acmsVersion), libpq \(version), \(server), \(systemd).")]
        case .missing(let reason):
            // A daemon that has looked for it in vain doesn't look again.
            return [
                ok("acmsctl \(acmsVersion), \(systemd)."),
                problem(
                    "PostgreSQL's client library can't be used: \(reason).",
                    mend: "sudo apt-get install libpq5\(site.restarting)"),
            ]
        }
    }

    private static func systemd(_ systemctl: String?) -> String {
        let words = systemctl?.split(whereSeparator: \.isWhitespace).prefix(2) ?? []
        return words.count == 2 && words[0] == "systemd" ? "systemd \(words[1])" : "no systemd"
    }
}
