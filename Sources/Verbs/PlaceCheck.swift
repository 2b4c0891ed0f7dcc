import Bookings
import Glibc

/// The owners, groups and modes of the spool's and the table's directories, which decide who can do what to the queue;
/// and of the table's files, which somebody's SQLite can make anew as somebody else's.
struct PlaceCheck: HealthCheck {
    static let name = "places"

    /// What is at a path.
    enum Fact: Hashable, Sendable {
        case there(mode: UInt32, user: String, group: String)
        case failed(errno: Int32)
    }

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        guard site.isInstalled else {
            return [Self.note("acms is not installed here, so nobody says whose its directories are.")]
        }
        let rules = PlaceRule.all(site.settings)
        let findings =
            rules.flatMap { Self.judge($0, Self.fact($0.path), site) }
            + (site.settings.engine == .embedded ? Self.tableFiles(site) : [])
        guard findings.isEmpty else { return findings }
        return [
            Self.ok(
                site.settings.engine == .embedded
                    ? "Spool and table have their owners and modes." : "The spool has its owners and modes.")
        ]
    }

    /// What is wrong with the table's files, as far as they are there.
    static func tableFiles(_ site: ExaminedSite) -> [HealthFinding] {
        let path = site.settings.table.path
        return [path, "\(path)-wal", "\(path)-shm"].flatMap { file -> [HealthFinding] in
            let fact = fact(file)
            return fact == .failed(errno: ENOENT) ? [] : judge(file: file, fact, site)
        }
    }

    private static func fact(_ path: String) -> Fact {
        var status = stat()
        guard stat(path, &status) == 0 else { return .failed(errno: errno) }
        return .there(
            mode: status.st_mode & 0o7777, user: Accounts.user(status.st_uid),
            group: Accounts.group(status.st_gid))
    }

    /// Judges a directory; nothing when it is as it should be.
    static func judge(_ rule: PlaceRule, _ fact: Fact, _ site: ExaminedSite) -> [HealthFinding] {
        let mend = rule.mend(site.settings)
        switch fact {
        case .failed(let errno) where site.lacksPermission(errno):
            return [warning("\(rule.path) can't be looked at by you.", mend: site.asRoot)]
        case .failed(let errno):
            return [problem("\(rule.path): \(String(cString: strerror(errno))).", mend: mend)]
        case .there(let mode, let user, let group):
            var differences: [String] = []
            if mode != rule.mode {
                differences.append("has the mode \(mode.octal) instead of \(rule.mode.octal)")
            }
            if user != rule.user || group != rule.group {
                differences.append("belongs to \(user):\(group) instead of \(rule.user):\(rule.group)")
            }
            guard !differences.isEmpty else { return [] }
            return [problem("\(rule.path) \(differences.joined(separator: ", and ")).", mend: mend)]
        }
    }

    /// Judges a file of the table: the worker writes it and the front reads it.
    static func judge(file path: String, _ fact: Fact, _ site: ExaminedSite) -> [HealthFinding] {
        switch fact {
        case .failed(let errno) where site.lacksPermission(errno):
            return [warning("\(path) can't be looked at by you.", mend: site.asRoot)]
        case .failed(let errno):
            return [problem("\(path): \(String(cString: strerror(errno))).", mend: site.acmsctl("check"))]
        case .there(let mode, let user, let group):
            guard user != "acms-worker" || group != "acms-front" || mode & 0o640 != 0o640 else { return [] }
            return [
                problem(
                    "\(path) belongs to \(user):\(group) with the mode \(mode.octal); the worker can't write it, or "
                        + "the front can't read it.",
                    mend:
                        "sudo chown acms-worker:acms-front \(path.shellWord) && sudo chmod 0640 \(path.shellWord)"
                )
            ]
        }
    }
}
