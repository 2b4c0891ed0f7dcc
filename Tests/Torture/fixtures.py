"""Makes a fixture of the present formats: `python3 fixtures.py BINARIES DIRECTORY`, with debug builds. A fixture that
is committed is never made anew; a new version of a format gets another directory beside it."""

import gzip
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time

from daemons import Site
from figures import Plan
from wreck import Wreck

MIGRATIONS = {
    "1: bookings and totals": """
        PRAGMA application_id = 1633906035;
        CREATE TABLE bookings (
          id TEXT NOT NULL PRIMARY KEY,
          userId TEXT NOT NULL,
          apartmentId TEXT NOT NULL,
          startDate TEXT NOT NULL,
          endDate TEXT NOT NULL CHECK (endDate > startDate),
          bookingStatus TEXT NOT NULL CHECK (bookingStatus IN ('PENDING', 'APPROVED', 'CANCELLED')),
          createdOn TEXT NOT NULL,
          updatedOn TEXT NOT NULL
        ) STRICT;
        CREATE INDEX bookingsByApartment ON bookings (apartmentId, createdOn, id);
        CREATE INDEX bookingsByUser ON bookings (userId, createdOn, id);
        CREATE UNIQUE INDEX onePendingBooking ON bookings (userId, apartmentId)
          WHERE bookingStatus = 'PENDING';
        CREATE INDEX approvedStays ON bookings (apartmentId, startDate, endDate)
          WHERE bookingStatus = 'APPROVED';
        CREATE TRIGGER noOverlapWhenApproved BEFORE UPDATE OF bookingStatus, startDate, endDate ON bookings
        WHEN NEW.bookingStatus = 'APPROVED' AND EXISTS (
          SELECT 1 FROM bookings WHERE bookingStatus = 'APPROVED' AND apartmentId = NEW.apartmentId
            AND startDate < NEW.endDate AND endDate > NEW.startDate AND id <> NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the dates overlap an approved booking'); END;
        CREATE TRIGGER noOverlapWhenInserted BEFORE INSERT ON bookings
        WHEN NEW.bookingStatus = 'APPROVED' AND EXISTS (
          SELECT 1 FROM bookings WHERE bookingStatus = 'APPROVED' AND apartmentId = NEW.apartmentId
            AND startDate < NEW.endDate AND endDate > NEW.startDate)
        BEGIN SELECT RAISE(ABORT, 'the dates overlap an approved booking'); END;
        CREATE TABLE totals (
          only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
          committed INTEGER NOT NULL,
          deadLettered INTEGER NOT NULL
        ) STRICT;
        INSERT INTO totals VALUES (1, 0, 0);
        """,
    "2: idempotency keys and the age of pending bookings": """
        ALTER TABLE bookings ADD COLUMN idempotencyKey TEXT;
        CREATE UNIQUE INDEX oneBookingAKey ON bookings (userId, idempotencyKey)
          WHERE idempotencyKey IS NOT NULL;
        CREATE INDEX pendingByAge ON bookings (createdOn, id) WHERE bookingStatus = 'PENDING';
        """,
    "3: fewer and smaller indexes": """
        DROP INDEX bookingsByUser;
        CREATE INDEX decidedByUser ON bookings (userId, createdOn, id) WHERE bookingStatus <> 'PENDING';
        DROP INDEX bookingsByApartment;
        CREATE INDEX bookingsByApartment ON bookings (apartmentId, createdOn);
        """,
}


def tables(directory):
    """A table as it was after each migration, in WAL mode as the worker leaves it."""
    for count in range(1, len(MIGRATIONS) + 1):
        path = f"{directory}/table-{count}.sqlite"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        for name, text in list(MIGRATIONS.items())[:count]:
            connection.executescript(text)
            connection.execute("INSERT INTO grdb_migrations VALUES (?)", (name,))
        for number, status in enumerate(["PENDING", "APPROVED", "CANCELLED"]):
            connection.execute(
                "INSERT INTO bookings (id, userId, apartmentId, startDate, endDate, bookingStatus, createdOn, updatedOn)"
                " VALUES (?, ?, ?, '2027-02-01', '2027-02-05', ?, '2026-01-01T00:00:00.000Z', "
                "'2026-01-02T00:00:00.000Z')",
                (f"01a208ea-0000-7000-8000-00000000000{number}", f"old{number}", f"O-{number}", status))
        connection.execute("UPDATE totals SET committed = 3")
        connection.close()
        pack(path)


def pack(path):
    """Without the zeros at its end, compressed."""
    with open(path, "rb") as file:
        content = file.read()
    if os.path.basename(path).startswith(".journal-"):
        content = content.rstrip(b"\0")
    with open(f"{path}.gz", "wb") as file:
        file.write(gzip.compress(content, mtime=0))
    os.unlink(path)


def crash_letter(site, wreck):
    """A letter of class CRASH, of a booking that kills the worker, and one of a directory."""
    front = site.start_front()
    wreck.book(site.peer("Bookings"), "deadly", apartment="C")[0].is_dead = True
    os.mkdir(f"{site.spool}/incoming/directory")
    with open(f"{site.spool}/incoming/directory/note", "w") as file:
        file.write("odd\n")
    while True:
        worker = site.start_worker({"ACMS_FAULT_APARTMENT": "C-deadly", "ACMS_WORKER_MAX_RECEIVE_COUNT": "2"})
        if worker.wait(2) is None:
            break
    if not any(letter["class"] == "CRASH" for letter in site.letters().values()):
        raise RuntimeError("There is no letter of class CRASH")
    worker.stop()
    front.stop()


def main():
    binaries, directory = sys.argv[1:]
    scratch = tempfile.mkdtemp()
    wreck = Wreck(Plan(binaries, scratch, 60, True, 1), prelude=crash_letter)
    site = wreck.site
    os.makedirs(directory)
    shutil.copytree(f"{wreck.pristine}/spool", f"{directory}/spool", ignore=shutil.ignore_patterns("reserve", "lock", ".lock"))
    for name in (".journal-0", ".journal-1"):
        pack(f"{directory}/spool/tmp/{name}")
    for suffix in ("", "-wal"):
        shutil.copy(f"{wreck.pristine}/table/acms.sqlite{suffix}", f"{directory}/table.sqlite{suffix}")
        pack(f"{directory}/table.sqlite{suffix}")
    tables(directory)
    # What must come out of it, as it came out then.
    wreck.restore()
    daemons = [site.start_front(), site.start_worker()]
    site.drain()
    letters = {identifier: letter["class"] for identifier, letter in site.letters().items()}
    for daemon in daemons:
        daemon.stop()
    columns = ("userId", "apartmentId", "startDate", "endDate", "bookingStatus")
    rows = {identifier: [row[name] for name in columns] for identifier, row in site.rows().items()}
    with open(f"{directory}/expected.json", "w") as file:
        json.dump({"rows": rows, "letters": letters}, file, indent=0, sort_keys=True)
        file.write("\n")
    site.close()
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
