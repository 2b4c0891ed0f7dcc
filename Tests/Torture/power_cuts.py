"""Power cuts: what had reached the disk at an instant under load must hold all that was answered before it.

Spool and table lie on a file system in an image, and the image lies on XFS, which can copy a file in an instant. Each
copy is mounted, as after a power cut, acms is started on it and drained, and what it holds is compared with the
answers that callers had before the copy was begun. Half of them are cut once more while acms recovers.
"""

import os
import random
import shutil
import time

from daemons import Site
from figures import Figures
from judge import judge
from load import Load, wrong_about_claims
from volume import KINDS, Volume, command, copy_in_an_instant

NAME = "power_cuts"
NEEDS_ROOT = True

#: Cuts under load, of one and the same site; as many follow during its recoveries, by chance half.
CUTS_A_ROUND = 16

#: Faults that a library plants into the daemons under load, and which it must find.
PLANTED = {"skipped-syncs": "all", "skipped-directory-syncs": "directories"}


def run(plan):
    figures = Figures(NAME, 0, "power cuts")
    counts = dict.fromkeys(KINDS, 0)
    outer = Volume(f"{plan.scratch}/outer.img", f"{plan.scratch}/outer", "xfs", 8192)
    try:
        number = 0
        # The others write the entries of directories in order, synced or not.
        kinds = ["btrfs"] if plan.planted == "skipped-directory-syncs" else list(KINDS)
        while number < len(kinds) or (plan.left > 0 and not plan.is_short):
            kind = kinds[number % len(kinds)]
            number += 1
            before = figures.count
            _Round(plan, figures, outer.directory, kind, number).run()
            counts[kind] += figures.count - before
            plan.say(f"{figures.count} power cuts, {figures.accepted} bookings accepted")
            if not figures.is_good:
                break
    finally:
        outer.close()
    figures.notes.append("power cuts a file system: " + ", ".join(f"{kind} {count}" for kind, count in counts.items()))
    return figures


class _Round:
    """One site under load, and the cuts of it."""

    def __init__(self, plan, figures, outer, kind, number):
        self.plan, self.figures, self.outer, self.kind, self.number = plan, figures, outer, kind, number
        self.chance = random.Random(f"{plan.seed} {kind} {number}")
        self.load = None
        self.copies = 0

    def run(self):
        cuts = self.cut_under_load()
        for image, before, after in cuts:
            if self.figures.is_good or self.figures.count == 0:
                self.judge(image, before, after, may_cut=True)
        self.figures.accepted += self.load.ledger.accepted()
        self.figures.failures += [f"{self.kind}, round {self.number}: {text}" for text in self.load.ledger.wrong[:5]]

    def site(self, name, volume, environment=None):
        directory = f"{self.plan.scratch}/{name}-{self.number}"
        shutil.rmtree(directory, ignore_errors=True)
        return Site(
            self.plan.binaries, directory, environment=environment, spool=f"{volume.directory}/spool",
            table=f"{volume.directory}/table")

    def cut_under_load(self):
        """The copies, with the time before which each was not begun, and the time at which it was made."""
        volume = Volume(f"{self.outer}/disk.img", f"{self.plan.scratch}/disk", self.kind)
        fault = {}
        if self.plan.planted:
            library = f"{self.plan.binaries}/libSkippedSyncs.so"
            fault = {"LD_PRELOAD": library, "SKIPPED_SYNCS": PLANTED[self.plan.planted]}
        site = self.site("load", volume, fault)
        daemons = [site.start_front(), site.start_worker()]
        # Directories are synced for what operators do, above all.
        clients = (4, 1, 8, 8) if self.plan.planted == "skipped-directory-syncs" else (16, 3, 2, 1)
        self.load = Load(site, self.plan.seed * 1000 + self.number, clients=clients).start()
        cuts = []
        while len(cuts) < (5 if self.plan.is_short else CUTS_A_ROUND):
            time.sleep(0.02 + 0.3 * self.chance.random())
            before = time.monotonic()
            image = self.copy(volume)
            cuts.append((image, before, time.monotonic()))
        self.load.stop()
        self.stop(daemons)
        site.close()
        volume.close()
        return cuts

    def copy(self, volume):
        self.copies += 1
        image = f"{self.outer}/cut-{self.copies}.img"
        copy_in_an_instant(volume.image, image)
        return image

    def stop(self, daemons):
        for daemon in daemons:
            status = daemon.stop()
            if status != 0:
                self.figures.crashes += 1
                self.figures.failures.append(f"{daemon.program} ended with {status}: {daemon.log()[-400:]}")

    def judge(self, image, before, after, may_cut):
        name = f"{self.kind}, round {self.number}, {image.rpartition('/')[2]}"
        known = len(self.figures.failures)
        copy_in_an_instant(image, f"{image}.kept")
        volume = Volume(image, f"{self.plan.scratch}/cut{'' if may_cut else '-again'}", self.kind, 0)
        site = self.site("cut" if may_cut else "cut-again", volume)
        self.figures.count += 1
        again = None
        daemons = [site.start_front()]
        try:
            if may_cut and self.chance.random() < 0.5:
                daemons.append(site.start_worker())
                time.sleep(0.15 * self.chance.random())
                again = self.copy(volume)
            else:
                # Without a worker everything must be known that waits.
                wrong = wrong_about_claims(site, self.load.ledger, before)
                self.figures.failures += [f"{name}: {text}" for text in wrong[:5]]
                daemons.append(site.start_worker())
            site.peer("Bookings").call("org.varlink.service.GetInfo")
            site.drain()
            verdict = judge(self.load.ledger, site.rows(), site.letters(), before, after)
            self.figures.lost += len(verdict.lost)
            self.figures.duplicated += len(verdict.duplicated)
            if not verdict.is_good:
                self.figures.failures.append(f"{name}: {verdict}")
        except (OSError, TimeoutError) as error:
            self.figures.failures.append(f"{name}: {error}: {''.join(daemon.log()[-400:] for daemon in daemons)}")
        self.stop(daemons)
        site.close()
        if len(self.figures.failures) > known and not self.plan.planted:
            # As the cut has left it, for a look.
            command("cp", "--sparse=always", f"{image}.kept", self.plan.scratch)
            self.figures.failures.append(f"{name} is kept in {self.plan.scratch}")
        os.unlink(f"{image}.kept")
        if again and self.kind == "btrfs":
            # Two that are mounted at once would be taken for one and the same.
            volume.close()
            self.judge(again, before, after, may_cut=False)
            return
        if again:
            self.judge(again, before, after, may_cut=False)
        volume.close()
