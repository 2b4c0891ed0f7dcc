import Bookings
import Testing

@testable import Verbs

@Suite struct SecretCheckTests {
    private let path = "/etc/acms/postgres-password"

    private func password(_ mode: UInt32, _ group: String = "root") -> [HealthFinding] {
        SecretCheck.judge(
            password: .init(path: path, mode: mode, group: group), config: nil, .sample(.shared()))
    }

    private func config(_ mode: UInt32, _ site: ExaminedSite = .sample(.shared())) -> [HealthFinding] {
        SecretCheck.judge(password: nil, config: .init(path: site.configFile, mode: mode), site)
    }

    @Test func `a password that others can read is a problem`() {
        #expect(password(0o600).severities == [.ok])
        #expect(password(0o640).severities == [.ok])
        let open = password(0o644)
        #expect(open.severities == [.problem] && open.mends == ["sudo chmod 0600 \(path)"])
        #expect(
            password(0o640, "adm").map(\.text) == [
                "\(path) can be read by the group adm, and with it the database's password."
            ])
    }

    @Test func `a URL with a password in a file for everybody is a warning`() {
        #expect(config(0o640).severities == [.ok])
        let open = config(0o644)
        #expect(open.severities == [.warning])
        #expect(
            open.mends == [
                "sudo install -m 0600 /dev/stdin \(path) && sudo editor /etc/acms/acms.yaml && "
                    + "sudo systemctl restart acms-front.service acms-worker.service"
            ])
        let site = ExaminedSite.sample(.shared(), isInstalled: false, config: "/home/a.yaml")
        #expect(config(0o644, site).mends == ["chmod o= /home/a.yaml"])
    }

    @Test func `without a password there is nothing to tell`() {
        #expect(SecretCheck.judge(password: nil, config: nil, .sample(.shared())).isEmpty)
    }
}
