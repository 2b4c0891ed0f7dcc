"""Damage: every kind of file is damaged in every way while nothing runs; then it is checked, used, repaired, used."""

import json
import os
import random
import subprocess
import time

from figures import Figures
from injections import inject, must_be_found, touched
from wreck import Wreck

NAME = "damage"
PLANTED = ["skip-checksum"]

KINDS = ["flip", "truncate", "zero", "append", "swap", "copy"]


def run(plan):
    figures = Figures(NAME, 0, "damages")
    chance = random.Random(plan.seed)
    wreck = Wreck(plan)
    run = Run(plan, figures, wreck)
    plan.say(f"built a site of {len(wreck.known)} bookings in {len(run.parts)} files")
    wanted = 24 if plan.is_short else None
    while plan.left > 0 and (wanted is None or figures.count < wanted):
        run.one(chance)
        if figures.count % 20 == 0:
            plan.say(f"{figures.count} damages, {run.undetected} undetected")
        if len(figures.failures) > 20 or plan.planted and not figures.is_good:
            break
    figures.notes.append(
        f"{run.undetected} undetected; {run.harmless} harmless or unknowable, {run.silent} of them changed a row where "
        f"SQLite has no checksums; {run.held} times the worker held the queue before a damaged table")
    wreck.site.close()
    return figures


class Run:
    def __init__(self, plan, figures, wreck):
        self.plan, self.figures, self.wreck, self.site = plan, figures, wreck, wreck.site
        self.undetected = self.harmless = self.silent = self.held = 0
        self.parts = sorted(
            os.path.relpath(os.path.join(where, name), wreck.pristine)
            for where, _, names in os.walk(wreck.pristine) for name in names)
        self.groups = {}
        for part in self.parts:
            self.groups.setdefault(self.group(part), []).append(part)
        self.sequence = []

    @staticmethod
    def group(part):
        """Files of one kind, of which one is damaged as often as of another."""
        where, name = os.path.split(part)
        if where == "spool/dead":
            return f"{where} {name.rpartition('.')[2]}"
        return where if where in ("spool/incoming", "spool/active", "spool/deferred") else part

    def next(self, chance):
        """Every kind of damage to every kind of file comes in turn, in a random order."""
        if not self.sequence:
            self.sequence = [(group, kind) for group in self.groups for kind in KINDS]
            if self.plan.planted:
                # Where checksums alone tell.
                places = ("spool/incoming", "spool/active", "spool/deferred")
                self.sequence = [(group, "flip") for group in places]
            chance.shuffle(self.sequence)
        return self.sequence.pop()

    def one(self, chance):
        group, kind = self.next(chance)
        parts = self.groups[group]
        part = chance.choice(parts)
        others = [other for other in parts if other != part]
        if "journal-" in part and kind == "swap" and "open" not in part:
            others = [other for other in self.parts if "journal-" in other and other != part and "open" not in other]
        self.wreck.restore()
        injection = inject(self.site.directory, part, kind, chance, others)
        if injection is None:
            return
        self.figures.count += 1
        self.figures.accepted += len(self.wreck.known)
        trial = Trial(self, injection)
        try:
            trial.run(is_repaired_first=chance.random() < 0.4 and not self.plan.planted)
        except (OSError, TimeoutError, subprocess.SubprocessError) as error:
            trial.fail(f"{type(error).__name__}: {error}")
        finally:
            for daemon in trial.daemons:
                daemon.kill9()


class Trial:
    """One damage: found, survived, repaired, judged."""

    def __init__(self, run, injection):
        self.run_, self.site, self.injection = run, run.site, injection
        self.figures, self.known = run.figures, run.wreck.known
        self.daemons = []
        self.told = []  # what the checks have said

    def fail(self, text):
        self.figures.failures.append(f"{self.injection}: {text}")

    def check(self, *options):
        done = subprocess.run(
            [f"{self.site.binaries}/acmsctl", "check", "--json", *options], capture_output=True, text=True,
            env={name: value for name, value in self.site.environment.items() if name != "ACMS_PLANTED_FAULT"},
            timeout=120)
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        self.told += findings
        if done.returncode not in (0, 1) or done.returncode == 0 and findings and not options:
            self.fail(f"check {options} ended with {done.returncode}: {done.stdout} {done.stderr}")
        if done.returncode < 0:
            self.figures.crashes += 1
        return findings, done.returncode

    def run(self, is_repaired_first):
        expected = must_be_found(self.injection, self.site.directory, self.run_.wreck.pristine)
        findings, _ = self.check()
        names = {os.path.basename(finding["path"]) for finding in findings}
        wanted = {os.path.basename(path) for path in (self.injection.part, self.injection.other) if path}
        if expected is True and not names & wanted:
            self.run_.undetected += 1
            self.fail(f"was not found; found was {findings}")
        elif expected is not True:
            self.run_.harmless += 1
            self.run_.silent += "no checksums of its pages" in expected
        if not is_repaired_first:
            self.use()
        self.repair()
        self.use(must_drain=True)
        self.judge()

    def repair(self):
        self.check("--repair")
        findings, status = self.check()
        if status != 0:
            self.fail(f"after the repair there is still {findings}")

    def use(self, must_drain=False):
        """Starts the daemons, lets them work, and ends them."""
        front, worker = self.daemons = [self.site.start_front(), self.site.start_worker()]
        try:
            self.site.peer("Bookings").call("org.varlink.service.GetInfo")
            self.drain(must_drain)
        finally:
            for daemon in self.daemons:
                status = daemon.stop()
                if status != 0:
                    self.figures.crashes += 1
                    self.fail(f"{daemon.program} ended with {status}: {daemon.log()[-600:]}")
        if must_drain:
            return
        # Whatever the worker has set aside is named in its log.
        for finding in self.told:
            name = os.path.basename(finding["path"])
            if "/incoming/" in finding["path"] and finding.get("line") and name not in worker.log():
                # A front that put the file back from its journal has mended it before.
                if "back into incoming/ from the journal" not in front.log() + worker.log():
                    self.fail(f"the worker's log doesn't name {name}")

    def drain(self, must_drain):
        peer = self.site.peer("Queue")
        try:
            peer.call("Resume")
        except Exception as error:
            if must_drain:
                self.fail(f"Resume: {error}")
        end = time.monotonic() + 30
        while True:
            attributes = peer.call("GetQueueAttributes")
            waiting = attributes["incoming"] + attributes["active"] + attributes["deferred"]
            if not waiting and attributes["tableAvailable"]:
                break
            error = attributes.get("tableError") or ""
            if not must_drain and "'acmsctl check'" in error and self.injection.part.startswith("table"):
                self.run_.held += 1
                break
            if time.monotonic() > end:
                raise TimeoutError(f"was not drained: {attributes}")
            time.sleep(0.01)
        peer.close()

    # Judging

    def judge(self):
        rows = self.site.rows()
        by_user = {}
        for row in rows.values():
            by_user.setdefault(row["userId"], []).append(row)
        letters = self.files("spool/dead")
        kept = letters + self.files("spool/damaged") + [
            content for name, content in self.files("table", with_names=True) if "damaged" in name
        ] + [content for name, content in self.files("spool/tmp", with_names=True) if "damaged" in name]
        told = json.dumps(self.told)
        hit = self.hit()
        for one in self.known.values():
            found = by_user.pop(one.user, [])
            if len(found) > 1:
                self.figures.duplicated += 1
                self.fail(f"{one.user} was committed {len(found)} times")
            if found:
                self.judge_row(one, found[0], hit)
                continue
            if one.is_deleted:
                continue
            if any(f'"{one.user}"'.encode() in content for content in letters):
                continue
            if one.user not in hit:
                self.figures.lost += 1
                self.fail(f"{one.user} {one.id} is nowhere")
            elif not (one.id and one.id in told or self.is_kept(hit[one.user], kept)
                      or self.injection.kind in ("truncate", "zero") and self.injection.part.split("/")[-1] in told):
                self.figures.lost += 1
                self.fail(f"{one.user} {one.id} was damaged, is nowhere and was not named")
        for user, found in by_user.items():
            # Lines by hand bear no checksum: what comes of a flipped bit in one is what it says now.
            if "by-hand" not in self.injection.part and "no checksums" not in str(self.expected_silence()):
                self.fail(f"a booking of nobody's was committed: {found[0]}")

    def expected_silence(self):
        return must_be_silent(self.injection)

    def judge_row(self, one, row, hit):
        wanted = (one.apartment, one.start, one.end)
        is_silent = self.injection.part.startswith("table") or not one.is_protected and one.user in hit
        if (row["apartmentId"], row["startDate"], row["endDate"]) != wanted and not is_silent:
            self.fail(f"{one.user} was committed with altered content: {row}")
        if one.id and row["id"] != one.id and not is_silent:
            self.fail(f"{one.user} was committed as {row['id']} and is {one.id}")
        if one.is_deleted and not self.injection.part.endswith(".deleted"):
            self.fail(f"{one.user} was deleted and is there again")
        status = "APPROVED" if one.is_approved else "PENDING"
        if row["bookingStatus"] != status and not is_silent:
            self.fail(f"{one.user} is {row['bookingStatus']} instead of {status}")

    def hit(self):
        """The users whose bookings the damage has changed, and what is left of their lines."""
        if self.injection.part.startswith("table"):
            return {user: b"" for user in self.known}
        found = {}
        for line, rest in touched(self.injection):
            for user in self.known:
                if f'"userId":"{user}"'.encode() in line or f'"userId": "{user}"'.encode() in line:
                    found[user] = rest
        if self.injection.part.startswith("spool/dead"):
            # A letter's head and body belong together.
            for user in self.known:
                if f'"{user}"'.encode() in self.injection.old:
                    found[user] = self.injection.new
        return found

    @staticmethod
    def is_kept(rest, kept):
        return bool(rest) and any(rest.strip(b"\n") in content for content in kept)

    def files(self, where, with_names=False):
        directory = f"{self.site.directory}/{where}"
        found = []
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            if os.path.isfile(f"{directory}/{name}"):
                with open(f"{directory}/{name}", "rb") as file:
                    found.append((name, file.read()))
        return found if with_names else [content for _, content in found]


def must_be_silent(injection):
    """Why nobody can know that a row was altered."""
    return "SQLite keeps no checksums of its pages" if injection.part.startswith("table") else ""
