import BookingTable
import Bookings
import Foundation
import PostgreSQL
import Spool
import Support
import Testing

@Suite struct RefusedMoveTests {
    @Test func `what stands against another host's is named, and nothing is given up until it is decided`()
        async throws
    {
        let first = try await MigratedPlace()
        let pending = try MigratedPlace.message(1, user: "u", apartment: "A")
        let approved = try MigratedPlace.message(2, user: "v", apartment: "B")
        let keyed = try MigratedPlace.message(3, user: "w", apartment: "C", key: "k")
        try first.commit([pending, approved, keyed])
        try first.approve(approved)
        _ = try await first.migrate(to: "postgres")

        let second = try await MigratedPlace(schema: first.schema)
        let others = [
            try MigratedPlace.message(11, user: "u", apartment: "A", from: "2028-01-01", to: "2028-01-02"),
            try MigratedPlace.message(12, user: "x", apartment: "B", from: "2027-01-04", to: "2027-01-09"),
            try MigratedPlace.message(13, user: "w", apartment: "D", key: "k"),
            try MigratedPlace.message(14, user: "y", apartment: "E"),
        ]
        try second.commit(others)
        try second.approve(others[1])
        let before = try second.embedded()
        for options in [["--dry-run"], []] {
            let refused = try await second.migrate(to: "postgres", "--json", options.first ?? "--json")
            #expect(refused.status == 1)
            for (other, message) in zip([pending, approved, keyed], others) {
                #expect(refused.output.contains(#""id":"\#(message.id)","otherId":"\#(other.id)""#))
            }
            #expect(!refused.output.contains(others[3].id.description + #"","otherId"#))
            #expect(try second.embedded() == before)
        }
        let told = try await second.migrate(to: "postgres")
        #expect(told.errors.contains("\(others[0].id): The user has the PENDING booking \(pending.id)"))

        _ = try await first.run(
            "UPDATE bookings SET booking_status = 'CANCELLED' WHERE id IN ('\(pending.id)', '\(approved.id)')"
        )
        _ = try await first.run("UPDATE bookings SET idempotency_key = NULL WHERE id = '\(keyed.id)'")
        #expect(try await second.migrate(to: "postgres").status == 0)
        #expect(try second.postgres().bookings.count == 7)
    }

    @Test func `what waits stands against another host's as well`() async throws {
        let first = try await MigratedPlace()
        let booked = try MigratedPlace.message(1, user: "u", apartment: "A")
        try first.commit([booked])
        _ = try await first.migrate(to: "postgres")
        let second = try await MigratedPlace(schema: first.schema)
        let waiting = try MigratedPlace.message(2, user: "u", apartment: "A")
        let producer = SpoolProducer(second.spool)
        try producer.enqueue([waiting, try MigratedPlace.message(3)])
        producer.finish()
        let refused = try await second.migrate(to: "postgres", "--json")
        #expect(refused.status == 1)
        #expect(refused.output.contains(#""id":"\#(waiting.id)","otherId":"\#(booked.id)""#))
        #expect(try second.embedded().messages.count == 2)
        #expect(try second.postgres().messages.isEmpty)
    }

    @Test func `nothing is moved while a daemon has the spool`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        let lock = try SpoolLock(place.spool)
        for engine in ["postgres", "embedded"] {
            let refused = try await place.migrate(to: engine)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("acms-workerd runs on this host"))
            #expect(refused.errors.contains("systemctl stop acms.target"))
        }
        let look = try await place.migrate(to: "postgres", "--dry-run", "--json")
        #expect(look.status == 1)
        #expect(look.output.contains(#""bookings":30"#))
        #expect(look.output.contains(#""obstacles":["acms-workerd runs on this host"#))
        withExtendedLifetime(lock) {}
    }

    @Test func `nothing is moved while a front has the spool`() async throws {
        let place = try await MigratedPlace()
        let front = SpoolProducer(place.spool)
        try front.prepare()
        let refused = try await place.migrate(to: "postgres")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("acms-frontd runs on this host"))
        front.finish()
        #expect(try await place.migrate(to: "postgres").status == 0)
    }

    @Test func `nothing is moved out of the database while daemons are connected to it`() async throws {
        let place = try await MigratedPlace(database: PostgresServer.shared().makeDatabase())
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        let moved = try place.postgres()
        let daemon = try ChildProcess(
            place.server.psql("SELECT pg_sleep(600)", schema: place.schema, database: place.database),
            environment: ["PATH": "/usr/bin:/bin", "PGAPPNAME": "acms-workerd"], output: 2, errors: 2)
        try await eventually("the connection") {
            try await place.run(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'acms-workerd'") != ["0"]
        }
        let refused = try await place.migrate(to: "embedded")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("acms-workerd from a local socket"))
        daemon.signal(SIGKILL)
        _ = await daemon.end()
        #expect(try place.postgres() == moved)
    }

    @Test func `two don't move at the same time, and a daemon is known whatever its URL calls it`()
        async throws
    {
        let place = try await MigratedPlace(database: PostgresServer.shared().makeDatabase())
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        var settings = Settings.Postgres()
        settings.url = place.server.url(of: place.database) + "?application_name=host2"
        settings.schema = place.schema
        let other = try TransferDatabase(
            DatabaseTarget(settings, program: "acms-workerd", credentials: nil), isReading: false)
        let refused = try await place.migrate(to: "embedded")
        #expect(refused.status == 69)
        #expect(refused.errors.contains("Another acmsctl moves bookings"), "\(refused.errors)")
        let reading = try TransferDatabase(
            DatabaseTarget(settings, program: "acmsctl", credentials: nil), isReading: true)
        #expect(try reading.connectedDaemons() == ["acms-workerd from a local socket"])
        // What came meanwhile isn't given up.
        let count = try await place.run(
            "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM bookings)")
        let before = try #require(count.first.flatMap { Int($0) })
        #expect(throws: TransferTrouble.self) { try other.giveUp(before - 1, to: "nowhere") }
        #expect(
            try await place.run("SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM bookings)")
                == count)
    }

    @Test func `a pause that is over in the database doesn't stand against one that is not`() async throws {
        let place = try await MigratedPlace()
        try place.fill()
        _ = try await place.migrate(to: "postgres")
        try place.server.sql(
            "UPDATE control SET is_paused = true, paused_until = now() - interval '1 day'",
            schema: place.schema)
        var settings = Settings.Postgres()
        settings.url = place.server.url(of: place.database)
        settings.schema = place.schema
        let database = try TransferDatabase(
            DatabaseTarget(settings, program: "acmsctl", credentials: nil), isReading: false)
        let pause = QueuePause(until: nil, since: MigratedPlace.now, uid: 7)
        try database.setPause(pause)
        #expect(try database.pause() == pause)
    }

    @Test func `a password is never shown`() async throws {
        let place = try await MigratedPlace()
        for url in [
            "postgresql://u:se-cret@127.0.0.1:1/acms", "postgresql://u:se-cret@[127.0.0.1/acms",
            "postgresql://u:se-cret@host:port/acms", "postgresql://u@127.0.0.1:1/acms?password=se-cret",
        ] {
            let failed = try await place.migrate(to: "postgres", url: url)
            #expect(failed.status == 69)
            #expect(!failed.errors.contains("se-cret"), "\(url)")
            #expect(!failed.output.contains("se-cret"))
        }
    }

    @Test func `the database must be named`() async throws {
        let place = try await MigratedPlace()
        let failed = try await place.migrate(to: "postgres", environment: ["ACMS_POSTGRES_URL": ""])
        #expect(failed.status == 78)
        #expect(failed.errors.contains("postgres.url"))
    }
}
