import Bookings
import Logging
import Synchronization
import Systemd
import Testing
import Varlink

@testable import Daemon

@Suite struct LimitReportTests {
    /// Collects what is logged.
    private final class Collector: LogHandler, Sendable {
        let lines = Mutex<[(level: Logger.Level, text: String, metadata: Logger.Metadata)]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .debug }
            set {}
        }
        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append((event.level, "\(event.message)", event.metadata ?? [:])) }
        }
    }

    /// Time that stands still until it is moved.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func move(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private let collector = Collector()
    private let clock = Clock()
    private let report: LimitReport

    init() {
        report = LimitReport(
            Logger(label: "test") { [collector] _ in collector }, now: { [clock] in clock.now })
    }

    private func reach(_ limit: LimitReached.Limit, uid: UInt32 = 7) {
        report.reached(LimitReached(limit: limit, peer: Peer(uid: uid, gid: 0, pid: 42)))
    }

    private var lines: [(level: Logger.Level, text: String, metadata: Logger.Metadata)] {
        collector.lines.withLock { $0 }
    }

    @Test func `many closings at a limit are one entry in 30 seconds, and the next one tells of them`() throws
    {
        for _ in 0..<1000 { reach(.connections) }
        try #require(lines.count == 1)
        #expect(lines[0].level == .warning)
        #expect(lines[0].text.hasPrefix("Closed a connection of uid 7: 16000 connections are open"))
        #expect(lines[0].metadata["MESSAGE_ID"] == .event(.connectionLimit))
        #expect(lines[0].metadata["peer-pid"].map { "\($0)" } == "42")
        clock.move(.seconds(29))
        reach(.connections)
        #expect(lines.count == 1)
        clock.move(.seconds(1))
        reach(.connections, uid: 8)
        try #require(lines.count == 2)
        #expect(lines[1].text.contains("uid 8"))
        #expect(lines[1].text.hasSuffix(" 1000 others since the last such entry."))
    }

    @Test func `each limit has entries of its own, with the name of its setting`() {
        for limit in LimitReached.Limit.allCases { reach(limit) }
        let names = [
            "server.max-connections", "server.max-connections-per-uid", "server.max-bytes-in-flight",
            "server.partial-call-timeout-seconds", "server.idle-timeout-seconds",
            "server.idle-timeout-seconds",
        ]
        #expect(lines.count == names.count)
        for (line, name) in zip(lines, names) { #expect(line.text.contains(name)) }
        #expect(
            lines.map(\.level) == Array(repeating: .warning, count: 5) + [.debug],
            "a forgotten connection is nothing")
    }

    @Test(arguments: [
        (300, 150), (600, 344), (1024, 768), (16_384, 16_000), (16_255, 15_999), (64, 32),
        (1_048_576, 16_000),
    ])
    func `some descriptors are left for everything else`(descriptors: Int, connections: Int) {
        let limits = ServerLimits(Settings.Server(), descriptors: descriptors)
        #expect(limits.maximumConnections == connections)
    }

    @Test func `every setting becomes a limit`() {
        var settings = Settings.Server()
        settings.maxConnections = 11
        settings.maxConnectionsPerUID = 12
        settings.maxCallsInFlight = 13
        settings.maxBytesInFlight = 14
        settings.idleTimeout = .seconds(15)
        settings.partialCallTimeout = .seconds(16)
        let connection = ConnectionLimits(
            maximumCallsInFlight: 13, idleTimeout: .seconds(15), partialCallTimeout: .seconds(16))
        let expected = ServerLimits(
            maximumConnections: 11, maximumConnectionsPerUser: 12, maximumBytesInFlight: 14,
            connection: connection)
        #expect(ServerLimits(settings, descriptors: 1000) == expected)
    }

    @Test func `too few descriptors for the configuration are told`() {
        let settings = Settings.Server()
        report.reconfigure(ServerLimits(settings, descriptors: 100_000), settings)
        #expect(lines.isEmpty)
        report.reconfigure(ServerLimits(settings, descriptors: 1024), settings)
        #expect(lines.map(\.text).first?.hasPrefix("At most 768 connections are served, not 16000") == true)
    }
}
