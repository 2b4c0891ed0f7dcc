import Glibc

/// The users that the daemons run as, and the groups that decide who may do what: those of acms.sysusers.conf.
struct AccountCheck: HealthCheck {
    static let name = "accounts"
    static let mend = "sudo systemd-sysusers acms.conf"

    static let users = ["acms-front", "acms-worker"]
    static let groups = ["acms-clients", "acms-admins", "acms-caretakers", "acms-queue"]
    /// Both daemons read what any member of it has written.
    static let shared = "acms-queue"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        guard site.isInstalled else {
            return [Self.note("acms is not installed here, so its users and groups are not looked for.")]
        }
        var members: [String: Set<String>] = [:]
        for user in Self.users { members[user] = Self.groups(of: user) }
        return Self.judge(groups: Set((Self.groups + Self.users).filter(Self.isGroup)), users: members)
    }

    private static func isGroup(_ name: String) -> Bool { getgrnam(name) != nil }

    /// The groups of a user; nil when there is no such user.
    private static func groups(of user: String) -> Set<String>? {
        guard let entry = getpwnam(user) else { return nil }
        var count: Int32 = 64
        var found = [gid_t](repeating: 0, count: Int(count))
        let group = entry.pointee.pw_gid
        if getgrouplist(user, group, &found, &count) < 0 {
            // It says how many there are.
            found = [gid_t](repeating: 0, count: Int(max(0, count)))
            guard getgrouplist(user, group, &found, &count) >= 0 else { return [] }
        }
        return Set(found.prefix(Int(count)).map(Accounts.group))
    }

    /// - Parameters:
    ///   - groups: those that there are, of those that are needed.
    ///   - users: the groups of each user that there is.
    static func judge(groups: Set<String>, users: [String: Set<String>]) -> [HealthFinding] {
        var findings = Self.users.filter { users[$0] == nil }.map {
            problem("There is no user \($0).", mend: mend)
        }
        findings += (Self.groups + Self.users).filter { !groups.contains($0) }.map {
            problem("There is no group \($0).", mend: mend)
        }
        if groups.contains(shared) {
            for user in Self.users where users[user].map({ !$0.contains(shared) }) ?? false {
                findings.append(
                    problem(
                        "\(user) is not in the group \(shared), so it can't read what others put into the spool.",
                        mend: mend))
            }
        }
        return findings.isEmpty ? [ok("The daemons' users and all groups are there.")] : findings
    }
}
