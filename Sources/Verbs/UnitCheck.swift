import Bookings

/// The units: what starts the daemons is active and comes back after a boot, and no daemon has failed.
struct UnitCheck: HealthCheck {
    static let name = "units"

    /// What the manager says of a unit.
    struct State: Hashable, Sendable {
        var id: String
        var load = "loaded"
        var active = "active"
        var file = "enabled"
        var result = "success"
        var needsReload = false
    }

    /// Those that must be active.
    private static let starters = [
        "acms-front.socket", "acms-worker.socket", "acms-caretaker.socket", "acms-worker.path",
        "acms-worker.timer",
    ]
    private static let services = ["acms-front.service", "acms-worker.service"]
    /// Those that must be enabled. The front's service has nothing to enable.
    private static let enabled = ["acms.target"] + starters + ["acms-replay.timer", "acms-worker.service"]
    static let all = ["acms.target"] + starters + ["acms-replay.timer"] + services

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        guard site.isInstalled else {
            return [
                Self.note(
                    "No unit serves this configuration; its daemons run in the foreground, or not at all.")
            ]
        }
        guard site.isBooted else {
            return [Self.note("This system is not booted with systemd, so the units are not looked at.")]
        }
        let properties = "Id,LoadState,ActiveState,UnitFileState,Result,NeedDaemonReload"
        guard let shown = ProgramOutput(["systemctl", "show", "--property=\(properties)"] + Self.all) else {
            return [Self.warning("systemctl doesn't tell about the units.", mend: site.asRoot)]
        }
        return Self.judge(Self.states(in: shown.text), site.settings.engine)
    }

    /// Reads what `systemctl show` prints: `KEY=value` lines, an empty line between units.
    static func properties(in text: String) -> [[Substring: String]] {
        text.split(separator: "\n\n").map { block in
            var values: [Substring: String] = [:]
            for line in block.split(separator: "\n") {
                guard let equals = line.firstIndex(of: "=") else { continue }
                values[line[..<equals]] = String(line[line.index(after: equals)...])
            }
            return values
        }
    }

    static func states(in text: String) -> [State] {
        properties(in: text).compactMap { values in
            values["Id"].map { id in
                State(
                    id: id, load: values["LoadState"] ?? "", active: values["ActiveState"] ?? "",
                    file: values["UnitFileState"] ?? "", result: values["Result"] ?? "",
                    needsReload: values["NeedDaemonReload"] == "yes")
            }
        }
    }

    static func judge(_ states: [State], _ engine: Settings.Engine = .embedded) -> [HealthFinding] {
        let units = Dictionary(states.map { ($0.id, $0) }) { first, _ in first }
        var findings: [HealthFinding] = []
        let isStopped = units["acms.target"].map { $0.load == "loaded" && $0.active != "active" } ?? false
        if isStopped {
            findings.append(
                problem(
                    "acms.target is \(units["acms.target"]?.active ?? ""): nothing is accepted or committed.",
                    mend: "sudo systemctl start acms.target"))
        }
        for name in all {
            guard let unit = units[name], unit.load != "not-found" else {
                findings.append(
                    problem("\(name) is missing.", mend: "sudo apt-get install --reinstall acms"))
                continue
            }
            findings += isStopped && unit.load == "loaded" ? [] : judge(unit)
            if unit.load == "loaded", enabled.contains(name), ["disabled", "bad"].contains(unit.file) {
                findings.append(
                    warning(
                        "\(name) is \(unit.file), so it doesn't come back after a boot.",
                        mend: "sudo systemctl enable \(name)"))
            }
        }
        if engine == .postgres, !isStopped, let worker = units["acms-worker.service"],
            worker.load == "loaded",
            worker.active == "inactive"
        {
            findings.append(
                problem(
                    "acms-worker.service is inactive, and other hosts' work doesn't start it.",
                    mend: "sudo systemctl start acms-worker.service"))
        }
        if units.values.contains(where: \.needsReload) {
            findings.append(
                warning(
                    "A unit's file has changed since the manager read it.",
                    mend: "sudo systemctl daemon-reload"))
        }
        return findings.contains { $0.severity != .note }
            ? findings : findings + [ok("What starts the daemons is active and enabled.")]
    }

    private static func judge(_ unit: State) -> [HealthFinding] {
        switch unit.load {
        case "loaded": break
        case "masked":
            // Whoever wants no caretakers masks their socket.
            return unit.id == "acms-caretaker.socket"
                ? [note("acms-caretaker.socket is masked: nobody can decide bookings here.")]
                : [
                    problem(
                        "\(unit.id) is masked.",
                        mend: "sudo systemctl unmask \(unit.id) && sudo systemctl start \(unit.id)")
                ]
        default:
            return [
                problem(
                    "\(unit.id) can't be loaded: \(unit.load).",
                    mend: "sudo systemd-analyze verify \(unit.id)")
            ]
        }
        if services.contains(unit.id) {
            // A daemon that isn't needed doesn't run.
            let isWaiting = unit.active == "activating" && unit.result != "success"
            guard unit.active == "failed" || isWaiting else { return [] }
            return [
                problem(
                    "\(unit.id) \(isWaiting ? "fails again and again" : "has failed"): \(unit.result).",
                    mend:
                        "sudo systemctl restart \(unit.id) || sudo journalctl --catalog --lines=20 --unit=\(unit.id)"
                )
            ]
        }
        guard starters.contains(unit.id), unit.active != "active" else { return [] }
        let verb = unit.active == "failed" ? "restart" : "start"
        return [problem("\(unit.id) is \(unit.active).", mend: "sudo systemctl \(verb) \(unit.id)")]
    }
}
