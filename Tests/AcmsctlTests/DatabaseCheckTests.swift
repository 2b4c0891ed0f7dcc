import Bookings
import PostgreSQL
import Testing

@testable import Verbs

@Suite struct DatabaseCheckTests {
    private func judge(
        _ outcome: DatabaseLook.Outcome, here: Bool = false, _ site: ExaminedSite = .sample(.shared())
    ) -> HealthFinding {
        DatabaseCheck.judge(DatabaseLook(outcome), isOnThisHost: here, site)
    }

    private func mend(
        _ obstacle: DatabaseLook.Obstacle, _ reason: String = "It is so.", here: Bool = false,
        site: ExaminedSite = .sample(.shared())
    ) -> String? {
        judge(.unusable(obstacle, reason: reason), here: here, site).mend
    }

    private static let restart = "sudo systemctl restart acms-front.service acms-worker.service"
    private static let editing = "sudo editor /etc/acms/acms.yaml && \(restart)"

    @Test func `a database that can be used is in order, and so is one without a schema`() {
        #expect(judge(.usable).text == "The database can be used, and so can its schema acms.")
        #expect(judge(.usable).severity == .ok)
        #expect(judge(.empty).severity == .note)
    }

    @Test func `a server that answers before its disk is warned of`() {
        var look = DatabaseLook(.usable)
        look.haste = .init(setting: "fsync", remedy: "ALTER SYSTEM SET fsync = on")
        let here = DatabaseCheck.judge(look, isOnThisHost: true, .sample(.shared()))
        #expect(here.severity == .warning && here.text.contains("'fsync = off'"))
        let setting =
            "sudo -u postgres psql -c 'ALTER SYSTEM SET fsync = on' -c 'SELECT pg_reload_conf()'"
        #expect(here.mend == "\(setting) && \(Self.restart)")
        let there = DatabaseCheck.judge(look, isOnThisHost: false, .sample(.shared()))
        #expect(there.mend == setting && there.text.contains("where it runs"))
    }

    @Test func `an engine without a database has no finding`() async {
        #expect(await DatabaseCheck().findings(.sample()).isEmpty)
    }

    @Test(arguments: [
        DatabaseLook.Obstacle.connection, .password, .oldServer, .encoding, .newerSchema, .moved, .rights,
        .refusal,
    ])
    func `what stands against its use is a problem, with the reason`(obstacle: DatabaseLook.Obstacle) {
        let finding = judge(.unusable(obstacle, reason: "It is so."))
        #expect(finding.severity == .problem && finding.text == "It is so.")
        #expect(finding.mend?.isEmpty == false)
    }

    @Test func `a server of this host that doesn't run is started, and elsewhere the URL is looked at`() {
        #expect(
            mend(.connection, "x: Connection refused.", here: true)
                == "sudo systemctl start postgresql.service")
        #expect(mend(.connection, "x: Connection refused.") == Self.editing)
        #expect(mend(.connection, "There is no such database.", here: true) == Self.editing)
    }

    @Test func `a password is kept where the services get it from, unless the URL has one`() {
        #expect(
            mend(.password)
                == "sudo install -m 0600 /dev/stdin /etc/acms/postgres-password && \(Self.restart)")
        let site = ExaminedSite.sample(.shared(url: "postgresql://acms:secret@db/acms"))
        #expect(mend(.password, site: site) == Self.editing)
    }

    @Test func `what was moved away needs another engine, and so another sandbox`() {
        #expect(
            mend(.moved)
                == "sudo editor /etc/acms/acms.yaml && sudo systemctl daemon-reload && \(Self.restart)")
        #expect(mend(.newerSchema) == "sudo apt-get install --only-upgrade acms")
        #expect(
            mend(.moved, site: .sample(.shared(), isInstalled: false, config: "/home/a.yaml"))
                == "sudo editor /home/a.yaml")
    }

    @Test func `whoever the server doesn't let in may be another one than the daemons`() {
        let site = ExaminedSite.sample(.shared(), isRoot: false)
        for obstacle in [DatabaseLook.Obstacle.connection, .password, .peer] {
            let finding = judge(.unusable(obstacle, reason: "It is so."), site)
            #expect(finding.severity == .warning && finding.mend == "sudo acmsctl doctor")
        }
        #expect(judge(.unusable(.encoding, reason: "It is so."), site).severity == .problem)
        let root = judge(.unusable(.peer, reason: "It is so."))
        #expect(root.severity == .note && root.text.hasSuffix("tells whether the worker can. It is so."))
    }

    @Test func `no answer in time is a problem, and a missing libpq is told elsewhere`() {
        let late = DatabaseCheck.judge(nil, isOnThisHost: true, .sample(.shared()))
        #expect(late.severity == .problem)
        #expect(late.text == "The database has not answered within 15 s.")
        #expect(judge(.unusable(.library, reason: "It is so.")).severity == .note)
    }
}
