import Bookings
import Glibc

/// Room on the file systems of the spool and of the table.
struct RoomCheck: HealthCheck {
    static let name = "room"

    /// What is left of a file system for those who aren't root.
    struct Room: Hashable, Sendable {
        var path: String
        var bytes: Int
        var inodes: Int
        /// None are counted where a file system makes them as it needs them.
        var countsInodes = true
    }

    /// What the room is for.
    enum Use: Hashable, Sendable {
        /// All that is booked.
        case queue
        /// What is booked while the database can't be reached.
        case buffer
        /// What is put into the spool by hand.
        case files

        init(_ settings: Settings) {
            self =
                switch (settings.engine, settings.postgres.buffer) {
                case (.embedded, _): .queue
                case (.postgres, .spool): .buffer
                case (.postgres, .none): .files
                }
        }
    }

    private static let fewInodes = 10_000

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        var findings: [HealthFinding] = []
        var judged: Set<UInt> = []
        for path in site.directories {
            if let (room, fileSystem) = Self.room(path) {
                guard judged.insert(fileSystem).inserted else { continue }
                findings.append(
                    Self.judge(room, minimum: site.settings.spool.minFreeBytes, for: Use(site.settings)))
            } else if errno != ENOENT {
                // What is missing is told where it matters.
                findings.append(
                    Self.warning(
                        "The room at \(path) can't be asked for: \(String(cString: strerror(errno))).",
                        mend: site.asRoot))
            }
        }
        return findings
    }

    /// Nil with an errno.
    private static func room(_ path: String) -> (Room, fileSystem: UInt)? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = Int(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        let room = Room(
            path: path, bytes: overflow ? .max : bytes, inodes: Int(clamping: status.f_favail),
            countsInodes: status.f_files > 0)
        return (room, status.f_fsid)
    }

    /// - Parameter minimum: what the front leaves free (spool.min-free-bytes).
    static func judge(_ room: Room, minimum: Int, for use: Use = .queue) -> HealthFinding {
        let mend =
            "sudo du -xh --max-depth=2 \"$(findmnt -no TARGET --target \(room.path.shellWord))\" | sort -h | tail"
        let bytes = "\(room.bytes.inBinaryUnits) are free at \(room.path)"
        if room.countsInodes, room.inodes == 0 {
            return problem("No more files can be made at \(room.path): all inodes are taken.", mend: mend)
        }
        switch use {
        case .queue: break
        case .buffer where room.bytes < minimum:
            return warning(
                "\(bytes), less than spool.min-free-bytes (\(minimum.inBinaryUnits)): bookings are refused while the "
                    + "database can't be reached.", mend: mend)
        case .files where room.bytes < minimum:
            return warning("\(bytes): files that are put into the spool may find no room.", mend: mend)
        case .buffer, .files: return fewFiles(room, mend) ?? ok("\(bytes).")
        }
        if room.bytes < minimum {
            return problem(
                "\(bytes), less than spool.min-free-bytes (\(minimum.inBinaryUnits)): bookings are refused.",
                mend: mend)
        }
        if room.bytes / 2 < minimum {
            return warning(
                "\(bytes), and below \(minimum.inBinaryUnits) (spool.min-free-bytes) bookings are refused.",
                mend: mend)
        }
        return fewFiles(room, mend) ?? ok("\(bytes).")
    }

    private static func fewFiles(_ room: Room, _ mend: String) -> HealthFinding? {
        guard room.countsInodes, room.inodes < fewInodes else { return nil }
        return warning("Only \(room.inodes) more files can be made at \(room.path).", mend: mend)
    }
}

extension Int {
    /// Bytes for a person: `64 MiB`.
    var inBinaryUnits: String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var (value, unit) = (self, 0)
        while value >= 10_240 || value >= 1024 && value % 1024 == 0, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return "\(value) \(units[unit])"
    }
}
