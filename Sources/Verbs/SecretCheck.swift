import Bookings
import FoundationEssentials
import Glibc
import PostgreSQL

/// The password of the database: nobody can read it whom it isn't for.
struct SecretCheck: HealthCheck {
    static let name = "secrets"

    /// What keeps a password that is typed.
    static let keeping = "sudo install -m 0600 /dev/stdin \(DatabasePassword.file)"

    /// Who may read a file.
    struct File: Hashable, Sendable {
        var path: String
        var mode: UInt32
        var group = "root"
    }

    func findings(_ site: ExaminedSite) async -> [HealthFinding] {
        // What a variable sets isn't in the file.
        let isInFile = !site.hasURLInEnvironment && DatabaseTarget.holdsPassword(site.settings.postgres.url)
        return Self.judge(
            password: site.isInstalled ? Self.file(DatabasePassword.file) : nil,
            config: isInFile ? Self.file(site.configFile) : nil, site)
    }

    private static func file(_ path: String) -> File? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return File(path: path, mode: status.st_mode & 0o7777, group: Accounts.group(status.st_gid))
    }

    /// - Parameters:
    ///   - password: the file of the password, if it is there.
    ///   - config: the configuration, if it holds a password.
    static func judge(password: File?, config: File?, _ site: ExaminedSite) -> [HealthFinding] {
        var findings: [HealthFinding] = []
        if let password, let reader = reader(of: password) {
            findings.append(
                problem(
                    "\(password.path) can be read by \(reader), and with it the database's password.",
                    mend: "sudo chmod 0600 \(password.path.shellWord)"))
        }
        if let config, config.mode & 0o004 != 0 {
            findings.append(
                site.isInstalled
                    ? warning(
                        "\(config.path) can be read by everybody, and postgres.url holds a password. Keep it in "
                            + "\(DatabasePassword.file), and take it out of the URL.",
                        mend: "\(keeping) && \(site.editing)")
                    : warning(
                        "\(config.path) can be read by everybody, and postgres.url holds a password.",
                        mend: "chmod o= \(config.path.shellWord)"))
        }
        guard findings.isEmpty else { return findings }
        return password == nil && config == nil ? [] : [ok("The database's password is kept from others.")]
    }

    /// Who can read a file besides its owner.
    private static func reader(of file: File) -> String? {
        if file.mode & 0o004 != 0 { return "everybody" }
        return file.mode & 0o040 != 0 && file.group != "root" ? "the group \(file.group)" : nil
    }
}
