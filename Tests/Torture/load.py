"""Clients at full speed: they book, repeat, approve, cancel, redrive, delete, pause, and put files into the spool.

A client whose connection breaks makes another one and goes on. Bookings in the apartments R-… are decided by nobody:
a second one of the same user must be refused with the first one's id, and a repeat with a key must be answered with
it, whatever has happened meanwhile. What is in the others is approved and cancelled.
"""

import datetime
import json
import os
import random
import threading
import time

from ledger import Attempt, Ledger
from peer import CallError

#: Errors that a caller may get at any time; nothing is accepted then.
TYPED = {"StorageUnavailable", "QueueFull", "ApartmentNotAvailable"}


def wrong_about_claim(bookings, attempt):
    """What is wrong when an undecided booking is tried again, or None.

    Without a key a second one must be refused with the first one's id; a repeat with the key must be answered with it.
    """
    again = attempt.input if attempt.key else attempt.input | {"startDate": "2026-01-01"}
    try:
        identifier = bookings.call("CreateApartmentBooking", input=again)["id"]
        if not attempt.key or identifier != attempt.id:
            return f"{attempt.user} {attempt.id} was accepted again as {identifier}"
    except CallError as error:
        is_refused = error.name == "PendingBookingExists" and error.parameters["bookingId"] == attempt.id
        if error.name not in TYPED and (attempt.key or not is_refused):
            return f"{attempt.user} {attempt.id} again: {error}"
    return None


def wrong_about_claims(site, ledger, before=float("inf"), most=200):
    """What is wrong when the latest bookings that nobody decides are tried again."""
    held = [one for one in ledger.attempts.values() if one.id and one.is_accepted(before) and one.is_reserved]
    bookings = site.peer("Bookings")
    texts = [wrong_about_claim(bookings, attempt) for attempt in held[-most:]]
    bookings.close()
    return [text for text in texts if text]


class Load:
    """The clients of a site: so many that book, decide, operate, and drop files."""

    def __init__(self, site, seed, ledger=None, clients=(16, 3, 2, 1), prefix="u", pauses=True, rest=0):
        self.site = site
        self.ledger = ledger or Ledger()
        self.prefix = prefix
        self.pauses = pauses
        self.rest = rest  # seconds that each client waits after each thing it does
        self.ending = threading.Event()
        self.threads = []
        roles = zip(clients, (self.book, self.decide, self.operate, self.drop))
        for number, role in enumerate(role for count, role in roles for _ in range(count)):
            self.threads.append(threading.Thread(
                target=self.work, args=(role, number, random.Random(f"{seed} {prefix} {number}")), daemon=True))

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        """Ends every client after the call that it makes."""
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def work(self, role, number, chance):
        """Does what the role does, again and again, with the connections that it asks for."""
        peers = {}

        def peer(name):
            if name not in peers:
                peers[name] = self.site.peer(name)
            return peers[name]

        state = {"count": 0, "open": [], "number": number}
        while not self.ending.is_set():
            try:
                role(peer, chance, state)
                if self.rest:
                    self.ending.wait(self.rest * 2 * chance.random())
            except (OSError, EOFError):
                for broken in peers.values():
                    broken.close()
                peers.clear()
                # An address with nobody behind it answers at once, again and again.
                self.ending.wait(0.002)
            except Exception as error:
                self.ledger.wrong.append(f"{role.__name__}: {type(error).__name__}: {error}")
                self.ending.wait(0.1)
        for open_peer in peers.values():
            open_peer.close()

    # Booking

    def attempt(self, chance, state, is_reserved=None, **more):
        state["count"] += 1
        user = f"{self.prefix}-{state['number']}-{state['count']}"
        is_reserved = chance.random() < 0.5 if is_reserved is None else is_reserved
        apartment = f"R-{chance.randrange(500)}" if is_reserved else f"A-{chance.randrange(200)}"
        start = datetime.date(2027, 1, 1) + datetime.timedelta(chance.randrange(3000))
        end = start + datetime.timedelta(chance.randrange(1, 15))
        return self.ledger.attempt(Attempt(user, apartment, start.isoformat(), end.isoformat(), **more))

    def book(self, peer, chance, state):
        bookings = peer("Bookings")
        # What was under way when a connection broke is tried again where it can be told what became of it.
        if state["open"]:
            self.book_one(bookings, state["open"][-1])
            state["open"].pop()
            return
        kind = chance.random()
        if kind < 0.6:
            attempt = self.attempt(chance, state, key=f"k{chance.randrange(1 << 40)}" if kind < 0.2 else None)
            if attempt.is_reserved:
                state["open"].append(attempt)
            self.book_one(bookings, attempt)
            state["open"].clear()
            if attempt.id and attempt.is_reserved:
                state["last"] = attempt
        elif kind < 0.75:
            self.book_many(bookings, [self.attempt(chance, state) for _ in range(chance.randrange(2, 40))])
        elif kind < 0.85:
            self.book_badly(bookings, chance, state)
        elif state.get("last"):
            self.book_again(bookings, state["last"])

    def book_one(self, bookings, attempt):
        try:
            attempt.answer(bookings.call("CreateApartmentBooking", input=attempt.input)["id"])
        except CallError as error:
            if error.name == "PendingBookingExists":
                # An earlier try was accepted, of which the answer was lost.
                attempt.answer(error.parameters["bookingId"])
            else:
                self.refuse(attempt, error.name, error)

    def book_many(self, bookings, attempts):
        inputs = [attempt.input for attempt in attempts]
        results = bookings.call("CreateApartmentBookings", inputs=inputs)["results"]
        if len(results) != len(attempts):
            raise ValueError(f"{len(results)} results for {len(attempts)} bookings")
        for attempt, result in zip(attempts, results):
            if result.get("id"):
                attempt.answer(result["id"])
            else:
                self.refuse(attempt, result["error"].rpartition(".")[2], result)

    def refuse(self, attempt, name, details):
        attempt.answer(refusal=name)
        if name not in TYPED:
            self.ledger.wrong.append(f"{attempt.user}: {details}")

    def book_badly(self, bookings, chance, state):
        attempt = self.attempt(chance, state)
        attempt.start, attempt.end = chance.choice(
            [("2027-02-29", "2027-03-05"), (attempt.end, attempt.start), ("soon", attempt.end)])
        try:
            identifier = bookings.call("CreateApartmentBooking", input=attempt.input)["id"]
            self.ledger.wrong.append(f"{attempt.input} was accepted as {identifier}")
        except CallError as error:
            attempt.answer(refusal=error.name)
            if error.name not in TYPED | {"InvalidInput"}:
                self.ledger.wrong.append(f"{attempt.user}: {error}")

    def book_again(self, bookings, attempt):
        wrong = wrong_about_claim(bookings, attempt)
        if wrong:
            self.ledger.wrong.append(wrong)

    # Deciding

    def decide(self, peer, chance, state):
        attempts = list(self.ledger.attempts.values())[-400:]
        known = [one for one in attempts if one.id and not one.is_reserved]
        if not known:
            self.ending.wait(0.01)
            return
        caretaker = peer("Caretaker")
        verb = "approve" if chance.random() < 0.7 else "cancel"
        act = self.ledger.act(verb, chance.choice(known).id)
        try:
            answer = caretaker.call("ApproveBooking" if verb == "approve" else "CancelBooking", id=act.id)
            act.finish(True, answer.get("cancelled", []))
        except CallError as error:
            act.finish(False)
            if error.name == "NotYetCommitted":
                self.ending.wait(0.005)
            elif error.name not in {"WrongStatus", "ApartmentNotAvailable", "StorageUnavailable"}:
                self.ledger.wrong.append(f"{verb} {act.id}: {error}")

    # Operating

    def operate(self, peer, chance, state):
        queue = peer("Queue")
        if self.pauses and chance.random() < 0.03:
            queue.call("Pause")
            self.ending.wait(chance.random() * 0.03)
            queue.call("Resume")
        items = queue.call("ListDeadLetters", limit=20)["items"]
        for letter in items[: chance.randrange(1, 6)]:
            attempt = self.ledger.attempts.get(letter.get("userId"))
            if attempt is None:
                continue
            if attempt.is_poison and chance.random() < 0.4:
                self.settle(queue, "delete", "DeleteDeadLetters", "deleted", letter, attempt, {})
            else:
                more = {"input": attempt.input} if attempt.is_poison else {}
                self.settle(queue, "redrive", "RedriveDeadLetters", "redriven", letter, attempt, more)
        if not items:
            self.ending.wait(0.01)

    def settle(self, queue, verb, method, done, letter, attempt, more):
        act = self.ledger.act(verb, letter["id"])
        act.user = attempt.user
        try:
            answer = queue.call(method, ids=[letter["id"]], **more)
            act.finish(letter["id"] in answer[done])
        except CallError as error:
            act.finish(False)
            if error.name not in {"DeadLetterNotFound", "StorageUnavailable"}:
                self.ledger.wrong.append(f"{verb} {letter['id']}: {error}")

    # Files of other programs

    def drop(self, peer, chance, state):
        """A file by hand: some lines are good, some become dead letters. It is accepted once it is durable."""
        attempts = [self.attempt(chance, state, is_poison=chance.random() < 0.5) for _ in range(chance.randrange(1, 6))]
        lines = [{"input": one.input | ({"endDate": "2027-02-30"} if one.is_poison else {})} for one in attempts]
        name = f"{self.prefix}-{state['count']}-{time.monotonic_ns()}.jsonl"
        spool = self.site.spool
        unfinished, place = f"{spool}/tmp/{name}", f"{spool}/incoming"
        try:
            with open(unfinished, "w") as file:
                file.write("".join(json.dumps(line) + "\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
            os.rename(unfinished, f"{place}/{name}")
            directory = os.open(place, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except FileNotFoundError:
            # The daemons make the spool at their first start.
            self.ending.wait(0.01)
            raise
        for attempt in attempts:
            attempt.answer()
        self.ending.wait(chance.random() * 0.05)
