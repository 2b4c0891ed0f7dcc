extension SocketActivation {
    /// Tells which socket serves which interface.
    ///
    /// One socket and one interface always belong together. Otherwise a socket belongs to the interface that
    /// its `FileDescriptorName=` names, or else the one configured at its path, or else the one that its
    /// path's last component names. An interface that no socket belongs to is absent from the result; what
    /// that means is for the caller to say.
    ///
    /// - Parameters:
    ///   - interfaces: The interfaces that the program serves, and where its configuration expects them.
    ///   - sockets: What `take()` returned.
    /// - Returns: The sockets by their interface's name.
    /// - Throws: when a socket belongs to no interface, or two belong to one.
    public static func match(
        interfaces: [(name: String, configuredPath: String)], sockets: [PassedSocket]
    ) throws(SocketActivationError) -> [String: PassedSocket] {
        if sockets.count == 1, interfaces.count == 1 {
            return [interfaces[0].name: sockets[0]]
        }
        var matched: [String: PassedSocket] = [:]
        for socket in sockets {
            guard let name = interfaceName(for: socket, among: interfaces) else {
                throw SocketActivationError(code: .unmatched, socket: socket)
            }
            guard matched.updateValue(socket, forKey: name) == nil else {
                throw SocketActivationError(code: .claimedTwice(interface: name), socket: socket)
            }
        }
        return matched
    }

    private static func interfaceName(
        for socket: PassedSocket, among interfaces: [(name: String, configuredPath: String)]
    ) -> String? {
        // systemd names a descriptor after its unit when nothing else is said, so a name that isn't an
        // interface's proves nothing, and the path decides.
        if let named = interfaces.first(where: { $0.name == socket.name }) { return named.name }
        guard let path = socket.path else { return nil }
        if let configured = interfaces.first(where: { $0.configuredPath == path }) { return configured.name }
        let lastComponent = path.split(separator: "/").last.map(String.init)
        return interfaces.first { $0.name == lastComponent }?.name
    }
}
