import BookingTable
import Bookings
import Glibc
import PostgreSQL
import Spool

/// The two places that a configuration has for queue and table.
struct MigratedSite {
    let settings: Settings
    /// The file in which to set the engine.
    let config: String
    let isDryRun: Bool
    let time = Timestamp.now()
    let directory: SpoolDirectory
    private let target: DatabaseTarget

    /// Bookings in a portion.
    static let bookings = 2000
    /// Messages in a portion, and in a file of the spool.
    static let messages = 500
    /// Letters in a portion.
    static let letters = 200

    /// A statement over many rows may take longer than a caller would wait.
    private static let patience = Duration.seconds(120)

    init(
        _ settings: Settings, _ config: String?, _ environment: [String: String], isDryRun: Bool
    ) throws(Failure) {
        guard !settings.postgres.url.isEmpty else {
            throw .invalidConfiguration(
                "postgres.url says where the database is that is moved to or from, and is not set.")
        }
        self.settings = settings
        self.config = config ?? "/etc/acms/acms.yaml"
        self.isDryRun = isDryRun
        directory = SpoolDirectory(root: settings.spool.directory)
        var postgres = settings.postgres
        postgres.timeout = max(postgres.timeout, Self.patience)
        target = DatabaseTarget(
            postgres, program: "acmsctl", credentials: DatabasePassword.place(environment))
    }

    func database() throws -> TransferDatabase { try TransferDatabase(target, isReading: isDryRun) }

    /// This host's place, as the database names it to others.
    var place: String {
        var name = utsname()
        uname(&name)
        let host = withUnsafeBytes(of: &name.nodename) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "\(host):\(settings.table.path)"
    }

    /// What this host's daemons stand against: what, and what to do.
    ///
    /// - Throws: unless it is only a dry run.
    func obstacle() throws(Failure) -> String? {
        guard let taken = TransferSpool.user(of: directory) else { return nil }
        return try tolerate(Self.refusal(taken))
    }

    /// - Returns: what stands against a move, for a dry run.
    /// - Throws: otherwise.
    func tolerate(_ refusal: Failure) throws(Failure) -> String {
        guard isDryRun else { throw refusal }
        return refusal.lines.joined(separator: " ")
    }

    private static func refusal(_ taken: SpoolLock.Taken) -> Failure {
        .moveRefused(
            "acms-\(taken.role)d runs on this host; nothing is moved.",
            remedy: "Stop all with 'systemctl stop acms.target', and repeat the command.")
    }

    func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let taken as SpoolLock.Taken {
            throw Self.refusal(taken)
        } catch let error as TransferTrouble {
            throw Failure.moveStopped(error.reason)
        } catch let error as TableUnavailable {
            throw Failure.moveStopped(error.reason)
        } catch let error as QueueUnavailable {
            throw Failure.moveStopped(error.reason)
        } catch let error as SpoolError {
            throw Failure.moveStopped("\(error)")
        }
    }
}
