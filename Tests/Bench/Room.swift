import CBench
import Foundation

/// A place where cases run: a directory on some file system.
struct Room {
    /// What the file system is, for the report.
    let label: String
    let directory: String
    /// Where the servers' logs go. Elsewhere, as the journal would be.
    let logs: String

    init(label: String, directory: String, logs: String) throws {
        self.label = label
        self.directory = directory
        self.logs = logs
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

    /// The environment in which each sync takes so many microseconds longer.
    static func slowSyncs(_ microseconds: Int) throws -> [String: String] {
        guard microseconds > 0 else { return [:] }
        return ["LD_PRELOAD": try path("libSlowSyncs.so"), "SLOW_SYNC_MICROSECONDS": "\(microseconds)"]
    }
}
