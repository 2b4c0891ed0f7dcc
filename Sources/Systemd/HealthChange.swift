/// Turns what is seen again and again into its changes, so that a state is logged once and not once a try.
public struct HealthChange: Sendable {
    /// Why the thing can't be used; nil while it can.
    public private(set) var trouble: String?

    /// What has changed.
    public enum Change: Hashable, Sendable {
        /// It can't be used any more, or for another reason than before.
        case failed(String)
        /// It can be used again.
        case recovered
    }

    /// Begins healthy.
    public init() {}

    /// Notes what was seen: trouble, or nil for none.
    ///
    /// - Returns: the change, nil when all is as before.
    public mutating func note(_ seen: String?) -> Change? {
        guard seen != trouble else { return nil }
        trouble = seen
        return seen.map(Change.failed) ?? .recovered
    }
}
