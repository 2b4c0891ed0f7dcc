"""Upgrading, removing and purging the package."""

import subprocess
import tempfile
from pathlib import Path

from case import FRONT, PACKAGE, SOCKETS, WORKER, Case
from faults import Load


class Upgrade(Case):
    def newer(self, scratch):
        """The same package as a later version."""
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", PACKAGE, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 1:"))
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, Path(scratch) / "newer.deb"],
                       check=True, stdout=subprocess.DEVNULL)
        return Path(scratch) / "newer.deb"

    def test_upgrade(self):
        """Load: upgrade of the package; configuration, spool and table are kept, and the sockets listen throughout"""
        self.machine.run("tee", "/etc/acms/acms.yaml", input="log:\n  level: info\n")
        load = Load(self, "upgrade")
        load.wait_for_more()
        pids = [self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)]
        listening = [self.machine.property(unit, "ActiveEnterTimestampMonotonic") for unit in SOCKETS]
        with tempfile.TemporaryDirectory() as scratch:
            self.install(self.newer(scratch))
        load.wait_for_more()
        after = [self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)]
        self.assertFalse(set(pids) & set(after), f"{pids} {after}")
        self.assertEqual([self.machine.property(unit, "ActiveEnterTimestampMonotonic") for unit in SOCKETS], listening)
        figures = load.stop()
        self.assertFalse([reason for reason in figures["refused"] if "Refused" in reason])
        self.assertEqual(self.machine.run("cat", "/etc/acms/acms.yaml").stdout, "log:\n  level: info\n")


class Removal(Case):
    def test_01_nothing_failed(self):
        """No unit has failed"""
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend").stdout, "")

    def test_02_remove(self):
        """Removing stops everything and keeps the bookings; installing again finds them"""
        id = self.book("kept")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.machine.run("systemctl", "enable", "--now", "acms-metrics.timer")
        self.machine.run("dpkg", "--remove", "acms")
        self.assertEqual(self.processes(), [])
        self.assertEqual(self.machine.run("sh", "-c", "ls /run/acms").stdout, "")
        self.machine.run("test", "-s", "/var/lib/acms/table/acms.sqlite")
        self.machine.run("test", "-e", "/etc/acms/acms.yaml")
        self.machine.run("test", "!", "-e", "/var/lib/prometheus/node-exporter/acms.prom")
        self.assertFalse(self.machine.is_active("acms-metrics.timer"))
        self.install(PACKAGE)
        found = self.reply("clara", "io.acms.Bookings.GetBooking", {"id": id})
        self.assertEqual(found["progress"], "COMMITTED")

    def test_03_another_root(self):
        """Purging the package in another root directory leaves this one's bookings alone"""
        self.machine.run("sh", "-ec", "mkdir -p /var/tmp/other/var/lib/dpkg/info /var/tmp/other/var/lib/dpkg/updates; "
                         "touch /var/tmp/other/var/lib/dpkg/status")
        options = ["--root=/var/tmp/other", "--force-script-chrootless", "--force-depends"]
        self.machine.run("dpkg", *options, "--install", "/root/acms.deb")
        self.machine.run("test", "-e", "/var/tmp/other/usr/bin/acmsctl", "-o", "-L", "/var/tmp/other/usr/bin/acmsctl")
        self.machine.run("dpkg", *options, "--purge", "acms")
        self.machine.run("test", "!", "-e", "/var/tmp/other/var/lib/acms")
        self.machine.run("test", "-s", "/var/lib/acms/table/acms.sqlite")

    def test_04_purge(self):
        """Purging removes the bookings, the configuration and every file"""
        files = self.machine.run("dpkg", "-L", "acms").stdout.splitlines()
        self.machine.run("install", "-m", "0600", "/dev/stdin", "/etc/acms/postgres-password", input="secret\n")
        self.machine.run("dpkg", "--purge", "acms")
        self.assertEqual(self.processes(), [])
        left = [file for file in files if "acms" in file and
                self.machine.run("test", "-e", file, "-o", "-L", file, check=False).returncode == 0]
        self.assertEqual(left, [])
        self.assertEqual(self.machine.run("sh", "-c", "ls -d /var/lib/acms /etc/acms 2>/dev/null; "
                                          "find /etc/systemd /var/lib/systemd -name '*acms*'", check=False).stdout, "")
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend").stdout, "")
