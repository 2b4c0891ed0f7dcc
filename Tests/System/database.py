"""An installed acms whose engine is PostgreSQL. The server is in one release's root alone; see run."""

import json
import re
import secrets
import time
import unittest
from functools import wraps

from case import FRONT, WORKER, Case
from machine import eventually

CONFIGURATION = "/etc/acms/acms.yaml"
SECRET = "/etc/acms/postgres-password"
PASSWORD = secrets.token_hex(16)
CERTIFICATE = "/etc/ssl/certs/ssl-cert-snakeoil.pem"
OVER_TLS = f"postgresql://acms@db.example/acms?sslmode=verify-full&sslrootcert={CERTIFICATE}"
OVER_A_SOCKET = "postgresql://acms@/acms?host=/run/postgresql"


def with_server(test):
    @wraps(test)
    def wrapped(self):
        if self.machine.run("test", "-d", "/usr/lib/postgresql", check=False).returncode:
            raise unittest.SkipTest("no server in this root")
        test(self)
    return wrapped


class Database(Case):
    CREATE = "io.acms.Bookings.CreateApartmentBooking"
    UNAVAILABLE = "io.acms.Bookings.StorageUnavailable"
    # What the first test finds and the last one puts back.
    original = None
    sandboxes = None

    def configure(self, text):
        """Writes the configuration and does what an administrator does then."""
        self.write(CONFIGURATION, text)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", FRONT, WORKER)

    def use(self, url):
        self.configure(f"engine: postgres\npostgres:\n  url: {url}\n  timeout-seconds: 5\nworker:\n  idle-exit-seconds: 1\n")

    def write(self, path, text):
        self.machine.run("tee", path, input=text)

    def sql(self, text, database="acms"):
        """What the server says to its superuser."""
        return self.machine.run("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                                database, user="postgres", input=text).stdout.strip()

    def sandbox(self, unit):
        """What a service may do, as its manager says; lists in alphabetical order."""
        lines = self.machine.run("systemctl", "show", unit).stdout.splitlines()
        pairs = (line.split("=", 1) for line in lines)
        return {key: " ".join(sorted(value.split())) for key, value in pairs if re.match(
            r"Private|Protect|Restrict|SystemCall|IPAddress|Capability|Ambient|NoNew|ReadWrite|Device|Lock|Memory(Deny|Max)"
            r"|ProcSubset|User$|Group$|SupplementaryGroups|UMask", key)}

    def refusal(self, user):
        """Why a booking was refused."""
        replies, result = self.call("clara", self.CREATE, self.input(user))
        self.assertEqual((result.returncode, replies[0].get("error")), (1, self.UNAVAILABLE), result.stdout + result.stderr)
        return replies[0]

    def is_booked(self, user):
        """Whether a booking was accepted, by this call or by an earlier one of which that isn't known."""
        replies, _ = self.call("clara", self.CREATE, self.input(user))
        return replies[0].get("error") in (None, "io.acms.Bookings.PendingBookingExists")

    def progress(self, id):
        """How far a booking is; None while that can't be asked for."""
        replies, _ = self.call("clara", "io.acms.Bookings.GetBooking", {"id": id})
        return replies[0].get("progress")

    def test_01_sandbox(self):
        """engine: postgres opens the network to the services and nothing else"""
        Database.original = self.machine.run("cat", CONFIGURATION).stdout
        self.assertEqual(self.wait_for(self.book("embedded-before")), "COMMITTED")
        before = Database.sandboxes = {unit: self.sandbox(unit) for unit in (FRONT, WORKER)}
        self.use(OVER_TLS)
        for unit in (FRONT, WORKER):
            now = self.sandbox(unit)
            # What is empty isn't shown.
            changed = {key: now.get(key, "") for key in now.keys() | before[unit].keys()
                       if now.get(key, "") != before[unit].get(key, "")}
            self.assertEqual(changed, {"PrivateNetwork": "no", "IPAddressDeny": "",
                                       "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX"})
            text = self.machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
            level = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1]
            self.figure(f"{unit}: {level} in systemd-analyze security")
        verified = self.machine.run("systemd-analyze", "verify", FRONT, WORKER, "acms.target")
        self.assertEqual(verified.stdout + verified.stderr, "")

    def test_02_no_server(self):
        """Without a server callers are told so, and the services run"""
        reply = self.refusal("nowhere")
        self.figure(reply["parameters"]["reason"])
        if self.machine.run("sh", "-c", "ldconfig -p | grep -F libpq.so.5", check=False).returncode:
            self.assertIn("libpq5", reply["parameters"]["reason"])
        for unit in (FRONT, WORKER):
            self.assertTrue(self.machine.is_active(unit))

    @with_server
    def test_03_booking(self):
        """A booking goes through the socket into the database, over TLS and with the password of the credential"""
        self.machine.run("install", "-m", "0600", "/dev/stdin", SECRET, input=f"{PASSWORD}\n")
        # The socket asks for the password too, instead of for a user of the same name.
        self.machine.run("sh", "-c", "sed -i '1i local acms acms scram-sha-256' /etc/postgresql/*/main/pg_hba.conf")
        self.machine.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=db.example",
                         "-addext", "subjectAltName=DNS:db.example", "-out", CERTIFICATE, "-keyout",
                         "/etc/ssl/private/ssl-cert-snakeoil.key")
        self.machine.run("sh", "-c", "echo 127.0.0.1 localhost db.example >>/etc/hosts")
        self.machine.run("systemctl", "start", "postgresql")
        self.sql(f"CREATE ROLE acms LOGIN PASSWORD '{PASSWORD}';\n"
                 "CREATE DATABASE acms OWNER acms ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';\n",
                 "postgres")
        self.use(OVER_TLS)
        began = time.monotonic()
        id = self.book("shared")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.figure(f"committed {time.monotonic() - began:.2f} s after the restart of the daemons")
        self.assertEqual(self.sql("SELECT id FROM acms.bookings WHERE user_id = 'shared'"), id)
        self.assertEqual(self.sql("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                                  "WHERE application_name LIKE 'acms-%'"), "t")
        self.reply("carl", "io.acms.Caretaker.ApproveBooking", {"id": id})

    @with_server
    def test_04_restart_of_the_server(self):
        """The server restarts and stops under the daemons, which go on when it is there again"""
        pids = [self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)]
        ids = [self.book(f"before-{number}") for number in range(5)]
        # postgresql.service only stands for all servers of the host, and a job of its own doesn't wait for theirs.
        server = f"postgresql@{self.machine.run('ls', '/usr/lib/postgresql').stdout.strip()}-main.service"
        began = time.monotonic()
        self.machine.run("systemctl", "restart", server)
        eventually("a booking", lambda: self.is_booked("after-restart"), 30)
        self.figure(f"accepted again {time.monotonic() - began:.1f} s after the restart began")
        self.machine.run("systemctl", "stop", server)
        # Whoever calls first may have to wait until it is known whether the booking is in the database.
        first = self.machine.start("python3", "-W", "ignore", "/tests/call.py", self.CREATE, json.dumps(self.input("doubted")),
                                   user="clara")
        time.sleep(1)
        self.machine.run("systemctl", "start", server)
        eventually("a booking", lambda: self.is_booked("after-stop"), 30)
        output, _ = first.communicate(timeout=60)
        reply = json.loads(output)
        self.figure(f"who called while it was down was told: {reply}")
        if first.returncode:
            self.assertEqual(reply["error"], self.UNAVAILABLE)
        else:
            ids.append(reply["id"])
        for id in ids:
            eventually(f"the commit of {id}", lambda: self.progress(id) == "COMMITTED", 30)
        eventually("an empty queue", lambda: self.sql("SELECT count(*) FROM acms.messages") == "0", 30)
        rows = self.sql("SELECT count(*), count(DISTINCT user_id) FROM acms.bookings WHERE user_id ~ '^(before|after)-'")
        self.assertEqual(rows, "7|7")
        self.assertEqual([self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)], pids)

    @with_server
    def test_05_password(self):
        """The password is where the daemons read it and nowhere else"""
        self.machine.run("journalctl", "--sync")
        pids = [self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)]
        for words in (["journalctl", "--no-pager", "--output=export"], ["systemctl", "show", FRONT, WORKER],
                      ["systemctl", "cat", FRONT, WORKER], ["systemctl", "status", "--full", FRONT, WORKER],
                      *(["cat", f"/proc/{pid}/{name}"] for pid in pids for name in ("cmdline", "environ")),
                      ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true"],
                      ["sh", "-c", "cat /var/log/postgresql/*"]):
            text = self.machine.run(*words).stdout
            self.assertGreater(len(text), 10, words)
            self.assertNotIn(PASSWORD, text, words)
        found = self.machine.run("grep", "--recursive", "--files-with-matches", "--fixed-strings", PASSWORD, "/etc", "/run",
                                 "/var", check=False).stdout.splitlines()
        self.assertEqual(sorted(found), sorted([SECRET, *(f"/run/credentials/{unit}/postgres-password"
                                                          for unit in (FRONT, WORKER))]))
        for path in found:
            self.assertNotEqual(self.machine.run("cat", path, user="nora", check=False).returncode, 0, path)

    @with_server
    def test_06_socket_of_the_server(self):
        """The database can be reached by the server's Unix socket as well"""
        self.use(OVER_A_SOCKET)
        self.assertEqual(self.wait_for(self.book("by-socket")), "COMMITTED")
        self.assertEqual(self.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'acms-%' "
                                  "AND client_addr IS NOT NULL"), "0")

    @with_server
    def test_07_doctor_and_metrics(self):
        """acmsctl doctor finds no problem, and the metrics are written"""
        findings = [json.loads(line) for line in self.machine.run("acmsctl", "doctor", "--json").stdout.splitlines()]
        self.assertEqual([finding for finding in findings if finding["severity"] == "PROBLEM"], [])
        self.machine.run("install", "-d", "-m", "0755", "/var/lib/prometheus/node-exporter")
        self.machine.run("systemctl", "start", "acms-metrics.service")
        text = self.machine.run("cat", "/var/lib/prometheus/node-exporter/acms.prom").stdout
        for line in ('acms_up{daemon="front"} 1', 'acms_up{daemon="worker"} 1', 'acms_table_available{daemon="front"} 1',
                     'acms_table_available{daemon="worker"} 1', "# EOF"):
            self.assertIn(line + "\n", text)

    @with_server
    def test_08_worker_stays(self):
        """The worker starts with acms.target and doesn't end when it is idle"""
        self.machine.run("systemctl", "stop", "acms.target")
        self.machine.run("systemctl", "start", "acms.target")
        eventually("the worker", lambda: self.machine.is_active(WORKER), 10)
        pid = self.machine.property(WORKER, "MainPID")
        time.sleep(3)
        self.assertEqual(self.machine.property(WORKER, "MainPID"), pid)

    @with_server
    def test_09_boot(self):
        """After a boot the worker runs, and the server was there before it"""
        self.machine.run("systemctl", "enable", "postgresql")
        self.machine.power_off()
        self.machine.boot()
        eventually("the worker", lambda: self.machine.is_active(WORKER), 10)
        since = [int(self.machine.property(unit, "ActiveEnterTimestampMonotonic")) for unit in ("postgresql.service", WORKER)]
        self.assertLess(*since)
        journal = self.machine.run("journalctl", "--boot", "--no-pager", "--output=cat").stdout
        self.assertNotIn("ordering cycle", journal)
        self.assertEqual(self.wait_for(self.book("after-boot-shared")), "COMMITTED")
        self.machine.run("systemctl", "disable", "postgresql")

    def test_10_back(self):
        """With the embedded engine again the network is closed, and the former bookings are there"""
        self.configure(Database.original)
        self.machine.run("rm", "-f", SECRET)
        self.machine.run("systemctl", "stop", "postgresql", check=False)
        for unit in (FRONT, WORKER):
            self.assertEqual(self.sandbox(unit), Database.sandboxes[unit])
            self.machine.run("test", "!", "-e", f"/run/credentials/{unit}")
        self.assertEqual(self.wait_for(self.book("embedded-again")), "COMMITTED")
        for user, count in (("embedded-before", 1), ("embedded-again", 1), ("shared", 0)):
            found = self.reply("clara", "io.acms.Bookings.GetAllBookingsPerUser", {"userId": user})
            self.assertEqual(len(found["items"]), count, user)
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend").stdout, "")
