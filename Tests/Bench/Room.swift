import CBench
import Foundation

/// A place where cases run: a directory on some file system.
struct Room {
    /// What the file system is, for the report.
    let label: String
    let directory: String
    /// What outlasts a case: all rooms have it in common.
    let shared: String
    /// Where the servers' logs go. Elsewhere, as the journal would be.
    let logs: String

    init(label: String, directory: String, shared: String) throws {
        self.label = label
        self.directory = directory
        self.shared = shared
        logs = "\(shared)/logs"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
        // PostgreSQL runs as another user.
        for path in [directory, logs] { chmod(path, 0o777) }
    }

    /// Makes an empty directory, which `clear` removes.
    func makeDirectory(_ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    /// Removes everything, and waits until the disk is done with it, so that the next case has the disk for itself.
    func clear() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name != "lost+found"
        {
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: logs) {
            try FileManager.default.removeItem(atPath: "\(logs)/\(name)")
        }
        try settle()
    }

    /// Waits until all that was written is on the disk.
    func settle() throws {
        guard bench_sync(directory) == 0 else { throw Failure.system("sync", directory) }
    }
}

/// The built programs.
enum Programs {
    /// The path of a program or library that lies beside this one.
    static func path(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = "\((own as NSString).deletingLastPathComponent)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure("\(path) is not there; ./Tests/bench builds it")
        }
        return path
    }
}

extension Room {
    /// The environment in which each sync takes so many microseconds longer.
    func slowSyncs(_ microseconds: Int) throws -> [String: String] {
        guard microseconds > 0 else { return [:] }
        // Where every user can read it: what can't be read isn't loaded, with no more than a warning.
        let library = "\(shared)/libSlowSyncs.so"
        if !FileManager.default.fileExists(atPath: library) {
            try FileManager.default.copyItem(atPath: Programs.path("libSlowSyncs.so"), toPath: library)
        }
        return ["LD_PRELOAD": library, "SLOW_SYNC_MICROSECONDS": "\(microseconds)"]
    }
}
