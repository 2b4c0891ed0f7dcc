import Bookings
import Glibc

/// The services' sandbox: it is open to the network if their database is there, and else closed. acms-generator sees to
/// that, when the manager is reloaded.
struct SandboxCheck: HealthCheck {
    static let name = "sandbox"

    /// What the manager says of a service.
    struct Service: Hashable, Sendable {
        var id: String
        /// Whether it has a network of its own, in which nobody is.
        var isClosed: Bool
        /// Whether acms-generator's drop-in is there.
        var isOpenedByGenerator: Bool
        /// Whether the process that runs now has such a network; nil without one, and when nobody tells.
        var runsClosed: Bool?
    }

    private static let services = ["acms-front.service", "acms-worker.service"]
    private static let restart = "sudo systemctl restart acms-front.service acms-worker.service"

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        // What can't be asked for is told with the units.
        guard site.isInstalled, site.isBooted,
            let shown = ProgramOutput(
                ["systemctl", "show", "--property=Id,PrivateNetwork,DropInPaths,MainPID"] + Self.services)
        else { return [] }
        let own = Self.network(of: "1")
        let services = Self.services(in: shown.text) { pid in
            guard let own, let other = Self.network(of: pid) else { return nil }
            return other != own
        }
        return Self.judge(services, site.settings.engine)
    }

    /// The network that a process sees; only root may look.
    private static func network(of pid: String) -> String? {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/\(pid)/ns/net", &target, target.count)
        return count > 0
            ? String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// Reads what `systemctl show` prints.
    ///
    /// - Parameter runsClosed: whether the process of a number has a network of its own.
    static func services(in text: String, runsClosed: (String) -> Bool?) -> [Service] {
        UnitCheck.properties(in: text).compactMap { values in
            values["Id"].map { id in
                let pid = values["MainPID"] ?? "0"
                return Service(
                    id: id, isClosed: values["PrivateNetwork"] == "yes",
                    isOpenedByGenerator: values["DropInPaths"]?.contains("/10-postgres.conf") ?? false,
                    runsClosed: pid == "0" ? nil : runsClosed(pid))
            }
        }
    }

    static func judge(_ services: [Service], _ engine: Settings.Engine) -> [HealthFinding] {
        switch engine {
        case .postgres:
            let opener =
                "acms-generator opens it when the manager is reloaded and \(Settings.defaultFile) says 'engine: "
                + "postgres'."
            if let closed = services.first(where: { $0.isClosed && !$0.isOpenedByGenerator }) {
                return [
                    problem(
                        "\(closed.id) has no network, so it can't reach a database. \(opener)",
                        mend: "sudo systemctl daemon-reload && \(restart)")
                ]
            }
            if let closed = services.first(where: \.isClosed) {
                return [
                    warning(
                        "\(closed.id) has no network, as a drop-in of yours says, so it reaches no database but by a "
                            + "Unix socket.", mend: "sudo systemctl edit \(closed.id)")
                ]
            }
            if let closed = services.first(where: { $0.runsClosed == true }) {
                return [
                    problem(
                        "\(closed.id) was started without a network and still runs, so it can't reach a database.",
                        mend: restart)
                ]
            }
            return services.isEmpty ? [] : [ok("The services may use the network, where the database is.")]
        case .embedded:
            guard let open = services.first(where: { !$0.isClosed && $0.isOpenedByGenerator }) else {
                return []
            }
            return [
                warning(
                    "\(open.id) may use the network, which it doesn't need; the manager has not been reloaded since "
                        + "'engine: postgres' was taken away.",
                    mend: "sudo systemctl daemon-reload && \(restart)")
            ]
        }
    }
}
