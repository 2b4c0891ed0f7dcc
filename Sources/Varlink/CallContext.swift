/// What a handler may know of its call besides the parameters.
public struct CallContext: Sendable {
    /// Who calls.
    public let peer: Peer
    /// Whether the caller asked for more than one reply.
    public let wantsMore: Bool
    /// Whether the caller wants no reply at all; what the handler returns or throws is dropped.
    public let isOneway: Bool
    /// The full name of the method.
    public let method: String

    /// Creates a context, for tests of handlers.
    public init(peer: Peer, wantsMore: Bool = false, isOneway: Bool = false, method: String) {
        self.peer = peer
        self.wantsMore = wantsMore
        self.isOneway = isOneway
        self.method = method
    }
}
