import Bookings
import Foundation
import Support
import Testing

@testable import PostgreSQL

@Suite struct LookTests {
    private func target(_ url: String, _ schema: String = "acms") -> DatabaseTarget {
        var settings = Settings.Postgres()
        settings.url = url
        settings.schema = schema
        return DatabaseTarget(settings, program: "acms-test", credentials: nil)
    }

    private func obstacle(_ look: DatabaseLook) -> DatabaseLook.Obstacle? {
        if case .unusable(let obstacle, _) = look.outcome { obstacle } else { nil }
    }

    @Test func `a look makes no schema, and finds one that is there`() throws {
        let database = try Database()
        let before = DatabaseLook.take(database.target)
        #expect(before.outcome == .empty && before.server?.contains(".") == true)
        #expect(try database.sql("SELECT to_regnamespace('\(database.schema)') IS NULL") == "t\n")
        _ = try database.queue().counts()
        #expect(DatabaseLook.take(database.target).outcome == .usable)
    }

    @Test func `settings that make answers worth less are told, the worst first`() throws {
        let hasty = try Database()
        #expect(DatabaseLook.take(hasty.target).haste?.setting == "fsync")
        let server = try PostgresServer(options: ["fsync=on"])
        #expect(
            DatabaseLook.take(target(server.url)).haste
                == .init(
                    setting: "synchronous_commit",
                    remedy: "ALTER ROLE postgres IN DATABASE postgres SET synchronous_commit = on"))
        try server.sql("ALTER ROLE postgres IN DATABASE postgres SET synchronous_commit = on")
        #expect(DatabaseLook.take(target(server.url)).haste == nil)
    }

    @Test func `a schema that is newer or was moved away is told apart`() throws {
        let database = try Database()
        _ = try database.queue().counts()
        try database.sql("UPDATE control SET moved_to = 'host:/t'")
        let moved = DatabaseLook.take(database.target)
        #expect(obstacle(moved) == .moved && moved.server != nil)
        try database.sql("UPDATE control SET version = 99")
        #expect(obstacle(DatabaseLook.take(database.target)) == .newerSchema)
    }

    @Test func `a database in another encoding is told`() throws {
        let server = try PostgresServer.shared()
        let name = server.freshSchema()
        try server.sql("CREATE DATABASE \(name) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let look = DatabaseLook.take(target(server.url(of: name)))
        #expect(obstacle(look) == .encoding)
    }

    @Test func `a role that may not make the schema is told`() throws {
        let server = try PostgresServer()
        try server.sql("CREATE ROLE poor LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
        let url = server.url.replacing("postgres@", with: "poor@")
        #expect(obstacle(DatabaseLook.take(target(url, "fresh"))) == .rights)
        try server.sql("CREATE SCHEMA fresh AUTHORIZATION poor")
        #expect(DatabaseLook.take(target(url, "fresh")).outcome == .empty)
        try server.sql("CREATE SCHEMA hidden; CREATE TABLE hidden.control (version integer, moved_to text)")
        #expect(obstacle(DatabaseLook.take(target(url, "hidden"))) == .rights)
    }

    @Test func `whom the server doesn't let in is told why, and a server that isn't there is told`() throws {
        let server = try PostgresServer()
        try server.sql("CREATE ROLE locked LOGIN PASSWORD 'right'")
        try server.demandPasswords(of: "locked")
        for user in ["locked", "locked:wrong"] {
            let look = DatabaseLook.take(target(server.url.replacing("postgres@", with: "\(user)@")))
            #expect(obstacle(look) == .password)
        }
        try server.admit("locked", by: "peer")
        let other = DatabaseLook.take(target(server.url.replacing("postgres@", with: "locked@")))
        #expect(obstacle(other) == .peer)
        let absent = DatabaseLook.take(target("postgresql://127.0.0.1:1/acms"))
        #expect(obstacle(absent) == .connection && absent.server == nil)
    }

    @Test func `a look ends in time where nobody answers`() async throws {
        // It takes connections, and says nothing.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> UInt16? in
                guard bind(listener, address, size) == 0, listen(listener, 8) == 0,
                    getsockname(listener, address, &size) == 0
                else { return nil }
                return pointer.pointee.sin_port.bigEndian
            }
        }
        let silent = target("postgresql://127.0.0.1:\(try #require(port))/acms?connect_timeout=20")
        let start = ContinuousClock.now
        #expect(await DatabaseLook.take(silent, within: .milliseconds(300)) == nil)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test(arguments: [
        ("postgresql://acms:x@db/acms", true), ("postgresql://acms@db/acms?sslmode=require&password=x", true),
        ("postgresql://acms:se?cr@et@db/acms", true), ("postgresql://db:5432/acms?user=a@b", false),
        ("postgresql://acms:a@b/c@db/acms", true), ("postgresql://db/acms?sslpassword=x", true),
        ("postgresql://acms@db:5432/acms", false), ("postgresql://db1:1,db2:2/acms", false),
        ("postgresql://acms:@db/acms", false), ("postgresql:///acms?password=", false),
        ("postgresql:///acms?host=/run/a:b@c", false), ("", false),
    ])
    func `it is seen whether a URL holds a password`(url: String, holds: Bool) {
        #expect(DatabaseTarget.holdsPassword(url) == holds)
    }

    @Test(arguments: [
        ("postgresql:///acms", true), ("postgresql://localhost,127.0.0.1/acms", true),
        ("postgresql://acms@%2Frun%2Fpostgresql/acms", true), ("postgresql:///acms?host=/run/p", true),
        ("postgresql://localhost,db/acms", false), ("postgresql://db/acms", false),
        ("postgresql://[x", false),
    ])
    func `it is seen whether a server is on this host`(url: String, isHere: Bool) {
        #expect(target(url).isOnThisHost == isHere)
    }
}
