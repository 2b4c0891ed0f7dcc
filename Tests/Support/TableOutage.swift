import Foundation
import Synchronization

/// A site whose table can be made to fail as a whole, in one way, and be mended.
public final class TableOutage: Sendable {
    /// What is wrong with the table.
    public enum Kind: String, Sendable, CaseIterable {
        /// Another program has its lock.
        case locked
        /// Its file system is full.
        case full
        /// Its disk fails.
        case inputOutput
        /// A file is where its directory should be.
        case cannotOpen
        /// Its file system is read-only.
        case readOnly

        /// Whether it needs a file system of its own, which root alone can mount.
        public var needsVolume: Bool { self == .full || self == .readOnly }
        /// Whether the table can still be read.
        public var isReadable: Bool { self != .cannotOpen }
        /// Whether it can begin only while no program has the table open.
        public var needsClosedFiles: Bool { self == .readOnly }
    }

    /// Where the daemons run.
    public let site: Site
    private let kind: Kind
    private let volume: LoopVolume?
    private let lock = Mutex<TableLock?>(nil)

    /// Makes the site; its table works.
    public init(_ kind: Kind) async throws {
        self.kind = kind
        volume = kind.needsVolume ? try await LoopVolume(mebibytes: 64) : nil
        site = try Site(tableDirectory: volume?.path)
    }

    /// More variables for the daemons.
    public var environment: [String: String] {
        guard kind == .inputOutput else { return [:] }
        return [
            "LD_PRELOAD": Site.products.appendingPathComponent("libDiskFaults.so").path,
            "DISK_FAULT_PATH": site.tablePath,
            "DISK_FAULT_WHILE": trigger,
            "DISK_FAULT_ERRNO": "\(EIO)",
        ]
    }

    private var trigger: String { "\(site.directory.path)/trigger" }
    private var away: String { "\(site.tableDirectory).away" }

    /// Begins the outage.
    public func begin() async throws {
        switch kind {
        case .locked:
            let held = try await TableLock(site)
            lock.withLock { $0 = held }
        case .full: try volume?.setFull(true)
        case .inputOutput: try Data().write(to: URL(fileURLWithPath: trigger))
        case .cannotOpen:
            try FileManager.default.moveItem(atPath: site.tableDirectory, toPath: away)
            try Data().write(to: URL(fileURLWithPath: site.tableDirectory))
        case .readOnly: try await volume?.setReadOnly(true)
        }
    }

    /// Mends the table.
    public func end() async throws {
        switch kind {
        case .locked: try await lock.withLock { $0 }?.release()
        case .full: try volume?.setFull(false)
        case .inputOutput: try FileManager.default.removeItem(atPath: trigger)
        case .cannotOpen:
            try FileManager.default.removeItem(atPath: site.tableDirectory)
            try FileManager.default.moveItem(atPath: away, toPath: site.tableDirectory)
        case .readOnly: try await volume?.setReadOnly(false)
        }
    }
}
