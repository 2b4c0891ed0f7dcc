public import Bookings
public import Logging

/// Settings that a daemon takes over when it starts, and not while it runs.
public struct StartedSettings: Sendable {
    private let settings: Settings

    /// Remembers those that the daemon was started with.
    public init(_ settings: Settings) {
        self.settings = settings
    }

    /// Tells whoever has changed one of them that the daemon must be started anew.
    public func warn(of newer: Settings, _ logger: Logger) {
        var changed: [String] = []
        if newer.engine != settings.engine { changed.append("engine") }
        if newer.postgres != settings.postgres { changed.append("postgres") }
        if newer.spool.directory != settings.spool.directory { changed.append("spool.directory") }
        if newer.table != settings.table { changed.append("table.path") }
        guard !changed.isEmpty else { return }
        logger.warning(
            "The daemon goes on with the \(changed.joined(separator: ", ")) that it was started with, until it is started anew."
        )
    }
}
