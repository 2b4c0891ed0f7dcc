import Bookings
import Daemon
import Synchronization
import Varlink

/// Whom a peer may book for.
enum BookingRight: Hashable, Sendable {
    /// For anybody.
    case anybody
    /// For the user of its login name; it is in none of these trusted groups.
    case itself(login: String, trustedGroups: [String])
    /// For nobody: the user id has no login name, and is in none of these trusted groups.
    case nobody(uid: UInt32, trustedGroups: [String])

    /// Why the peer may not book for `user`; nil when it may.
    func refusal(for user: String) -> ServiceError.PermissionDenied? {
        switch self {
        case .anybody:
            nil
        case .itself(let login, let groups):
            user.utf8.elementsEqual(login.utf8)
                ? nil
                : .init(
                    reason: "userId must be your login name \(login)\(Self.alternative(groups)).")
        case .nobody(let uid, let groups):
            .init(
                reason:
                    "userId must be your login name, and your user id \(uid) has none\(Self.alternative(groups))."
            )
        }
    }

    private static func alternative(_ groups: [String]) -> String {
        groups.isEmpty
            ? " (front.bind-users is on, and front.trusted-groups names no group)"
            : ", or your process in a group of front.trusted-groups: \(groups.joined(separator: ", "))"
    }
}

/// Decides whom peers may book for. Looks names up on a thread that may block, and remembers them for a moment.
actor PeerRights {
    private let executor = BlockingExecutor(label: "io.acms.peer-rights")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// So long a name is remembered: somebody who was just put into a group is not refused for longer.
    private static let memory = Duration.seconds(5)
    /// So many peers are remembered.
    private static let capacity = 1024

    private nonisolated let rules: Mutex<Settings.Front>
    private let report: FrontReport
    private var logins: [UInt32: (name: String?, until: ContinuousClock.Instant)] = [:]
    private var groupIDs: (names: [String], ids: [UInt32], until: ContinuousClock.Instant)?

    init(_ rules: Settings.Front, report: FrontReport) {
        self.rules = Mutex(rules)
        self.report = report
    }

    /// Takes new rules over.
    func reconfigure(_ rules: Settings.Front) {
        self.rules.withLock { $0 = rules }
        warnOfMissingGroups()
    }

    /// Logs which trusted groups don't exist.
    func warnOfMissingGroups() {
        let rules = rules.withLock { $0 }
        guard rules.bindUsers else { return }
        for name in rules.trustedGroups where UserDatabase.groupID(named: name) == nil {
            report.missingGroup(name)
        }
    }

    /// Whom any peer may book for; nil when that depends on the peer.
    nonisolated var rightWithoutLookup: BookingRight? {
        rules.withLock { $0.bindUsers } ? nil : .anybody
    }

    /// Whom a peer may book for.
    nonisolated func right(of peer: Peer) async -> BookingRight {
        let rules = rules.withLock { $0 }
        return rules.bindUsers ? await look(peer, rules) : .anybody
    }

    private func look(_ peer: Peer, _ rules: Settings.Front) -> BookingRight {
        let trusted = trustedIDs(rules)
        if trusted.contains(peer.gid) || peer.groups.contains(where: trusted.contains) { return .anybody }
        guard let login = login(of: peer.uid) else {
            return .nobody(uid: peer.uid, trustedGroups: rules.trustedGroups)
        }
        return .itself(login: login, trustedGroups: rules.trustedGroups)
    }

    private func trustedIDs(_ rules: Settings.Front) -> [UInt32] {
        let now = ContinuousClock.now
        // A call that came before new rules may get here after them: what it leaves holds for its own rules only.
        if let known = groupIDs, known.names == rules.trustedGroups, known.until > now { return known.ids }
        let ids = rules.trustedGroups.compactMap(UserDatabase.groupID(named:))
        groupIDs = (rules.trustedGroups, ids, now + Self.memory)
        return ids
    }

    private func login(of uid: UInt32) -> String? {
        let now = ContinuousClock.now
        if let known = logins[uid], known.until > now { return known.name }
        if logins.count >= Self.capacity { logins = [:] }
        let name = UserDatabase.loginName(of: uid)
        logins[uid] = (name, now + Self.memory)
        return name
    }
}
