import Bookings
import Glibc
import Testing
import Varlink

@testable import Verbs

@Suite struct SocketCheckTests {
    private static let path = "/run/acms/io.acms.Queue"

    private func info(_ product: String = "acms-workerd", _ version: String = acmsVersion)
        -> SocketCheck.Answer
    {
        .identity(.init(product: product, version: version, interfaces: ["io.acms.Queue"]))
    }

    private func judge(
        _ place: SocketCheck.Place?, hasGroup: Bool = true, _ answer: SocketCheck.Answer,
        _ site: ExaminedSite = .sample()
    ) -> [HealthFinding] {
        SocketCheck(service: .queue).judge(
            place: place, hasGroup: hasGroup, answer: answer, at: Self.path, site)
    }

    private let place = SocketCheck.Place(group: "acms-admins")

    @Test func `the right daemon at the right socket is in order`() {
        let findings = judge(place, info())
        #expect(findings.severities == [.ok])
        #expect(findings.first?.text == "acms-workerd \(acmsVersion) answers at \(Self.path).")
    }

    @Test func `mode and group are mended by themselves`() {
        var odd = place
        odd.mode = 0o600
        #expect(judge(odd, info()).mends == ["sudo chmod 0660 \(Self.path)"])
        odd = SocketCheck.Place(group: "users")
        #expect(judge(odd, info()).mends == ["sudo chown root:acms-admins \(Self.path)"])
        odd = SocketCheck.Place(group: "987")
        #expect(
            judge(odd, hasGroup: false, info()).mends
                == ["sudo systemd-sysusers acms.conf && sudo systemctl restart acms-worker.socket"])
    }

    @Test func `a socket that is missing, or no socket, or that nobody listens on`() {
        let restart = "sudo systemctl restart acms-worker.socket"
        #expect(judge(nil, .unreachable(errno: ENOENT)).mends == [restart])
        #expect(judge(place, .unreachable(errno: ECONNREFUSED)).mends == [restart])
        let file = SocketCheck.Place(isSocket: false, group: "acms-admins")
        #expect(
            judge(file, .unreachable(errno: ECONNREFUSED)).mends == ["sudo rm -r \(Self.path) && \(restart)"])
    }

    @Test func `whoever may not connect is told to be root`() {
        let findings = judge(place, .unreachable(errno: EACCES), .sample(isRoot: false))
        #expect(findings.severities == [.warning])
        #expect(findings.mends == ["sudo acmsctl doctor"])
        #expect(judge(place, .unreachable(errno: EACCES)).severities == [.problem])
    }

    @Test func `another program, another version and no answer are told apart`() {
        let restart = ["sudo systemctl restart acms-worker.service"]
        let other = judge(place, info("acms-frontd"))
        #expect(other.severities == [.problem] && other.mends == restart)
        let old = judge(place, info("acms-workerd", "0.0.9"))
        #expect(old.severities == [.warning] && old.mends == restart)
        let silent = judge(place, .odd("no reply came within 5 s."))
        #expect(silent.map(\.text) == ["At \(Self.path) no reply came within 5 s."])
    }

    @Test func `without units the daemon is started by hand, and anybody's modes will do`() {
        let site = ExaminedSite.sample(isInstalled: false, config: "/home/a.yaml")
        #expect(
            judge(SocketCheck.Place(mode: 0o777, owner: "alice", group: "alice"), info(), site).severities
                == [.ok])
        #expect(
            judge(nil, .unreachable(errno: ENOENT), site).mends == [
                "systemd-socket-activate --listen=/run/acms/io.acms.Queue --listen=/run/acms/io.acms.Caretaker "
                    + "--fdname=io.acms.Queue:io.acms.Caretaker acms-workerd --config /home/a.yaml"
            ])
    }
}
