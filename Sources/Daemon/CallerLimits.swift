public import Bookings
public import Logging
public import Varlink

/// What callers may cost a daemon: the admission that all its servers share, and what the log is told of it.
public struct CallerLimits: Sendable {
    /// For the servers.
    public let admission: Admission
    private let report: LimitReport

    /// - Parameters:
    ///   - settings: the limits.
    ///   - logger: gets the events.
    public init(_ settings: Settings.Server, logger: Logger) {
        let report = LimitReport(logger)
        self.report = report
        admission = Admission { report.reached($0) }
        reconfigure(settings)
    }

    /// Takes new limits over while running.
    public func reconfigure(_ settings: Settings.Server) {
        let limits = ServerLimits(settings)
        admission.reconfigure(limits)
        report.reconfigure(limits, settings)
    }
}
