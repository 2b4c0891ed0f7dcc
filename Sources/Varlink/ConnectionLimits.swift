/// What one connection may cost.
public struct ConnectionLimits: Sendable, Hashable {
    /// The longest call, in bytes, its NUL not counted. A longer one is answered with `InvalidParameter`, and
    /// the connection is closed.
    public var maximumFrameBytes: Int
    /// How many calls may be in flight; the next one isn't read before one of them is answered.
    public var maximumCallsInFlight: Int

    /// Creates limits.
    public init(maximumFrameBytes: Int = 1_048_576, maximumCallsInFlight: Int = 256) {
        self.maximumFrameBytes = max(1, maximumFrameBytes)
        self.maximumCallsInFlight = max(1, maximumCallsInFlight)
    }
}
