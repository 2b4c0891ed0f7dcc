/// A listening socket that the service manager handed over.
public struct PassedSocket: Sendable, Hashable {
    /// The descriptor. Whoever holds this value may listen on it; nothing here closes it.
    public let fileDescriptor: Int32

    /// What `FileDescriptorName=` says, or nil where nobody named it (libsystemd says "unknown" then).
    public let name: String?

    /// The path that the socket is bound to, or nil where it has none (unnamed and abstract sockets).
    public let path: String?

    /// Describes a socket; `SocketActivation.take()` makes the real ones.
    public init(fileDescriptor: Int32, name: String?, path: String?) {
        self.fileDescriptor = fileDescriptor
        self.name = name
        self.path = path
    }
}
