"""What happens to hosts and their database under load, alone or while something else is the matter already.

Each fault is a method, which leaves everything as it has found it. What happens meanwhile is drawn again. At least one
host stays whole, of those that don't buffer, so that it can be told how long nobody was accepted.
"""

import collections
import statistics
import time

from daemons import INTERFACES
from hosts import BOUND, LEASE
from peer import CallError

#: What may be drawn, and how often each.
WEIGHTS = {
    "failover": 4, "restart": 1, "standby_away": 1, "cut_off": 4, "kill": 4, "kill_all": 1, "freeze": 3, "pause": 2,
}
#: At most one of these at a time; the database is away meanwhile, so that nobody can be told to pause.
OF_DATABASE = {"failover", "restart", "standby_away"}

BEHIND = "killed while the standby was behind"
FAILOVERS = ["killed", "unreachable", BEHIND, f"{BEHIND}, twice"]


class Faults:
    """Faults of one round, on the hosts of a schema."""

    def __init__(self, chance, cluster, hosts, answers, schema, record, likelihood):
        self.chance, self.cluster, self.hosts, self.answers, self.schema = chance, cluster, hosts, answers, schema
        self.record = record
        self.likelihood = likelihood  # of something else while something is the matter
        self.under_way = []
        self.suspended = set()  # (host's name, program) of daemons that are dead or frozen
        self.wrong = []

    def draw(self):
        """Something that can happen now, by chance."""
        excluded = set(self.under_way)
        if OF_DATABASE & excluded:
            excluded |= OF_DATABASE | {"pause"}
        if excluded:
            excluded.add("kill_all")
        names = [name for name in WEIGHTS if name not in excluded]
        self.do(self.chance.choices(names, [WEIGHTS[name] for name in names])[0])

    def do(self, name):
        self.under_way.append(name)
        self.record.counts[name] += 1
        try:
            getattr(self, name)()
        finally:
            self.under_way.remove(name)
        if not self.under_way:
            self.recover(name)

    def meanwhile(self):
        """Something else, by chance, once the load has got into whatever state there is."""
        time.sleep(0.3 * self.chance.random())
        if len(self.under_way) < 2 and self.chance.random() < self.likelihood:
            self.draw()

    def recover(self, name):
        """Waits until each host accepts bookings again. It must do so by itself and soon."""
        began = time.monotonic()
        while late := [host.name for host in self.hosts if self.answers.accepted.get(host.name, 0) < began]:
            if time.monotonic() > began + BOUND:
                self.wrong.append(f"{', '.join(late)} accepted nothing for {BOUND} s after {name} was over")
                break
            time.sleep(0.01)
        self.record.note("recovery", name, time.monotonic() - began)

    # The database

    def failover(self):
        """The primary is dead or unreachable, the standby takes its place, and the other comes back as a standby."""
        primary, standby = self.cluster.primary, self.cluster.standby
        how = self.chance.choices(FAILOVERS, [5, 3, 2, 1])[0] if self.cluster.is_synchronous else BEHIND
        self.record.counts[f"primary {how}"] += 1
        gone = time.monotonic()
        if BEHIND in how:
            # The primary can have nothing that was answered and the standby doesn't have.
            standby.machine.cut_off(is_silent=True)
            time.sleep(0.3 + 1.5 * self.chance.random())
        if "twice" in how:
            # What it had committed, and could tell nobody for lack of the standby, is there for all to read now.
            primary.kill9()
            primary.start()
            time.sleep(3 * self.chance.random())
        if how == "unreachable":
            primary.machine.cut_off(is_silent=self.chance.random() < 0.5)
        else:
            primary.kill9()
        self.meanwhile()
        time.sleep(self.chance.choice([0, 0, 1, 4]) * self.chance.random())
        if not standby.machine.is_joined:
            standby.machine.join()
        self.cluster.promote()
        promoted = time.monotonic()
        if first := self.wait_for_acceptance(promoted):
            self.record.note("outage", how, first - gone)
            self.record.note("promotion", how, promoted - gone)
            self.record.note("after promotion", how, first - promoted)
        self.meanwhile()
        primary.kill9()
        if not primary.machine.is_joined:
            primary.machine.join()
        self.cluster.make_standby()

    def wait_for_acceptance(self, since):
        """When the first booking after then reached the database; None if none did for long."""
        names = [host.name for host in self.hosts if not host.buffers]
        while (latest := max(self.answers.accepted.get(name, 0) for name in names)) < since:
            if time.monotonic() > since + BOUND:
                self.wrong.append(f"nobody was accepted for {BOUND} s after a promotion")
                return None
            time.sleep(0.005)
        return latest

    def restart(self):
        """The primary dies and is started again, before anybody has promoted the other."""
        self.cluster.primary.kill9()
        self.meanwhile()
        self.cluster.primary.start()
        self.cluster.wait_for_standby()

    def standby_away(self):
        """The standby doesn't answer, so that the primary can answer no commit."""
        machine = self.cluster.standby.machine
        machine.cut_off(is_silent=True)
        time.sleep(LEASE + 3 * self.chance.random())
        self.meanwhile()
        machine.join()
        self.cluster.wait_for_standby()

    # Hosts

    def is_whole(self, host):
        return host.machine.is_joined and not any((host.name, program) in self.suspended for program in INTERFACES)

    def all_but_one(self):
        """Hosts to which something may happen: all but one of those that are whole, and tell by what they accept whether
        the database is there."""
        spared = self.chance.choice([host for host in self.hosts if self.is_whole(host) and not host.buffers])
        return [host for host in self.hosts if host is not spared]

    def some(self):
        """Some daemons that run, by chance."""
        free = [(host, program) for host in self.all_but_one() for program in INTERFACES
                if (host.name, program) not in self.suspended]
        return self.chance.sample(free, min(len(free), self.chance.choice([1, 1, 2, 3])))

    def cut_off(self):
        """A host is without its database for longer than its leases last."""
        joined = [host for host in self.all_but_one() if host.machine.is_joined]
        host = self.chance.choice(joined)
        host.machine.cut_off(is_silent=self.chance.random() < 0.5)
        self.outlast(time.monotonic())
        host.machine.join()

    def outlast(self, began):
        """Waits until leases of then are over; meanwhile something else may happen."""
        self.meanwhile()
        time.sleep(max(0, began + LEASE + 0.5 + 2 * self.chance.random() - time.monotonic()))

    def kill(self):
        self.kill_these(self.some())

    def kill_all(self):
        self.kill_these([(host, program) for host in self.hosts for program in INTERFACES])

    def kill_these(self, chosen):
        self.suspended.update((host.name, program) for host, program in chosen)
        for host, program in chosen:
            self.wrong += host.kill9(program)
        self.record.counts["daemons killed"] += len(chosen)
        if "kill" in self.under_way:
            self.meanwhile()
        for host, program in chosen:
            host.start(program)
            self.suspended.discard((host.name, program))

    def freeze(self):
        """Daemons stop in the middle of whatever they do, and go on when their leases are over."""
        chosen = self.some()
        self.suspended.update((host.name, program) for host, program in chosen)
        for host, program in chosen:
            host.freeze(program)
        self.record.counts["daemons frozen"] += len(chosen)
        self.outlast(time.monotonic())
        for host, program in chosen:
            host.thaw(program)
            self.suspended.discard((host.name, program))

    # Operators

    def pause(self):
        """What one worker is told holds for all: once it has answered nothing is committed, until one is to go on."""
        free = [host for host in self.hosts if self.is_whole(host)]
        paused = self.tell(self.chance.choice(free), "Pause")
        if paused:
            self.meanwhile()
            time.sleep(0.5 + self.chance.random())
        resumed = time.time()
        end = time.monotonic() + 60
        while not self.tell(self.chance.choice(free), "Resume"):
            if time.monotonic() > end:
                self.wrong.append("Resume was refused for 60 s")
                return
            time.sleep(0.05)
        if paused:
            self.judge_pause(paused, resumed)

    def tell(self, host, method):
        """Calls a method of the queue; when it was answered, or None if it was not."""
        try:
            peer = host.peer("Queue")
            try:
                peer.call(method)
            finally:
                peer.close()
            return time.time()
        except CallError as error:
            if error.name != "StorageUnavailable":
                self.wrong.append(f"{method}: {error}")
            return None
        except (OSError, EOFError):
            return None

    def judge_pause(self, paused, resumed):
        """A row that nobody has decided is as its commit has made it; when that was, the server knows."""
        rows = self.cluster.primary.sql(f"""
            SELECT id, committed FROM (
                SELECT id, pg_xact_commit_timestamp(xmin) AS committed FROM {self.schema}.bookings
                WHERE booking_status = 'PENDING'
            ) AS undecided WHERE committed > to_timestamp({paused}) AND committed < to_timestamp({resumed})""")
        self.record.counts["pauses judged"] += 1
        if rows:
            self.wrong.append(
                f"{len(rows)} bookings were committed during a pause ({paused:.3f} to {resumed:.3f}): {rows[:3]}")


class Record:
    """What has happened in all, and how long it took to get over it."""

    def __init__(self):
        self.counts = collections.Counter()
        self.times = collections.defaultdict(list)  # by what: seconds, and of what

    def note(self, what, of, seconds):
        self.times[what].append((seconds, of))

    def figures(self, what):
        """Median and maximum as a text."""
        if not self.times[what]:
            return "never"
        longest, of = max(self.times[what])
        median = statistics.median(seconds for seconds, _ in self.times[what])
        return f"{median:.1f} s in the median and {longest:.1f} s at most ({of.replace('_', ' ')})"
