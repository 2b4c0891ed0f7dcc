import Foundation

/// A site laid out as an installed system is: the users, groups, directories and sockets of the files in
/// `systemd/`, with their owners and modes, under ids that belong to nobody on this machine. Needs root.
public struct InstalledSite: Sendable {
    /// Where it is.
    public let site: Site
    private let ids: [String: UInt32]
    private let memberships: [String: [String]]

    private static let units = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../systemd")

    /// A file in `systemd/` doesn't hold what it should.
    public struct Unexpected: Error {
        let what: String
    }

    /// Makes the directories.
    ///
    /// - Parameter environment: more variables for the daemons, by configuration key's environment name.
    public init(_ environment: [String: String] = [:]) throws {
        site = try Site(environment)
        var ids: [String: UInt32] = ["root": 0]
        var memberships: [String: [String]] = [:]
        for words in try Self.lines("acms.sysusers.conf") {
            switch words[0] {
            case "m": memberships[words[1], default: []].append(words[2])
            // A user's own group has the user's id.
            default: ids[words[1]] = 61_000 + UInt32(ids.count)
            }
        }
        (self.ids, self.memberships) = (ids, memberships)
        for words in try Self.lines("acms.tmpfiles.conf") {
            guard words[0] == "d", words[1].hasPrefix("/var/lib/acms"), let mode = UInt32(words[2], radix: 8)
            else { throw Unexpected(what: words.joined(separator: " ")) }
            let path = site.directory.path + words[1].dropFirst("/var/lib/acms".count)
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw CocoaError(.fileWriteUnknown) }
            try own(path, try id(words[3]), try id(words[4]), mode)
        }
    }

    /// Who a user of the system is.
    public func identity(_ name: String) throws -> Identity {
        Identity(user: try id(name), group: try id(name), groups: try (memberships[name] ?? []).map(id))
    }

    /// Somebody who is in one of the system's groups, or in none.
    public func somebody(in group: String?) throws -> Identity {
        Identity(user: 62_000, group: 62_000, groups: try group.map { [try id($0)] } ?? [])
    }

    /// Starts a daemon as its unit does: as its user, with its umask, at the first connection to a socket that
    /// belongs to whom the socket's unit names.
    ///
    /// - Parameters:
    ///   - program: the daemon.
    ///   - user: whom it runs as.
    ///   - sockets: the last part of each interface's name, and the unit of its socket.
    public func start(_ program: String, as user: String, _ sockets: [String: String]) async throws
        -> RunningDaemon
    {
        let identity = try identity(user)
        let service = "\(user).service"
        guard try Self.value("User", service) == user, try Self.value("Group", service) == user,
            let umask = try Self.value("UMask", service)
        else { throw Unexpected(what: service) }
        let daemon = try await site.startActivated(
            program, sockets.keys.sorted(),
            through: identity.command(["/bin/sh", "-c", #"umask "$0"; exec "$@""#, umask]))
        for (name, unit) in sockets {
            guard let user = try Self.value("SocketUser", unit),
                let group = try Self.value("SocketGroup", unit),
                let mode = try Self.value("SocketMode", unit).flatMap({ UInt32($0, radix: 8) })
            else { throw Unexpected(what: unit) }
            try own(site.socket(name), try id(user), try id(group), mode)
        }
        return daemon
    }

    /// Gives a file to an owner and a group.
    public func own(_ path: String, _ user: UInt32, _ group: UInt32, _ mode: UInt32) throws {
        // The mode comes last: a change of owner takes the setgid bit away.
        guard chown(path, user, group) == 0, chmod(path, mode) == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    private func id(_ name: String) throws -> UInt32 {
        guard let id = ids[name] else { throw Unexpected(what: name) }
        return id
    }

    /// The lines of a file that aren't comments, as words.
    private static func lines(_ name: String) throws -> [[String]] {
        try String(contentsOf: units.appendingPathComponent(name), encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ").map(String.init) }
    }

    private static func value(_ key: String, _ unit: String) throws -> String? {
        try lines(unit).compactMap(\.first).first { $0.hasPrefix("\(key)=") }.map {
            String($0.dropFirst(key.count + 1))
        }
    }
}
