"""A long time at a steady load with restarts: nothing may grow that doesn't hold bookings.

The time is cut into spans. In each the daemons are started, are under load, come to rest, are looked at, and are
ended in good order. Memory, descriptors, leftovers in the spool and what is logged for a booking must be at the end
what they were in the first span, and within a span memory must not grow from its middle to its end. As much more
memory as the table has grown is no growth, up to what a database may keep of its pages.
"""

import os
import time
from dataclasses import dataclass

from daemons import Site
from figures import Figures
from judge import judge
from load import Load

NAME = "soak"

SPANS = 4

#: By how much a figure may be above the one that it is held against: that times this, and a little more.
SLACK = {"memory": (1.2, 4096), "descriptors": (1, 8), "litter": (1, 12), "log": (1.3, 20)}

#: KiB that SQLite keeps of the table's pages at most.
PAGE_CACHE = 16_000


@dataclass
class Look:
    """What a daemon, or the spool, shows at rest."""

    memory: int  # KiB resident
    table: int  # KiB of the table's file
    descriptors: int
    litter: int  # entries of the spool that hold no message
    log: float  # bytes logged for a booking


def run(plan):
    figures = Figures(NAME, 0, "seconds under load")
    site = Site(plan.binaries, f"{plan.scratch}/site")
    looks = {"acms-frontd": [], "acms-workerd": []}
    span = max(4, plan.seconds / SPANS - 3)
    load = None
    for number in range(SPANS):
        daemons = [site.start_front(), site.start_worker()]
        accepted = load.ledger.accepted() if load else 0
        # About 200 acts a second.
        load = Load(site, plan.seed + number, load and load.ledger, prefix=f"u{number}", rest=0.1).start()
        time.sleep(span / 2)
        middle = [daemon.resident_kilobytes() for daemon in daemons]
        time.sleep(span / 2)
        load.stop()
        site.drain()
        booked = max(1, load.ledger.accepted() - accepted)
        for daemon, half in zip(daemons, middle):
            look = _look(site, daemon, booked)
            looks[daemon.program].append(look)
            _compare(figures, f"{daemon.program}, span {number + 1}, middle to end", "memory", half, look.memory)
            status = daemon.stop()
            if status != 0:
                figures.crashes += 1
                figures.failures.append(f"{daemon.program} ended with {status}: {daemon.log()[-400:]}")
        figures.count += round(span)
        plan.say(f"{figures.count} s of {round(span * SPANS)}, {load.ledger.accepted()} bookings accepted")
    daemons = [site.start_front(), site.start_worker()]
    verdict = judge(load.ledger, site.rows(), site.letters())
    for daemon in daemons:
        daemon.stop()
    site.close()
    figures.accepted = load.ledger.accepted()
    figures.lost, figures.duplicated = len(verdict.lost), len(verdict.duplicated)
    if not verdict.is_good:
        figures.failures.append(str(verdict))
    figures.failures += load.ledger.wrong[:5]
    for program, of_program in looks.items():
        first, last = of_program[0], of_program[-1]
        cached = min(PAGE_CACHE, last.table) - min(PAGE_CACHE, first.table)
        for name in SLACK:
            before = getattr(first, name) + (cached if name == "memory" else 0)
            _compare(figures, f"{program}, first span to last", name, before, getattr(last, name))
        figures.notes.append(
            f"{program}, first and last span: {first.memory / 1024:.1f} and {last.memory / 1024:.1f} MB resident, "
            f"a table of {first.table / 1024:.1f} and {last.table / 1024:.1f} MB, "
            f"{first.descriptors} and {last.descriptors} descriptors, {first.litter} and {last.litter} leftovers in the "
            f"spool, {first.log:.0f} and {last.log:.0f} bytes logged a booking")
    return figures


def _look(site, daemon, booked):
    descriptors = len(os.listdir(f"/proc/{daemon.pid}/fd"))
    table = os.path.getsize(site.table) // 1024
    return Look(daemon.resident_kilobytes(), table, descriptors, _litter(site), len(daemon.log()) / booked)


def _litter(site):
    """Entries that are no messages: whatever lies in tmp/, hidden files elsewhere, notes of deleted letters."""
    count = 0
    for place in ("tmp", "incoming", "active", "deferred", "dead"):
        for name in os.listdir(f"{site.spool}/{place}"):
            count += place == "tmp" or name.startswith(".") or name.endswith(".deleted")
    return count


def _compare(figures, what, name, before, after):
    factor, more = SLACK[name]
    if after > before * factor + more:
        figures.failures.append(f"{what}: {name} has grown from {before} to {after}")
