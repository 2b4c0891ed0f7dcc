import Bookings
import FoundationEssentials
import Glibc
import Varlink

/// The sockets: they are there, for the right group, and the right daemon answers.
struct SocketCheck: HealthCheck {
    static let name = "sockets"

    /// What lies at a socket's path.
    struct Place: Hashable, Sendable {
        var isSocket = true
        var mode: UInt32 = 0o660
        var owner = "root"
        var group: String
    }

    /// Who a service says it is.
    struct Identity: Hashable, Sendable {
        var vendor = "acms"
        var product: String
        var version = acmsVersion
        var interfaces: [String]
    }

    /// What came of asking who answers.
    enum Answer: Hashable, Sendable {
        case identity(Identity)
        case unreachable(errno: Int32)
        /// It answers, but not as acms does, or not in time.
        case odd(String)
    }

    let service: Service

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let path = service.socketPath(in: site.settings)
        let isGroup = getgrnam(service.group) != nil
        guard let place = Self.place(path) else {
            // Whoever wants no caretakers masks their socket, which is told with the units.
            if service == .caretaker, site.isInstalled, isMasked { return [] }
            return judge(place: nil, hasGroup: isGroup, answer: .unreachable(errno: errno), at: path, site)
        }
        return judge(place: place, hasGroup: isGroup, answer: await answer(at: path, site), at: path, site)
    }

    private static func place(_ path: String) -> Place? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Place(
            isSocket: status.st_mode & S_IFMT == S_IFSOCK, mode: status.st_mode & 0o7777,
            owner: Accounts.user(status.st_uid), group: Accounts.group(status.st_gid))
    }

    private var isMasked: Bool {
        ["/etc/systemd/system", "/run/systemd/system"].contains { directory in
            var target = [CChar](repeating: 0, count: 64)
            let count = readlink("\(directory)/\(service.socketUnit)", &target, target.count - 1)
            return count > 0
                && String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
                    == "/dev/null"
        }
    }

    private func answer(at path: String, _ site: ExaminedSite) async -> Answer {
        do {
            let info: ServiceInterface.Info = try await Session.with(
                service, at: path, timeout: site.timeout, site.output
            ) { session in
                try await session.call("\(ServiceInterface.name).GetInfo", [String: String]())
            }
            return .identity(
                Identity(
                    vendor: info.vendor, product: info.product, version: info.version,
                    interfaces: info.interfaces))
        } catch Failure.unreachable(_, let errno, _) {
            return .unreachable(errno: errno)
        } catch {
            return .odd((error as? Failure)?.lines.first ?? "\(error)")
        }
    }
}

extension SocketCheck {
    /// Judges one socket.
    ///
    /// - Parameters:
    ///   - place: nil when nothing is there.
    ///   - hasGroup: whether there is a group for it.
    func judge(
        place: Place?, hasGroup: Bool, answer: Answer, at path: String, _ site: ExaminedSite
    ) -> [HealthFinding] {
        let start =
            site.isInstalled ? "sudo systemctl restart \(service.socketUnit)" : service.inForeground(site)
        guard let place else { return [Self.problem("\(path) is missing.", mend: start)] }
        guard place.isSocket else {
            return [Self.problem("\(path) is no socket.", mend: "sudo rm -r \(path.shellWord) && \(start)")]
        }
        var findings = site.isInstalled ? access(to: place, hasGroup: hasGroup, at: path) : []
        switch answer {
        case .identity(let identity): findings += judge(identity, at: path, site)
        case .unreachable(let errno) where site.lacksPermission(errno):
            findings.append(
                Self.warning("You may not connect to \(path), so nobody was asked there.", mend: site.asRoot))
        case .unreachable(let errno):
            findings.append(
                Self.problem("\(path) can't be reached: \(String(cString: strerror(errno))).", mend: start))
        case .odd(let reason): findings.append(Self.problem("At \(path) \(reason)", mend: restart(site)))
        }
        return findings
    }

    /// Who may connect is decided by the group alone.
    private func access(to place: Place, hasGroup: Bool, at path: String) -> [HealthFinding] {
        var findings: [HealthFinding] = []
        if !hasGroup {
            findings.append(
                Self.problem(
                    "\(path) is for the group \(service.group), which there isn't.",
                    mend: "\(AccountCheck.mend) && sudo systemctl restart \(service.socketUnit)"))
        } else if place.group != service.group || place.owner != "root" {
            findings.append(
                Self.problem(
                    "\(path) belongs to \(place.owner):\(place.group) instead of root:\(service.group).",
                    mend: "sudo chown root:\(service.group) \(path.shellWord)"))
        }
        if place.mode != 0o660 {
            findings.append(
                Self.problem(
                    "\(path) has the mode \(place.mode.octal) instead of 0660.",
                    mend: "sudo chmod 0660 \(path.shellWord)"))
        }
        return findings
    }

    private func judge(_ daemon: Identity, at path: String, _ site: ExaminedSite)
        -> [HealthFinding]
    {
        guard daemon.vendor == "acms", daemon.product == service.daemon,
            daemon.interfaces.contains(service.interface)
        else {
            return [
                Self.problem(
                    "At \(path) \(daemon.vendor)'s \(daemon.product) answers instead of \(service.daemon).",
                    mend: restart(site))
            ]
        }
        guard daemon.version == acmsVersion else {
            return [
                Self.warning(
                    "\(daemon.product) at \(path) is version \(daemon.version), and acmsctl \(acmsVersion).",
                    mend: restart(site))
            ]
        }
        return [Self.ok("\(daemon.product) \(daemon.version) answers at \(path).")]
    }

    private func restart(_ site: ExaminedSite) -> String {
        site.isInstalled ? "sudo systemctl restart \(service.daemonUnit)" : service.inForeground(site)
    }
}

extension Service {
    /// The program that answers.
    var daemon: String {
        switch self {
        case .bookings: "acms-frontd"
        case .queue, .caretaker: "acms-workerd"
        }
    }

    /// How to start its daemon without units.
    fileprivate func inForeground(_ site: ExaminedSite) -> String {
        let services: [Service] = self == .bookings ? [.bookings] : [.queue, .caretaker]
        let listen = services.map { "--listen=\($0.socketPath(in: site.settings).shellWord)" }.joined(
            separator: " ")
        let names = services.map(\.interface).joined(separator: ":")
        let config = site.config.map { " --config \($0.shellWord)" } ?? ""
        // It hands nothing of the environment on that isn't named.
        let variables = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("ACMS_") }
            .sorted { $0.key < $1.key }.map { key, value in
                // That can hold a password, and is taken from the environment without being told.
                " --setenv=\(key == "ACMS_POSTGRES_URL" ? key : "\(key)=\(value)".shellWord)"
            }.joined()
        return "systemd-socket-activate \(listen) --fdname=\(names)\(variables) \(daemon)\(config)"
    }
}

extension UInt32 {
    /// Four octal digits, as one writes modes.
    var octal: String {
        let digits = String(self, radix: 8)
        return String(repeating: "0", count: Swift.max(4 - digits.count, 0)) + digits
    }
}
