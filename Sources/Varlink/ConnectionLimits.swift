/// What one connection may cost.
public struct ConnectionLimits: Sendable, Hashable {
    /// The longest call, in bytes, its NUL not counted. A longer one is answered with `InvalidParameter`, and
    /// the connection is closed.
    public var maximumFrameBytes: Int
    /// How many calls may be in flight; the next one isn't read before one of them is answered.
    public var maximumCallsInFlight: Int
    /// How long a connection may be open without a call, or with replies that its peer doesn't read; zero for ever.
    public var idleTimeout: Duration
    /// How long a call may take to arrive once it has begun to; zero for ever. What comes of it meanwhile doesn't
    /// count: a byte a second is not a call.
    public var partialCallTimeout: Duration

    /// Creates limits.
    public init(
        maximumFrameBytes: Int = 1_048_576, maximumCallsInFlight: Int = 256, idleTimeout: Duration = .zero,
        partialCallTimeout: Duration = .zero
    ) {
        self.maximumFrameBytes = max(1, maximumFrameBytes)
        self.maximumCallsInFlight = max(1, maximumCallsInFlight)
        self.idleTimeout = idleTimeout
        self.partialCallTimeout = partialCallTimeout
    }
}
