import BookingTable
import Bookings

/// Which versions are at work; those of the daemons are told with their sockets.
struct VersionCheck: HealthCheck {
    static let name = "versions"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let systemd = ProgramOutput(["systemctl", "--version"])?.text
        return [Self.judge(sqlite: SQLiteVersion.text, systemctl: systemd)]
    }

    /// - Parameter systemctl: what `systemctl --version` prints; nil without it.
    static func judge(sqlite: String, systemctl: String?) -> HealthFinding {
        let words = systemctl?.split(whereSeparator: \.isWhitespace).prefix(2) ?? []
        let systemd = words.count == 2 && words[0] == "systemd" ? "systemd \(words[1])" : "no systemd"
        return ok("acmsctl \(acmsVersion), SQLite \(sqlite), \(systemd).")
    }
}
