/// The configuration of acms: built-in defaults under a YAML file under environment variables.
///
/// Each key of the file, `spool.max-messages` for instance, has an environment name: `ACMS_` and the key in upper
/// case with `.` and `-` as `_`.
public struct Settings: Sendable, Equatable {
    /// Where the queue is and how large it may grow.
    public struct Spool: Sendable, Equatable {
        /// The spool's top directory.
        public var directory = "/var/lib/acms/spool"
        /// Most messages that may wait.
        public var maxMessages = 1_000_000
        /// Most bytes that may wait.
        public var maxBytes = 1 << 30
        /// Bytes of its file system that are left free.
        public var minFreeBytes = 64 << 20
        /// The defaults.
        public init() {}
    }

    /// Where committed bookings are.
    public struct Table: Sendable, Equatable {
        /// The table's file.
        public var path = "/var/lib/acms/table/acms.sqlite"
        /// The defaults.
        public init() {}
    }

    /// What keeps the queue and the table.
    public enum Engine: String, Sendable, CaseIterable {
        /// The spool and an SQLite database on this host.
        case embedded
        /// A PostgreSQL database that many hosts share.
        case postgres
    }

    /// The database that hosts share.
    public struct Postgres: Sendable, Equatable {
        /// Where bookings go while the database can't be reached.
        public enum Buffer: String, Sendable, CaseIterable {
            /// Nowhere: they are refused.
            case none
            /// Into this host's spool, from which they are forwarded later.
            case spool
        }

        /// Where it is, as a connection URI of libpq. It may hold a password: it is never to be shown.
        public var url = ""
        /// The schema that acms' tables are in.
        public var schema = "acms"
        /// Where bookings go while it can't be reached.
        public var buffer = Buffer.none
        /// Messages that a worker has received and not settled for so long go back to the queue.
        public var lease = Duration.seconds(15)
        /// A connection that hasn't answered for so long is given up.
        public var timeout = Duration.seconds(10)
        /// The defaults.
        public init() {}
    }

    /// Where clients connect.
    public struct Socket: Sendable, Equatable {
        /// The socket of io.acms.Bookings.
        public var bookings = "/run/acms/io.acms.Bookings"
        /// The socket of io.acms.Queue.
        public var queue = "/run/acms/io.acms.Queue"
        /// The socket of io.acms.Caretaker.
        public var caretaker = "/run/acms/io.acms.Caretaker"
        /// The defaults.
        public init() {}
    }

    /// What callers may cost a daemon.
    public struct Server: Sendable, Equatable {
        /// Most connections that are open at a time.
        public var maxConnections = 16_000
        /// Most of them of one user id.
        public var maxConnectionsPerUID = 12_000
        /// Most calls of a connection that are under way at a time; the next ones wait.
        public var maxCallsInFlight = 256
        /// Most bytes that all connections may hold in calls and in replies that aren't read.
        public var maxBytesInFlight = 128 << 20
        /// A connection without a call, or whose peer doesn't read its replies, is closed after so long; zero for
        /// never.
        public var idleTimeout = Duration.seconds(600)
        /// A call that has begun to arrive must be there whole after so long; zero for ever.
        public var partialCallTimeout = Duration.seconds(30)
        /// The defaults.
        public init() {}
    }

    /// Whom the front takes bookings from.
    public struct Front: Sendable, Equatable {
        /// Whether a booking's user must be the login name of who asks for it.
        public var bindUsers = false
        /// Groups whose members may book for anybody.
        public var trustedGroups: [String] = []
        /// The defaults.
        public init() {}
    }

    /// How the worker works.
    public struct Worker: Sendable, Equatable {
        /// Most messages in a batch.
        public var batchSize = 10
        /// At this receive a message that keeps failing becomes a dead letter.
        public var maxReceiveCount = 10
        /// The delay after the first failed try; it doubles with each.
        public var retryInitial = Duration.seconds(1)
        /// The longest delay.
        public var retryMaximum = Duration.seconds(300)
        /// The worker ends after having been idle for so long; zero for never.
        public var idleExit = Duration.seconds(30)
        /// A booking that is PENDING for so many days is cancelled; zero for never.
        public var pendingExpiresAfterDays = 0
        /// The defaults.
        public init() {}
    }

    /// What is logged.
    public struct Log: Sendable, Equatable {
        /// How much.
        public enum Level: String, Sendable, CaseIterable {
            /// From the most to the least.
            case trace, debug, info, notice, warning, error, critical
        }

        /// The least severe level that is logged.
        public var level = Level.info
        /// The defaults.
        public init() {}
    }

    /// What keeps the queue and the table.
    public var engine = Engine.embedded
    /// The database that hosts share.
    public var postgres = Postgres()
    /// Where the queue is and how large it may grow.
    public var spool = Spool()
    /// Where committed bookings are.
    public var table = Table()
    /// Where clients connect.
    public var socket = Socket()
    /// What callers may cost a daemon.
    public var server = Server()
    /// Whom the front takes bookings from.
    public var front = Front()
    /// How the worker works.
    public var worker = Worker()
    /// What is logged.
    public var log = Log()

    /// The defaults.
    public init() {}
}
