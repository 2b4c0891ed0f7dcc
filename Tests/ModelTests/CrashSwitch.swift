import Synchronization

/// Decides when a process is no more: after so many of its changes.
final class CrashSwitch: Sendable {
    /// Changes that are still made; nil for any number.
    private let remaining = Mutex<Int?>(nil)

    /// Crashes once so many more changes were made.
    func crash(after changes: Int) { remaining.withLock { $0 = changes } }

    var isCrashed: Bool { remaining.withLock { $0 == 0 } }

    /// A change is about to be made.
    ///
    /// - Returns: false when the process is no more.
    func mayChange() -> Bool {
        remaining.withLock { remaining in
            guard let left = remaining else { return true }
            guard left > 0 else { return false }
            remaining = left - 1
            return true
        }
    }
}
