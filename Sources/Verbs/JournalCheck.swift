import Glibc
import Systemd

/// Whether the log outlasts a boot.
struct JournalCheck: HealthCheck {
    static let name = "journal"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        [
            Self.judge(
                isPersistent: access(JournalAccess.persistentDirectory, F_OK) == 0,
                isVolatile: access(JournalAccess.volatileDirectory, F_OK) == 0, isBooted: site.isBooted)
        ]
    }

    static func judge(isPersistent: Bool, isVolatile: Bool, isBooted: Bool) -> HealthFinding {
        let directory = JournalAccess.persistentDirectory
        guard isBooted else {
            return note("This system is not booted with systemd; daemons log to standard error.")
        }
        if isPersistent { return ok("The journal in \(directory) outlasts a boot.") }
        return warning(
            isVolatile
                ? "The journal ends with each boot, and with it each booking's story."
                : "There is no journal, so nobody can tell a booking's story.",
            mend: "sudo mkdir --parents \(directory) && sudo systemd-tmpfiles --create --prefix=\(directory) "
                + "&& sudo systemctl restart systemd-journald.service && sudo journalctl --flush")
    }
}
