"""An installed acms in peace."""

import itertools
import json
import re
import statistics
import time

from case import FRONT, PACKAGE, PEOPLE, SOCKETS, STARTERS, WORKER, Case
from machine import eventually


class AfterInstallation(Case):
    def test_01_sockets_listen_and_no_daemon_runs(self):
        """After the installation the sockets listen and no daemon runs"""
        self.install(PACKAGE)
        for unit in [*STARTERS, "acms.target"]:
            self.assertTrue(self.machine.is_active(unit), unit)
        for unit in (FRONT, WORKER):
            self.assertEqual(self.machine.property(unit, "ActiveState"), "inactive", unit)
        self.assertEqual(self.processes(), [])
        for name, group in PEOPLE.items():
            self.machine.run("useradd", "--system", *(["--groups", group] if group else []), name)
        sockets = self.machine.run("stat", "-c", "%n %a %U %G", "/run/acms/io.acms.Bookings", "/run/acms/io.acms.Queue",
                                   "/run/acms/io.acms.Caretaker").stdout.splitlines()
        self.assertEqual(sockets, ["/run/acms/io.acms.Bookings 660 root acms-clients",
                                   "/run/acms/io.acms.Queue 660 root acms-admins",
                                   "/run/acms/io.acms.Caretaker 660 root acms-caretakers"])

    def test_02_directories(self):
        """The directories have the owners and modes of tmpfiles.d"""
        lines = self.machine.run("stat", "-c", "%a %U %G %n", *(
            f"/var/lib/acms/{name}" for name in ("", "spool", "spool/tmp", "spool/incoming", "spool/active",
                                                 "spool/deferred", "spool/dead", "table"))).stdout.splitlines()
        self.assertEqual(lines, [
            "755 root root /var/lib/acms/",
            "1775 root acms-worker /var/lib/acms/spool",
            "2770 acms-front acms-queue /var/lib/acms/spool/tmp",
            "2770 acms-front acms-queue /var/lib/acms/spool/incoming",
            "2750 acms-worker acms-front /var/lib/acms/spool/active",
            "2750 acms-worker acms-front /var/lib/acms/spool/deferred",
            "2750 acms-worker acms-front /var/lib/acms/spool/dead",
            "2750 acms-worker acms-front /var/lib/acms/table"])

    def test_03_programs_pages_and_completions(self):
        """Programs answer, and pages and completions are there"""
        for program in ("acmsctl", "acms-frontd", "acms-workerd"):
            self.assertRegex(self.machine.run(program, "--version").stdout, r"^\d+\.\d+\.\d+$")
        for program in ("acms-frontd", "acms-workerd"):
            self.assertEqual(self.machine.run(program, "--check-config").stdout, "The configuration is valid.\n")
        files = self.machine.run("dpkg", "-L", "acms").stdout
        for file in ("man1/acmsctl.1.gz", "man1/acmsctl-dlq-redrive.1.gz", "man5/acms.yaml.5.gz", "man8/acms-frontd.8.gz",
                     "man8/acms-workerd.8.gz", "bash-completion/completions/acmsctl", "vendor-completions/_acmsctl",
                     "vendor_completions.d/acmsctl.fish", "/etc/acms/acms.yaml", "acms/prometheus-rules.yaml",
                     "acms/grafana-dashboard.json"):
            self.assertIn(file, files)
        self.assertEqual(self.processes(), [])


class Starting(Case):
    def test_01_first_booking(self):
        """The first booking starts the front, the spool the worker; it commits, ends when idle, and is started again"""
        self.stop_daemons()
        self.assertEqual(self.processes(), [])
        id = self.book("first")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.assertTrue(self.machine.is_active(FRONT))
        self.assertTrue(self.machine.is_active(WORKER))
        self.assertEqual(len(self.processes()), 2)
        first = self.machine.property(WORKER, "ExecMainPID")
        began = time.monotonic()
        eventually("the idle worker's end", lambda: self.machine.property(WORKER, "ActiveState") == "inactive", 60)
        self.figure(f"the idle worker ended after {time.monotonic() - began:.0f} s")
        self.assertEqual(self.machine.property(WORKER, "Result"), "success")
        self.assertEqual(self.machine.run("pgrep", "-x", "acms-workerd", check=False).stdout, "")
        self.figure(f"memory when idle: no worker; front {self.resident(FRONT)}")
        self.assertEqual(self.wait_for(self.book("second")), "COMMITTED")
        self.assertNotEqual(self.machine.property(WORKER, "ExecMainPID"), first)
        self.figure(f"with the worker just started: {self.resident(WORKER)}")

    def resident(self, unit):
        pid = self.machine.property(unit, "MainPID")
        status = self.machine.run("cat", f"/proc/{pid}/status").stdout
        whole, own = (int(re.search(rf"{key}:\s+(\d+)", status)[1]) / 1024 for key in ("VmRSS", "RssAnon"))
        return f"{whole:.1f} MB resident, {own:.1f} MB of it its own"

    def test_02_cold_latency(self):
        """How long a cold call takes until it is committed"""
        answered, committed = [], []
        for number in range(10):
            self.stop_daemons()
            result = self.machine.run("python3", "/tests/cold.py", f"cold-{number}", user="clara")
            times = json.loads(result.stdout)
            answered.append(times["answered"])
            committed.append(times["committed"])
        for what, times in (("answered", answered), ("committed", committed)):
            self.figure(f"from a cold call to {what}: median {statistics.median(times) * 1000:.0f} ms, "
                        f"maximum {max(times) * 1000:.0f} ms of {len(times)}")

    def test_03_queue_socket(self):
        """A call to io.acms.Queue starts the worker with an empty spool, and not the front"""
        self.wait_until_empty()
        self.stop_daemons()
        self.assertEqual(self.queue()["incoming"], 0)
        self.assertTrue(self.machine.is_active(WORKER))
        self.assertFalse(self.machine.is_active(FRONT))

    def test_04_caretaker_socket(self):
        """A call to io.acms.Caretaker starts the worker too"""
        id = self.book("approved")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.stop_daemons()
        reply = self.reply("carl", "io.acms.Caretaker.ApproveBooking", {"id": id})
        self.assertEqual(reply["booking"]["bookingStatus"], "APPROVED")

    def test_05_target(self):
        """Stopping acms.target stops everything, and starting it makes the sockets listen again"""
        self.book("target")
        self.machine.run("systemctl", "stop", "acms.target")
        self.assertEqual(self.processes(), [])
        for unit in STARTERS:
            eventually(f"the end of {unit}", lambda: self.machine.property(unit, "ActiveState") == "inactive", 10)
        self.assertEqual(self.machine.run("ls", "/run/acms").stdout, "")
        self.assertEqual(self.processes(), [])
        self.machine.run("systemctl", "start", "acms.target")
        for unit in STARTERS:
            self.assertTrue(self.machine.is_active(unit), unit)
        self.assertEqual(self.wait_for(self.book("after-target")), "COMMITTED")
        front = self.machine.property(FRONT, "MainPID")
        self.machine.run("systemctl", "restart", "acms.target")
        self.assertEqual(self.wait_for(self.book("after-restart")), "COMMITTED")
        self.assertNotEqual(self.machine.property(FRONT, "MainPID"), front)

    def test_06_status(self):
        """systemctl status shows a living status line"""
        self.machine.run("systemctl", "restart", FRONT, WORKER)
        before = self.machine.property(FRONT, "StatusText"), self.machine.property(WORKER, "StatusText")
        self.assertEqual(self.wait_for(self.book("status")), "COMMITTED")
        for unit, text in zip((FRONT, WORKER), before):
            eventually(f"{unit}'s status", lambda: self.machine.property(unit, "StatusText") not in ("", text), 10)
        self.assertRegex(self.machine.property(FRONT, "StatusText"), "1 accepted")
        self.assertRegex(self.machine.property(WORKER, "StatusText"), "1 committed")
        self.assertIn('Status: "', self.machine.run("systemctl", "status", FRONT).stdout)
        self.figure(f"front: {self.machine.property(FRONT, 'StatusText')}")
        self.figure(f"worker: {self.machine.property(WORKER, 'StatusText')}")

    def test_07_reload(self):
        """systemctl reload takes a changed configuration over, and fails and changes nothing when it is wrong"""
        path = "/etc/acms/acms.yaml"
        original = self.machine.run("cat", path).stdout
        self.reply("ada", "io.acms.Queue.Pause")
        try:
            self.write(path, "spool:\n  max-messages: 1\n")
            self.machine.run("systemctl", "reload", FRONT)
            waiting = self.book("reloaded")
            # Each time somebody else: one who was accepted before the limit came is told of that, full or not.
            full = "io.acms.Bookings.QueueFull"
            users = (f"too-many-{number}" for number in itertools.count())
            eventually("the limit", lambda: self.refusal(next(users)) == full, 10)
            self.write(path, "spool:\n  max-mesages: 1\n")
            self.assertNotEqual(self.machine.run("systemctl", "reload", FRONT, check=False).returncode, 0)
            self.assertTrue(self.machine.is_active(FRONT))
            self.assertEqual(self.refusal("still-too-many"), full)
            self.machine.run("systemctl", "kill", "--signal=HUP", FRONT)
            invalid = "e67683e4920042e699708240a5d80390"
            eventually("the complaint", lambda: "max-mesages" in self.machine.run(
                "journalctl", "--boot", f"MESSAGE_ID={invalid}", "--output=cat").stdout, 10)
        finally:
            self.write(path, original)
            self.machine.run("systemctl", "reload", FRONT)
            self.reply("ada", "io.acms.Queue.Resume")
        self.assertEqual(self.wait_for(waiting), "COMMITTED")
        self.assertEqual(self.wait_for(self.book("after-the-limit")), "COMMITTED")

    def refusal(self, user):
        replies, result = self.call("clara", "io.acms.Bookings.CreateApartmentBooking", self.input(user))
        return replies[0]["error"] if result.returncode else None

    def test_08_without_caretakers(self):
        """With the caretakers' socket masked the worker commits all the same"""
        self.machine.run("systemctl", "mask", "--now", "acms-caretaker.socket")
        try:
            self.assertEqual(self.wait_for(self.book("masked")), "COMMITTED")
            self.assertFalse(self.machine.is_active("acms-caretaker.socket"))
        finally:
            self.machine.run("systemctl", "unmask", "acms-caretaker.socket")
            self.machine.run("systemctl", "stop", WORKER)
            self.machine.run("systemctl", "start", "acms-caretaker.socket")

    def test_09_socket_again(self):
        """A socket that was stopped can be started again"""
        self.book("before-the-stop")
        self.machine.run("systemctl", "stop", "acms-front.socket")
        self.machine.run("systemctl", "start", "acms-front.socket")
        self.assertEqual(self.wait_for(self.book("after-the-stop")), "COMMITTED")

    def test_09_service_alone(self):
        """A service that is started while acms.target is stopped has its socket"""
        self.machine.run("systemctl", "stop", "acms.target")
        self.machine.run("systemctl", "start", FRONT, WORKER)
        self.assertEqual(self.wait_for(self.book("by-hand")), "COMMITTED")
        self.machine.run("systemctl", "start", "acms.target")
        for unit in SOCKETS:
            self.assertTrue(self.machine.is_active(unit), unit)

    def test_10_replaced_spool(self):
        """A spool that is missing is told, and used again without a restart once it is back"""
        self.wait_until_empty()
        self.machine.run("systemctl", "restart", FRONT, WORKER)
        self.book("spool")
        self.wait_until_empty()
        self.machine.run("mv", "/var/lib/acms/spool", "/var/lib/acms/away")
        self.assertEqual(self.refusal("no-spool"), "io.acms.Bookings.StorageUnavailable")
        self.machine.run("systemctl", "restart", FRONT)
        self.assertEqual(self.refusal("no-spool"), "io.acms.Bookings.StorageUnavailable")
        self.machine.run("mv", "/var/lib/acms/away", "/var/lib/acms/spool")
        eventually("a booking", lambda: self.refusal("spool-again") in (None, "io.acms.Bookings.PendingBookingExists"), 60)
        self.wait_until_empty()

    def write(self, path, text):
        self.machine.run("tee", path, input=text)


class Clients(Case):
    def varlinkctl(self, user, verb, *words, more=False):
        # The older release borrows the program of the newer one, in whose root it finds its own users and sockets.
        options = ["--more"] if more else []
        return self.machine.run(
            "unshare", "--mount", "sh", "-ec",
            "for path in run proc etc/passwd etc/group; do mount --bind /$path /opt/trixie/$path; done; "
            'exec chroot /opt/trixie setpriv --reuid="$0" --regid="$0" --init-groups varlinkctl --json=short "$@"',
            user, *options, verb, *words, check=False)

    def test_01_varlinkctl(self):
        """varlinkctl: info, introspect, call, call --more, on all sockets"""
        self.book("varlinkctl")
        for user, interface in (("clara", "io.acms.Bookings"), ("ada", "io.acms.Queue"), ("carl", "io.acms.Caretaker")):
            socket = f"/run/acms/{interface}"
            info = self.varlinkctl(user, "info", socket)
            self.assertEqual(info.returncode, 0, info.stderr)
            self.assertCountEqual(json.loads(info.stdout)["interfaces"], [interface, "org.varlink.service"])
            described = self.varlinkctl(user, "introspect", socket, interface)
            self.assertEqual(described.returncode, 0, described.stderr)
            self.assertIn(f"interface {interface}", described.stdout)
        call = self.varlinkctl("clara", "call", "/run/acms/io.acms.Bookings", "io.acms.Bookings.CreateApartmentBooking",
                               json.dumps(self.input("by-varlinkctl")))
        self.assertEqual(call.returncode, 0, call.stderr)
        id = json.loads(call.stdout)["id"]
        more = self.varlinkctl("clara", "call", "/run/acms/io.acms.Bookings", "io.acms.Bookings.AwaitBooking",
                               json.dumps({"id": id}), more=True)
        self.assertEqual(more.returncode, 0, more.stderr)
        # It separates the replies of one call with a record separator.
        replies = [json.loads(text) for text in more.stdout.replace("\x1e", "\n").splitlines() if text.strip()]
        self.assertEqual(replies[-1]["progress"], "COMMITTED")
        again = self.varlinkctl("clara", "call", "/run/acms/io.acms.Bookings", "io.acms.Bookings.CreateApartmentBooking",
                                json.dumps(self.input("by-varlinkctl")))
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("io.acms.Bookings.PendingBookingExists", again.stderr)
        letters = self.varlinkctl("ada", "call", "/run/acms/io.acms.Queue", "io.acms.Queue.ListDeadLetters", "{}", more=True)
        self.assertEqual(letters.returncode, 0, letters.stderr)

    def test_02_python(self):
        """PyPI's varlink: call and more, on all sockets"""
        id = self.book("by-python")
        replies, result = self.call("clara", "io.acms.Bookings.AwaitBooking", {"id": id}, more=True)
        self.assertEqual((result.returncode, replies[-1]["progress"]), (0, "COMMITTED"), result.stderr)
        replies, result = self.call("ada", "io.acms.Queue.ListDeadLetters", more=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        decided = self.reply("carl", "io.acms.Caretaker.CancelBooking", {"id": id})
        self.assertEqual(decided["booking"]["bookingStatus"], "CANCELLED")
        replies, result = self.call("clara", "io.acms.Bookings.GetBooking", {"id": "01932b1c-7a5e-7d11-9c55-0242ac120002"})
        self.assertEqual((result.returncode, replies[0]["error"]), (1, "io.acms.Bookings.BookingNotFound"))

    def test_03_groups(self):
        """Each socket is for its group alone"""
        interfaces = {"io.acms.Bookings": "clara", "io.acms.Queue": "ada", "io.acms.Caretaker": "carl"}
        for interface, member in interfaces.items():
            for user in PEOPLE:
                result = self.varlinkctl(user, "info", f"/run/acms/{interface}")
                self.assertEqual(result.returncode == 0, user == member, f"{user} at {interface}: {result.stderr}")
                if user != member:
                    self.assertIn("Permission denied", result.stderr)
        _, result = self.call("nora", "io.acms.Bookings.GetBooking", {"id": "x"})
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("PermissionError", result.stderr)


class Journal(Case):
    def test_01_one_story(self):
        """journalctl ACMS_BOOKING_ID= tells of a booking's way through both daemons"""
        id = self.book("story")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.machine.run("journalctl", "--sync")
        lines = self.machine.run("journalctl", f"ACMS_BOOKING_ID={id}", "--output=json").stdout.splitlines()
        entries = [json.loads(line) for line in lines]
        self.assertEqual([entry["SYSLOG_IDENTIFIER"] for entry in entries], ["acms-frontd", "acms-workerd"])
        self.assertEqual([entry["_SYSTEMD_UNIT"] for entry in entries], [FRONT, WORKER])
        for entry in entries:
            self.assertEqual(entry["ACMS_USER_ID"], "story")
            self.assertIn("MESSAGE_ID", entry)

    def test_02_catalog(self):
        """journalctl -x explains each event"""
        text = self.machine.run("journalctl", "--catalog", "--unit=acms-*", "--no-pager").stdout
        for subject in ("Bookings were accepted", "A batch of bookings was committed", "An acms daemon has started"):
            self.assertIn(f"Subject: {subject}", text)
        listed = self.machine.run("journalctl", "--list-catalog").stdout
        with open("systemd/acms.catalog") as file:
            own = re.findall(r"^-- ([0-9a-f]{32})$", file.read(), re.M)
        self.assertGreater(len(own), 20)
        self.assertEqual(sorted(re.findall(r"^([0-9a-f]{32}) acms: ", listed, re.M)), sorted(own))

    def test_03_no_noise(self):
        """Only what the daemons and the manager have to say is in the journal"""
        entries = [json.loads(line) for line in self.machine.run(
            "journalctl", "--output=json", f"_SYSTEMD_UNIT={FRONT}", f"_SYSTEMD_UNIT={WORKER}").stdout.splitlines()]
        self.assertGreater(len(entries), 10)
        for entry in entries:
            # What --check-config says at a reload isn't a daemon's.
            if not re.match(r"The configuration is valid|acms-frontd: .*max-mesages", entry["MESSAGE"]):
                self.assertEqual(entry["_TRANSPORT"], "journal", entry["MESSAGE"])


class Hardening(Case):
    def test_01_security(self):
        """systemd-analyze security is at most 1.2 for both services"""
        for unit in (FRONT, WORKER):
            text = self.machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
            level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1])
            self.figure(f"{unit}: {level}")
            self.assertLessEqual(level, 1.2)

    def test_02_verify(self):
        """systemd-analyze verify is silent about the installed units"""
        units = [*STARTERS, FRONT, WORKER, "acms.target", "acms-metrics.timer", "acms-metrics.service"]
        result = self.machine.run("systemd-analyze", "verify", *units)
        self.assertEqual(result.stdout + result.stderr, "")

    def test_03_confinement(self):
        """The daemons run as their users, without capabilities, and see no network and no other processes"""
        self.book("confined")
        self.queue()
        for unit, user in ((FRONT, "acms-front"), (WORKER, "acms-worker")):
            pid = self.machine.property(unit, "MainPID")
            self.assertEqual(self.machine.run("stat", "-c", "%U %G", f"/proc/{pid}").stdout.strip(), f"{user} {user}")
            status = self.machine.run("cat", f"/proc/{pid}/status").stdout
            for key, value in (("CapEff", "0" * 16), ("CapBnd", "0" * 16), ("NoNewPrivs", "1"), ("Seccomp", "2")):
                self.assertRegex(status, rf"{key}:\s+{value}\n")
            links = self.machine.run("nsenter", f"--target={pid}", "--net", "cat", "/proc/net/dev").stdout
            self.assertEqual(re.findall(r"^\s*(\w+):", links, re.M), ["lo"])

    def test_04_restart_waits(self):
        """Restarts are never given up, and wait longer each time where the manager can do that"""
        version = int(re.search(r"systemd (\d+)", self.machine.run("systemctl", "--version").stdout)[1])
        for unit in (FRONT, WORKER):
            self.assertEqual(self.machine.property(unit, "StartLimitIntervalUSec"), "0")
            expected = ("100ms", "5", "2s") if version >= 254 else ("500ms", "", "")
            actual = tuple(self.machine.property(unit, name) for name in
                           ("RestartUSec", "RestartSteps", "RestartMaxDelayUSec"))
            self.assertEqual(actual, expected)


class Metrics(Case):
    FILE = "/var/lib/prometheus/node-exporter/acms.prom"

    def written(self):
        """The file after the service has run once."""
        self.machine.run("systemctl", "start", "acms-metrics.service")
        return self.machine.run("cat", self.FILE).stdout

    def test_01_nothing_to_do(self):
        """Metrics are not written unless somebody asks for them, nor where there is no node exporter"""
        self.assertEqual(self.machine.property("acms-metrics.timer", "ActiveState"), "inactive")
        self.machine.run("systemctl", "start", "acms-metrics.service")
        self.assertEqual(self.machine.property("acms-metrics.service", "ConditionResult"), "no")

    def test_02_file(self):
        """The service writes the metrics of both daemons as a file that the node exporter can read"""
        # As prometheus-node-exporter makes it.
        self.machine.run("install", "-d", "-m", "0755", "/var/lib/prometheus/node-exporter")
        self.stop_daemons()
        self.book("measured")
        self.queue()
        text = self.written()
        for line in ('acms_up{daemon="front"} 1', 'acms_up{daemon="worker"} 1', "# EOF"):
            self.assertIn(line + "\n", text)
        self.assertEqual(self.machine.run("stat", "-c", "%a %U %G", self.FILE).stdout, "644 root root\n")
        self.assertEqual(self.machine.run("ls", "-A", "/var/lib/prometheus/node-exporter").stdout, "acms.prom\n")

    def test_03_worker_sleeps(self):
        """Looking at the metrics doesn't wake a worker that sleeps"""
        self.wait_until_empty()
        self.machine.run("systemctl", "stop", WORKER)
        self.assertNotIn('acms_up{daemon="worker"}', self.written())
        self.assertFalse(self.machine.is_active(WORKER))

    def test_04_down(self):
        """An acms that is stopped is told of in the file, and the service hasn't failed"""
        self.machine.run("systemctl", "stop", "acms.target")
        self.assertIn('acms_up{daemon="front"} 0\n', self.written())
        self.assertEqual(self.machine.property("acms-metrics.service", "Result"), "success")
        self.machine.run("systemctl", "start", "acms.target")
        self.assertIn('acms_up{daemon="front"} 1\n', self.written())

    def test_05_timer(self):
        """The timer writes the file again each minute"""
        self.machine.run("rm", self.FILE)
        self.machine.run("systemctl", "enable", "--now", "acms-metrics.timer")
        eventually("the metrics' file", lambda: self.machine.run("test", "-s", self.FILE, check=False).returncode == 0, 90)
        self.machine.run("systemctl", "disable", "--now", "acms-metrics.timer")
