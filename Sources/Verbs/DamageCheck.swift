import BookingTable
import Bookings
import Glibc
import Spool

/// Whether the spool and the table are sound, as `acmsctl check` finds out.
struct DamageCheck: HealthCheck {
    static let name = "damage"

    /// A table that is larger takes long to look through.
    private static let quickBytes = 256 << 20

    /// What became of a look.
    enum Look: Sendable {
        case done([DamageFinding])
        /// There is nothing to look at.
        case absent
        case failed(String)
        case tooLarge(bytes: Int)
        /// Its files aren't the worker's.
        case disowned
    }

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let spool = Self.judge(
            Self.spool(site.settings), of: "The spool \(site.settings.spool.directory)", site)
        // A database is looked through by its own tools.
        guard site.settings.engine == .embedded else { return [spool] }
        return [spool, Self.judge(Self.table(site), of: "The table \(site.settings.table.path)", site)]
    }

    private static func spool(_ settings: Settings) -> Look {
        var status = stat()
        if stat(settings.spool.directory, &status) != 0, errno == ENOENT { return .absent }
        do throws(SpoolError) {
            return .done(try SpoolCheck(SpoolDirectory(root: settings.spool.directory)).run())
        } catch {
            return .failed("\(error)")
        }
    }

    private static func table(_ site: ExaminedSite) -> Look {
        let settings = site.settings
        // Root's SQLite gives the files beside the table to the table's owner, so that a look would spread what is wrong.
        if site.isInstalled, site.isRoot, !PlaceCheck.tableFiles(site).isEmpty { return .disowned }
        var status = stat()
        if stat(settings.table.path, &status) != 0, errno == ENOENT { return .absent }
        guard Int(status.st_size) <= quickBytes else { return .tooLarge(bytes: Int(status.st_size)) }
        do throws(TableUnavailable) {
            return .done(try TableCheck(path: settings.table.path).run())
        } catch {
            return .failed(error.reason)
        }
    }

    static func judge(_ look: Look, of what: String, _ site: ExaminedSite) -> HealthFinding {
        switch look {
        case .done(let findings):
            guard let first = findings.first else { return ok("\(what) is sound.") }
            let others = findings.count - 1
            let more =
                others == 0 ? "" : others == 1 ? " (and another finding)" : " (and \(others) more findings)"
            let repair = site.acmsctl("check --repair")
            return problem(
                "\(what) is damaged: \(first.path): \(first.problem)\(more)",
                mend: site.isInstalled
                    ? "sudo systemctl stop acms.target && \(repair); sudo systemctl start acms.target"
                    : repair)
        // A daemon makes what it needs; where that is the package's business it is told there.
        case .absent: return note("\(what) is not there yet.")
        case .failed(let reason):
            return site.isRoot
                ? problem("\(what) can't be looked through: \(reason)", mend: site.acmsctl("check"))
                : warning("\(what) can't be looked through by you: \(reason)", mend: site.asRoot)
        case .disowned: return note("\(what) is looked through once its files are the worker's.")
        case .tooLarge(let bytes):
            return note(
                "\(what) has \(bytes.inBinaryUnits), which takes long to look through: '\(site.acmsctl("check"))' does."
            )
        }
    }
}
