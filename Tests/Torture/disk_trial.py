"""One trial of the failing disk: the daemons on a disk that fails at one call, their callers, and what becomes of it."""

import os
import sqlite3
import time

from daemons import Site
from judge import judge
from ledger import Attempt, Ledger
from peer import CallError

#: How long an answer may take, and how long storage may be refused after a disk that has failed once.
PATIENCE = 60
LASTING = {".journal-0", ".journal-1", ".journal-open", ".journal-unsynced", ".lock"}


class Trouble(Exception):
    """A call was answered with StorageUnavailable or QueueFull."""


class Broken(Exception):
    """The trial can't go on; what was wrong is noted already."""


class Trial:
    """A site on a disk that fails, and what its callers were told."""

    def __init__(self, plan, directory, ending="stop", fault=None, records=False):
        self.directory, self.ending, self.fault, self.records = directory, ending, fault, records
        self.disk = f"{directory}/disk"
        environment = {"ACMS_WORKER_RETRY_INITIAL_SECONDS": "0.02", "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "0.1"}
        if plan.planted:
            environment["ACMS_PLANTED_FAULT"] = plan.planted
        self.site = Site(
            plan.binaries, directory, environment, spool=f"{self.disk}/spool", table=f"{self.disk}/table")
        self.ledger = Ledger()
        self.wrong = self.ledger.wrong
        self.crashes = 0
        self.failed_starts = 0
        self.troubles = 0
        self.daemons = {}  # the running ones, by program
        self.starts = {}  # how often each program was started
        self.users = 0

    def name(self, number, program):
        return f"{self.directory}/{program}.{number}"

    # Daemons.

    def start(self, program, is_faulty=True):
        number = self.starts[program] = self.starts.get(program, 0) + 1
        name = self.name(number, program)
        environment = {
            "LD_PRELOAD": f"{self.site.binaries}/libDiskFaults.so", "DISK_FAULT_PATH": f"{self.disk}/",
            "DISK_FAULT_DROP": "1", "DISK_FAULT_CUT": f"{name}.cut"}
        fault = self.fault
        if is_faulty and fault and (fault.program, fault.start) == (program, number):
            environment |= fault.orders() | {"DISK_FAULT_RECORD": f"{name}.calls", "DISK_FAULT_EXIT": "1"}
        elif self.records:
            environment["DISK_FAULT_RECORD"] = f"{name}.calls"
        self.daemons[program] = daemon = self.site.start(program, environment)
        daemon.cut = f"{name}.cut"
        return daemon

    def calls(self, program, number):
        """What one of a program's processes has called, as name, path and whether it failed."""
        path = f"{self.name(number, program)}.calls"
        if not os.path.exists(path):
            return []
        with open(path) as file:
            lines = [line.rstrip("\n") for line in file]
        return [(*line.lstrip("!").split(" ", 1), line.startswith("!")) for line in lines]

    def is_cut(self, program):
        """Whether the power is to go while this process, which has the fault, knows what is lost."""
        return self.ending == "cut" and self.fault and (self.fault.program, self.fault.start) == (
            program, self.starts[program])

    def stop(self, program):
        if self.is_cut(program):
            return self.cut(program)
        daemon = self.daemons.pop(program)
        status = daemon.stop(30)
        if status != 0:
            self.ended(daemon, status)

    def kill(self, program):
        if self.is_cut(program):
            return self.cut(program)
        self.expect(self.daemons.pop(program), lambda daemon: daemon.kill9())

    def cut(self, program):
        """The power goes, as far as this daemon's writes are concerned, at the next of its calls."""
        daemon = self.daemons.pop(program)
        with open(daemon.cut, "w"):
            pass

        def die(daemon):
            try:
                interface = "Bookings" if program == "acms-frontd" else "Queue"
                peer = self.site.peer(interface, 5)
                if program == "acms-frontd":
                    peer.call("GetAllBookingsPerUser", userId="nobody")
                else:
                    peer.call("GetQueueAttributes")
            except (OSError, CallError):
                pass
            if daemon.wait(5) is None:
                self.wrong.append(f"{program} did not touch the disk when it was asked")
            return daemon.kill9()

        self.expect(daemon, die)

    def expect(self, daemon, end):
        """Lets it be killed; it may not have ended before."""
        before = daemon.wait(0)
        status = end(daemon) if before is None else before
        if status != -9:
            self.ended(daemon, status)

    def ended(self, daemon, status):
        """Judges an end that nobody ordered: only a start may fail, with a status and the reason in the log."""
        log = daemon.log()
        if status > 0 and "can't go on" in log and not getattr(daemon, "has_answered", False):
            self.failed_starts += 1
            return
        self.crashes += 1
        self.wrong.append(f"{daemon.program} ended with {status}: …{log[-600:]}")

    # Callers.

    def call(self, interface, method, **parameters):
        """An answer's parameters; Trouble when storage is refused, CallError for another error."""
        program = "acms-frontd" if interface == "Bookings" else "acms-workerd"
        while True:
            daemon = self.daemons[program]
            try:
                peer = self.site.peer(interface, PATIENCE)
                try:
                    answer = peer.call(method, **parameters)
                finally:
                    peer.close()
                daemon.has_answered = True
                return answer
            except CallError as error:
                daemon.has_answered = True
                if error.name in ("StorageUnavailable", "QueueFull"):
                    self.troubles += 1
                    raise Trouble(str(error)) from error
                raise
            except OSError as error:
                status = daemon.wait(2)
                if status is None:
                    self.wrong.append(f"{method} got no answer: {error}")
                    raise Broken from error
                crashes = self.crashes
                self.ended(daemon, status)
                if self.crashes > crashes:
                    raise Broken from error
                self.start(program, is_faulty=False)

    def until_done(self, act):
        """Does it again and again while storage is refused, with a limit."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return act()
            except Trouble as error:
                if time.monotonic() > end:
                    self.wrong.append(f"does not go on by itself: {error}")
                    raise Broken from error
                time.sleep(0.02)

    def booking(self, apartment=None, key=None, is_poison=False):
        self.users += 1
        user = f"u{self.users}"
        return Attempt(user, apartment or f"A-{user}", "2027-01-01", "2027-01-05", key, is_poison)

    def book(self, apartment=None, key=None):
        """One booking. Who is refused leaves no trace, so another user tries instead."""
        def one():
            attempt = self.ledger.attempt(self.booking(apartment, key))
            try:
                attempt.answer(self.call("Bookings", "CreateApartmentBooking", input=attempt.input)["id"])
            except Trouble as error:
                attempt.answer(refusal=str(error))
                raise
            return attempt
        return self.until_done(one)

    def book_many(self, count, **fields):
        """One call with many bookings; each is accepted by itself or refused by itself."""
        def many():
            attempts = [self.ledger.attempt(self.booking(**fields)) for _ in range(count)]
            try:
                results = self.call(
                    "Bookings", "CreateApartmentBookings", inputs=[attempt.input for attempt in attempts])["results"]
            except Trouble as error:
                for attempt in attempts:
                    attempt.answer(refusal=str(error))
                raise
            for attempt, result in zip(attempts, results, strict=True):
                attempt.answer(result.get("id"), result.get("error"))
            refused = {result["error"].rpartition(".")[2] for result in results if result.get("error")}
            if refused:
                if refused - {"StorageUnavailable", "QueueFull"}:
                    self.wrong.append(f"new bookings were refused: {refused}")
                self.troubles += 1
                raise Trouble(str(refused))
            return attempts
        return self.until_done(many)

    def repeat(self, attempt):
        """The same call with the same key has the same answer."""
        answer = self.until_done(lambda: self.call("Bookings", "CreateApartmentBooking", input=attempt.input))
        if answer["id"] != attempt.id:
            self.wrong.append(f"a repeat of {attempt.user} was answered with {answer['id']}, not {attempt.id}")

    def refused(self, error, interface, method, **parameters):
        """A call that must be refused, with this error."""
        try:
            answer = self.until_done(lambda: self.call(interface, method, **parameters))
            self.wrong.append(f"{method} should have been {error}: {answer}")
        except CallError as answer:
            if answer.name != error:
                self.wrong.append(f"{method} should have been {error}: {answer}")

    def duplicate(self, attempt):
        other = attempt.input | {"startDate": "2028-01-01", "endDate": "2028-01-02"}
        other.pop("idempotencyKey", None)
        self.refused("PendingBookingExists", "Bookings", "CreateApartmentBooking", input=other)

    def decide(self, verb, identifier):
        """Approves or cancels; who was told that storage fails finds it undone."""
        act = self.ledger.act(verb, identifier)
        method = {"approve": "ApproveBooking", "cancel": "CancelBooking"}[verb]
        try:
            answer = self.until_done(lambda: self.call("Caretaker", method, id=identifier))
            act.finish(True, answer.get("cancelled", ()))
        except CallError as error:
            self.wrong.append(f"{verb} of {identifier}: {error}")

    def letters_done(self, method, done, **parameters):
        """Redrives or deletes letters, until each is done."""
        def once():
            answer = self.call("Queue", method, **parameters)
            for failure in answer["failed"]:
                if failure["error"].rpartition(".")[2] != "StorageUnavailable":
                    self.wrong.append(f"{method}: {failure}")
                    return answer
                raise Trouble(str(failure))
            return answer
        return self.until_done(once)[done]

    # The disk, from outside.

    def drop(self, name, lines):
        """Puts a file into the queue, as any program of the right group may."""
        path = f"{self.site.spool}/tmp/{name}"
        with open(path, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        os.rename(path, f"{self.site.spool}/incoming/{name}")

    def entries(self, place):
        path = f"{self.site.spool}/{place}"
        return [name for name in os.listdir(path) if not name.startswith(".")] if os.path.isdir(path) else []

    def wait_for(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                self.wrong.append(f"does not go on by itself: {what}: incoming {self.entries('incoming')}, active "
                                  f"{self.entries('active')}, deferred {self.entries('deferred')}")
                raise Broken
            worker = self.daemons.get("acms-workerd")
            if worker and (status := worker.wait(0)) is not None:
                crashes = self.crashes
                self.ended(worker, status)
                if self.crashes > crashes:
                    raise Broken
                self.start("acms-workerd", is_faulty=False)
            time.sleep(0.003)

    def settled(self):
        self.wait_for("the queue is drained", lambda: not any(map(self.entries, ("incoming", "active", "deferred"))))

    def change_table(self, statement):
        connection = sqlite3.connect(self.site.table, timeout=10)
        with connection:
            connection.execute(statement)
        connection.close()

    # The end.

    def finish(self):
        """Ends what runs, as ordered: "stop", "kill" or "cut", first the worker."""
        for program in sorted(self.daemons, reverse=True):
            getattr(self, self.ending)(program)

    def verdict(self):
        """With the disk well, both daemons bring all to its end; the verdict on what is there then."""
        self.start("acms-frontd", is_faulty=False)
        # The front first: it replays what a cut has left.
        self.refused("BookingNotFound", "Bookings", "GetBooking", id="01a20000-0000-7000-8000-000000000000")
        self.start("acms-workerd", is_faulty=False)
        self.until_done(lambda: self.call("Queue", "Resume"))
        self.settled()
        letters = {letter["id"]: letter for letter in self.call("Queue", "ListDeadLetters", limit=1000)["items"]}
        rows = self.site.rows()
        verdict = judge(self.ledger, rows, letters)
        # Some are enough where there are thousands.
        committed = [attempt for attempt in self.ledger.attempts.values() if attempt.id in rows][:12]
        for attempt in committed:
            progress = self.call("Bookings", "GetBooking", id=attempt.id)["progress"]
            if progress != "COMMITTED":
                self.wrong.append(f"{attempt.user} is {progress}, and in the table")
        left = [name for name in os.listdir(f"{self.site.spool}/tmp") if name not in LASTING]
        if left:
            self.wrong.append(f"left in tmp/: {left}")
        for program in list(self.daemons):
            self.stop(program)
        return verdict

    def close(self):
        for daemon in self.daemons.values():
            daemon.kill9()
        self.site.close()
