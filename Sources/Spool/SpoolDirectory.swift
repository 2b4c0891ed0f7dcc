import Bookings

/// Where an entry of the spool is, which is the state it is in.
public enum SpoolPlace: String, Hashable, Sendable, CaseIterable {
    /// Being written; never eligible. A leftover of a crash is swept.
    case tmp
    /// Complete and durable, waiting for the worker.
    case incoming
    /// Received by the worker, not yet settled.
    case active
    /// Waiting for another try.
    case deferred
    /// Set aside for the operator.
    case dead
}

/// The paths of a spool.
public struct SpoolDirectory: Hashable, Sendable {
    /// The spool's top directory.
    public let root: String

    /// Names a spool; nothing is touched.
    public init(root: String) {
        self.root = root
    }

    /// The directory of a place.
    public func path(of place: SpoolPlace) -> String { "\(root)/\(place.rawValue)" }

    /// An entry of a place.
    public func path(_ place: SpoolPlace, _ name: String) -> String { "\(root)/\(place.rawValue)/\(name)" }

    /// The file whose lock makes a worker the only one.
    public var lockPath: String { "\(root)/lock" }

    /// The file whose lock makes a front the only one.
    var frontLockPath: String { path(.tmp, SpoolLock.frontName) }

    /// Where a repair sets aside what is damaged.
    static let damagedName = "damaged"

    /// The file that says which format the spool's directories have. Format 1 is that of a spool without it; the first
    /// version of acms that lays a spool out otherwise writes it, so that older ones keep away.
    var formatPath: String { "\(root)/format" }

    /// The formats that this program knows.
    private static let knownFormat = "1"

    /// - Throws: when the spool has another format than this program knows.
    func checkFormat(using files: some FileSystem) throws(SpoolError) {
        guard let status = try files.status(of: formatPath) else { return }
        guard status.kind == .regular else { throw .newerFormat(formatPath) }
        let bytes = try files.open(formatPath).read(at: 0, count: 64)
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard text == Self.knownFormat else { throw .newerFormat(formatPath) }
    }

    /// Where a file whose content isn't what its name says is put: in `incoming/`, under a name that promises nothing
    /// and that nothing has.
    func misplacedPath(_ name: String, using files: some FileSystem) throws(SpoolError) -> String {
        var name = SpoolFileName.misplaced(name)
        while try files.status(of: path(.incoming, name)) != nil { name = SpoolFileName.misplaced(name) }
        return path(.incoming, name)
    }

    /// Makes the directories that are missing, as far as permissions allow. Installed systems have them with
    /// their owners and modes already; this serves runs in a directory of one's own.
    ///
    /// - Throws: when one is missing afterwards, the first failure.
    /// - Throws: as well, before anything is made, when the spool has a newer format.
    public func makeMissing(using files: some FileSystem) throws(SpoolError) {
        try checkFormat(using: files)
        var failure: SpoolError?
        for path in [root] + SpoolPlace.allCases.map(path(of:)) {
            do {
                if try files.status(of: path) == nil { try files.makeDirectory(path, mode: 0o750) }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}

/// Names of spool files: `UUIDv7.COUNT.jsonl`, so that name order is arrival order and counts need no reading.
/// Files put in by hand may have any name that doesn't begin with a dot.
enum SpoolFileName {
    static func make(first: some CustomStringConvertible, count: Int) -> String {
        "\(first).\(count)\(suffix)"
    }

    static let suffix = ".jsonl"

    /// The name of a file of messages that were redriven together. It promises no count, so it is always looked
    /// into for a message: its messages' ids are no range.
    static func redriven(_ name: BookingID) -> String { "\(name)\(redrivenSuffix)" }

    private static let redrivenSuffix = ".redriven.jsonl"

    /// Whether it is the name of a file of redriven messages.
    static func isRedriven(_ name: String) -> Bool { name.hasSuffix(redrivenSuffix) }

    /// What a file whose content isn't what its name says is called instead: a name that promises nothing.
    static func misplaced(_ name: String) -> String {
        let base = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        return "\(base).misplaced\(suffix)"
    }

    /// How many messages the name promises; nil when it promises nothing.
    static func count(in name: String) -> Int? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "jsonl", parts[0].utf8.count == 36 else { return nil }
        return Int(parts[1])
    }

    /// Whether it is the name of a file in `tmp/` that a front was writing.
    static func isUnfinished(_ name: String) -> Bool {
        count(in: isHidden(name) ? String(name.dropFirst()) : name) != nil
    }

    /// Names that begin with a dot are being written and left alone.
    static func isHidden(_ name: String) -> Bool { name.utf8.first == UInt8(ascii: ".") }
}
