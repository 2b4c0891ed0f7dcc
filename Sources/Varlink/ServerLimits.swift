/// What all connections together may cost, and what each may.
public struct ServerLimits: Sendable, Hashable {
    /// Most connections that are open at a time. One more is closed at once.
    public var maximumConnections: Int
    /// Most of them of one user id, so that no user locks the others out.
    public var maximumConnectionsPerUser: Int
    /// Most bytes that connections may hold: calls that have come in part, calls that are under way, and replies
    /// that aren't read. What each holds up to ``PeerAccounts/uncounted`` isn't counted. Above half of it fewer calls
    /// of a connection are under way at a time; above it, who holds most is closed.
    public var maximumBytesInFlight: Int
    /// What each connection may cost.
    public var connection: ConnectionLimits

    /// Creates limits.
    public init(
        maximumConnections: Int = 16_000, maximumConnectionsPerUser: Int = 12_000,
        maximumBytesInFlight: Int = 128 << 20, connection: ConnectionLimits = .init()
    ) {
        self.maximumConnections = max(1, maximumConnections)
        self.maximumConnectionsPerUser = max(1, maximumConnectionsPerUser)
        self.maximumBytesInFlight = max(1, maximumBytesInFlight)
        self.connection = connection
    }
}

/// A peer was at a limit, and its connection was closed.
public struct LimitReached: Sendable, Hashable {
    /// Which one.
    public enum Limit: Sendable, Hashable, CaseIterable {
        /// ``ServerLimits/maximumConnections``.
        case connections
        /// ``ServerLimits/maximumConnectionsPerUser``.
        case connectionsPerUser
        /// ``ServerLimits/maximumBytesInFlight``, and nobody held more than this one.
        case bytesInFlight
        /// ``ConnectionLimits/partialCallTimeout``.
        case partialCall
        /// ``ConnectionLimits/idleTimeout``, with replies that the peer doesn't read.
        case unreadReplies
        /// ``ConnectionLimits/idleTimeout``.
        case idle
    }

    /// Which limit.
    public let limit: Limit
    /// Whose connection.
    public let peer: Peer

    /// Creates one.
    public init(limit: Limit, peer: Peer) {
        self.limit = limit
        self.peer = peer
    }
}
