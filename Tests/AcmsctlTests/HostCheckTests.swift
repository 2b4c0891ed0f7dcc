import Bookings
import PostgreSQL
import Testing

@testable import Verbs

@Suite struct HostCheckTests {
    @Test(
        arguments: [
            (100 << 20, 50_000, true, .ok), (127 << 20, 50_000, true, .warning),
            (128 << 20, 50_000, true, .ok),
            (63 << 20, 50_000, true, .problem), (1 << 40, 9_999, true, .warning),
            (1 << 40, 0, true, .problem),
            (1 << 40, 0, false, .ok), (0, 50_000, true, .problem),
        ] as [(Int, Int, Bool, HealthFinding.Severity)])
    func `room is held against what is left free`(
        bytes: Int, inodes: Int, counts: Bool, severity: HealthFinding.Severity
    ) {
        let room = RoomCheck.Room(path: "/spool", bytes: bytes, inodes: inodes, countsInodes: counts)
        #expect(RoomCheck.judge(room, minimum: bytes == 100 << 20 ? 0 : 64 << 20).severity == severity)
    }

    @Test func `with a database little room refuses no booking, or only while the database is away`() {
        func judge(_ bytes: Int, _ settings: Settings, inodes: Int = 50_000) -> HealthFinding {
            RoomCheck.judge(
                RoomCheck.Room(path: "/spool", bytes: bytes, inodes: inodes), minimum: 64 << 20,
                for: .init(settings))
        }
        #expect(judge(63 << 20, Settings()).text.hasSuffix(": bookings are refused."))
        let none = judge(63 << 20, .shared())
        #expect(none.severity == .warning && !none.text.contains("bookings are refused"))
        #expect(judge(65 << 20, .shared()).severity == .ok)
        let buffer = judge(63 << 20, .shared(buffer: .spool))
        #expect(buffer.severity == .warning)
        #expect(buffer.text.hasSuffix(": bookings are refused while the database can't be reached."))
        #expect(judge(65 << 20, .shared(buffer: .spool)).severity == .ok)
        #expect(judge(1 << 40, .shared(), inodes: 9_999).severity == .warning)
        #expect(judge(1 << 40, .shared(), inodes: 0).severity == .problem)
    }

    @Test(arguments: [
        (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (64 << 20, "64 MiB"),
        (10_000 << 20, "10000 MiB"),
        (100 << 30, "100 GiB"),
    ])
    func `bytes are in units`(bytes: Int, text: String) {
        #expect(bytes.inBinaryUnits == text)
    }

    private static let mounts = """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
        28 27 0:30 / /var/lib/acms rw - tmpfs tmpfs rw
        29 27 7:1 / /var/lib/acms rw master:2 shared:3 - xfs /dev/loop1 rw
        30 27 0:31 / /mnt/a\\040b\\134 rw - nfs4 host:/x rw
        damaged

        """

    @Test(arguments: [
        ("/", "ext4"), ("/var/lib/acms/spool", "xfs"), ("/var/lib/acms", "xfs"), ("/var/lib/acms2", "ext4"),
        ("/mnt/a b\\/spool", "nfs4"),
    ])
    func `a path is on the last of the nearest mounts`(path: String, type: String) {
        let mounts = FileSystemCheck.mounts(in: Self.mounts)
        #expect(mounts.count == 5)
        #expect(FileSystemCheck.mount(of: path, among: mounts)?.type == type)
    }

    @Test(
        arguments: [
            ("ext4", true, .ok), ("ext4", nil, .ok), ("ext4", false, .note), ("xfs", nil, .ok),
            ("btrfs", nil, .ok),
            ("tmpfs", nil, .warning), ("overlay", nil, .warning), ("nfs4", nil, .warning),
            ("ext2", nil, .note),
        ] as [(String, Bool?, HealthFinding.Severity)])
    func `a file system that may lose what it holds is told`(
        type: String, hasJournal: Bool?, severity: HealthFinding.Severity
    ) {
        let mount = FileSystemCheck.Mount(point: "/", type: type, device: "254:0")
        #expect(FileSystemCheck.judge(mount, hasJournal: hasJournal, at: "/spool").severity == severity)
    }

    @Test func `a clock is held against the youngest file, and asked whether it is set`() throws {
        let now = Timestamp(milliseconds: 1_790_000_000_000)
        func judge(_ after: Int64, _ isSynchronised: Bool?) -> [HealthFinding.Severity] {
            ClockCheck.judge(
                now: now, newest: (path: "/f", changed: now.advanced(by: .seconds(after))),
                isSynchronised: isSynchronised
            ).severities
        }
        #expect(judge(-10, true) == [.ok])
        #expect(judge(60, true) == [.ok])
        #expect(judge(61, true) == [.problem])
        #expect(judge(-10, false) == [.warning])
        #expect(judge(-10, nil) == [.note])
    }

    @Test func `a journal that ends with the boot is a warning`() {
        func judge(_ isPersistent: Bool, _ isVolatile: Bool, _ isBooted: Bool = true)
            -> HealthFinding.Severity
        {
            JournalCheck.judge(isPersistent: isPersistent, isVolatile: isVolatile, isBooted: isBooted)
                .severity
        }
        #expect(judge(true, true) == .ok)
        #expect(judge(false, true) == .warning)
        #expect(judge(false, false) == .warning)
        #expect(judge(false, false, false) == .note)
    }

    @Test func `versions are told`() {
        let version = VersionCheck.judge(sqlite: "3.46.1", systemctl: "systemd 257 (257.9-1)\n+PAM\n")
        #expect(version.text == "acmsctl \(acmsVersion), SQLite 3.46.1, systemd 257.")
        #expect(VersionCheck.judge(sqlite: "3", systemctl: nil).text.hasSuffix("no systemd."))
    }

    @Test func `with a database its versions are told, and a missing libpq is a problem`() {
        let site = ExaminedSite.sample(.shared())
        func judge(_ library: ClientLibrary, _ server: String?) -> [HealthFinding] {
            VersionCheck.judge(library, server: server, systemctl: "systemd 257 (257.9-1)\n", site)
        }
        #expect(
            judge(.version("15.8"), "14.2").map(\.text) == [
                "acmsctl \(acmsVersion), libpq 15.8, PostgreSQL 14.2, systemd 257."
            ])
        #expect(
            judge(.version("15.8"), nil).first?.text.contains("a PostgreSQL that doesn't tell its version")
                == true)
        let missing = judge(.missing("libpq.so.5: No such file"), nil)
        #expect(missing.severities == [.ok, .problem])
        #expect(
            missing.mends == [
                "sudo apt-get install libpq5 && sudo systemctl restart acms-front.service acms-worker.service"
            ])
        let elsewhere = VersionCheck.judge(
            .missing("x"), server: nil, systemctl: nil, .sample(.shared(), isInstalled: false))
        #expect(elsewhere.mends == ["sudo apt-get install libpq5"])
    }

    @Test func `damage is told with its first finding`() {
        let damage = DamageFinding(path: "/spool/x", problem: "It is empty.", repair: "")
        let site = ExaminedSite.sample()
        let one = DamageCheck.judge(.done([damage, damage]), of: "The spool", site)
        #expect(one.text == "The spool is damaged: /spool/x: It is empty. (and another finding)")
        #expect(DamageCheck.judge(.done([]), of: "The spool", site).severity == .ok)
        #expect(DamageCheck.judge(.failed("x"), of: "The spool", site).severity == .problem)
        let user = DamageCheck.judge(.failed("x"), of: "The spool", .sample(isRoot: false))
        #expect(user.severity == .warning && user.mend == "sudo acmsctl doctor")
        #expect(DamageCheck.judge(.disowned, of: "The table", site).severity == .note)
        #expect(DamageCheck.judge(.tooLarge(bytes: 1 << 40), of: "The table", site).severity == .note)
    }

    private func attributes(_ change: (inout QueueInterface.Attributes) -> Void) -> [HealthFinding] {
        var attributes = QueueInterface.Attributes(
            incoming: 0, active: 0, deferred: 0, dead: 0, oldestSeconds: nil, committedTotal: 0,
            deadLetteredTotal: 0,
            paused: false, pausedUntil: nil, tableAvailable: true, tableError: nil)
        change(&attributes)
        return QueueCheck.judge(attributes, .sample())
    }

    @Test func `with a database it is the database that is looked at, and not a table`() {
        var attributes = QueueInterface.Attributes(
            incoming: 0, active: 0, deferred: 0, dead: 0, oldestSeconds: nil, committedTotal: 0,
            deadLetteredTotal: 0, paused: false, pausedUntil: nil, tableAvailable: true, tableError: nil)
        let site = ExaminedSite.sample(.shared())
        let down = DatabaseCheck.problem("It is down.", mend: "start it")
        #expect(QueueCheck.judge(attributes, site, database: down).severities == [.ok])
        attributes.tableAvailable = false
        attributes.tableError = "No answer."
        let held = QueueCheck.judge(attributes, site, database: down)
        #expect(
            held.map(\.text) == ["The worker holds the queue: No answer. See what is said of the database."])
        #expect(held.severities == [.problem] && held.mends == ["start it"])
        let sound = QueueCheck.judge(attributes, site, database: DatabaseCheck.ok("It can be used."))
        #expect(
            sound.map(\.text) == [
                "The worker holds the queue: No answer. The database itself: It can be used."
            ])
        #expect(sound.mends == ["sudo systemctl restart acms-worker.service"])
        #expect(QueueCheck.judge(attributes, .sample()).mends == ["sudo acmsctl check"])
        #expect(QueueCheck.held("x", down, mend: "y").mend == "start it")
        #expect(QueueCheck.held("x", nil, mend: "y").mend == "y")
    }

    @Test func `what holds the queue up is told`() {
        #expect(attributes { _ in }.severities == [.ok])
        #expect(attributes { $0.paused = true }.mends == ["sudo acmsctl resume"])
        #expect(attributes { $0.dead = 2 }.map(\.text) == ["2 dead letters wait for you."])
        #expect(
            attributes {
                $0.tableAvailable = false; $0.tableError = "Disk full."
            }.severities == [.problem])
        #expect(
            attributes {
                $0.incoming = 1; $0.oldestSeconds = 301
            }.severities == [.warning])
        #expect(
            attributes {
                $0.incoming = 1; $0.oldestSeconds = 300
            }.severities == [.ok])
        // Who waits for another try waits long.
        #expect(
            attributes {
                $0.deferred = 1; $0.oldestSeconds = 900
            }.severities == [.ok, .note])
        #expect(attributes { $0.incoming = 900_001 }.severities == [.warning])
    }
}
