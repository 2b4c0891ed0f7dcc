import Bookings
import PostgreSQL

/// The database of a site. It is looked at once, for all checks that tell of it.
actor ExaminedDatabase {
    /// Whether its server is on this host.
    nonisolated let isOnThisHost: Bool
    private let target: DatabaseTarget
    private var look: Task<DatabaseLook?, Never>?

    /// A look ends after so long whatever it waits for, and a try at one of several hosts after half of this.
    static let limit = Duration.seconds(15)
    private static let patience = Duration.seconds(6)

    init(_ settings: Settings.Postgres, _ environment: [String: String]) {
        var settings = settings
        settings.timeout = min(settings.timeout, Self.patience)
        target = DatabaseTarget(
            settings, program: "acmsctl", credentials: DatabasePassword.place(environment))
        isOnThisHost = target.isOnThisHost
    }

    /// How it is; nil when that could not be found out in time.
    func found() async -> DatabaseLook? {
        let task = look ?? Task { [target] in await DatabaseLook.take(target, within: Self.limit) }
        look = task
        return await task.value
    }
}
