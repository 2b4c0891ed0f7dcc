import Bookings
import Testing

@testable import Verbs

@Suite struct UnitCheckTests {
    /// An installation in good order, but for one unit.
    private func units(
        _ change: (inout UnitCheck.State) -> Void, of id: String, _ engine: Settings.Engine = .embedded
    ) -> [HealthFinding] {
        UnitCheck.judge(
            UnitCheck.all.map { name in
                var state = UnitCheck.State(id: name)
                if name.hasSuffix(".service") { state.active = "inactive" }
                if name == "acms-front.service" { state.file = "static" }
                if name == id { change(&state) }
                return state
            }, engine)
    }

    @Test func `daemons that sleep are in good order`() {
        #expect(units({ _ in }, of: "").severities == [.ok])
    }

    @Test func `a stopped starter is started`() {
        let findings = units({ $0.active = "inactive" }, of: "acms-worker.socket")
        #expect(findings.map(\.text) == ["acms-worker.socket is inactive."])
        #expect(findings.mends == ["sudo systemctl start acms-worker.socket"])
        #expect(
            units({ $0.active = "failed" }, of: "acms-worker.path").mends
                == ["sudo systemctl restart acms-worker.path"])
    }

    @Test func `a stopped target is one problem`() {
        let states = UnitCheck.all.map { UnitCheck.State(id: $0, active: "inactive") }
        let findings = UnitCheck.judge(states)
        #expect(findings.map(\.text) == ["acms.target is inactive: nothing is accepted or committed."])
        #expect(findings.mends == ["sudo systemctl start acms.target"])
    }

    @Test func `the timer that waits for a crash needn't be active`() {
        #expect(units({ $0.active = "inactive" }, of: "acms-replay.timer").severities == [.ok])
    }

    @Test func `what isn't enabled is a warning`() {
        let findings = units({ $0.file = "disabled" }, of: "acms.target")
        #expect(findings.severities == [.warning])
        #expect(findings.mends == ["sudo systemctl enable acms.target"])
    }

    @Test func `a masked caretakers' socket is meant, another one isn't`() {
        let masked = units(
            { ($0.load, $0.active, $0.file) = ("masked", "inactive", "masked") }, of: "acms-caretaker.socket")
        #expect(masked.severities.sorted { $0.rawValue < $1.rawValue } == [.note, .ok])
        let front = units(
            { ($0.load, $0.active, $0.file) = ("masked", "inactive", "masked") }, of: "acms-front.socket")
        #expect(front.severities == [.problem])
    }

    @Test func `a daemon that fails is told`() {
        let failed = units({ ($0.active, $0.result) = ("failed", "exit-code") }, of: "acms-worker.service")
        #expect(failed.map(\.text) == ["acms-worker.service has failed: exit-code."])
        let again = units({ ($0.active, $0.result) = ("activating", "watchdog") }, of: "acms-front.service")
        #expect(again.map(\.text) == ["acms-front.service fails again and again: watchdog."])
        #expect(units({ $0.active = "activating" }, of: "acms-front.service").severities == [.ok])
    }

    @Test func `a worker of a shared queue must run, unless all is stopped`() {
        let asleep = units({ _ in }, of: "", .postgres)
        #expect(
            asleep.map(\.text) == ["acms-worker.service is inactive, and other hosts' work doesn't start it."]
        )
        #expect(asleep.severities == [.problem])
        #expect(asleep.mends == ["sudo systemctl start acms-worker.service"])
        #expect(units({ $0.active = "active" }, of: "acms-worker.service", .postgres).severities == [.ok])
        #expect(units({ $0.active = "activating" }, of: "acms-worker.service", .postgres).severities == [.ok])
        let failed = units({ $0.active = "failed" }, of: "acms-worker.service", .postgres)
        #expect(failed.count == 1)
        let stopped = UnitCheck.all.map { UnitCheck.State(id: $0, active: "inactive") }
        #expect(UnitCheck.judge(stopped, .postgres).mends == ["sudo systemctl start acms.target"])
    }

    @Test func `missing, unloadable and changed units are told`() {
        #expect(
            units({ $0.load = "not-found" }, of: "acms-worker.path").mends == [
                "sudo apt-get install --reinstall acms"
            ])
        #expect(
            units({ $0.load = "bad-setting" }, of: "acms-worker.path").mends
                == ["sudo systemd-analyze verify acms-worker.path"])
        #expect(
            units({ $0.needsReload = true }, of: "acms-worker.path").mends == ["sudo systemctl daemon-reload"]
        )
        #expect(UnitCheck.judge([]).count == UnitCheck.all.count)
    }

    @Test func `what systemctl prints is read`() {
        let text = """
            Result=success
            Id=acms-front.socket
            LoadState=loaded
            ActiveState=active
            UnitFileState=enabled
            NeedDaemonReload=no

            Id=acms-front.service
            LoadState=loaded
            ActiveState=failed
            UnitFileState=
            NeedDaemonReload=yes
            Result=exit-code

            """
        #expect(
            UnitCheck.states(in: text) == [
                UnitCheck.State(id: "acms-front.socket"),
                UnitCheck.State(
                    id: "acms-front.service", active: "failed", file: "", result: "exit-code",
                    needsReload: true),
            ])
        #expect(UnitCheck.states(in: "").isEmpty)
    }
}
