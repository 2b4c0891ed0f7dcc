import Bookings
import Glibc
import Spool

/// The clock, from which ids, delays and expiry come.
struct ClockCheck: HealthCheck {
    static let name = "clock"
    private static let mend = "sudo timedatectl set-ntp true"

    /// How far it may be behind a file's time, which comes from the same clock.
    private static let tolerance = Duration.seconds(60)

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        let spool = SpoolDirectory(root: site.settings.spool.directory)
        let paths = ["/proc/self/exe"] + SpoolPlace.allCases.map(spool.path(of:))
        let newest = paths.compactMap { path in Self.changed(path).map { (path, $0) } }.max { $0.1 < $1.1 }
        let synchronised =
            site.isBooted
            ? ProgramOutput(["timedatectl", "show", "--property=NTPSynchronized", "--value"])?.text : nil
        return Self.judge(
            now: .now(), newest: newest, isSynchronised: synchronised.map { $0.hasPrefix("yes") })
    }

    private static func changed(_ path: String) -> Timestamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Timestamp(
            milliseconds: Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec / 1_000_000))
    }

    /// - Parameters:
    ///   - newest: the youngest of the program and of the spool's directories.
    ///   - isSynchronised: nil when nobody tells.
    static func judge(
        now: Timestamp, newest: (path: String, changed: Timestamp)?, isSynchronised: Bool?
    ) -> [HealthFinding] {
        if let newest, newest.changed.since(now) > tolerance {
            return [problem("It is \(now), and \(newest.path) is of \(newest.changed).", mend: mend)]
        }
        switch isSynchronised {
        case true: return [ok("It is \(now), and the clock is synchronised.")]
        case false: return [warning("It is \(now), and nothing synchronises the clock.", mend: mend)]
        case nil: return [note("It is \(now); nobody tells whether the clock is synchronised.")]
        }
    }
}
