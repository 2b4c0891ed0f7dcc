import Bookings
import Glibc

/// The acms that `acmsctl doctor` looks at, and what it needs to know to do so.
struct ExaminedSite: Sendable {
    let settings: Settings
    /// The configuration that was named.
    let config: String?
    /// Whether acms' units serve it; otherwise it is somebody's own place, with daemons in the foreground.
    var isInstalled: Bool
    /// Whether PID 1 is systemd: sd_booted(3).
    var isBooted: Bool
    var isRoot: Bool
    /// How long a daemon may take to answer.
    let timeout: Duration
    let output: Output
    /// The database, if that keeps queue and table.
    let database: ExaminedDatabase?
    /// Whether a variable says where the database is, and not the configuration's file.
    let hasURLInEnvironment: Bool

    init(
        settings: Settings, config: String?, timeout: Duration, output: Output,
        environment: [String: String] = [:]
    ) {
        self.settings = settings
        self.config = config
        self.timeout = timeout
        self.output = output
        database = settings.engine == .postgres ? ExaminedDatabase(settings.postgres, environment) : nil
        hasURLInEnvironment = environment["ACMS_POSTGRES_URL"] != nil
        let unitPlaces = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
        // The units listen where a configuration without sockets says.
        isInstalled =
            settings.socket == Settings.Socket()
            && unitPlaces.contains { access("\($0)/acms-front.socket", F_OK) == 0 }
        isBooted = access("/run/systemd/system", F_OK) == 0
        isRoot = geteuid() == 0
    }

    /// The configuration that was read.
    var configFile: String { config ?? Settings.defaultFile }

    /// The directories that the engine keeps something in.
    var directories: [String] {
        let table = settings.table.path.lastIndex(of: "/").map { String(settings.table.path[..<$0]) } ?? "."
        return [settings.spool.directory] + (settings.engine == .embedded ? [table] : [])
    }

    /// What sets something else in the configuration.
    var editing: String { "sudo editor \(configFile.shellWord)\(restarting)" }

    /// What has the daemons take over what they only read at their start, behind another command.
    var restarting: String {
        isInstalled ? " && sudo systemctl restart acms-front.service acms-worker.service" : ""
    }

    /// What to do about what only root may look at.
    var asRoot: String { acmsctl("doctor") }

    /// A verb of acmsctl about this site, for root.
    func acmsctl(_ verb: String) -> String {
        "sudo acmsctl \(verb)" + (config.map { " --config \($0.shellWord)" } ?? "")
    }

    /// Whether a failure is one of permission that root doesn't have.
    func lacksPermission(_ errno: Int32) -> Bool { !isRoot && (errno == EACCES || errno == EPERM) }
}

/// Accounts of this host by number.
enum Accounts {
    /// The name of a user; the number where it has none.
    static func user(_ uid: uid_t) -> String {
        getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "\(uid)"
    }

    /// The name of a group; the number where it has none.
    static func group(_ gid: gid_t) -> String {
        getgrgid(gid).map { String(cString: $0.pointee.gr_name) } ?? "\(gid)"
    }
}
