public import Bookings
import Glibc
public import Varlink

extension ServerLimits {
    /// How many descriptors a daemon needs for itself: spool, table, journal, event loops, and a few connections that
    /// are about to be refused.
    public static let reservedDescriptors = 256

    /// The limits of the configuration, as far as there are descriptors for them.
    ///
    /// - Parameter descriptors: the limit of open files.
    public init(_ settings: Settings.Server, descriptors: Int = Self.descriptorLimit) {
        self.init(
            maximumConnections: min(settings.maxConnections, Self.connections(descriptors)),
            maximumConnectionsPerUser: settings.maxConnectionsPerUID,
            maximumBytesInFlight: settings.maxBytesInFlight,
            connection: .init(
                maximumCallsInFlight: settings.maxCallsInFlight, idleTimeout: settings.idleTimeout,
                partialCallTimeout: settings.partialCallTimeout))
    }

    /// The limit of open files of this process (RLIMIT_NOFILE of getrlimit(2)).
    public static var descriptorLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(min(limit.rlim_cur, rlim_t(Int32.max)))
    }

    /// How many connections so many descriptors are enough for; of few, half.
    private static func connections(_ descriptors: Int) -> Int {
        max(descriptors - reservedDescriptors, descriptors / 2)
    }
}
