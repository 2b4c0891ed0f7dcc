"""Fuzzing: libFuzzer makes up input for everything that reads what others write, and looks at what comes of it.

The targets are in Fuzz/, what they begin with in Corpus/. An execution that traps, says something wrong, takes
5 seconds or too much memory is a crash; its input stays in the scratch directory.
"""

import collections
import concurrent.futures
import os
import re
import subprocess
import threading

from figures import Figures

NAME = "fuzz"

HERE = os.path.dirname(os.path.abspath(__file__))

#: The targets, each with the longest input that is worth its time, in bytes.
TARGETS = {
    "calls": 768, "json": 256, "replies": 512, "dispatch": 1024, "lines": 512, "files": 768, "letters": 768,
    "journal": 512, "values": 640, "settings": 512,
}

#: Faults that it must find, and the target that must find them.
PLANTED = {
    "quick-drops-oneway": "calls", "empty-list-unanswered": "dispatch", "checksum-ignored": "lines",
    "length-believed": "journal", "fourth-year-leaps": "values", "error-not-escaped": "settings",
}

#: How many run side by side, and how long each does in a short run.
SIDE_BY_SIDE = 2
SHORT_SECONDS = 60

LIMITS = ["-timeout=5", "-rss_limit_mb=512", "-malloc_limit_mb=512", "-print_final_stats=1", "-verbosity=1"]


class Run:
    """The targets of one run and their figures."""

    def __init__(self, plan):
        self.plan = plan
        self.program = _build(plan)
        self.lock = threading.Lock()
        self.figures = Figures(NAME, 0, "executions")
        self.environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        if plan.planted:
            self.environment["ACMS_PLANTED_FAULT"] = plan.planted

    def replay(self, target):
        """Runs what was kept of earlier runs."""
        files = [f"{HERE}/Corpus/{target}/{name}" for name in sorted(os.listdir(f"{HERE}/Corpus/{target}"))]
        self.look(target, [f"--target={target}", *LIMITS], files, f"{target}-replay")

    def fuzz(self, target, seconds):
        directory = f"{self.plan.scratch}/{target}"
        os.makedirs(f"{directory}/corpus")
        seed = (self.plan.seed + sum(target.encode())) % (1 << 31) + 1
        options = [
            f"--target={target}", *LIMITS, f"-seed={seed}", f"-max_total_time={max(1, int(seconds))}",
            f"-max_len={TARGETS[target]}", f"-dict={HERE}/Corpus/{target}.dict", f"-artifact_prefix={directory}/"]
        self.look(target, options, [f"{directory}/corpus", f"{HERE}/Corpus/{target}"], target)

    def look(self, target, options, inputs, name):
        path = f"{self.plan.scratch}/{name}.log"
        with open(path, "wb") as log:
            # libFuzzer takes the most memory that its process ever had for its own, and a child begins with its
            # parent's; this one's has little.
            status = subprocess.run(
                ["/bin/sh", "-c", '"$@"; exit $?', "sh", self.program, *options, *inputs], stdout=log, stderr=log,
                env=self.environment).returncode
        with open(path, errors="replace") as log:
            text = log.read()
        statistics = collections.defaultdict(int, {
            key: int(value) for key, value in re.findall(r"stat::(\w+): +(\d+)", text)})
        coverage = re.findall(r" cov: (\d+) ft: (\d+)", text)
        executed = statistics["number_of_executed_units"] or len(re.findall(r"^Executed ", text, re.M))
        with self.lock:
            self.figures.count += executed
            if coverage:
                self.figures.notes.append(
                    f"{target}: {executed:,} executions, {statistics['average_exec_per_sec']:,}/s, "
                    f"{coverage[-1][0]} edges, {coverage[-1][1]} features, {statistics['peak_rss_mb']} MB")
            if status != 0:
                self.figures.crashes += 1
                self.figures.failures.append(self.failure(target, status, text, inputs))
        if status == 0 and executed == 0:
            self.figures.failures.append(f"{name} executed nothing: {text[-300:]}")

    def failure(self, target, status, text, inputs):
        wrong = re.findall(r"^(?:WRONG: .*|.*Fatal error: .*|==\d+== ?ERROR: .*)", text, re.M)
        kept = re.findall(r"Test unit written to (\S+)", text) or re.findall(r"^Running: (\S+)", text, re.M)[-1:]
        command = f"{self.program} --target={target} {kept[-1]}" if kept else f"{self.program} --target={target}"
        return f"{target} ended with {status}: {(wrong or [text[-300:]])[0][:500]}; again with: {command}"


def run(plan):
    run = Run(plan)
    if plan.planted:
        run.fuzz(PLANTED[plan.planted], max(plan.left, 60))
        return run.figures
    seconds = SHORT_SECONDS if plan.is_short else max(plan.left, 60) * SIDE_BY_SIDE / len(TARGETS)
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(run.replay, TARGETS))
        plan.say(f"replayed {run.figures.count} inputs; now {int(seconds)} s for each of {len(TARGETS)} targets")

        def fuzz(target):
            run.fuzz(target, seconds)
            plan.say(f"{target} is done; {run.figures.count:,} executions, {run.figures.crashes} crashes")

        list(pool.map(fuzz, TARGETS))
    return run.figures


def _build(plan):
    """Builds the targets, which takes minutes the first time, and returns the program's path."""
    plan.say("building")
    with open(f"{plan.scratch}/build.log", "wb") as log:
        built = subprocess.run([f"{HERE}/build-fuzz"], stdout=subprocess.PIPE, stderr=log)
    if built.returncode != 0:
        with open(f"{plan.scratch}/build.log", errors="replace") as log:
            raise RuntimeError(f"the fuzz program can't be built: {log.read()[-2000:]}")
    return built.stdout.decode().strip().splitlines()[-1]
