import CSystemd
import Glibc

/// Tells the service manager how this service is, with the protocol of sd_notify(3). Every call does nothing
/// where there is no service manager.
///
/// The socket's path is a value given to the initializer, not an environment variable read at each call as
/// sd_notify(3) does it, so that two notifiers can live in one process; the protocol is a stable one, and its
/// manual page invites implementations.
public struct ServiceNotifier: Sendable {
    /// How long, in seconds, a change of state waits for a busy manager. A lost READY=1 would make the
    /// start time out, whereas a lost status is replaced by the next one.
    private static let patience = 5

    private let socketPath: String?

    /// Notifies the manager that `NOTIFY_SOCKET` names in this process's environment.
    public init() {
        self.init(socketPath: getenv("NOTIFY_SOCKET").map { String(cString: $0) })
    }

    /// Notifies the manager that listens at a path, or in the abstract namespace after a leading `@`.
    ///
    /// - Parameter socketPath: The value of `NOTIFY_SOCKET`; nil for no manager.
    public init(socketPath: String?) {
        self.socketPath = socketPath
    }

    /// The service has started, or has finished its reload.
    ///
    /// - Parameter status: One line for `systemctl status`; newlines become spaces.
    public func ready(status: String) {
        notify(["READY=1", Self.statusLine(status)], patience: Self.patience)
    }

    /// Sets the line that `systemctl status` shows. Never blocks.
    ///
    /// - Parameter text: One line; newlines become spaces.
    public func status(_ text: String) {
        notify([Self.statusLine(text)])
    }

    /// The service reloads its configuration; `ready(status:)` ends that, also when it fails.
    public func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int(now.tv_sec) * 1_000_000 + Int(now.tv_nsec) / 1000
        notify(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"], patience: Self.patience)
    }

    /// The service is about to end.
    ///
    /// - Parameter status: One line for `systemctl status`; newlines become spaces.
    public func stopping(status: String) {
        notify(["STOPPING=1", Self.statusLine(status)], patience: Self.patience)
    }

    /// The service is alive. Call it at half of `watchdogInterval`. Never blocks.
    public func watchdog() {
        notify(["WATCHDOG=1"])
    }

    /// The time within which the manager must hear `watchdog()`, or nil when it doesn't watch this process
    /// (`WATCHDOG_USEC` and `WATCHDOG_PID`, sd_watchdog_enabled(3)).
    public static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    private func notify(_ lines: [String], patience: Int = 0) {
        guard let socketPath, let socket = DatagramSocket(path: socketPath) else { return }
        // Nothing sensible is left to do when the manager can't be told.
        _ = socket.send(Array(lines.joined(separator: "\n").utf8), patience: patience)
    }

    /// The protocol is lines of assignments, so that a newline in the text could assign anything.
    private static func statusLine(_ text: String) -> String {
        "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    }
}
