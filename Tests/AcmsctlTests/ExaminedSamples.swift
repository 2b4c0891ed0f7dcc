import Bookings
import Foundation

@testable import Verbs

extension ExaminedSite {
    /// An installed acms that root looks at, on a system that systemd has booted.
    static func sample(
        _ settings: Settings = Settings(), isInstalled: Bool = true, isRoot: Bool = true,
        config: String? = nil
    ) -> ExaminedSite {
        var site = ExaminedSite(
            settings: settings, config: config, timeout: .seconds(5),
            output: Output(terminal: .none, isJSON: false))
        site.isInstalled = isInstalled
        site.isBooted = true
        site.isRoot = isRoot
        return site
    }
}

extension Settings {
    /// A configuration whose queue and table are in a database.
    static func shared(
        url: String = "postgresql://acms@db/acms", buffer: Postgres.Buffer = .none
    ) -> Settings {
        var settings = Settings()
        settings.engine = .postgres
        settings.postgres.url = url
        settings.postgres.buffer = buffer
        return settings
    }
}

extension [HealthFinding] {
    var severities: [HealthFinding.Severity] { map(\.severity) }
    var mends: [String] { compactMap(\.mend) }
}

/// A file of the sources.
func source(_ path: String) throws -> String {
    let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try String(contentsOf: URL(fileURLWithPath: "/\(package)/\(path)"), encoding: .utf8)
}
