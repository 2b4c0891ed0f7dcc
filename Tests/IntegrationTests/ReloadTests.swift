import Bookings
import Foundation
import Support
import Testing

/// SIGHUP reads the configuration anew; an invalid one changes nothing.
@Suite struct ReloadTests {
    @Test(.timeLimit(.minutes(1))) func theWorkerTakesAValidFileOverAndKeepsItWhenTheNextIsInvalid()
        async throws
    {
        let site = try Site()
        try configure(site, "worker:\n  max-receive-count: 3\n")
        let front = try await site.startFront()
        let worker = try site.start("acms-workerd", arguments: ["--config", file(site)])
        try await curse(site)
        #expect(try await receives(site, "first") == 3)

        try configure(site, "worker:\n  max-receive-count: 5\n")
        worker.signal(SIGHUP)
        try await told(site, "acms-workerd", "The configuration was read anew.")
        #expect(try await receives(site, "second") == 5)

        try configure(site, "worker:\n  max-receive-count: none\n")
        worker.signal(SIGHUP)
        try await told(
            site, "acms-workerd",
            "\(file(site)): worker.max-receive-count: must be an integer, is none")
        #expect(try await receives(site, "third") == 5)

        try FileManager.default.removeItem(atPath: file(site))
        worker.signal(SIGHUP)
        try await told(site, "acms-workerd", "\(file(site)): can't be read: No such file or directory")
        #expect(try await receives(site, "fourth") == 5)
        let log = try site.log(of: "acms-workerd")
        #expect(log.components(separatedBy: "The new configuration is invalid").count == 3)
        #expect(worker.isRunning)
        await front.stop()
        await worker.stop()
    }

    @Test(.timeLimit(.minutes(1))) func theFrontGoesOnWhenTheNewFileIsInvalid() async throws {
        let site = try Site()
        try configure(site, "")
        let front = try site.start("acms-frontd", arguments: ["--config", file(site)])
        try await site.reachable("Bookings")
        try configure(site, "front:\n  bind-users: perhaps\n")
        front.signal(SIGHUP)
        try await told(
            site, "acms-frontd",
            "The new configuration is invalid, the old one stays in force. "
                + "\(file(site)): front.bind-users: must be true or false, is perhaps")
        #expect(try await site.progress(of: try await site.book("u")) == .queued)
        #expect(await front.stop() == 0)
    }

    private func file(_ site: Site) -> String { "\(site.directory.path)/acms.yaml" }

    private func configure(_ site: Site, _ yaml: String) throws {
        try site.directory.write(yaml, to: "acms.yaml")
    }

    private func told(_ site: Site, _ program: String, _ text: String) async throws {
        try await eventually("\(program) to log “\(text)”") { try site.log(of: program).contains(text) }
    }

    /// How often a booking that the table refuses is received before it is a dead letter.
    private func receives(_ site: Site, _ user: String) async throws -> Int? {
        let id = try await site.book(user, "cursed")
        #expect(try await site.settled(id).progress == .deadLettered)
        return try await site.deadLetters().first { $0.id == id }?.receiveCount
    }
}
