"""Many hosts: fronts and workers of three hosts share a database that fails over, and lose it, die and freeze.

The hosts and the two servers of the database have networks of their own. Callers of every host book, repeat, approve,
cancel, redrive and delete, and some call all hosts at the same moment with the same claim or the same key. When
everything is together again and drained, the database must hold what callers were told.

In every second round the third host accepts into its spool while the database is away. What it accepts is known there
alone until it is forwarded, so its callers stay with it.
"""

import collections
import json
import random
import re
import shutil
import time

from database import Cluster
from figures import Figures
from host_callers import Callers, Racers
from host_faults import Faults, Record
from hosts import BOUND, LEASE, TIMEOUT, Answers, Host
from judge import judge
from ledger import Attempt
from load import wrong_about_claim, wrong_about_claims
from network import Bridge, Machine
from peer import CallError

NAME = "many_hosts"
NEEDS_ROOT = True

#: Faults of the database's operation, not of a daemon, that it must find: nobody waits for the standby, and somebody
#: deletes a row.
PLANTED = {"asynchronous-standby": ["failover"], "deleted-row": ["kill"]}

#: Faults of a round, after which everything is drained and judged, and goes on with an empty schema.
FAULTS_A_ROUND = 12
#: What a short run has time for is known, so that it can be repeated: the faults of each of its rounds.
SHORT = [["failover", "freeze", "pause"], ["failover", "cut_off", "kill"]]

#: How many book, decide, operate and drop files: of all hosts, or of those that don't buffer and of the one that does.
CLIENTS, CLIENTS_APART = (9, 4, 1, 1), [(6, 3, 1, 1), (3, 1, 0, 1)]
#: Seconds that each rests after each thing it does.
REST = 0.03


def run(plan):
    figures = Figures(NAME, 0, "faults of hosts")
    if plan.planted and plan.planted not in PLANTED:
        figures.failures.append(f"There is no planted fault {plan.planted}.")
        return figures
    arena = Arena(plan, figures)
    try:
        arena.prepare()
        number = 0
        while number < len(SHORT) if plan.is_short else number == 0 or plan.left > 0:
            number += 1
            arena.round(number)
            plan.say(f"{figures.count} faults, {figures.accepted} bookings accepted")
            if not figures.is_good:
                break
    except (OSError, TimeoutError, CallError) as error:
        figures.failures.append(f"{type(error).__name__}: {error}")
    finally:
        arena.end()
    return figures


class Arena:
    """Machines, servers and daemons, and what becomes of them."""

    def __init__(self, plan, figures):
        self.plan, self.figures = plan, figures
        self.chance = random.Random(f"{plan.seed} many hosts")
        self.answers, self.record = Answers(), Record()
        self.races = collections.Counter()
        self.networks, self.hosts = [], []
        self.cluster = None

    def prepare(self):
        bridge = Bridge()
        self.networks.append(bridge)
        for number, name in enumerate(["db1", "db2", "host1", "host2", "host3"], 1):
            self.networks.append(Machine(bridge, name, number))
        is_synchronous = self.plan.planted != "asynchronous-standby"
        self.cluster = Cluster(self.networks[1:3], self.plan.scratch, is_synchronous)
        self.cluster.create()

    def round(self, number):
        schema = f"acms_{number}"
        directory = f"{self.plan.scratch}/{number}"
        environment = {
            "ACMS_ENGINE": "postgres", "ACMS_POSTGRES_URL": self.cluster.url, "ACMS_POSTGRES_SCHEMA": schema,
            "ACMS_POSTGRES_LEASE_SECONDS": str(LEASE), "ACMS_POSTGRES_TIMEOUT_SECONDS": str(TIMEOUT),
        }
        self.hosts = [
            Host(machine, self.plan.binaries, f"{directory}/{machine.name}", environment, self.answers,
                 buffers=number % 2 == 0 and machine.name == "host3")
            for machine in self.networks[3:]]
        # All at once, on a database with nothing in it.
        for host in self.hosts:
            host.start("acms-frontd")
            host.start("acms-workerd")
        loads, racers = self.load(self.plan.seed * 1000 + number)
        ledger = loads[0].ledger
        likelihood = 0 if self.plan.planted else 0.15 if self.plan.is_short else 0.4
        faults = Faults(self.chance, self.cluster, self.hosts, self.answers, schema, self.record, likelihood)
        try:
            faults.recover("start")
            self.suffer(faults, number)
        finally:
            for load in loads:
                load.stop()
            racers.stop()
            for load in loads[1:]:
                ledger.merge(load.ledger)
            self.figures.accepted += ledger.accepted()
            self.figures.failures += [f"round {number}: {text}" for text in faults.wrong + ledger.wrong[:5]]
            self.races.update(racers.won)
        try:
            self.find_database(ledger)
            self.drain()
            if self.plan.planted == "deleted-row":
                self.delete_row(schema)
            wrong = self.judge(schema, ledger, racers)
        except (OSError, TimeoutError, CallError) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        self.figures.failures += [f"round {number}: {text}" for text in wrong]
        for host in self.hosts:
            crashes = host.stop()
            self.figures.crashes += len(crashes)
            self.figures.failures += crashes
            host.close()
        self.hosts = []
        self.figures.failures += [f"round {number}: {text}" for text in self.answers.late]
        self.report()
        if self.figures.is_good:
            self.cluster.primary.sql(f"DROP SCHEMA {schema} CASCADE")
            shutil.rmtree(directory)

    def load(self, seed):
        """The callers of all hosts."""
        direct = [host for host in self.hosts if not host.buffers]
        buffering = [host for host in self.hosts if host.buffers]
        clients = CLIENTS_APART if buffering else [CLIENTS]
        loads = [Callers(direct, seed, clients=clients[0], rest=REST)]
        if buffering:
            loads.append(Callers(buffering, seed, buffers=True, clients=clients[1], rest=REST))
        racers = Racers(direct, loads[0].ledger, seed, "race").start()
        return [load.start() for load in loads], racers

    def suffer(self, faults, number):
        """The faults of a round."""
        if self.plan.planted:
            names = PLANTED[self.plan.planted]
        elif self.plan.is_short:
            names = self.chance.sample(SHORT[number - 1], len(SHORT[number - 1]))
        else:
            names = [None] * FAULTS_A_ROUND
        for name in names:
            time.sleep(self.chance.random())
            faults.do(name) if name else faults.draw()
            self.figures.count += 1
            for text in [text for host in self.hosts for text in host.crashed()]:
                self.figures.crashes += 1
                self.figures.failures.append(text)
            if faults.wrong or self.figures.crashes or (self.plan.left < 0 and not self.plan.is_short):
                break

    def find_database(self, ledger):
        """Waits until a host that buffers has noticed that the database is there, which must be soon.

        Until then it accepts again what another host has accepted, and what is found out when it is forwarded.
        """
        began = time.monotonic()
        for host in [host for host in self.hosts if host.buffers]:
            probe = ledger.attempt(Attempt("b-probe", "R-probe", "2027-01-01", "2027-01-02"))
            peer = self.hosts[0].peer("Bookings")
            probe.answer(peer.call("CreateApartmentBooking", input=probe.input)["id"])
            peer.close()
            peer = host.peer("Bookings")
            while wrong := wrong_about_claim(peer, probe):
                if time.monotonic() > began + BOUND:
                    raise TimeoutError(f"{host.name} buffers for {BOUND} s after all faults were over: {wrong}")
                time.sleep(0.2)
            peer.close()
            self.record.note("recovery", "buffering", time.monotonic() - began)

    def drain(self, seconds=120):
        """Waits until each host says that nothing waits any more. Paused they aren't, whatever became of a fault."""
        end = time.monotonic() + seconds
        for host in self.hosts:
            waiting = None
            while waiting != [0, 0, 0]:
                if time.monotonic() > end:
                    raise TimeoutError(f"{host.name} was not drained: {waiting}")
                try:
                    peer = host.peer("Queue")
                    try:
                        peer.call("Resume")
                        attributes = peer.call("GetQueueAttributes")
                        waiting = [attributes[name] for name in ("incoming", "active", "deferred")]
                    finally:
                        peer.close()
                except CallError as error:
                    waiting = str(error)
                time.sleep(0.02)

    def rows(self, query):
        return [json.loads(line) for line in self.cluster.primary.sql(query)]

    def delete_row(self, schema):
        self.cluster.primary.sql(
            f"DELETE FROM {schema}.bookings WHERE id = (SELECT id FROM {schema}.bookings ORDER BY id LIMIT 1)")

    def judge(self, schema, ledger, racers):
        """What is wrong with what the database holds."""
        rows = self.rows(f"""
            SELECT json_build_object('id', id, 'userId', user_id, 'apartmentId', apartment_id, 'startDate', start_date,
                'endDate', end_date, 'bookingStatus', booking_status) FROM {schema}.bookings""")
        by_id = {row["id"]: row for row in rows}
        wrong = [] if len(by_id) == len(rows) else ["an id is in the table several times"]
        racers.settle(by_id)
        letters = self.hosts[0].site.letters()
        others = _without_repeats(ledger, by_id, letters)
        wrong += self.judge_crashed(letters)
        verdict = judge(ledger, by_id, others)
        self.figures.lost += len(verdict.lost)
        self.figures.duplicated += len(verdict.duplicated)
        if not verdict.is_good:
            wrong.append(str(verdict))
        wrong += self.judge_messages(schema, letters)
        wrong += self.judge_keys(schema, letters.keys() - others.keys())
        for host in self.hosts:
            wrong += self.judge_host(host, ledger, by_id, letters)
        return wrong

    def judge_messages(self, schema, letters):
        """The database has no message but the dead letters that workers tell of, and none that is a row as well."""
        wrong = []
        messages = self.rows(f"""
            SELECT json_build_object('id', id, 'place', place, 'twice', id IN (SELECT id FROM {schema}.bookings))
            FROM {schema}.messages""")
        if waiting := [one for one in messages if one["place"] != "DEAD"]:
            wrong.append(f"{len(waiting)} messages wait, and nobody says so: {waiting[:3]}")
        if twice := [one["id"] for one in messages if one["twice"]]:
            self.figures.duplicated += len(twice)
            wrong.append(f"{len(twice)} are in the table and in the queue: {twice[:3]}")
        if different := {one["id"] for one in messages if one["place"] == "DEAD"} ^ set(letters):
            wrong.append(f"{len(different)} dead letters are only in the database, or only told of: "
                         f"{sorted(different)[:3]}")
        return wrong

    def judge_keys(self, schema, repeats):
        """No key has two bookings, but for repeats that were found out."""
        ids = collections.defaultdict(list)
        for one in self.rows(f"""
                SELECT json_build_object('id', id, 'user', user_id, 'key', idempotency_key) FROM (
                    SELECT id, user_id, idempotency_key FROM {schema}.bookings
                    UNION ALL SELECT id, user_id, idempotency_key FROM {schema}.messages
                ) AS known WHERE idempotency_key IS NOT NULL"""):
            if one["id"] not in repeats:
                ids[one["user"], one["key"]].append(one["id"])
        twice = {key: of_key for key, of_key in ids.items() if len(of_key) > 1}
        self.figures.duplicated += len(twice)
        return [f"{len(twice)} keys were used twice: {list(twice.items())[:3]}"] if twice else []

    def judge_crashed(self, letters):
        """Nothing that was booked kills a worker, or fails ten times, however often workers die of other causes."""
        return [f"{letter['id']} became a dead letter: {letter['class']}, {letter['reason']}"
                for letter in letters.values() if letter["class"] != "POISON"][:3]

    def judge_host(self, host, ledger, rows, letters):
        """Each host tells the same."""
        wrong = wrong_about_claims(host, ledger)
        total = host.site.attributes()["committedTotal"]
        if total != len(rows):
            wrong.append(f"{total} were committed in all, and there are {len(rows)} rows")
        if host.site.letters().keys() != letters.keys():
            wrong.append("its dead letters are others")
        known = [one.id for one in ledger.attempts.values() if one.id and one.is_accepted(float("inf"))]
        peer = host.peer("Bookings")
        for identifier in self.chance.sample(known, min(100, len(known))):
            try:
                progress = peer.call("GetBooking", id=identifier)["progress"]
            except CallError as error:
                progress = str(error)
            expected = "COMMITTED" if identifier in rows else "DEAD_LETTERED"
            if identifier in rows.keys() | letters.keys() and progress != expected:
                wrong.append(f"{identifier} is said to be {progress} and is {expected}")
        peer.close()
        return [f"{host.name}: {text}" for text in wrong[:5]]

    def report(self):
        """The notes, as far as the run has come."""
        counts, answers = self.record.counts, self.answers
        races = ", ".join(f"{name} {count}" for name, count in self.races.items())
        longest = {name: f"{seconds:.1f} s ({call})" for name, (seconds, call) in answers.longest.items()}
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if name.startswith("primary"))
        self.figures.notes = [
            f"{counts['failover']} failovers ({kinds}), {counts['restart']} restarts of the primary, "
            f"the standby away {counts['standby_away']} times",
            f"hosts cut off {counts['cut_off']} times, {counts['daemons killed']} daemons killed, "
            f"{counts['daemons frozen']} frozen, {counts['pauses judged']} pauses",
            f"nobody was accepted at a failover for {self.record.figures('outage')}; after the promotion for "
            f"{self.record.figures('after promotion')}",
            f"each host accepted again after a fault was over within {self.record.figures('recovery')}",
            f"the longest that a call took: {longest.get('answered', 'none')}; until StorageUnavailable, which "
            f"{answers.counts['StorageUnavailable']} calls were answered: {longest.get('StorageUnavailable', 'none')}",
            f"races that one of several callers has won: {races}",
        ]

    def end(self):
        for host in self.hosts:
            host.close()
        if self.cluster:
            self.cluster.end()
        for network in reversed(self.networks):
            network.close()


def _without_repeats(ledger, rows, letters):
    """The letters without those that repeat a booking which is in the table, as their reason says.

    A front that buffers can't know what is in the database. What counts then is the first.
    """
    pattern = re.compile(r"The user has (?:the PENDING|used its idempotencyKey for the) booking ([-0-9a-f]{36})")
    others = {}
    for identifier, letter in letters.items():
        found = pattern.match(letter["reason"])
        first = rows.get(found[1]) if found and (letter.get("userId") or "").startswith("b-") else None
        if first is None or (first["userId"], first["apartmentId"]) != (letter["userId"], letter["apartmentId"]):
            others[identifier] = letter
        elif ledger.attempts[letter["userId"]].id == identifier:
            ledger.attempts[letter["userId"]].id = first["id"]
    return others
