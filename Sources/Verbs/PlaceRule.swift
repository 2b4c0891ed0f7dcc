import Bookings
import Spool

/// A directory of an installed acms, and to whom it belongs: a line of acms.tmpfiles.conf.
struct PlaceRule: Hashable, Sendable {
    let path: String
    let mode: UInt32
    let user: String
    let group: String

    /// Those of a configuration. Where acms keeps its things is the same for all but the paths.
    static func all(_ settings: Settings) -> [PlaceRule] {
        let spool = SpoolDirectory(root: settings.spool.directory)
        let table = settings.table.path.lastIndex(of: "/").map { String(settings.table.path[..<$0]) } ?? "."
        func rule(_ path: String, _ mode: UInt32, _ user: String, _ group: String) -> PlaceRule {
            PlaceRule(path: path, mode: mode, user: user, group: group)
        }
        var rules = [rule(spool.root, 0o1775, "root", "acms-worker")]
        for place in SpoolPlace.allCases {
            switch place {
            case .tmp, .incoming:
                rules.append(rule(spool.path(of: place), 0o2770, "acms-front", "acms-queue"))
            case .active, .deferred, .dead:
                rules.append(rule(spool.path(of: place), 0o2750, "acms-worker", "acms-front"))
            }
        }
        if settings.engine == .embedded { rules.append(rule(table, 0o2750, "acms-worker", "acms-front")) }
        // The directory above is the package's; another one is the administrator's.
        return (isUsual(settings) ? [rule("/var/lib/acms", 0o755, "root", "root")] : []) + rules
    }

    /// Whether all lies where the package puts it.
    static func isUsual(_ settings: Settings) -> Bool {
        settings.spool.directory == Settings.Spool().directory
            && (settings.engine == .postgres || settings.table.path == Settings.Table().path)
    }

    /// What makes it as it should be, whether it is there or not.
    func mend(_ settings: Settings) -> String {
        Self.isUsual(settings)
            ? "sudo systemd-tmpfiles --create acms.conf"
            : "sudo install -d -m \(mode.octal) -o \(user) -g \(group) \(path.shellWord)"
    }
}
