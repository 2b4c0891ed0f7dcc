public import Bookings
import Glibc
import SystemPackage

/// Looks through a whole spool without changing it, beside daemons that run or without them.
///
/// Entries that move or vanish between two looks are no damage, so whatever is found is looked at again. What the
/// worker deals with by itself as a matter of course is no damage either: lines by hand that can't be booked, copies
/// of messages that a crash has left in two places, unfinished files.
public struct SpoolCheck: Sendable {
    let directory: SpoolDirectory
    let files: any FileSystem

    /// Checks `directory`.
    public init(_ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem()) {
        self.directory = directory
        self.files = files
    }

    /// What is damaged, in the order of the places.
    ///
    /// - Throws: `SpoolError` when the spool can't be read, or a newer version of acms has written it.
    public func run() throws(SpoolError) -> [DamageFinding] {
        try lasting().map { $0.told(in: directory) }
    }

    /// Time enough for a daemon to finish what it was doing at the first look.
    private static let secondLookAfter: UInt32 = 300_000

    /// What two looks find.
    func lasting() throws(SpoolError) -> [SpoolFinding] {
        let first = try look()
        guard !first.isEmpty else { return [] }
        usleep(Self.secondLookAfter)
        let second = Set(try look())
        return first.filter(second.contains)
    }

    func look() throws(SpoolError) -> [SpoolFinding] {
        guard try files.status(of: directory.root) != nil else {
            throw SpoolError("look at", directory.root, .noSuchFileOrDirectory)
        }
        try directory.checkFormat(using: files)
        var findings = try topLevel()
        for place in SpoolPlace.allCases {
            guard let status = try files.status(of: directory.path(of: place)) else {
                findings.append(
                    SpoolFinding(
                        place: nil, name: place.rawValue, problem: "The directory is missing.",
                        remedy: .makePlace))
                continue
            }
            guard status.kind == .directory else {
                findings.append(
                    SpoolFinding(
                        place: nil, name: place.rawValue, problem: "It is no directory.",
                        remedy: .none("Stop both daemons, move it away, and start them: they make a new one.")
                    ))
                continue
            }
            findings += try access(of: place)
        }
        findings += try tmp()
        findings += try journal()
        var census = MessageCensus()
        for place in [SpoolPlace.incoming, .active, .deferred] {
            for name in try names(in: place) where !SpoolFileName.isHidden(name) {
                findings += try unlessGone { () throws(SpoolError) in try queueFile(place, name, &census) }
            }
        }
        for name in try names(in: .dead) where !SpoolFileName.isHidden(name) {
            findings += try unlessGone { () throws(SpoolError) in try deadEntry(name, &census) }
        }
        return findings + census.findings
    }

    /// The names of a place in order; none when it isn't there.
    func names(in place: SpoolPlace) throws(SpoolError) -> [String] {
        guard try files.status(of: directory.path(of: place))?.kind == .directory else { return [] }
        return try files.names(in: directory.path(of: place)).sorted()
    }

    /// An entry that has moved on is no matter; one that the disk can't read is.
    func unlessGone(_ body: () throws(SpoolError) -> [SpoolFinding]) throws(SpoolError) -> [SpoolFinding] {
        do throws(SpoolError) {
            return try body()
        } catch {
            if error.errno == .noSuchFileOrDirectory { return [] }
            guard error.errno == .ioError, error.path.hasPrefix("\(directory.root)/") else { throw error }
            let parts = error.path.dropFirst(directory.root.count + 1).split(separator: "/", maxSplits: 1)
            let place = parts.count == 2 ? SpoolPlace(rawValue: String(parts[0])) : nil
            return [
                SpoolFinding(
                    place: place, name: String(parts.last ?? ""),
                    problem: "It can't be read: its disk may be failing.",
                    remedy: .none("It can't be recovered here; see the kernel's log."))
            ]
        }
    }

    static func word(for kind: FileKind) -> String {
        switch kind {
        case .regular: "a regular file"
        case .directory: "a directory"
        case .other: "a link, pipe, socket or device"
        }
    }
}

// MARK: - What isn't a message

extension SpoolCheck {
    private static let ownNames: Set<String> = [
        "lock", "paused", ".paused", "reserve", "format", SpoolDirectory.damagedName, "lost+found",
    ]

    private func topLevel() throws(SpoolError) -> [SpoolFinding] {
        var findings: [SpoolFinding] = []
        func find(_ name: String, _ problem: String, _ remedy: SpoolFinding.Remedy) {
            findings.append(SpoolFinding(place: nil, name: name, problem: problem, remedy: remedy))
        }
        for name in try files.names(in: directory.root).sorted() {
            guard let status = try files.status(of: "\(directory.root)/\(name)") else { continue }
            switch name {
            case "paused":
                var isClear = false
                if status.kind == .regular {
                    let bytes = try files.open("\(directory.root)/\(name)").read(at: 0, count: 4096)
                    isClear = QueuePause(bytes) != nil
                }
                if !isClear { find(name, "The pause can't be understood, so it has no end.", .renewPause) }
            case "lock" where status.kind != .regular:
                find(
                    name, "The worker's lock is \(Self.word(for: status.kind)).",
                    .none("Stop the worker and remove it."))
            case "reserve" where status.kind != .regular || status.size != SpoolReserve.bytes:
                find(name, "The space that is kept for a full disk is not what it should be.", .setAside)
            case _ where SpoolPlace(rawValue: name) == nil && !Self.ownNames.contains(name):
                find(name, "The name is none of the spool's.", .setAside)
            default: break
            }
        }
        return findings
    }

    private func tmp() throws(SpoolError) -> [SpoolFinding] {
        var findings: [SpoolFinding] = []
        for name in try names(in: .tmp) {
            guard let status = try files.status(of: directory.path(.tmp, name)) else { continue }
            func find(_ problem: String, _ remedy: SpoolFinding.Remedy) {
                findings.append(SpoolFinding(place: .tmp, name: name, problem: problem, remedy: remedy))
            }
            let isOwn = SpoolFileName.isUnfinished(name) || name.hasPrefix(".journal-")
            if name == SpoolLock.frontName, status.kind != .regular {
                find(
                    "The front's lock is \(Self.word(for: status.kind)).",
                    .none("Stop the front and remove it."))
            } else if isOwn, status.kind != .regular {
                find("It should be a regular file and is \(Self.word(for: status.kind)).", .setAside)
            } else if SpoolJournal.isDamagedName(name) {
                find("The front has found this segment of its journal damaged and kept it.", .setAside)
            }
        }
        return findings
    }

    private func journal() throws(SpoolError) -> [SpoolFinding] {
        guard try files.status(of: directory.path(of: .tmp))?.kind == .directory else { return [] }
        var findings: [SpoolFinding] = []
        for damage in try JournalContents(directory, files: files).damage {
            findings.append(
                SpoolFinding(
                    place: .tmp, name: damage.segment,
                    problem: "The front's journal can't be read at byte \(damage.offset).",
                    remedy: .replayJournal))
        }
        for name in SpoolJournal.names {
            guard let status = try files.status(of: directory.path(.tmp, name)), status.kind == .regular,
                status.size != SpoolJournal.segmentBytes
            else { continue }
            findings.append(
                SpoolFinding(
                    place: .tmp, name: name,
                    problem:
                        "The front's journal has \(status.size) bytes instead of \(SpoolJournal.segmentBytes).",
                    remedy: .replayJournal))
        }
        return findings
    }
}
