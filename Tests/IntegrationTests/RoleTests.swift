import Bookings
import Foundation
import Support
import Testing
import Varlink

/// Where users are bound to their logins, nobody books for somebody else.
@Suite(.enabled("calling as another user takes root") { geteuid() == 0 }) struct RoleTests {
    private static let nobody = Identity(user: 65534, group: 65534)
    private static let denied = ServiceError.PermissionDenied.errorName

    /// What a call was answered with.
    private struct Answer: Equatable {
        var id: String?
        var error: String?
        var reason: String?

        init(_ reply: JSONValue) {
            guard case .object(let reply) = reply else { return }
            if case .string(let error)? = reply["error"] { self.error = error }
            guard case .object(let parameters)? = reply["parameters"] else { return }
            if case .string(let id)? = parameters["id"] { self.id = id }
            if case .string(let reason)? = parameters["reason"] { self.reason = reason }
        }
    }

    /// Starts a front to which everybody may connect.
    private func startFront(_ site: Site, _ settings: String) async throws -> RunningDaemon {
        try site.directory.write(settings, to: "acms.yaml")
        let front = try site.start(
            "acms-frontd", arguments: ["--config", "\(site.directory.path)/acms.yaml"])
        try await site.reachable("Bookings")
        chmod(site.directory.path, 0o755)
        chmod(site.socket("Bookings"), 0o666)
        return front
    }

    private func book(_ site: Site, _ user: String, as identity: Identity) async throws -> Answer {
        let parameters = BookingsInterface.Create(input: site.input(user))
        return Answer(try await call(site, "CreateApartmentBooking", parameters, as: identity))
    }

    private struct Call<Parameters: Encodable>: Encodable {
        let method: String
        let parameters: Parameters
    }

    /// Makes one call as another user.
    ///
    /// - Returns: the reply.
    private func call(
        _ site: Site, _ method: String, _ parameters: some Encodable & Sendable, as identity: Identity
    ) async throws -> JSONValue {
        let file = "call-\(UInt64.random(in: 0 ... .max))"
        let call = Call(method: BookingsInterface.method(method), parameters: parameters)
        try site.directory.write(String(decoding: try JSONEncoder().encode(call), as: UTF8.self), to: file)
        let program = """
            import socket, sys
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(sys.argv[1])
            peer.sendall(open(sys.argv[2], "rb").read() + bytes(1))
            reply = b""
            while not reply.endswith(bytes(1)):
                reply += peer.recv(65536)
            sys.stdout.write(reply[:-1].decode())
            """
        let run = try await Command.run(
            identity.command([
                "/usr/bin/python3", "-c", program, site.socket("Bookings"), "\(site.directory.path)/\(file)",
            ]))
        return try JSONDecoder().decode(JSONValue.self, from: Data(run.output.utf8))
    }

    @Test func aPeerBooksForItsOwnLoginAndForNobodyElse() async throws {
        let site = try Site()
        let front = try await startFront(site, "front:\n  bind-users: true\n  trusted-groups: [games]\n")
        #expect(try await book(site, "nobody", as: Self.nobody).id != nil)
        for user in ["alice", "nobody ", "NOBODY", "root"] {
            let answer = try await book(site, user, as: Self.nobody)
            #expect(answer.error == Self.denied, "\(user)")
            let reason = try #require(answer.reason)
            for part in ["nobody", "front.trusted-groups", "games"] {
                #expect(reason.contains(part), "\(reason)")
            }
        }
        // root is a user like others.
        let error = try #require(try await refusal { try await site.book("alice") })
        #expect(error.decode(ServiceError.PermissionDenied.self)?.reason?.contains("root") == true)
        _ = try await site.book("root")
        let log = try site.log(of: "acms-frontd")
        for part in ["peer-uid=65534", "peer-pid=", "peer-login=nobody", "user-id=[alice]"] {
            #expect(log.contains(part), "\(part)")
        }
        #expect(try site.directory.names(in: "spool/incoming").count == 2)
        await front.stop()
    }

    @Test func aUserIDWithoutALoginBooksForNobody() async throws {
        let site = try Site()
        let front = try await startFront(site, "front:\n  bind-users: true\n  trusted-groups: [games]\n")
        let stranger = Identity(user: 3_999_999_999, group: 65534)
        for user in ["nobody", "3999999999"] {
            let answer = try await book(site, user, as: stranger)
            #expect(answer.error == Self.denied)
            #expect(answer.reason?.contains("3999999999") == true, "\(answer)")
            #expect(answer.reason?.contains("no") == true)
        }
        // Its process may be in a trusted group all the same.
        #expect(
            try await book(site, "alice", as: Identity(user: 3_999_999_999, group: 65534, groups: [60])).id
                != nil)
        await front.stop()
    }

    @Test func aProcessInATrustedGroupBooksForAnybodyWhicheverOfItsGroupsThatIs() async throws {
        let site = try Site()
        let front = try await startFront(
            site, "front:\n  bind-users: true\n  trusted-groups: [games, no-such-group]\n")
        // games is group 60 in Debian, and users is 100.
        let many = (1_000_000..<1_000_200).map { UInt32($0) }
        #expect(try await book(site, "primary", as: Identity(user: 65534, group: 60)).id != nil)
        #expect(
            try await book(site, "other", as: Identity(user: 65534, group: 65534, groups: [100, 60])).id
                != nil)
        #expect(
            try await book(site, "many", as: Identity(user: 65534, group: 65534, groups: many + [60])).id
                != nil)
        #expect(
            try await book(site, "late", as: Identity(user: 65534, group: 100, groups: many)).error
                == Self.denied)
        let log = try site.log(of: "acms-frontd")
        #expect(log.components(separatedBy: "no-such-group").count == 2)
        await front.stop()
    }

    @Test func inOneCallEachRequestIsJudgedByItself() async throws {
        let site = try Site()
        let front = try await startFront(site, "front:\n  bind-users: true\n")
        let inputs = [site.input("alice"), site.input("nobody"), site.input(""), site.input("bob")]
        let reply = try await call(
            site, "CreateApartmentBookings", BookingsInterface.CreateMany(inputs: inputs), as: Self.nobody)
        let bytes = try JSONEncoder().encode(reply)
        let results = try JSONDecoder().decode(Reply.self, from: bytes).parameters.results
        #expect(results.count == 4)
        for number in [0, 3] {
            #expect(results[number].error == Self.denied)
            guard case .object(let parameters)? = results[number].parameters,
                case .string(let reason)? = parameters["reason"]
            else {
                Issue.record("\(results[number]) gives no reason.")
                continue
            }
            #expect(reason.contains("nobody"))
        }
        #expect(results[1].id != nil)
        #expect(results[2].id == nil)
        await front.stop()
    }

    private struct Reply: Decodable {
        let parameters: BookingsInterface.CreatedMany
    }

    @Test func whatAPeerSendsIsLoggedOnceAndNeverRaw() async throws {
        let site = try Site()
        let front = try await startFront(site, "front:\n  bind-users: true\n")
        // Each of these could be an entry of its own.
        let inputs = (0..<500).map { site.input("somebody\($0)") }
        _ = try await call(
            site, "CreateApartmentBookings", BookingsInterface.CreateMany(inputs: inputs), as: Self.nobody)
        let long = String(repeating: "x", count: 500_000)
        #expect(try await book(site, long, as: Self.nobody).id == nil)
        let log = try site.log(of: "acms-frontd")
        #expect(log.components(separatedBy: "peer-login=nobody").count == 2)
        #expect(log.utf8.count < 100_000)
        await front.stop()
    }

    @Test func newRulesAreTakenOverAtSIGHUP() async throws {
        let site = try Site()
        let front = try await startFront(site, "front:\n  bind-users: false\n")
        #expect(try await book(site, "alice", as: Self.nobody).id != nil)
        func reload(_ settings: String, _ times: Int) async throws {
            try site.directory.write(settings, to: "acms.yaml")
            front.signal(SIGHUP)
            try await eventually("the configuration to be read") {
                try site.log(of: "acms-frontd").components(separatedBy: "was read anew").count == times + 1
            }
        }
        let trusted = Identity(user: 65534, group: 60)
        try await reload("front:\n  bind-users: true\n  trusted-groups: [games]\n", 1)
        try await eventually("users to be bound") {
            try await book(site, "bob\(UInt64.random(in: 0 ... .max))", as: Self.nobody).error == Self.denied
        }
        #expect(try await book(site, "carol", as: trusted).id != nil)
        // Whoever loses the trust loses it at once, whatever is remembered of the group.
        try await reload("front:\n  bind-users: true\n  trusted-groups: [users, no-such-group]\n", 2)
        try await eventually("the warning", within: .seconds(3)) {
            try site.log(of: "acms-frontd").contains("no-such-group")
        }
        #expect(try await book(site, "dave", as: trusted).error == Self.denied)
        await front.stop()
    }
}
