import Foundation

/// The user and the groups that a program runs as. Only root can give it others than its own.
public struct Identity: Hashable, Sendable {
    /// The user's id.
    public let user: UInt32
    /// The id of its own group.
    public let group: UInt32
    /// The ids of the other groups.
    public let groups: [UInt32]

    /// Names an identity; nobody need have these ids.
    public init(user: UInt32, group: UInt32, groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// A command as this user.
    public func command(_ command: [String]) -> [String] {
        let others =
            groups.isEmpty ? "--clear-groups" : "--groups=\(groups.map(String.init).joined(separator: ","))"
        return ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(group)", others] + command
    }

    /// Whether another user can run the built programs: needs root, and directories that let others pass.
    public static func canRunPrograms() async throws -> Bool {
        guard getuid() == 0 else { return false }
        let program = Site.products.appendingPathComponent("acms-workerd").path
        let nobody = Identity(user: 65534, group: 65534)
        return try await Command.run(nobody.command([program, "--help"])).status == 0
    }
}
