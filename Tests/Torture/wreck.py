"""A site that has everything a spool and a table can hold, and what is known of each booking in it."""

import json
import os
import shutil
import sqlite3
import time
from dataclasses import dataclass

from daemons import Site


@dataclass
class Known:
    """A booking that was accepted."""

    user: str
    apartment: str
    start: str = "2027-01-01"
    end: str = "2027-01-03"
    id: str | None = None  # None for what was put in by hand
    is_protected: bool = True  # its line bears a checksum
    is_deleted: bool = False
    is_approved: bool = False
    is_dead: bool = False  # a letter that nothing redrives


class Wreck:
    """Builds the site once, and copies it as often as it is to be damaged."""

    def __init__(self, plan, prelude=None):
        self.plan = plan
        self.known = {}
        self.site = Site(plan.binaries, f"{plan.scratch}/site")
        if plan.planted:
            self.site.environment["ACMS_PLANTED_FAULT"] = plan.planted
        self.pristine = f"{plan.scratch}/pristine"
        if prelude:
            prelude(self.site, self)
        self.build()

    def book(self, peer, *names, apartment="A"):
        known = [Known(name, f"{apartment}-{name}") for name in names]
        inputs = [{"userId": one.user, "apartmentId": one.apartment, "startDate": one.start, "endDate": one.end}
                  for one in known]
        if len(inputs) == 1:
            known[0].id = peer.call("CreateApartmentBooking", input=inputs[0])["id"]
        else:
            results = peer.call("CreateApartmentBookings", inputs=inputs)["results"]
            for one, result in zip(known, results):
                one.id = result["id"]
        for one in known:
            self.known[one.user] = one
        return known

    def drop(self, name, *users, apartment="H"):
        lines = []
        for user in users:
            one = self.known[user] = Known(user, f"{apartment}-{user}", is_protected=False)
            lines.append(json.dumps({"input": {
                "userId": one.user, "apartmentId": one.apartment, "startDate": one.start, "endDate": one.end}}))
        path = f"{self.site.spool}/tmp/{name}"
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(path, f"{self.site.spool}/incoming/{name}")

    def sql(self, text):
        connection = sqlite3.connect(self.site.table, isolation_level=None)
        connection.execute(text)
        connection.close()

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.site.attributes()}")
            time.sleep(0.01)

    def build(self):
        site = self.site
        front, worker = site.start_front(), site.start_worker()
        self.wait(lambda: site.attributes()["tableAvailable"])
        bookings = site.peer("Bookings")
        first = [self.book(bookings, f"row{number}")[0] for number in range(6)]
        self.book(bookings, *[f"rows{number}" for number in range(60)])
        site.drain()
        caretaker = site.peer("Caretaker")
        for one in first[:3]:
            caretaker.call("ApproveBooking", id=one.id)
            one.is_approved = True
        worker.stop()
        # These rows are in the main file; those that follow stay in the -wal file.
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.sql("CREATE TRIGGER refusal BEFORE INSERT ON bookings WHEN NEW.apartmentId GLOB 'D-*' "
                 "OR NEW.apartmentId GLOB 'F-*' BEGIN SELECT RAISE(ABORT, 'not now'); END")
        worker = site.start_worker({"ACMS_WORKER_MAX_RECEIVE_COUNT": "1"})
        dead = [self.book(bookings, f"dead{number}", apartment="D")[0] for number in range(4)]
        for one in dead:
            one.is_dead = True
        self.drop("poison.jsonl", "poison0", "poison1", apartment="D")
        self.known["poison0"].is_dead = self.known["poison1"].is_dead = True
        for number in range(6):
            self.book(bookings, f"late{number}")
            site.drain()
        for one in dead[:2]:
            site.peer("Queue").call("DeleteDeadLetters", ids=[one.id])
            one.is_deleted = True
        worker.stop()
        worker = site.start_worker({
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "3", "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "3"})
        for number in range(3):
            self.book(bookings, f"deferred{number}", apartment="F")
        self.wait(lambda: site.attributes()["deferred"] == 3)
        site.peer("Queue").call("Pause")
        self.book(bookings, *[f"active{number}" for number in range(5)])
        self.book(bookings, "active5")
        # While the worker has the table open, the -wal file stays as it is.
        self.sql("DROP TRIGGER refusal")
        worker.kill9()
        # What a worker had in hand that was killed.
        for name in os.listdir(f"{site.spool}/incoming"):
            os.rename(f"{site.spool}/incoming/{name}", f"{site.spool}/active/{name}")
        for number in range(6):
            self.book(bookings, f"waiting{number}")
        self.book(bookings, *[f"group{number}" for number in range(8)])
        self.book(bookings, *[f"other{number}" for number in range(8)])
        self.drop("by-hand.jsonl", *[f"hand{number}" for number in range(4)])
        front.kill9()
        os.makedirs(self.pristine)
        for name in ("spool", "table"):
            shutil.copytree(f"{site.directory}/{name}", f"{self.pristine}/{name}")
        self.rows = site.rows()

    def restore(self):
        """Puts a fresh copy in place."""
        for name in ("spool", "table"):
            shutil.rmtree(f"{self.site.directory}/{name}")
            shutil.copytree(f"{self.pristine}/{name}", f"{self.site.directory}/{name}")
