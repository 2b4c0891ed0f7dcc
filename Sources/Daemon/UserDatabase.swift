import Glibc

/// Names of users, from the system's user database (nsswitch.conf(5)). Looking one up may block.
public enum UserDatabase {
    /// The login name of a user id; nil when it has none.
    public static func loginName(of uid: UInt32) -> String? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return String(cString: entry.pw_name)
    }
}
