"""An installed acms in trouble: whatever happens, what was answered is committed once, and nobody is told a lie."""

import json
import time

from case import FRONT, SOCKETS, STARTERS, WORKER, Case
from machine import eventually

RATE = 1000


class Load:
    """Clients that book at a steady rate, and what they were told."""

    def __init__(self, case, prefix, rate=RATE):
        self.case, self.machine, self.prefix = case, case.machine, prefix
        self.ledger = f"/var/tmp/{prefix}.ledger"
        self.machine.run("install", "-o", "clara", "-m", "0644", "/dev/null", self.ledger)
        self.began = time.monotonic()
        self.process = self.machine.start(
            "python3", "/tests/load.py", "/run/acms/io.acms.Bookings", self.ledger, prefix, str(rate), "20", user="clara")

    def answered(self):
        with open(f"{self.machine.root}{self.ledger}", "rb") as file:
            return sum(line.startswith(b"+") for line in file)

    def wait_for_more(self, count=RATE // 2, seconds=60):
        """Waits until so many more were answered."""
        goal = self.answered() + count
        eventually(f"{count} more answers", lambda: self.answered() >= goal, seconds)

    def stop(self):
        """Ends it, and holds what callers were told against the table."""
        self.machine.run("pkill", "-TERM", "-f", f"/tests/load.py .* {self.prefix} ")
        output, _ = self.process.communicate(timeout=90)
        elapsed = time.monotonic() - self.began
        if self.process.returncode:
            raise AssertionError(output)
        return self.verify(elapsed)

    def verify(self, elapsed):
        self.case.wait_until_empty()
        figures = self.figures()
        self.case.assertEqual(figures["lost"], [])
        self.case.assertEqual(figures["twice"], [])
        self.case.assertEqual(figures["wrong"], [])
        self.case.assertEqual(self.case.queue()["dead"], 0)
        told = ", ".join(f"{count} × {reason}" for reason, count in figures["refused"].items()) or "none"
        self.case.figure(f"{figures['answered']} answered in {elapsed:.1f} s, {figures['committed']} committed, none lost, "
                         f"none twice; connections refused or broken: {told}")
        return figures

    def figures(self):
        return json.loads(self.machine.run("python3", "/tests/verify.py", self.ledger, self.prefix).stdout)


class UnderLoad(Case):
    def under_load(self, name, fault, times=3):
        load = Load(self, name)
        load.wait_for_more()
        for _ in range(times):
            fault(load)
            load.wait_for_more()
        return load.stop()

    def test_00_nothing(self):
        """Load: nothing happens"""
        figures = self.under_load("quiet", lambda _: None)
        self.assertEqual(figures["refused"], {})

    def test_00_the_check_can_fail(self):
        """The check notices an answer that isn't kept, and one that is wrong"""
        load = Load(self, "checked")
        load.wait_for_more()
        load.stop()
        lost = ["01932b1c-7a5e-7d11-9c55-0242ac120002", "checked-lost"]
        self.machine.run("tee", "--append", load.ledger, input=f"+ {' '.join(lost)}\n! a wrong answer\n")
        figures = load.figures()
        self.assertEqual((figures["lost"], figures["wrong"]), ([lost], ["! a wrong answer"]))

    def systemctl(self, *words):
        return lambda _: self.machine.run("systemctl", *words)

    def test_01_restart_front(self):
        """Load: systemctl restart of the front"""
        self.under_load("restart-front", self.systemctl("restart", FRONT))

    def test_02_restart_worker(self):
        """Load: systemctl restart of the worker, which callers don't notice"""
        figures = self.under_load("restart-worker", self.systemctl("restart", WORKER))
        self.assertEqual(figures["refused"], {})

    def test_03_stop_front(self):
        """Load: systemctl stop of the front, which the next caller starts again"""
        self.under_load("stop-front", self.systemctl("stop", FRONT))

    def test_04_stop_worker(self):
        """Load: systemctl stop of the worker, which the spool starts again"""
        figures = self.under_load("stop-worker", self.systemctl("stop", WORKER))
        self.assertEqual(figures["refused"], {})

    def test_05_stop_target(self):
        """Load: systemctl stop and start of acms.target"""
        def fault(_):
            self.machine.run("systemctl", "stop", "acms.target")
            self.machine.run("systemctl", "start", "acms.target")
        self.under_load("stop-target", fault)

    def test_05_restart_sockets(self):
        """Load: systemctl restart of the sockets"""
        self.under_load("restart-sockets", self.systemctl("restart", *SOCKETS))
        for unit in SOCKETS:
            self.assertTrue(self.machine.is_active(unit), unit)

    def kill(self, unit):
        def fault(_):
            before = self.machine.property(unit, "MainPID")
            self.machine.run("systemctl", "kill", "--signal=KILL", unit)
            eventually(f"the restart of {unit}", lambda: self.machine.property(unit, "MainPID") not in ("0", before))
        return fault

    def test_06_kill_front(self):
        """Load: kill -9 of the front"""
        self.under_load("kill-front", self.kill(FRONT))

    def test_07_kill_worker(self):
        """Load: kill -9 of the worker, which callers don't notice"""
        figures = self.under_load("kill-worker", self.kill(WORKER))
        self.assertEqual(figures["refused"], {})

    def test_08_restart_journald(self):
        """Load: systemctl restart of journald; nobody notices, and the daemons log again"""
        pids = [self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)]
        figures = self.under_load("restart-journald", self.systemctl("restart", "systemd-journald"))
        self.assertEqual(figures["refused"], {})
        self.assertEqual([self.machine.property(unit, "MainPID") for unit in (FRONT, WORKER)], pids)
        id = self.book("after-journald")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        eventually("both entries", lambda: len(self.machine.run(
            "journalctl", f"ACMS_BOOKING_ID={id}", "--output=cat").stdout.splitlines()) == 2, 10)

    def test_09_stopped_journald(self):
        """Load: journald reads nothing for a while; nobody notices"""
        def fault(load):
            self.machine.run("systemctl", "kill", "--signal=STOP", "systemd-journald")
            try:
                load.wait_for_more(3 * RATE)
            finally:
                self.machine.run("systemctl", "kill", "--signal=CONT", "systemd-journald")
        figures = self.under_load("stopped-journald", fault, times=1)
        self.assertEqual(figures["refused"], {})

    def test_10_no_journald(self):
        """Load: journald is stopped and started; nobody notices"""
        units = ["systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald.service"]
        def fault(load):
            self.machine.run("systemctl", "stop", *units)
            load.wait_for_more(2 * RATE)
            self.machine.run("systemctl", "start", *units)
        figures = self.under_load("no-journald", fault, times=1)
        self.assertEqual(figures["refused"], {})


class Watchdog(Case):
    def test_stopped_daemons(self):
        """Daemons that hang (SIGSTOP) are restarted by the watchdog, and bookings go on"""
        load = Load(self, "watchdog", rate=50)
        load.wait_for_more(50)
        units = (FRONT, WORKER)
        before = {unit: self.machine.property(unit, "MainPID") for unit in units}
        began = time.monotonic()
        for unit in units:
            self.machine.run("systemctl", "kill", "--signal=STOP", unit)
        for unit in units:
            eventually(f"the restart of {unit}",
                       lambda: self.machine.property(unit, "MainPID") not in ("0", before[unit]), 90)
        self.figure(f"both were restarted within {time.monotonic() - began:.0f} s")
        self.assertIn("Watchdog timeout", self.machine.run("journalctl", "--unit=acms-*", "--output=cat").stdout)
        load.wait_for_more(50)
        load.stop()


class CrashLoop(Case):
    TRIGGER = """CREATE TRIGGER deadly BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'deadly' BEGIN
        SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END"""

    def sql(self, statement):
        self.machine.run("setpriv", "--reuid=acms-worker", "--regid=acms-front", "--clear-groups", "python3", "-c",
                         "import sqlite3, sys; c = sqlite3.connect('/var/lib/acms/table/acms.sqlite', timeout=20); "
                         "c.execute(sys.argv[1]); c.commit()", statement)

    def test_poison(self):
        """A message that kills the worker again and again is set aside, and no unit fails"""
        # The message makes the worker compute for ever, and the limit on its processor time kills it.
        dropin = "/etc/systemd/system/acms-worker.service.d"
        self.machine.run("mkdir", "-p", dropin)
        self.machine.run("tee", f"{dropin}/limit.conf", input="[Service]\nLimitCPU=1\n"
                         "Environment=ACMS_WORKER_RETRY_INITIAL_SECONDS=0.01 ACMS_WORKER_RETRY_MAXIMUM_SECONDS=0.1\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", WORKER)
        self.sql(self.TRIGGER)
        try:
            before = int(self.machine.property(WORKER, "NRestarts"))
            neighbours = [self.book(f"neighbour-{number}") for number in range(3)]
            deadly = self.book("killer", "deadly")
            neighbours += [self.book(f"neighbour-{number}") for number in range(3, 6)]
            began = time.monotonic()
            # Asking the worker would use up its time.
            dead = self.machine.root / "var/lib/acms/spool/dead"
            eventually("the dead letter", lambda: [file for file in dead.iterdir() if deadly in file.name], 120)
            self.figure(f"dead after {time.monotonic() - began:.0f} s and "
                        f"{int(self.machine.property(WORKER, 'NRestarts')) - before} restarts")
            letter = self.reply("ada", "io.acms.Queue.GetDeadLetter", {"id": deadly})["letter"]
            self.assertEqual((letter["class"], letter["receiveCount"]), ("CRASH", 10))
            for id in neighbours:
                self.assertEqual(self.wait_for(id), "COMMITTED")
            self.assertNotIn("failed", self.machine.run("systemctl", "is-failed", WORKER, "acms-worker.path",
                                                         "acms-worker.socket", check=False).stdout)
        finally:
            self.sql("DROP TRIGGER deadly")
            self.machine.run("rm", "-r", dropin)
            self.machine.run("systemctl", "daemon-reload")
        self.reply("ada", "io.acms.Queue.RedriveDeadLetters", {"ids": [deadly]})
        self.assertEqual(self.wait_for(deadly), "COMMITTED")


class PowerOff(Case):
    def test_power_off(self):
        """Load: power off and boot; what was answered is committed, and no unit has failed"""
        load = Load(self, "power-off")
        load.wait_for_more(2 * RATE)
        elapsed = time.monotonic() - load.began
        self.machine.power_off(load.process)
        load.process.wait(timeout=60)
        self.machine.boot()
        load.verify(elapsed)
        self.assertEqual(self.wait_for(self.book("after-boot")), "COMMITTED")
        self.assertEqual(self.machine.run("systemctl", "--failed", "--no-legend").stdout, "")

    def test_power_off_when_disabled(self):
        """A disabled acms.target stays off after a boot, with all that belongs to it"""
        self.wait_until_empty()
        self.machine.run("systemctl", "disable", "acms.target", WORKER)
        self.machine.power_off()
        self.machine.boot()
        for unit in [*STARTERS, "acms.target", FRONT, WORKER]:
            self.assertFalse(self.machine.is_active(unit), unit)
        self.machine.run("systemctl", "enable", "--now", "acms.target")
        self.machine.run("systemctl", "enable", WORKER)
        self.assertEqual(self.wait_for(self.book("enabled-again")), "COMMITTED")
