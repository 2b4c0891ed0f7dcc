import Bookings
import Glibc
import PostgreSQL

/// Where the password of the database is kept.
enum DatabasePassword {
    private static let directory = "/etc/acms"
    /// The file of an installed system, which the manager hands to the services.
    static let file = "\(directory)/postgres-password"

    /// The directory that a verb finds it in: that of the service that it runs in, or the installed system's.
    static func place(_ environment: [String: String]) -> String? {
        environment["CREDENTIALS_DIRECTORY"] ?? (access(file, R_OK) == 0 ? directory : nil)
    }
}
