import Bookings
import Glibc

// A daemon is stopped by what it may not read or write. Who the daemons are tell the owners of their directories.
extension SpoolCheck {
    /// Whether the worker can use a place.
    func access(of place: SpoolPlace) throws(SpoolError) -> [SpoolFinding] {
        guard let worker = Owner(of: directory.path(of: .active)) else { return [] }
        let path = directory.path(of: place)
        let isAllowed = place == .tmp || worker.may(S_IRUSR | S_IWUSR | S_IXUSR, path) ?? true
        guard !isAllowed else { return [] }
        return [
            SpoolFinding(
                place: nil, name: place.rawValue,
                problem:
                    "The worker, who owns active/ (uid \(worker.uid)), can't read and write this directory.",
                remedy: .none("Give it its owner and mode again, as with 'systemd-tmpfiles --create'."))
        ]
    }

    /// Why the worker can't read a file; nil when it can.
    func refusal(ofReading path: String) throws(SpoolError) -> String? {
        guard let worker = Owner(of: directory.path(of: .active)), worker.may(S_IRUSR, path) == false
        else { return nil }
        return "The worker, who owns active/ (uid \(worker.uid)), can't read it."
    }
}

/// The user that owns a directory, and what the kernel lets it do.
private struct Owner {
    let uid: uid_t
    private let groups: Set<gid_t>

    init?(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        uid = status.st_uid
        var count: Int32 = 64
        var found = [gid_t](repeating: 0, count: Int(count))
        if let entry = getpwuid(uid),
            getgrouplist(entry.pointee.pw_name, entry.pointee.pw_gid, &found, &count) >= 0
        {
            groups = Set(found.prefix(Int(count)))
        } else {
            groups = [status.st_gid]
        }
    }

    /// Whether the mode grants all of `wanted`, which are bits of the owner's; nil when the file is gone.
    func may(_ wanted: mode_t, _ path: String) -> Bool? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        if uid == 0 { return true }
        let shift: mode_t = status.st_uid == uid ? 0 : groups.contains(status.st_gid) ? 3 : 6
        return status.st_mode & (wanted >> shift) == wanted >> shift
    }
}
