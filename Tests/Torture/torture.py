"""Tries to break acms, and tells on one page what came of it. Tests/torture calls it; see its --help."""

import argparse
import importlib
import os
import random
import shutil
import sys
import tempfile
import time

from figures import Figures, Plan

#: The programs in their order, and the share of a long run's time that each gets.
PROGRAMS = {
    "upgrade": 0.01, "kills": 0.2, "power_cuts": 0.27, "disk_faults": 0.1, "damage": 0.05, "hostile_peers": 0.05,
    "fuzz": 0.27, "soak": 0.05, "many_hosts": 0.1,
}


def main():
    parser = argparse.ArgumentParser(prog="Tests/torture", description=__doc__.partition(";")[0] + ".")
    parser.add_argument("--minutes", type=float, default=60, help="how long a long run may take in all")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="repeats a run, as far as can be")
    parser.add_argument("--only", default=",".join(PROGRAMS), help="some of " + ",".join(PROGRAMS))
    parser.add_argument("--short", action="store_true", help="a sample of each that takes about a minute")
    parser.add_argument("--no-planted", action="store_true", help="don't show that planted faults are found")
    parser.add_argument("--binaries", required=True, help="where the programs are")
    parser.add_argument("--debug-binaries", help="where those are that can have planted faults")
    parser.add_argument("--scratch", default="/var/tmp", help="where to work; up to 10 GB")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(PROGRAMS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    sys.exit(0 if Run(options, names).run() else 1)


class Run:
    def __init__(self, options, names):
        self.options = options
        self.names = names
        self.scratch = tempfile.mkdtemp(prefix="acms-torture-", dir=options.scratch)
        os.chmod(self.scratch, 0o711)  # a database server runs as another user
        self.figures = []
        self.planted = []  # lines about planted faults
        self.is_good = True

    def run(self):
        print(f"Seed {self.options.seed}", flush=True)
        total = sum(PROGRAMS[name] for name in self.names)
        for name in self.names:
            module = importlib.import_module(name)
            if getattr(module, "NEEDS_ROOT", False) and os.geteuid() != 0:
                print(f"NOT ROOT: {name} was NOT run. 'sudo Tests/torture' does it.", file=sys.stderr)
                continue
            seconds = 60 if self.options.short else self.options.minutes * 60 * PROGRAMS[name] / total
            figures = self.one(module, seconds, self.options.binaries)
            self.figures.append(figures)
            self.is_good = self.is_good and figures.is_good
            if self.options.debug_binaries and not self.options.no_planted:
                for fault in getattr(module, "PLANTED", []):
                    self.plant(module, fault)
        if self.is_good:
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.summary()
        return self.is_good

    def one(self, module, seconds, binaries, planted=None):
        name = f"{module.NAME}{f' with {planted}' if planted else ''}"
        scratch = f"{self.scratch}/{name.replace(' ', '-')}"
        os.makedirs(scratch)
        began = time.monotonic()
        # What is planted is looked for until it is found.
        is_short = self.options.short and not planted
        plan = Plan(
            os.path.abspath(binaries), scratch, seconds, is_short, self.options.seed, planted,
            lambda text: print(f"{time.strftime('%H:%M:%S')} {name}: {text}", flush=True))
        plan.say("begins")
        try:
            figures = module.run(plan)
        except Exception as error:
            figures = Figures(module.NAME, 0, "", failures=[f"{type(error).__name__}: {error}"])
            if not planted:
                import traceback
                traceback.print_exc()
        figures.seconds = time.monotonic() - began
        for text in [] if planted else figures.failures[:20]:
            plan.say(f"FAILED: {text[:1000]}")
        if figures.is_good or planted:
            # What can't be removed, such as a volume that another program's mount namespace holds, ends no run of an hour.
            shutil.rmtree(scratch, onerror=lambda _, path, error: plan.say(f"{path} is left there: {error[1]}"))
        return figures

    def plant(self, module, fault):
        """A fault that is planted must be found, or the checker is none."""
        figures = self.one(module, 300, self.options.debug_binaries, fault)
        if figures.is_good:
            self.is_good = False
            self.planted.append(f"{module.NAME}: {fault} was NOT FOUND in {figures.count} {figures.unit}")
        else:
            found = f"{figures.lost} lost, {figures.duplicated} duplicated, {figures.crashes} crashes"
            self.planted.append(f"{module.NAME}: {fault} found after {figures.count} {figures.unit} ({found})")
            if not figures.count:
                self.is_good = False
                self.planted[-1] = f"{module.NAME}: {fault}: {figures.failures[0][:300]}"

    def summary(self):
        print(f"\n{'test':14}{'count':>12} {'of':26}{'accepted':>10}{'lost':>6}{'twice':>6}{'crashes':>8}{'min':>6}")
        for one in self.figures:
            print(
                f"{one.name:14}{one.count:>12,} {one.unit:26}{one.accepted:>10,}{one.lost:>6}{one.duplicated:>6}"
                f"{one.crashes:>8}{one.seconds / 60:>6.1f}  {'good' if one.is_good else 'FAILED'}")
        for one in self.figures:
            for note in one.notes:
                print(f"  {one.name}: {note}")
        if self.planted:
            print("Planted faults:")
            for line in self.planted:
                print(f"  {line}")
        for one in self.figures:
            for text in one.failures[:5]:
                print(f"  FAILED {one.name}: {text[:500]}")
        print(f"Seed {self.options.seed}{'' if self.is_good else f'; what it left is in {self.scratch}'}")


if __name__ == "__main__":
    main()
