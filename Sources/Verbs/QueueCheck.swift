import Bookings

/// Whether the queue is being committed, and how far it is from its limits.
struct QueueCheck: HealthCheck {
    static let name = "queue"

    /// A message that has waited for longer is held up by something.
    private static let longWait = 300

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let path = Service.queue.socketPath(in: site.settings)
        let database = await DatabaseCheck().findings(site).first
        do {
            let attributes: QueueInterface.Attributes = try await Session.with(
                .queue, at: path, timeout: site.timeout, site.output
            ) { session in
                try await session.call(QueueInterface.method("GetQueueAttributes"), [String: String]())
            }
            return Self.judge(attributes, site, database: database)
        } catch Failure.refused(let error, let service, let id) {
            let reason = Failure.refused(error, service, about: id).lines.first ?? ""
            return [
                Self.held(
                    "The worker doesn't tell: \(reason)", database,
                    mend: "sudo systemctl status acms-worker.service")
            ]
        } catch {
            // What is wrong with the socket is told where sockets are.
            return [Self.note("The worker can't be asked how the queue is.")]
        }
    }

    /// Tells what holds the queue up. Where a database keeps it, it also matters how that is.
    ///
    /// - Parameters:
    ///   - database: what was found of it; nil without one.
    ///   - mend: what to do where the database isn't to blame.
    static func held(_ text: String, _ database: HealthFinding?, mend: String) -> HealthFinding {
        guard let database else { return problem(text, mend: mend) }
        guard let remedy = database.mend else {
            return problem("\(text) The database itself: \(database.text)", mend: mend)
        }
        return problem("\(text) See what is said of the database.", mend: remedy)
    }

    /// - Parameter database: what was found of it; nil without one.
    static func judge(
        _ attributes: QueueInterface.Attributes, _ site: ExaminedSite, database: HealthFinding? = nil
    ) -> [HealthFinding] {
        let limits = site.settings.spool
        var findings: [HealthFinding] = []
        let waiting = attributes.incoming + attributes.active + attributes.deferred
        if !attributes.tableAvailable {
            findings.append(
                held(
                    "The worker holds the queue: \(attributes.tableError ?? "the table can't be used.")",
                    database,
                    mend: database == nil
                        ? site.acmsctl("check") : "sudo systemctl restart acms-worker.service"))
        }
        if attributes.paused {
            let until = attributes.pausedUntil.map { " until \($0)" } ?? ""
            findings.append(warning("Committing is paused\(until).", mend: site.acmsctl("resume")))
        } else if attributes.tableAvailable, attributes.deferred < waiting,
            let oldest = attributes.oldestSeconds, oldest > longWait
        {
            findings.append(
                warning(
                    "The oldest message has waited for \(Duration.seconds(oldest).roundText).",
                    mend: "sudo journalctl --unit=acms-worker.service --lines=50"))
        }
        if attributes.deferred > 0 {
            findings.append(note("\(attributes.deferred) messages have failed and wait for another try."))
        }
        if attributes.dead > 0 {
            findings.append(
                warning(
                    attributes.dead == 1
                        ? "A dead letter waits for you." : "\(attributes.dead) dead letters wait for you.",
                    mend: site.acmsctl("dlq list")))
        }
        if waiting > limits.maxMessages / 10 * 9 {
            findings.append(
                warning(
                    "\(waiting) messages wait; at \(limits.maxMessages) (spool.max-messages) bookings are refused.",
                    mend: "sudo systemctl status acms-worker.service"))
        }
        return findings.contains { $0.severity != .note }
            ? findings : [ok("\(waiting) messages wait, and are being committed.")] + findings
    }
}
