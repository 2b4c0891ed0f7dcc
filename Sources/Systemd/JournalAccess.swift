import Glibc

/// Whether the journal's files can be read. libsystemd leaves out in silence what it may not read.
public enum JournalAccess: Hashable, Sendable {
    case readable
    /// It is there, for others to read.
    case forbidden
    /// No journal is kept here.
    case absent

    /// Where journald keeps the journal: over boots, and until the next one.
    public static let persistentDirectory = "/var/log/journal"
    /// Where journald keeps a journal that ends with the boot.
    public static let volatileDirectory = "/run/log/journal"

    /// Looks at the files of the system's journal in directories.
    public init(directories: [String]) {
        var outcomes: Set<JournalAccess> = []
        for directory in directories { outcomes.insert(Self.look(into: directory)) }
        self = outcomes.contains(.forbidden) ? .forbidden : outcomes.contains(.readable) ? .readable : .absent
    }

    /// Looks at the journal of this host.
    public static func ofThisHost() -> JournalAccess {
        guard let id = machineID() else { return .absent }
        return JournalAccess(directories: [persistentDirectory, volatileDirectory].map { "\($0)/\(id)" })
    }

    private static func look(into directory: String) -> JournalAccess {
        guard let stream = opendir(directory) else { return errno == EACCES ? .forbidden : .absent }
        defer { closedir(stream) }
        var outcome = JournalAccess.absent
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // Each user may read the journal of the own programs, in which acms isn't.
            guard name.hasSuffix(".journal"), !name.hasPrefix("user-") else { continue }
            if access("\(directory)/\(name)", R_OK) != 0, errno == EACCES { return .forbidden }
            outcome = .readable
        }
        return outcome
    }

    /// machine-id(5)
    package static func machineID() -> String? {
        guard let file = fopen("/etc/machine-id", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let id = line.prefix { $0 > 32 }.map { UInt8($0) }
        return id.isEmpty ? nil : String(decoding: id, as: UTF8.self)
    }
}
