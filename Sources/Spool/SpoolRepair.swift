public import Bookings
import Glibc
import SystemPackage

/// Mends what ``SpoolCheck`` finds, while no daemon uses the spool. Nothing is deleted: what is damaged is kept in
/// `damaged/` byte for byte, and what can be read waits again.
///
/// Each step leaves more copies rather than fewer, so that a crash in it loses nothing: a copy of a message does no
/// harm, as its id is the table's key.
public struct SpoolRepair {
    let check: SpoolCheck
    let committed: ([BookingID]) throws -> Set<BookingID>

    var directory: SpoolDirectory { check.directory }
    var files: any FileSystem { check.files }

    /// - Parameter committed: which of these ids are in the table.
    public init(
        _ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem(),
        committed: @escaping ([BookingID]) throws -> Set<BookingID>
    ) {
        check = SpoolCheck(directory, files: files)
        self.committed = committed
    }

    /// Mends what is damaged.
    ///
    /// - Parameter lost: bookings that the table has lost; they are put back if the journal still has them.
    /// - Returns: what was found, and what has become of it.
    /// - Throws: ``SpoolLock/Taken`` when a daemon runs that uses what is to be mended, `SpoolError` when the spool
    ///   can't be used, or what `committed` throws.
    public func run(restoring lost: [BookingID] = []) throws -> [DamageFinding] {
        let isSound = try check.lasting().isEmpty
        guard !isSound || !lost.isEmpty else { return [] }
        let worker = try SpoolLock.ifThere(directory)
        let isFrontConcerned = try check.look().contains { $0.place == .incoming || $0.place == .tmp }
        let front = isFrontConcerned ? try SpoolLock.ofFrontIfThere(directory) : nil
        return try withExtendedLifetime((worker, front)) {
            try restore(lost) + (isSound ? [] : mendAll())
        }
    }

    /// What was moved can show to be a copy only where it is now, so it is looked again.
    private func mendAll() throws -> [DamageFinding] {
        var told: [DamageFinding] = []
        for _ in 0..<3 {
            let next = try mend()
            if next.isEmpty { break }
            // What is left over is told of at the end.
            told = told.filter { $0.isRepaired == true } + next
        }
        return told
    }

    private func restore(_ lost: [BookingID]) throws -> [DamageFinding] {
        guard !lost.isEmpty else { return [] }
        let journal = try JournalIndex(directory, files: files)
        let replay = SpoolReplay(directory: directory, files: files, committed: committed, ownsActive: true)
        var findings: [DamageFinding] = []
        for entry in lost.compactMap({ journal.byID[$0] }) where try !replay.isElsewhere(entry.message) {
            let id = entry.message.id
            let name = SpoolFileName.make(first: id, count: 1)
            try write([.bytes(entry.line + [UInt8(ascii: "\n")])], in: .incoming, name)
            findings.append(
                DamageFinding(
                    path: directory.path(.incoming, name), bookingId: id.description,
                    problem: "The table has lost the booking.",
                    repair: "The journal still had it, and it waits again.", isRepaired: true))
        }
        try files.syncDirectory(directory.path(of: .incoming))
        return findings
    }

    private func mend() throws -> [DamageFinding] {
        let findings = try check.look().sorted { $0.remedy.rank < $1.remedy.rank }
        guard !findings.isEmpty else { return [] }
        let journal = try JournalIndex(directory, files: files)
        var done: [SpoolFinding: String] = [:]
        var mended: Set<String> = []
        for finding in findings {
            let entry = finding.path(in: directory)
            // All of a file's lines are mended at once.
            if finding.remedy == .mendLines, !mended.insert(entry).inserted { continue }
            done[finding] = try apply(finding, among: findings, journal)
        }
        for place in SpoolPlace.allCases { try files.syncDirectory(directory.path(of: place)) }
        let rest = try check.look()
        return findings.map { finding in
            var told = finding.told(in: directory)
            told.isRepaired = !rest.contains(finding)
            let first = findings.first { $0.place == finding.place && $0.name == finding.name }
            told.repair = done[finding] ?? first.flatMap { done[$0] } ?? told.repair
            return told
        }
    }

    /// - Returns: what was done.
    private func apply(
        _ finding: SpoolFinding, among all: [SpoolFinding], _ journal: JournalIndex
    ) throws -> String {
        let path = finding.path(in: directory)
        switch finding.remedy {
        case .none(let text): return text
        case .makePlace:
            try directory.makeMissing(using: files)
            return "Made."
        case .setAside:
            guard try files.status(of: path) != nil else { return "It is gone." }
            return "Moved to \(try setAside(path))\(lost(finding.id))."
        case .judgeAnew:
            guard try files.status(of: path) != nil else { return "It was set aside." }
            let target = try directory.misplacedPath(finding.name, using: files)
            try files.rename(path, to: target, replacing: false)
            return "Moved to \(target)."
        case .nameLetter(let id): return try nameLetter(path, id, among: all)
        case .mendLetter: return try mendLetter(finding.name, journal)
        case .mendLines:
            guard let place = finding.place, try files.status(of: path) != nil else {
                return "It was set aside."
            }
            return try mendLines(place, finding.name, journal)
        case .writeTombstone:
            let kept = try keep(path)
            try write([.bytes(DeadLetterFile.deletedMark)], in: .dead, finding.name)
            return "Written anew; the original is \(kept)."
        case .renewPause:
            let status = try files.status(of: path)
            let kept = try setAside(path)
            let pause = QueuePause(
                until: nil, since: Timestamp(milliseconds: status?.modifiedMilliseconds ?? 0), uid: nil)
            try files.write([.bytes(try pause.bytes())], to: path, mode: 0o640)
            giveOwner(of: directory.path(of: .active), to: path)
            return "It has no end now, see 'acmsctl resume'; the original is \(kept)."
        case .replayJournal: return try replay(finding.name)
        }
    }

    private func replay(_ segment: String) throws -> String {
        let path = directory.path(.tmp, segment)
        // The segment's other damage was mended together with the first.
        guard try files.status(of: path) != nil else { return "Moved to damaged/." }
        let replay = SpoolReplay(directory: directory, files: files, committed: committed, ownsActive: true)
        let outcome = try replay.run(try JournalContents(directory, files: files))
        let kept = try setAside(path)
        return
            "Put \(outcome.messages) messages back that were nowhere else, and moved the segment to \(kept)."
    }

    /// The letters that have each other's names take them from `damaged/`.
    private func nameLetter(_ path: String, _ id: BookingID, among all: [SpoolFinding]) throws -> String {
        guard try files.status(of: path) != nil,
            case .ofAnother(id) = try StoredDeadLetter.judged(path, files: files)
        else { return "It has its name." }
        let target = directory.path(.dead, DeadLetterFile.name(id))
        if let other = all.first(where: { $0.place == .dead && $0.name == DeadLetterFile.name(id) }),
            case .nameLetter(let otherID) = other.remedy
        {
            let kept = try setAside(path)
            _ = try nameLetter(target, otherID, among: all.filter { $0 != other })
            guard try files.status(of: target) == nil else { return "Moved to \(kept)." }
            try files.rename(kept, to: target, replacing: false)
            return "Renamed to \(DeadLetterFile.name(id))."
        }
        guard try files.status(of: target) == nil else { return "Moved to \(try setAside(path)): a copy." }
        try files.rename(path, to: target, replacing: false)
        return "Renamed to \(DeadLetterFile.name(id))."
    }

    func lost(_ id: BookingID?) -> String { id.map { "; the booking \($0) can't be recovered" } ?? "" }
}

// MARK: - Keeping

extension SpoolRepair {
    /// Moves an entry into `damaged/`.
    ///
    /// - Returns: its new path.
    func setAside(_ path: String) throws(SpoolError) -> String {
        let target = try freePath(for: path)
        try files.rename(path, to: target, replacing: false)
        return target
    }

    /// Copies a file into `damaged/`, durably.
    func keep(_ path: String) throws(SpoolError) -> String {
        let target = try freePath(for: path)
        let file = try files.open(path)
        try files.write([.part(of: file, offset: 0, count: file.status.size)], to: target, mode: 0o640)
        try files.syncDirectory("\(directory.root)/\(SpoolDirectory.damagedName)")
        return target
    }

    private func freePath(for path: String) throws(SpoolError) -> String {
        let damaged = "\(directory.root)/\(SpoolDirectory.damagedName)"
        try files.makeDirectory(damaged, mode: 0o750)
        // Hidden ones, too, are to be seen there.
        let name = path.dropFirst(directory.root.count + 1).replacing("/", with: "_")
        var target = "\(damaged)/\(name)"
        var number = 1
        while try files.status(of: target) != nil {
            number += 1
            target = "\(damaged)/\(name)~\(number)"
        }
        return target
    }

    /// Writes a file of a place so that it is whole whenever its name is there, for the daemon that owns the place.
    func write(_ contents: [FileContent], in place: SpoolPlace, _ name: String) throws(SpoolError) {
        let unfinished = directory.path(.active, ".\(name)")
        let path = directory.path(place, name)
        let isThere = try files.status(of: path) != nil
        try files.write(contents, to: unfinished, mode: place == .incoming ? 0o440 : 0o640)
        giveOwner(of: isThere ? path : directory.path(of: place), to: unfinished)
        try files.rename(unfinished, to: path, replacing: true)
    }

    /// Root writes in the name of those whose files they are.
    func giveOwner(of model: String, to path: String) {
        var status = stat()
        guard geteuid() == 0, lstat(model, &status) == 0 else { return }
        _ = lchown(path, status.st_uid, status.st_gid)
    }
}
