import Bookings
import Glibc

/// What kind of file system the spool and the table are on: not each keeps what it has said to be durable.
struct FileSystemCheck: HealthCheck {
    static let name = "file system"

    /// A line of /proc/self/mountinfo: proc_pid_mountinfo(5).
    struct Mount: Hashable, Sendable {
        var point: String
        var type: String
        /// `MAJOR:MINOR`.
        var device: String
    }

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        guard let text = Self.read("/proc/self/mountinfo") else {
            return [Self.note("/proc doesn't tell which file system the spool is on.")]
        }
        let mounts = Self.mounts(in: text)
        var judged: [String] = []
        return site.directories.flatMap { path -> [HealthFinding] in
            guard let resolved = Self.resolved(path), let mount = Self.mount(of: resolved, among: mounts),
                !judged.contains(mount.point)
            else { return [] }
            judged.append(mount.point)
            return [Self.judge(mount, hasJournal: Self.hasJournal(mount), at: path)]
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Whether an ext4 has a journal, as the kernel tells in sysfs; nil when it doesn't.
    private static func hasJournal(_ mount: Mount) -> Bool? {
        guard mount.type == "ext4", let device = resolved("/sys/dev/block/\(mount.device)"),
            let name = device.split(separator: "/").last, let task = read("/sys/fs/ext4/\(name)/journal_task")
        else { return nil }
        return !task.hasPrefix("<none>")
    }
}

extension FileSystemCheck {
    static func mounts(in text: String) -> [Mount] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 9, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else {
                return nil
            }
            return Mount(
                point: unescaped(fields[4]), type: String(fields[dash + 1]), device: String(fields[2]))
        }
    }

    /// What would end a field is octal there.
    private static func unescaped(_ text: Substring) -> String {
        // The backslash itself comes last, or what it is before would be taken for one of the others.
        let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        return escapes.reduce(String(text)) { $0.replacing($1.0, with: $1.1) }
    }

    /// The one that a path is on: of those whose point is the longest beginning of it, the last one hides the others.
    static func mount(of path: String, among mounts: [Mount]) -> Mount? {
        var found: Mount?
        for mount in mounts {
            let holds = mount.point == "/" || path == mount.point || path.hasPrefix("\(mount.point)/")
            if holds, mount.point.count >= found?.point.count ?? 0 { found = mount }
        }
        return found
    }

    /// - Parameter hasJournal: nil when that isn't known.
    static func judge(_ mount: Mount, hasJournal: Bool?, at path: String) -> HealthFinding {
        let mend =
            "sudo editor /etc/acms/acms.yaml && sudo systemctl restart acms-front.service acms-worker.service"
        switch mount.type {
        case "tmpfs", "ramfs":
            return warning("\(path) is on a \(mount.type): what is there is lost at each boot.", mend: mend)
        case "overlay", "aufs", "unionfs":
            return warning(
                "\(path) is on an \(mount.type), which goes with its container, and may not sync what is below it.",
                mend: mend)
        case "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs":
            return warning(
                "\(path) is on \(mount.type): locks and syncs over a network are not what acms and SQLite rely on.",
                mend: mend)
        case "vfat", "exfat", "msdos":
            return warning(
                "\(path) is on \(mount.type), which knows no owners and has no journal.", mend: mend)
        case "ext2":
            return note("\(path) is on an ext2, which has no journal: a power cut can damage it.")
        case "ext4" where hasJournal == false:
            return note("\(path) is on an ext4 without a journal: a power cut can damage it.")
        default: return ok("\(path) is on \(mount.type).")
        }
    }
}
