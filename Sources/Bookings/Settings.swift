public struct Settings: Sendable, Equatable {
    public struct Spool: Sendable, Equatable { public var directory = "/var/lib/acms/spool" }
    public struct Table: Sendable, Equatable { public var path = "/var/lib/acms/table/acms.sqlite" }
    public struct Socket: Sendable, Equatable { public var bookings = ""; public var queue = ""; public var caretaker = "" }
    public struct Worker: Sendable, Equatable { public var batchSize = 10; public var maxReceiveCount = 10; public var retryInitial = Duration.seconds(1); public var retryMaximum = Duration.seconds(300); public var idleExit = Duration.seconds(30) }
    public struct Log: Sendable, Equatable { public var level = Level.info
      public enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical } }
    public var spool = Spool(); public var table = Table(); public var socket = Socket(); public var worker = Worker(); public var log = Log()
    public static func load(file: String?, environment: [String: String]) async throws -> Settings { .init() }
}
