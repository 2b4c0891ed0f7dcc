import Bookings
import Foundation
import Support
import Testing

/// Who may do what is decided by the owners, groups and modes that the files in `systemd/` give.
@Suite(
    .enabled("Only root can run the daemons as other users, who must be able to reach the built programs.") {
        try await Identity.canRunPrograms()
    })
struct RightsTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Rights/attempts.py")

    /// What came of each attempt, of those that should succeed and of those that should not.
    private struct Outcomes {
        var fine: [String: String] = [:]
        var forbidden: [String: String] = [:]
    }

    private func attempts(_ arguments: [String], as identity: Identity?) async throws -> Outcomes {
        let text = try String(contentsOf: Self.script, encoding: .utf8)
        let command = ["/usr/bin/python3", "-c", text] + arguments
        let run = try await Command.run(identity?.command(command) ?? command)
        try #require(run.status == 0, "\(run.errors)")
        var outcomes = Outcomes()
        let parts = run.lines.split(separator: "--", omittingEmptySubsequences: false)
        for line in parts.first ?? [] { add(line, to: &outcomes.fine) }
        for line in parts.dropFirst().joined() { add(line, to: &outcomes.forbidden) }
        return outcomes
    }

    private func add(_ line: String, to outcomes: inout [String: String]) {
        let fields = line.split(separator: "\t").map(String.init)
        outcomes[fields[0]] = fields.last
    }

    private func start(_ place: InstalledSite) async throws -> [RunningDaemon] {
        [
            try await place.start(
                "acms-workerd", as: "acms-worker",
                ["Queue": "acms-worker.socket", "Caretaker": "acms-caretaker.socket"]),
            try await place.start("acms-frontd", as: "acms-front", ["Bookings": "acms-front.socket"]),
        ]
    }

    @Test(.timeLimit(.minutes(2)))
    func theFrontsUserCanReadTheTableAndTheQueueAndChangeNeitherBesidesWhatItAddsToTheQueue() async throws {
        let place = try InstalledSite([
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "60", "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "60",
        ])
        let site = place.site
        let daemons = try await start(place)
        try await curse(site)
        let id = try await site.book("u", "B")
        #expect(try await site.settled(id).progress == .committed)
        #expect(try await site.approve(id).booking.bookingStatus == .approved)
        let deferred = try await site.book("u", "cursed")
        try await eventually("the deferral") { try await site.progress(of: deferred) == .deferred }
        try await workLetters(site)
        try await site.pause()

        let front = try place.identity("acms-front")
        let worker = try place.identity("acms-worker")
        // As if the worker had something in hand, and the front something to add.
        for (path, owner) in [("active/held", worker), ("tmp/own", front)] {
            try site.directory.write("", to: "spool/\(path)")
            try place.own("\(site.directory.path)/spool/\(path)", owner.user, front.group, 0o640)
        }
        let asFront = try await attempts(["files", site.directory.path], as: front)
        #expect(asFront.fine.count >= 7)
        for (what, outcome) in asFront.fine { #expect(outcome == "done", "\(what)") }
        #expect(asFront.forbidden.count > 90)
        for (what, outcome) in asFront.forbidden {
            let isRefused =
                ["EACCES", "EPERM"].contains(outcome) || outcome == "attempt to write a readonly database"
            #expect(isRefused, "\(what): \(outcome)")
        }
        try await site.resume()
        #expect(try await site.settled(try await site.book("after")).progress == .committed)
        try await site.pause()
        for daemon in daemons { #expect(await daemon.stop() == 0) }
        // The attempts are such that they succeed where nothing forbids them.
        let asRoot = try await attempts(["files", site.directory.path], as: nil)
        #expect(asRoot.forbidden.keys.sorted() == asFront.forbidden.keys.sorted())
        for (what, outcome) in asRoot.forbidden { #expect(outcome == "done", "\(what)") }
    }

    /// The worker's user may redrive letters and delete them, and the front's user sees what is set aside. One
    /// letter is left.
    private func workLetters(_ site: Site) async throws {
        #expect(try await site.settled(try await site.book("first")).progress == .committed)
        let lines = [("v", "2026-02-30"), ("w", "2026-02-30"), ("first", "2026-03-01")].map {
            #"{"input":{"userId":"\#($0)","apartmentId":"A","startDate":"\#($1)","endDate":"2026-03-05"}}"#
        }
        try site.drop("bad", lines.joined(separator: "\n").utf8)
        try await eventually("the letters") { try await site.deadLetters().count == 3 }
        let letters = (1...3).map { BookingID.derived(fileName: "bad", line: $0).description }
        #expect(try await site.progress(of: letters[2]) == .deadLettered)
        let redriven = try await site.redrive(.init(ids: [letters[0]], input: site.input("v")))
        #expect(redriven == .init(redriven: [letters[0]], failed: []))
        #expect(try await site.settled(letters[0]).progress == .committed)
        #expect(try await site.delete(.init(ids: [letters[1]])).deleted == [letters[1]])
        #expect(try await site.deadLetters().map(\.id) == [letters[2]])
    }

    @Test(.timeLimit(.minutes(1))) func eachSocketIsForItsGroupAlone() async throws {
        let place = try InstalledSite()
        let daemons = try await start(place)
        let sockets = ["Bookings", "Queue", "Caretaker"]
        let paths = sockets.map(place.site.socket)
        let rules: [(group: String?, allowed: String?)] = [
            (nil, nil), ("acms-clients", "Bookings"), ("acms-admins", "Queue"),
            ("acms-caretakers", "Caretaker"), ("acms-queue", nil),
        ]
        for (group, allowed) in rules {
            let identity = try place.somebody(in: group)
            let outcomes = try await attempts(["sockets"] + paths, as: identity).fine
            let expected = sockets.map { ("io.acms.\($0)", $0 == allowed ? "done" : "EACCES") }
            #expect(outcomes == Dictionary(uniqueKeysWithValues: expected), "\(group ?? "no group")")
        }
        let asRoot = try await attempts(["sockets"] + paths, as: nil).fine
        #expect(asRoot.count == 3 && asRoot.values.allSatisfy { $0 == "done" })
        for daemon in daemons { #expect(await daemon.stop() == 0) }
    }
}
