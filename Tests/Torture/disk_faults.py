"""The failing disk: each call of a daemon on its files fails once, with each error that it can have.

A story is told once to count the calls of each function on each file. Then it is told again for each of these
positions and each error, with that one failure; afterwards the disk is well, and everything must go on by itself, or
after a restart. In the end the daemons are stopped, or killed, or the power goes: what no good sync has made durable is
lost then, and what a failed sync has dropped is lost at once.
"""

import collections
import concurrent.futures
import copy
import errno
import itertools
import os
import queue
import random
import re
import shutil
import threading
from dataclasses import dataclass

from disk_scenarios import STORIES
from disk_trial import Broken, Trial
from figures import Figures

NAME = "disk faults"
PLANTED = ["ignore-sync-error"]

PROGRAMS = ["acms-frontd", "acms-workerd"]
WRITING = ("EIO", "ENOSPC", "EDQUOT")
OPENING = ("EIO", "EMFILE", "ENOMEM")
#: What each function can fail with; the others' are the last.
ERRORS = {
    "write": (*WRITING, "short"), "pwrite": (*WRITING, "short"), "writev": WRITING, "ftruncate": WRITING,
    "posix_fallocate": WRITING, "fsync": WRITING, "fdatasync": WRITING, "syncfs": WRITING, "close": WRITING,
    "create": (*OPENING, "ENOSPC", "EDQUOT"), "open": OPENING, "openat": OPENING, "opendir": OPENING,
    "fdopendir": ("ENOMEM",), "readdir": ("EIO",), "mmap": ("ENOMEM", "EIO"), "mkdir": (*WRITING, "ENOMEM"),
    "rename": (*WRITING, "ENOMEM"), "link": WRITING, "flock": ("ENOLCK",), "fcntl": ("ENOLCK", "EIO"),
    "inotify_add_watch": ("ENOSPC", "ENOMEM"), None: ("EIO", "ENOMEM")}
SYNCS = ("fsync", "fdatasync", "syncfs")
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Position:
    """A call of a story: the number-th of a function on a file by one of the program's processes."""

    story: object
    program: str
    start: int
    call: str
    file: str  # a pattern of the shell for the path
    number: int

    def __str__(self):
        return f"{self.story.name} {self.program}.{self.start} {self.call} {self.file} #{self.number}"


@dataclass(frozen=True)
class Fault(Position):
    error: str = "EIO"

    def orders(self):
        code = errno.ENOSPC if self.error == "short" else getattr(errno, self.error)
        orders = {"DISK_FAULT_CALL": self.call, "DISK_FAULT_FILE": self.file, "DISK_FAULT_AT": str(self.number),
                  "DISK_FAULT_ERRNO": str(code)}
        return orders | ({"DISK_FAULT_SHORT": "1"} if self.error == "short" else {})

    def __str__(self):
        return f"{super().__str__()} {self.error}"


def pattern(path, disk):
    """Which of the same kind of files a path is: ids differ from one run to the next."""
    return UUID.sub(lambda found: re.sub("[0-9a-f]", "?", found.group()), path.replace(f"{disk}/", "*/disk/"))


class Theatre:
    """Tells stories, each in a place of its own."""

    def __init__(self, plan):
        # The disk fails on order, so that it need not be a real one.
        room = "/dev/shm" if os.access("/dev/shm", os.W_OK) else plan.scratch
        self.plan, self.place = plan, f"{room}/acms-disk-{os.getpid()}"
        self.numbers = itertools.count()
        self.beginnings = {}
        os.mkdir(self.place)

    def begin(self, story):
        """The outcome of a story's beginning, told once."""
        if story not in self.beginnings:
            trial = Trial(self.plan, f"{self.place}/{story.name}")
            story.begin(trial)
            for program in list(trial.daemons):
                trial.stop(program)
            trial.close()
            if trial.wrong:
                raise RuntimeError(f"{story.name} does not even begin: {trial.wrong}")
            self.beginnings[story] = trial
        return self.beginnings[story]

    def tell(self, story, ending, fault=None, records=False):
        """A story with one failure; the trial and its verdict."""
        origin = self.begin(story)
        trial = Trial(self.plan, f"{self.place}/{next(self.numbers)}", ending, fault, records)
        verdict = None
        try:
            if os.path.exists(origin.site.spool):
                shutil.copytree(origin.disk, trial.disk, dirs_exist_ok=True)
            # What was remembered at the beginning is remembered here.
            told = {name: value for name, value in vars(origin).items() if name not in vars(trial) or name == "users"}
            for name, value in copy.deepcopy({"ledger": origin.ledger, **told}).items():
                setattr(trial, name, value)
            trial.wrong = trial.ledger.wrong
            try:
                story.act(trial)
                trial.finish()
                verdict = trial.verdict()
            except Broken:
                pass
        finally:
            trial.close()
        trial.hits = fault and sum(failed for *_, failed in trial.calls(fault.program, fault.start))
        return trial, verdict

    def positions(self, story):
        """All calls of a story, counted in two tellings where there is time."""
        counts = collections.Counter()
        for ending in ("stop",) if self.plan.is_short else ("stop", "kill"):
            trial, verdict = self.tell(story, ending, records=True)
            if trial.wrong or not verdict.is_good:
                raise RuntimeError(f"{story.name} without a fault: {trial.wrong} {verdict}")
            found = collections.Counter()
            for program in PROGRAMS:
                # The verdict's are the last of each.
                for start in range(1, trial.starts.get(program, 1)):
                    for call, path, _ in trial.calls(program, start):
                        if story.wanted is None or story.wanted(call, path):
                            found[program, start, call, pattern(path, trial.disk)] += 1
            shutil.rmtree(trial.directory)
            counts |= found
        return [Position(story, *place, number + 1) for place, count in sorted(counts.items())
                for number in range(count)]

    def close(self):
        shutil.rmtree(self.place, ignore_errors=True)


def faults_of(position):
    errors = ERRORS.get(position.call, ERRORS[None])
    return [Fault(**vars(position), error=error) for error in errors]


def ending_of(fault):
    """What ends the story: for a sync that fails it is always the power."""
    if fault.call in SYNCS:
        return "cut"
    return ("cut", "kill", "stop")[(fault.number + len(fault.file) + len(fault.error)) % 3]


def in_order(positions, chance):
    """All faults: first each function's each error in each program, then each position, then all the others."""
    positions = list(positions)
    chance.shuffle(positions)
    first, second, rest, seen = [], [], [], set()
    for number, position in enumerate(positions):
        is_tried = False
        faults = faults_of(position)
        for fault in faults[number % len(faults):] + faults[:number % len(faults)]:
            kind = fault.program, fault.call, fault.error
            if kind not in seen:
                seen.add(kind)
                first.append(fault)
                is_tried = True
            elif not is_tried:
                second.append(fault)
                is_tried = True
            else:
                rest.append(fault)
    return first + second + rest


def run(plan):
    figures = Figures(NAME, 0, "failed calls")
    theatre = Theatre(plan)
    try:
        # Those that take long are for a long run.
        stories = [story for story in STORIES if not (story.is_long and (plan.is_short or plan.planted))]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            positions = list(itertools.chain.from_iterable(threads.map(theatre.positions, stories)))
        faults = [fault for position in positions for fault in faults_of(position)]
        plan.say(f"{len(positions)} positions, {len(faults)} faults")
        chance = random.Random(f"{plan.seed} {NAME}")
        outcome = Outcome(plan, figures, theatre)
        outcome.run(in_order(positions, chance))
        outcome.tell(positions, faults)
    finally:
        theatre.close()
    return figures


class Outcome:
    """Tries faults on several threads, and sums up."""

    def __init__(self, plan, figures, theatre):
        self.plan, self.figures, self.theatre = plan, figures, theatre
        self.lock = threading.Lock()
        self.tried, self.missed = [], []
        self.failed_starts = self.troubles = 0

    def run(self, faults):
        waiting = queue.SimpleQueue()
        for fault in faults:
            waiting.put(fault)
        threads = [threading.Thread(target=self._work, args=(waiting,)) for _ in range(os.cpu_count() or 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, waiting):
        while self.plan.left > 0 and not (self.plan.planted and not self.figures.is_good and self.figures.count):
            try:
                fault = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                # A call that depends on the moment may not come each time, nor one of the end when the power goes first.
                for ending in (ending_of(fault), "stop", "kill"):
                    trial, verdict = self.theatre.tell(fault.story, ending, fault)
                    if trial.hits or trial.wrong:
                        break
                    shutil.rmtree(trial.directory)
                self._note(fault, trial, verdict)
            except Exception as error:
                with self.lock:
                    self.figures.failures.append(f"{fault}: {type(error).__name__}: {error}")

    def _note(self, fault, trial, verdict):
        with self.lock:
            figures = self.figures
            figures.accepted += trial.ledger.accepted()
            figures.crashes += trial.crashes
            self.failed_starts += trial.failed_starts
            self.troubles += trial.troubles
            if trial.hits:
                self.tried.append(fault)
                figures.count += 1
                if figures.count % 100 == 0:
                    self.plan.say(f"{figures.count} failed calls, {figures.accepted} bookings accepted")
            else:
                self.missed.append(fault)
            texts = list(trial.wrong)
            if verdict:
                figures.lost += len(verdict.lost)
                figures.duplicated += len(verdict.duplicated)
                texts += [] if verdict.is_good else [str(verdict)]
            figures.failures += [f"{fault} ({trial.ending}): {text}" for text in texts[:3]]
        if not texts or os.environ.get("ACMS_KEEP") is None:
            shutil.rmtree(trial.directory, ignore_errors=True)

    def tell(self, positions, faults):
        covered = {(fault.program, fault.start, fault.story.name, fault.call, fault.file, fault.number)
                   for fault in self.tried}
        for program in PROGRAMS:
            calls = collections.Counter(position.call for position in positions if position.program == program)
            hit = collections.Counter(place[3] for place in covered if place[0] == program)
            self.figures.notes.append(
                f"{program}: {sum(hit.values())} of {sum(calls.values())} positions; "
                + ", ".join(f"{call} {hit[call]}/{count}" for call, count in sorted(calls.items())))
        self.figures.notes.append(
            f"{len(self.tried)} of {len(faults)} faults; {self.troubles} answers said that storage failed, "
            f"{self.failed_starts} starts ended with a reason, {len(self.missed)} calls did not come again")
