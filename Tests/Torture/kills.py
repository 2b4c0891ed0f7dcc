"""Kill storms: both daemons are killed at random instants under load, at their start and recovery as well."""

import random
import shutil
import threading
import time

from figures import Figures
from judge import judge
from load import Load, wrong_about_claims
from daemons import Site

NAME = "kills"

#: Faults of debug builds that it must find.
PLANTED = ["remove-before-commit", "claim-not-rebuilt"]

#: Kills of a site, after which it is drained and judged, and another one is made.
KILLS_A_ROUND = 250

#: Of one round and the next: many, whose bookings are accepted in large groups, and few, whose are accepted alone.
CLIENTS = [(16, 3, 2, 1), (2, 1, 1, 0)]


class Killer:
    """Starts a daemon and kills it, again and again."""

    def __init__(self, start, chance, ending, figures, wanted):
        self.start, self.chance, self.ending, self.figures, self.wanted = start, chance, ending, figures, wanted
        self.kills = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending.is_set() and self.kills < self.wanted:
            daemon = self.start()
            # Some die before they are ready, some while they recover, some at work.
            daemon.wait(self.chance.choice([0.02, 0.1, 0.3]) * self.chance.random() + 0.05 * self.chance.random())
            status = daemon.kill9()
            if status == -9:
                self.kills += 1
            else:
                self.figures.crashes += 1
                self.figures.failures.append(f"{daemon.program} ended by itself with {status}: {daemon.log()[-400:]}")


def run(plan):
    figures = Figures(NAME, 0, "kills")
    number = 0
    # What a short run has time for is known, so that it can be repeated.
    while number < len(CLIENTS) if plan.is_short else number == 0 or plan.left > 0:
        number += 1
        _round(plan, figures, number, 100 if plan.is_short else KILLS_A_ROUND)
        plan.say(f"{figures.count} kills, {figures.accepted} bookings accepted")
        if not figures.is_good:
            break
    return figures


def _round(plan, figures, number, wanted):
    directory = f"{plan.scratch}/{number}"
    site = Site(plan.binaries, directory)
    if plan.planted:
        site.environment["ACMS_PLANTED_FAULT"] = plan.planted
    load = Load(site, plan.seed * 1000 + number, clients=CLIENTS[(number - 1) % len(CLIENTS)]).start()
    ending = threading.Event()
    killers = [
        Killer(start, random.Random(f"{plan.seed} {number} {start.__name__}"), ending, figures, wanted // 2)
        for start in (site.start_front, site.start_worker)]
    for killer in killers:
        killer.thread.join()
    daemons = [site.start_front(), site.start_worker()]
    try:
        _die_with_a_queue(site, load, daemons)
        site.drain()
        _redrive_crashed(site, load.ledger)
        verdict = judge(load.ledger, site.rows(), site.letters())
    except (OSError, TimeoutError) as error:
        figures.failures.append(f"round {number}: {error}")
        verdict = None
    for daemon in daemons:
        status = daemon.stop()
        if status != 0:
            figures.crashes += 1
            figures.failures.append(f"{daemon.program} ended with {status}: {daemon.log()[-400:]}")
    site.close()
    figures.count += sum(killer.kills for killer in killers)
    figures.accepted += load.ledger.accepted()
    if verdict:
        figures.lost += len(verdict.lost)
        figures.duplicated += len(verdict.duplicated)
        if not verdict.is_good:
            figures.failures.append(f"round {number}: {verdict}")
    figures.failures += [f"round {number}: {text}" for text in load.ledger.wrong[:5]]
    if figures.is_good:
        shutil.rmtree(directory)


def _die_with_a_queue(site, load, daemons):
    """Ends the load while nothing is committed, kills both, and looks whether the next front knows what waits."""
    peer = site.peer("Queue")
    peer.call("Pause")
    peer.close()
    load.pauses = False
    accepted = load.ledger.accepted()
    end = time.monotonic() + 60
    while load.ledger.accepted() < accepted + 200 and not load.ledger.wrong and time.monotonic() < end:
        time.sleep(0.01)
    load.stop()
    for daemon in daemons:
        daemon.kill9()
    daemons[0] = site.start_front()
    load.ledger.wrong += wrong_about_claims(site, load.ledger)
    daemons[1] = site.start_worker()


def _redrive_crashed(site, ledger):
    """What was in hand at ten deaths of the worker waits as a dead letter; put back, it must be committed."""
    ids = [letter["id"] for letter in site.letters().values() if letter["class"] == "CRASH"]
    if not ids:
        return
    peer = site.peer("Queue")
    answer = peer.call("RedriveDeadLetters", ids=ids)
    peer.close()
    if len(answer["redriven"]) != len(ids):
        ledger.wrong.append(f"CRASH letters could not be redriven: {answer['failed']}")
    site.drain()
