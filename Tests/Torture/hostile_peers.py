"""Hostile peers: what callers do to a daemon must not cost the others much.

While each attack is under way a well-behaved client makes one call after the other. Its 99th percentile must stay
within ten times the quiet one, it must never be refused or closed, the daemon's memory must stay below what the limits
of its configuration add up to, and what was answered must be in the table once.
"""

import collections
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from daemons import Site
from figures import Figures
from peer import CallError

NAME = "hostile peers"

MIB = 1 << 20
#: The limits of the daemons under attack, low enough that a few seconds show whether they hold.
LIMITS = {
    "ACMS_SERVER_MAX_BYTES_IN_FLIGHT": str(32 * MIB), "ACMS_SERVER_PARTIAL_CALL_TIMEOUT_SECONDS": "2",
    "ACMS_SERVER_IDLE_TIMEOUT_SECONDS": "40",
}
#: What planted faults configure instead.
PLANTED = {
    "no-limits": {
        "ACMS_SERVER_MAX_BYTES_IN_FLIGHT": str(1 << 40), "ACMS_SERVER_PARTIAL_CALL_TIMEOUT_SECONDS": "0",
        "ACMS_SERVER_IDLE_TIMEOUT_SECONDS": "0",
    }
}
#: What a daemon needs for itself, and for each connection besides what is counted; see config/acms.yaml.
BASE, CONNECTION = 160 * MIB, 32 << 10
#: The slowest that a client may be under attack, as a multiple of its quiet 99th percentile: in a long run, as a short
#: one is no place to measure times.
RATIO = 10
#: Less than so many seconds is the scheduler's doing, and counts as that.
QUIET = 0.002


@dataclass
class Attack:
    name: str
    arguments: list
    socket: str = "Bookings"
    # Bookings as they are meant to be made, only as many as there can be: others get their share, and no more.
    is_load: bool = False


def run(plan):
    figures = Figures(NAME, 0, "hostile connections")
    if plan.planted and plan.planted not in PLANTED:
        figures.failures.append(f"There is no planted fault {plan.planted}.")
        return figures
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 32_768), hard))
    arena = Arena(plan, figures)
    try:
        arena.prepare()
        attacks = ATTACKS if not plan.planted else [one for one in ATTACKS if one.name == "half_frames"]
        seconds = 3 if plan.is_short else 10
        while True:
            for attack in attacks:
                arena.suffer(attack, seconds)
            if plan.is_short or plan.planted or plan.left < len(attacks) * (seconds + 4):
                break
        if not plan.planted:
            arena.run_out_of_descriptors()
        arena.judge()
    except (OSError, TimeoutError, CallError) as error:
        figures.failures.append(f"{type(error).__name__}: {error}")
    finally:
        arena.end()
    return figures


ATTACKS = [
    Attack("idle", [10_000, 20]),
    Attack("slow_writers", [3000]),
    Attack("half_frames", [2000, 1_000_000]),
    Attack("unread_replies", [100, "listed"]),
    Attack("awaiting", [1000, 250, None]),
    Attack("bad_frames", [64]),
    Attack("large_batches", [16]),
    Attack("come_and_go", []),
    Attack("many_calls", [64, 256], is_load=True),
    Attack("half_frames", [2000, 1_000_000], socket="Queue"),
    Attack("bad_frames", [64], socket="Caretaker"),
]


class Client:
    """Makes one call after the other, and knows how long each took."""

    def __init__(self, site, socket, failures, booked=()):
        self.site, self.socket, self.failures, self.booked = site, socket, failures, booked
        self.peer = site.peer(socket, timeout=20)
        self.ids = []
        self.count = 0

    def call(self):
        if self.socket == "Bookings":
            self.count += 1
            fields = {"userId": f"good-{id(self):x}-{self.count}", "apartmentId": f"A-{self.count % 100}",
                      "startDate": "2027-01-01", "endDate": "2027-01-05"}
            self.ids.append(self.peer.call("CreateApartmentBooking", input=fields)["id"])
        elif self.socket == "Queue":
            self.peer.call("GetQueueAttributes")
        else:
            self.count += 1
            self.cancel(self.booked[self.count % len(self.booked)])

    def cancel(self, identifier):
        try:
            self.peer.call("CancelBooking", id=identifier)
        except CallError as error:
            if error.name != "WrongStatus":
                raise

    def work(self, seconds):
        """The 99th percentile of so many seconds of calls, in seconds."""
        times = []
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end or len(times) < 100:
            try:
                self.call()
            except (OSError, CallError) as error:
                self.failures.append(f"the well-behaved client: {type(error).__name__}: {error}")
                self.peer.close()
                self.peer = self.site.peer(self.socket, timeout=20)
            times.append(time.monotonic() - began)
            if len(times) > 20 and time.monotonic() > end + 30:
                break
        return sorted(times)[int(len(times) * 0.99)]


class Hostile:
    """The process that attacks."""

    def __init__(self, site, attack, seed, ids):
        arguments = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "attackers.py")]
        arguments += [attack.name, site.socket_path(attack.socket), str(seed), json.dumps(attack.arguments)]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"ATTACK_IDS": ids})
        if self.process.stdout.readline() != "ready\n":
            raise OSError(f"{attack.name} did not begin")

    def end(self):
        output, _ = self.process.communicate(timeout=60)
        return json.loads(output)


class Arena:
    """The daemons under attack, and what becomes of them."""

    def __init__(self, plan, figures):
        self.plan, self.figures = plan, figures
        self.chance = random.Random(plan.seed)
        self.limits = LIMITS | PLANTED.get(plan.planted, {})
        self.site = Site(plan.binaries, f"{plan.scratch}/site", environment=self.limits)
        self.ids = f"{plan.scratch}/ids"
        self.clients = []
        self.daemons = {}
        self.hostile = None
        self.quiet = collections.defaultdict(list)
        self.booked = []

    def prepare(self):
        """Starts the daemons, and books what attacks ask for."""
        self.daemons = {"Queue": self.site.start_worker(), "Bookings": self.site.start_front()}
        self.daemons["Caretaker"] = self.daemons["Queue"]
        peer = self.site.peer("Bookings")
        for part in range(2):
            inputs = [{"userId": "listed", "apartmentId": f"L-{part}-{number}", "startDate": "2027-01-01",
                       "endDate": "2027-01-02"} for number in range(1000)]
            results = peer.call("CreateApartmentBookings", inputs=inputs)["results"]
            self.booked += [result["id"] for result in results]
        self.site.drain()
        peer.close()
        # The daemons are to close these: forgotten ones, and one whose replies are never read.
        self.forgotten = [self.site.peer(name) for name in self.daemons for _ in range(20)]
        self.forgotten.append(self.site.peer("Bookings"))
        for _ in range(8):
            self.forgotten[-1].send("GetAllBookingsPerUser", {"userId": "listed", "limit": 1000})

    def suffer(self, attack, seconds):
        """One attack: a client is measured before it and while it lasts."""
        figures, daemon = self.figures, self.daemons[attack.socket]
        client = Client(self.site, attack.socket, figures.failures, self.booked)
        self.clients.append(client)
        self.quiet[attack.socket].append(client.work(1.5))
        quiet = max(QUIET, statistics.median(self.quiet[attack.socket]))
        if attack.name == "awaiting":
            attack.arguments[-1] = self.hold_one()
        with open(f"/proc/{daemon.pid}/clear_refs", "w") as file:
            file.write("5")
        self.hostile = Hostile(self.site, attack, self.chance.randrange(1 << 40), self.ids)
        # Many connections take a while, and it was idle meanwhile.
        client.peer.close()
        client.peer = self.site.peer(attack.socket, timeout=20)
        worst = client.work(seconds)
        done = self.hostile.end()
        self.hostile = None
        client.peer.close()
        peak = daemon.resident_kilobytes("VmHWM") << 10
        bound = BASE + done["most"] * CONNECTION + 2 * int(LIMITS["ACMS_SERVER_MAX_BYTES_IN_FLIGHT"])
        title = f"{attack.name.replace('_', ' ')} on {attack.socket}"
        text = (f"{title}: {done['opened']} connections, {done['most']} at a time, {done['closed']} closed by the daemon, "
                f"{done['calls']} calls; p99 {quiet * 1e3:.1f} ms quiet, {worst * 1e3:.1f} ms now "
                f"({worst / quiet:.1f} times); peak {peak / MIB:.0f} MiB of {bound / MIB:.0f}")
        self.plan.say(text)
        figures.notes.append(text)
        figures.count += done["opened"]
        if worst > RATIO * quiet and not attack.is_load and not self.plan.is_short:
            figures.failures.append(f"{title}: the client's p99 was {worst / quiet:.1f} times the quiet one")
        if peak > bound:
            figures.failures.append(f"{title}: {peak / MIB:.0f} MiB were resident, more than {bound / MIB:.0f}")
        for one in set(self.daemons.values()):
            if not one.is_running:
                figures.crashes += 1
                figures.failures.append(f"{title}: {one.program} ended with {one.status}: {one.log()[-400:]}")
                raise OSError("a daemon has crashed")
        if attack.name == "awaiting":
            self.ask("Queue", "Resume")
        if attack.name == "idle" and done["open"] < attack.arguments[0]:
            figures.failures.append(f"{title}: only {done['open']} connections were left")

    def ask(self, socket, method, **parameters):
        peer = self.site.peer(socket)
        try:
            return peer.call(method, **parameters)
        finally:
            peer.close()

    def hold_one(self):
        """A booking that waits as long as the queue is paused."""
        self.ask("Queue", "Pause")
        fields = {"userId": f"awaited-{time.monotonic()}", "apartmentId": "W", "startDate": "2027-01-01",
                  "endDate": "2027-01-02"}
        return self.ask("Bookings", "CreateApartmentBooking", input=fields)["id"]

    def run_out_of_descriptors(self):
        """A front with few descriptors: those whom it serves are served, and the rest costs it nothing."""
        site = Site(self.plan.binaries, f"{self.plan.scratch}/few")
        site.wrapper = ["prlimit", "--nofile=300:300"]
        front = site.start_front()
        failures = self.figures.failures
        client = Client(site, "Bookings", failures)
        quiet = max(QUIET, client.work(1.5))
        self.hostile = Hostile(site, Attack("idle", [1000, 3]), 0, self.ids)
        worst = client.work(2)
        began = _cpu_seconds(front.pid)
        time.sleep(1)
        spent = _cpu_seconds(front.pid) - began
        done = self.hostile.end()
        self.hostile = None
        # Those that were open are gone, and somebody else finds room.
        late = Client(site, "Bookings", failures)
        late.work(0.1)
        text = (f"300 descriptors: {done['open']} connections of {done['opened']} were let in; p99 {quiet * 1e3:.1f} ms "
                f"quiet, {worst * 1e3:.1f} ms now ({worst / quiet:.1f} times); {spent:.2f} s of CPU in a second of rest")
        self.plan.say(text)
        self.figures.notes.append(text)
        self.figures.count += done["opened"]
        is_slow = (worst > RATIO * quiet or spent > 0.2) and not self.plan.is_short
        if not 0 < done["open"] < 300 or is_slow:
            failures.append(text)
        if "server.max-connections" not in front.log():
            failures.append("300 descriptors: the front's log doesn't say that it was at its limit")
        worker = site.start_worker()
        site.drain()
        self.compare(site, client.ids + late.ids)
        for daemon in (front, worker):
            if daemon.stop() != 0:
                self.figures.crashes += 1
        site.close()

    def judge(self):
        """What was answered is in the table once, and who was forgotten is gone."""
        self.site.drain(seconds=300)
        with open(self.ids, "a+") as file:
            file.seek(0)
            ids = file.read().split()
        self.compare(self.site, ids + [one for client in self.clients for one in client.ids])
        if self.plan.planted:
            return
        for peer in self.forgotten:
            peer.socket.settimeout(45)
            try:
                while peer.socket.recv(1 << 20):
                    pass
            except TimeoutError:
                self.figures.failures.append("a forgotten connection is still open")
            except ConnectionError:
                pass

    def compare(self, site, ids):
        rows = site.rows()
        users = [row["userId"] for row in rows.values() if row["userId"] != "listed"]
        self.figures.accepted += len(ids)
        self.figures.lost += sum(one not in rows for one in ids)
        self.figures.duplicated += len(ids) - len(set(ids)) + len(users) - len(set(users))

    def end(self):
        if self.hostile:
            self.hostile.process.kill()
            self.hostile.process.wait()
        for daemon in set(self.daemons.values()):
            if daemon.stop() not in (0, -9):
                self.figures.crashes += 1
        self.site.close()


def _cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
