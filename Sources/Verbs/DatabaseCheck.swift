import Bookings
import PostgreSQL

/// The database that hosts share: whether it can be used as the configuration names it.
struct DatabaseCheck: HealthCheck {
    static let name = "database"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        guard let database = site.database else { return [] }
        return [Self.judge(await database.found(), isOnThisHost: database.isOnThisHost, site)]
    }

    /// - Parameter look: nil when it took too long.
    static func judge(_ look: DatabaseLook?, isOnThisHost: Bool, _ site: ExaminedSite) -> HealthFinding {
        guard let look else {
            return problem(
                "The database has not answered within \(ExaminedDatabase.limit.components.seconds) s.",
                mend: site.editing)
        }
        let schema = site.settings.postgres.schema
        if let haste = look.haste {
            let setting = "sudo -u postgres psql -c \(haste.remedy.shellWord) -c 'SELECT pg_reload_conf()'"
            return warning(
                "The database has '\(haste.setting) = off': a crash of its server can lose bookings that were accepted."
                    + (isOnThisHost ? "" : " Mend it where it runs, and restart the daemons."),
                mend: setting + (isOnThisHost ? site.restarting : ""))
        }
        switch look.outcome {
        case .usable: return ok("The database can be used, and so can its schema \(schema).")
        case .empty:
            return note(
                "The database can be used; the schema \(schema) is not there yet, and the first daemon makes it."
            )
        // That is told with the versions.
        case .unusable(.library, _): return note("The database is looked at once libpq is there.")
        case .unusable(.peer, let reason) where site.isRoot:
            return note(
                "The server knows its clients by their system's user, so it was not looked at as root; the queue's "
                    + "finding tells whether the worker can. \(reason)")
        case .unusable(let obstacle, let reason):
            let isPersonal = [.connection, .password, .peer].contains(obstacle)
            if isPersonal, !site.isRoot { return warning("As you: \(reason)", mend: site.asRoot) }
            return problem(reason, mend: mend(obstacle, reason, isOnThisHost: isOnThisHost, site))
        }
    }

    private static func mend(
        _ obstacle: DatabaseLook.Obstacle, _ reason: String, isOnThisHost: Bool, _ site: ExaminedSite
    ) -> String {
        switch obstacle {
        case .connection:
            let isDown = ["Connection refused", "No such file or directory"].contains(where: reason.contains)
            return isOnThisHost && isDown ? "sudo systemctl start postgresql.service" : site.editing
        case .password:
            // One in the URL goes before the file.
            guard site.isInstalled, !DatabaseTarget.holdsPassword(site.settings.postgres.url) else {
                return site.editing
            }
            return "\(SecretCheck.keeping)\(site.restarting)"
        case .newerSchema: return "sudo apt-get install --only-upgrade acms"
        case .moved where site.isInstalled:
            return
                "sudo editor \(site.configFile.shellWord) && sudo systemctl daemon-reload\(site.restarting)"
        case .library, .peer, .oldServer, .encoding, .incomplete, .moved, .rights, .refusal:
            return site.editing
        }
    }
}
