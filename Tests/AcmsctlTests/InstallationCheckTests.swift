import Bookings
import Testing

@testable import Verbs

/// What the checks expect of an installation is what the package installs.
@Suite struct InstallationCheckTests {
    private func words(of path: String) throws -> [[String]] {
        try source(path).split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            $0.split(separator: " ").map(String.init)
        }
    }

    @Test func `the places are those of tmpfiles`() throws {
        let lines = try words(of: "systemd/acms.tmpfiles.conf")
        let rules = lines.map {
            PlaceRule(path: $0[1], mode: UInt32($0[2], radix: 8) ?? 0, user: $0[3], group: $0[4])
        }
        #expect(rules.count == 8)
        #expect(Set(PlaceRule.all(Settings())) == Set(rules))
    }

    @Test func `the accounts are those of sysusers`() throws {
        let lines = try words(of: "systemd/acms.sysusers.conf")
        #expect(Set(lines.filter { $0[0] == "u" }.map { $0[1] }) == Set(AccountCheck.users))
        #expect(Set(lines.filter { $0[0] == "g" }.map { $0[1] }) == Set(AccountCheck.groups))
        #expect(
            Set(lines.filter { $0[0] == "m" }.map { [$0[1], $0[2]] })
                == Set(AccountCheck.users.map { [$0, AccountCheck.shared] }))
    }

    @Test func `the units are those of the package`() throws {
        for unit in UnitCheck.all { #expect(try !source("systemd/\(unit)").isEmpty) }
        #expect(Set(UnitCheck.all).count == UnitCheck.all.count)
    }

    @Test(arguments: [Service.bookings, .queue, .caretaker])
    func `the sockets are those of their units`(service: Service) throws {
        let unit = try source("systemd/\(service.socketUnit)")
        #expect(unit.contains("\nListenStream=\(service.socketPath(in: Settings()))\n"))
        #expect(unit.contains("\nSocketGroup=\(service.group)\n"))
        #expect(unit.contains("\nSocketUser=root\nSocketGroup"))
        #expect(unit.contains("\nSocketMode=0660\n"))
    }

    @Test func `places elsewhere have the same owners and modes`() {
        var settings = Settings()
        settings.spool.directory = "/srv/spool"
        settings.table.path = "/srv/table/acms.sqlite"
        let rules = PlaceRule.all(settings)
        #expect(rules.map(\.path).sorted().first == "/srv/spool")
        #expect(rules.count == 7)
        #expect(rules.first?.mend(settings) == "sudo install -d -m 1775 -o root -g acms-worker /srv/spool")
    }

    @Test func `with a database the table's directory is no place of acms`() {
        var settings = Settings.shared()
        let rules = PlaceRule.all(settings)
        #expect(Set(PlaceRule.all(Settings())).subtracting(rules).map(\.path) == ["/var/lib/acms/table"])
        // Where the table would be doesn't make the spool's places unusual.
        settings.table.path = "/srv/table/acms.sqlite"
        #expect(PlaceRule.all(settings) == rules)
        #expect(rules.first?.mend(settings) == "sudo systemd-tmpfiles --create acms.conf")
        #expect(ExaminedSite.sample(settings).directories == ["/var/lib/acms/spool"])
        #expect(ExaminedSite.sample().directories == ["/var/lib/acms/spool", "/var/lib/acms/table"])
    }

    @Test func `a place that differs says how, and how it is mended`() throws {
        let rule = try #require(PlaceRule.all(Settings()).last { $0.path.hasSuffix("dead") })
        func judge(_ fact: PlaceCheck.Fact, _ site: ExaminedSite = .sample()) -> [HealthFinding] {
            PlaceCheck.judge(rule, fact, site)
        }
        #expect(judge(.there(mode: 0o2750, user: "acms-worker", group: "acms-front")).isEmpty)
        let other = judge(.there(mode: 0o2755, user: "root", group: "acms-front"))
        #expect(
            other.first?.text
                == "/var/lib/acms/spool/dead has the mode 2755 instead of 2750, and belongs to root:acms-front instead "
                + "of acms-worker:acms-front.")
        #expect(other.mends == ["sudo systemd-tmpfiles --create acms.conf"])
        #expect(judge(.failed(errno: 2)).severities == [.problem])
        #expect(judge(.failed(errno: 13), .sample(isRoot: false)).mends == ["sudo acmsctl doctor"])
    }

    @Test func `the table's files are the worker's, and the front reads them`() {
        func judge(_ mode: UInt32, _ user: String, _ group: String) -> [HealthFinding] {
            PlaceCheck.judge(file: "/t", .there(mode: mode, user: user, group: group), .sample())
        }
        #expect(judge(0o640, "acms-worker", "acms-front").isEmpty)
        #expect(
            judge(0o644, "root", "root").mends == [
                "sudo chown acms-worker:acms-front /t && sudo chmod 0640 /t"
            ])
        #expect(judge(0o600, "acms-worker", "acms-front").severities == [.problem])
    }

    @Test func `accounts that are missing are made again`() {
        let users: [String: Set<String>] = ["acms-front": ["acms-queue"], "acms-worker": ["acms-queue"]]
        let groups = Set(AccountCheck.groups + AccountCheck.users)
        #expect(AccountCheck.judge(groups: groups, users: users).severities == [.ok])
        let without = AccountCheck.judge(groups: groups.subtracting(["acms-clients"]), users: users)
        #expect(without.map(\.text) == ["There is no group acms-clients."])
        #expect(without.mends == ["sudo systemd-sysusers acms.conf"])
        #expect(
            AccountCheck.judge(groups: groups, users: ["acms-front": ["acms-queue"]]).severities == [.problem]
        )
        let apart = AccountCheck.judge(groups: groups, users: users.merging(["acms-front": []]) { $1 })
        #expect(apart.first?.text.hasPrefix("acms-front is not in the group acms-queue") == true)
    }
}

@Suite struct ShellWordTests {
    @Test(arguments: [
        ("/run/acms/io.acms.Queue", "/run/acms/io.acms.Queue"), ("", "''"), ("/a b", "'/a b'"),
        ("/$(reboot)", "'/$(reboot)'"), ("it's", #"'it'\''s'"#), ("~", "'~'"), ("/é", "'/é'"),
    ])
    func `a path is one word of a command`(path: String, word: String) {
        #expect(path.shellWord == word)
    }
}
