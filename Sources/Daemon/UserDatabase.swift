import Glibc

/// Names of users and groups, as the system's databases have them (nsswitch.conf(5)). Looking one up may block.
public enum UserDatabase {
    /// The login name of a user id; nil when it has none.
    public static func loginName(of uid: UInt32) -> String? {
        lookUp { buffer, size in
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            let status = getpwuid_r(uid, &entry, buffer, size, &result)
            return (status, result == nil ? nil : String(cString: entry.pw_name))
        }
    }

    /// The id of a group; nil when there is none of this name.
    public static func groupID(named name: String) -> UInt32? {
        lookUp { buffer, size in
            var entry = group()
            var result: UnsafeMutablePointer<group>?
            let status = getgrnam_r(name, &entry, buffer, size, &result)
            return (status, result == nil ? nil : entry.gr_gid)
        }
    }

    /// Calls `body` with a larger buffer until the entry fits: a group can have thousands of members.
    private static func lookUp<Value>(
        _ body: (UnsafeMutablePointer<CChar>, Int) -> (status: Int32, Value?)
    ) -> Value? {
        var size = 4 << 10
        while size <= 16 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let (status, value) = body(buffer, size)
            if status != ERANGE { return value }
            size *= 4
        }
        return nil
    }
}
