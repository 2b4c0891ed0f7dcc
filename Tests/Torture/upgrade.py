"""Upgrade: what an earlier version of acms has left is read by this one, and what a newer one has left is not touched.

`Fixtures` holds a spool and tables of each version of the formats, and what must come out of them, for ever.
"""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import time

from daemons import Site
from figures import Figures

NAME = "upgrade"

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures")
SEGMENT = 4 << 20


def run(plan):
    figures = Figures(NAME, 0, "old and newer formats")
    for version in sorted(os.listdir(FIXTURES)):
        directory = f"{FIXTURES}/{version}"
        with open(f"{directory}/expected.json") as file:
            expected = json.load(file)
        cases = [("spool", lambda case: spool(case, expected))]
        cases += [(name, lambda case, name=name: table(case, name)) for name in sorted(os.listdir(directory))
                  if name.startswith("table-")]
        cases += [(f"newer {newer.__name__}", lambda case, newer=newer: untouched(case, newer)) for newer in NEWER]
        cases += [("newer line and letter", newer_messages)]
        for name, body in cases:
            case = Case(plan, figures, directory, f"{version} {name}")
            figures.count += 1
            try:
                body(case)
            except (OSError, TimeoutError, KeyError, sqlite3.Error) as error:
                case.fail(f"{type(error).__name__}: {error}")
            case.end()
    figures.accepted = sum(len(json.load(open(f"{FIXTURES}/{version}/expected.json"))["rows"])
                           for version in os.listdir(FIXTURES))
    return figures


class Case:
    """A site that a fixture is unpacked into."""

    def __init__(self, plan, figures, fixture, name):
        self.figures, self.fixture, self.name = figures, fixture, name
        self.site = Site(plan.binaries, f"{plan.scratch}/{figures.count}")
        self.daemons = []

    def fail(self, text):
        self.figures.failures.append(f"{self.name}: {text}")

    def unpack_spool(self):
        shutil.copytree(f"{self.fixture}/spool", self.site.spool, dirs_exist_ok=True)
        for place in ("tmp", "incoming", "active", "deferred", "dead"):
            os.makedirs(f"{self.site.spool}/{place}", exist_ok=True)
        for name in (".journal-0", ".journal-1"):
            packed = f"{self.site.spool}/tmp/{name}.gz"
            with gzip.open(packed) as file, open(f"{self.site.spool}/tmp/{name}", "wb") as segment:
                segment.write(file.read())
                segment.truncate(SEGMENT)
            os.unlink(packed)

    def unpack_table(self, name="table.sqlite.gz"):
        for suffix in ("", "-wal"):
            packed = f"{self.fixture}/{name.replace('.sqlite', f'.sqlite{suffix}')}"
            if os.path.exists(packed):
                with gzip.open(packed) as file, open(f"{self.site.table}{suffix}", "wb") as unpacked:
                    unpacked.write(file.read())

    def start(self):
        self.daemons = [self.site.start_front(), self.site.start_worker()]

    def stop(self):
        for daemon in self.daemons:
            status = daemon.stop()
            if status != 0:
                self.figures.crashes += 1
                self.fail(f"{daemon.program} ended with {status}: {daemon.log()[-400:]}")
        self.daemons = []

    def end(self):
        self.stop()
        self.site.close()

    def snapshot(self):
        """All bytes of the spool and the table, but for locks, and the index of the -wal file, which readers change."""
        found = {}
        for where, _, names in os.walk(self.site.directory):
            if where == self.site.directory:
                continue
            for name in names:
                if name not in ("lock", ".lock") and not name.endswith("-shm"):
                    with open(f"{where}/{name}", "rb") as file:
                        found[os.path.relpath(f"{where}/{name}", self.site.directory)] = file.read()
        return found

    def acmsctl(self, *arguments):
        return subprocess.run(
            [f"{self.site.binaries}/acmsctl", *arguments], capture_output=True, text=True, env=self.site.environment,
            timeout=120)


def spool(case, expected):
    """Everything waits as an earlier version has left it, and comes out as that version would have brought it out."""
    case.unpack_spool()
    case.unpack_table()
    found = case.acmsctl("check")
    if found.returncode != 0:
        case.fail(f"the check finds damage: {found.stdout}{found.stderr}")
    case.start()
    case.site.drain()
    letters = {identifier: letter["class"] for identifier, letter in case.site.letters().items()}
    case.stop()
    columns = ("userId", "apartmentId", "startDate", "endDate", "bookingStatus")
    rows = {identifier: [row[name] for name in columns] for identifier, row in case.site.rows().items()}
    case.figures.lost += len(expected["rows"].keys() - rows.keys())
    for identifier in expected["rows"].keys() | rows.keys():
        if expected["rows"].get(identifier) != rows.get(identifier):
            case.fail(f"{identifier} is {rows.get(identifier)} instead of {expected['rows'].get(identifier)}")
    if letters != expected["letters"]:
        case.fail(f"the letters are {letters}")


def table(case, name):
    """A table of every schema there has been is brought up to date, and serves."""
    case.unpack_table(name)
    before = {identifier: tuple(row)[:8] for identifier, row in rows_of(case.site.table).items()}
    case.start()
    end = time.monotonic() + 60
    while not case.site.attributes()["tableAvailable"]:
        if time.monotonic() > end:
            raise TimeoutError(f"{case.site.attributes()}")
        time.sleep(0.01)
    peer = case.site.peer("Bookings")
    identifier = peer.call("CreateApartmentBooking", input={
        "userId": "new", "apartmentId": "N", "startDate": "2027-01-01", "endDate": "2027-01-02",
        "idempotencyKey": "k"})["id"]
    attributes = case.site.drain()
    if attributes["committedTotal"] != len(before) + 1:
        case.fail(f"the total is {attributes['committedTotal']}")
    case.stop()
    after = rows_of(case.site.table)
    if after.pop(identifier, None) is None:
        case.figures.lost += 1
        case.fail("a new booking is not there")
    if {key: tuple(row)[:8] for key, row in after.items()} != before:
        case.fail(f"the rows are {after}")
    found = case.acmsctl("check")
    if found.returncode != 0:
        case.fail(f"the check finds damage: {found.stdout}{found.stderr}")


def rows_of(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {row[0]: row for row in connection.execute("SELECT * FROM bookings")}
    finally:
        connection.close()


def spool_format(case):
    """The spool's directories have another layout."""
    with open(f"{case.site.spool}/format", "w") as file:
        file.write("2\n")


def journal(case):
    """The front's journal has another form."""
    with open(f"{case.site.spool}/tmp/.journal-0", "r+b") as file:
        file.write(b"acms-journal 2 epoch=9 key=9 settled=0 crc32c=00000000")


def table_schema(case):
    """The table has a migration that this version doesn't know."""
    connection = sqlite3.connect(case.site.table, isolation_level=None)
    connection.execute("INSERT INTO grdb_migrations VALUES ('99: something new')")
    connection.close()


NEWER = [spool_format, journal, table_schema]


def untouched(case, newer):
    """The daemons hold and say why, the repair refuses, and not a byte is changed."""
    case.unpack_spool()
    case.unpack_table()
    newer(case)
    concerns = "table" if newer is table_schema else "spool"
    before = case.snapshot()
    case.start()
    end = time.monotonic() + 30
    while True:
        logs = [daemon.log() for daemon in case.daemons]
        if all("newer version of acms" in log for log in logs[1:]):
            break
        if time.monotonic() > end:
            raise TimeoutError(f"no daemon says why: {logs}")
        time.sleep(0.01)
    peer = case.site.peer("Bookings")
    try:
        peer.call("CreateApartmentBooking", input={
            "userId": "new", "apartmentId": "N", "startDate": "2027-01-01", "endDate": "2027-01-02"})
        case.fail("a booking was accepted")
    except Exception as error:
        if "newer version of acms" not in str(error):
            case.fail(f"the front says {error}")
    case.stop()
    done = case.acmsctl("check", "--repair")
    if done.returncode != 66 or "newer version of acms" not in done.stderr:
        case.fail(f"the repair ends with {done.returncode}: {done.stdout}{done.stderr}")
    after = case.snapshot()
    for name in before.keys() | after.keys():
        # Who reads a table leaves an empty -wal file where there was none.
        if name.startswith(concerns) and before.get(name, b"") != after.get(name, b""):
            case.fail(f"{name} was changed")


def newer_messages(case):
    """A line of another version becomes a dead letter with all its bytes, and a letter of one stays what it is."""
    case.unpack_spool()
    case.unpack_table()
    line = '{"v":99,"input":{"userId":"future"},"colour":"red"}'
    with open(f"{case.site.spool}/incoming/future.jsonl", "w") as file:
        file.write(line + "\n")
    name = "01a208ea-0000-7000-8000-0000000000ff"
    letter = f'{{"v":2,"id":"{name}","class":"POISON","reason":"r","deadOn":"2026-01-01T00:00:00.000Z",' \
        '"receiveCount":1,"attempts":[],"fromFile":"f","fromLine":1,"bodySize":4,"colour":"red"}\nbody'
    with open(f"{case.site.spool}/dead/{name}.letter", "w") as file:
        file.write(letter)
    if case.acmsctl("check").returncode != 0:
        case.fail(f"the check takes them for damaged: {case.acmsctl('check').stdout}")
    case.start()
    case.site.drain()
    letters = case.site.letters()
    if not any(one["body"] == line and "unknown version 99" in one["reason"] for one in letters.values()):
        case.fail("the line is no dead letter")
    answer = case.site.peer("Queue").call("RedriveDeadLetters", ids=[name])
    if answer["redriven"]:
        case.fail("a letter of another version was redriven")
    case.stop()
    with open(f"{case.site.spool}/dead/{name}.letter") as file:
        if file.read() != letter:
            case.fail("a letter of another version was changed")
