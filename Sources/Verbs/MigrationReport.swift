import Bookings

/// What was moved from one engine to another, or would be.
struct MigrationReport: Encodable {
    let from: String
    let to: String
    let isDryRun: Bool
    var bookings = 0
    var queued = 0
    var deferred = 0
    var deadLetters = 0
    /// Of those, what somebody has gone on with in the target since it was copied.
    var changedSince = 0
    var isPaused = false
    /// Of all that was moved, the same in the source and the target; nil when nothing was compared.
    var checksum: String?
    /// Who is in the way, and what to do; of a dry run.
    var obstacles: [String] = []
    /// What can't be moved.
    var conflicts: [TransferConflict] = []
    /// Letters whose bodies are too large for the database, and that stay in the spool as well.
    var keptLetters: [String] = []
    /// What the file is called by now that had been moved before.
    var keptTable: String?
    var isDone = false
    var seconds = 0.0
    private let start = ContinuousClock.now
    /// Whether something is in the way.
    var isStopped: Bool { !conflicts.isEmpty || !obstacles.isEmpty }
    /// What to set and in which file, and where the source's bookings are by now.
    private let engine: String
    private let config: String
    private let remark: String

    enum CodingKeys: String, CodingKey {
        case from, to
        case isDryRun = "dryRun"
        case bookings, queued, deferred, deadLetters, changedSince
        case isPaused = "paused"
        case checksum, obstacles, conflicts, keptLetters, keptTable
        case isDone = "done"
        case seconds
    }

    init(_ site: MigratedSite, from: String, to: String, engine: String, remark: String) {
        self.from = from
        self.to = to
        self.engine = engine
        self.remark = remark
        config = site.config
        isDryRun = site.isDryRun
    }

    mutating func count(_ messages: [StoredMessage]) {
        let waiting = messages.count(where: \.isDeferred)
        deferred += waiting
        queued += messages.count - waiting
    }

    /// Takes in what stands against something, each once.
    mutating func add(_ found: [TransferConflict]) {
        for conflict in found where !conflicts.contains(conflict) { conflicts.append(conflict) }
    }

    mutating func finish() { seconds = (ContinuousClock.now - start).roundedSeconds }

    func lines(hasColour: Bool) -> [String] {
        var fields = FieldList()
        fields.add("from", StyledText(from))
        fields.add("to", StyledText(to))
        fields.add("bookings", "\(bookings)")
        fields.add("queued", "\(queued)")
        fields.add("deferred", "\(deferred)")
        fields.add("dead letters", "\(deadLetters)")
        if isPaused { fields.add("paused", "yes") }
        if changedSince > 0 { fields.add("changed since", "\(changedSince)") }
        if let checksum { fields.add("checksum", StyledText(checksum)) }
        if !conflicts.isEmpty { fields.add("can't be moved", "\(conflicts.count)") }
        fields.add("time", "\(seconds) s")
        return fields.lines(hasColour: hasColour)
    }

    private static let shownConflicts = 100

    /// What people are told beside it.
    var notes: [String] {
        var lines = obstacles
        lines += conflicts.prefix(Self.shownConflicts).map { "\($0.id): \($0.reason)" }
        if conflicts.count > Self.shownConflicts {
            lines.append("And \(conflicts.count - Self.shownConflicts) more, which --json names.")
        }
        lines += keptLetters.map {
            "\($0): its body is too large for the database; the letter stays in the spool as well."
        }
        if let keptTable { lines.append("The old table is kept as \(keptTable).") }
        if !conflicts.isEmpty {
            lines.append(
                "Nothing was given up. Decide about \(conflicts.count == 1 ? "this" : "these") on either side, then repeat the command."
            )
        } else if isDryRun {
            lines.append("Nothing was changed. Without --dry-run all this is moved.")
        } else if isDone {
            lines.append(remark)
            lines.append(
                "Now set 'engine: \(engine)' in \(config) and start acms with 'systemctl start acms.target'."
            )
        }
        return lines
    }
}
