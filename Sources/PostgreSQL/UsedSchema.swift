import Synchronization

/// Which schema this process has used, so that it doesn't go on with an empty one in its place.
final class UsedSchema: Sendable {
    private let used = Mutex<String?>(nil)
    private let onMade: @Sendable (String) -> Void

    /// - Parameter onMade: called with the name of a schema that was made.
    init(onMade: @escaping @Sendable (String) -> Void) { self.onMade = onMade }

    /// ``Schema/Present/identity`` of the one that was used first; nil before that.
    var identity: String? { used.withLock { $0 } }

    func use(_ identity: String) { used.withLock { $0 = $0 ?? identity } }

    func made(_ schema: String) { onMade(schema) }
}
