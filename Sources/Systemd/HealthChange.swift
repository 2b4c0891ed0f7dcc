/// Turns what is seen again and again into its changes, so that a state is logged once and not once a try.
public struct HealthChange: Sendable {
    /// Why the thing can't be used; nil while it can.
    public private(set) var trouble: String?
    private var kind: String?

    /// What has changed.
    public enum Change: Hashable, Sendable {
        /// It can't be used any more, or for another reason than before.
        case failed(String)
        /// It can be used again.
        case recovered
    }

    /// Begins healthy.
    public init() {}

    /// Notes what was seen.
    ///
    /// - Parameters:
    ///   - seen: the trouble; nil for none.
    ///   - kind: tells one trouble from another where the text differs from try to try; the text itself if nil.
    /// - Returns: the change, nil when all is as before.
    public mutating func note(_ seen: String?, kind newKind: String? = nil) -> Change? {
        let wasHealthy = trouble == nil
        let newKind = newKind ?? seen
        defer { (trouble, kind) = (seen, newKind) }
        guard let seen else { return wasHealthy ? nil : .recovered }
        return wasHealthy || newKind != kind ? .failed(seen) : nil
    }
}
