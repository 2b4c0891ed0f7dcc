import Bookings
import Testing

@testable import Verbs

@Suite struct SandboxCheckTests {
    /// Both services in the same state.
    private func judge(
        _ engine: Settings.Engine, closed: Bool, generated: Bool, runsClosed: Bool? = nil
    ) -> [HealthFinding] {
        SandboxCheck.judge(
            ["acms-front.service", "acms-worker.service"].map {
                .init(id: $0, isClosed: closed, isOpenedByGenerator: generated, runsClosed: runsClosed)
            }, engine)
    }

    private static let restart = "sudo systemctl restart acms-front.service acms-worker.service"
    private static let reload = "sudo systemctl daemon-reload && \(restart)"

    @Test func `with a database the network must be open`() {
        #expect(judge(.postgres, closed: false, generated: true, runsClosed: false).severities == [.ok])
        let forgotten = judge(.postgres, closed: true, generated: false)
        #expect(forgotten.severities == [.problem] && forgotten.mends == [Self.reload])
        #expect(forgotten.first?.text.hasPrefix("acms-front.service has no network") == true)
    }

    @Test func `one service that is closed is enough`() {
        let worker = SandboxCheck.Service(
            id: "acms-worker.service", isClosed: true, isOpenedByGenerator: false)
        let front = SandboxCheck.Service(id: "acms-front.service", isClosed: false, isOpenedByGenerator: true)
        #expect(SandboxCheck.judge([front, worker], .postgres).severities == [.problem])
    }

    @Test func `a service that runs since before the network was opened is a problem`() {
        let old = judge(.postgres, closed: false, generated: true, runsClosed: true)
        #expect(old.severities == [.problem] && old.mends == [Self.restart])
    }

    @Test func `a network that an administrator has closed is a warning`() {
        let meant = judge(.postgres, closed: true, generated: true)
        #expect(meant.severities == [.warning] && meant.mends == ["sudo systemctl edit acms-front.service"])
    }

    @Test func `without a database a network that the generator has opened is a warning`() {
        let forgotten = judge(.embedded, closed: false, generated: true)
        #expect(forgotten.severities == [.warning] && forgotten.mends == [Self.reload])
        #expect(judge(.embedded, closed: true, generated: false).isEmpty)
        // What an administrator has opened is the administrator's business.
        #expect(judge(.embedded, closed: false, generated: false).isEmpty)
    }

    @Test func `what systemctl prints of the sandbox is read`() {
        let text = """
            MainPID=42
            Id=acms-front.service
            DropInPaths=/run/systemd/generator/acms-front.service.d/10-postgres.conf /etc/systemd/system/x.conf
            PrivateNetwork=no

            MainPID=0
            Id=acms-worker.service
            DropInPaths=/run/systemd/generator/acms-worker.service.d/10-restart.conf
            PrivateNetwork=yes

            """
        #expect(
            SandboxCheck.services(in: text) { $0 == "42" } == [
                .init(id: "acms-front.service", isClosed: false, isOpenedByGenerator: true, runsClosed: true),
                .init(id: "acms-worker.service", isClosed: true, isOpenedByGenerator: false, runsClosed: nil),
            ])
        #expect(SandboxCheck.services(in: "") { _ in nil }.isEmpty)
    }

    @Test func `the drop-in is the one that the generator writes`() throws {
        let generator = try source("systemd/acms-generator")
        #expect(generator.contains(".d/10-$2.conf") && generator.contains("add $service postgres "))
    }
}
