"""Callers of many hosts: those of one host, and some who call several at the same moment with what only one may get.

The database may go away in the middle of a commit. What is answered then with the words that it isn't known is open:
it may be there or not, and where that can be told, it is tried again on whatever host.
"""

import json
import random
import select
import threading

from hosts import Pool
from ledger import Attempt
from load import TYPED, Load, wrong_about_claim
from peer import CallError


class NotKnown(OSError):
    """The answer was that nobody knows."""


def is_unknown(name, parameters):
    """Whether an error leaves open if anything was accepted."""
    reason = parameters.get("reason", "")
    return name == "StorageUnavailable" and ("is not known" in reason or "before it is known" in reason)


class Callers(Load):
    """Load that knows of answers which leave open whether anything was accepted.

    A host that buffers accepts again what it can't know to be in the database, and which is found out later.
    """

    def __init__(self, hosts, seed, buffers=False, **more):
        super().__init__(Pool(hosts), seed, prefix="b" if buffers else "u", pauses=False, **more)
        self.buffers = buffers

    def refuse(self, attempt, name, details):
        parameters = details.parameters if isinstance(details, CallError) else details.get("parameters", {})
        if not is_unknown(name, parameters):
            super().refuse(attempt, name, details)

    def book_one(self, bookings, attempt):
        super().book_one(bookings, attempt)
        if attempt.ended is None:
            raise NotKnown("It isn't known whether the booking was accepted.")

    def book_again(self, bookings, attempt):
        wrong = wrong_about_claim(bookings, attempt)
        if wrong and not self.buffers:
            self.ledger.wrong.append(wrong)

    def operate(self, peer, chance, state):
        try:
            super().operate(peer, chance, state)
        except CallError as error:
            if error.name != "StorageUnavailable":
                raise
            self.ending.wait(0.1)


class Race:
    """Calls that are made on different hosts at the same moment. One of them may win.

    They compete for a claim (the same user and apartment, other dates), are the same call with the same key, or have
    the same key and different apartments.
    """

    KINDS = ["claim", "key", "reused key"]

    def __init__(self, kind, user, chance, count):
        self.kind = kind
        self.id = None
        key = None if kind == "claim" else f"k{chance.randrange(1 << 40)}"
        apartment = chance.randrange(500)
        self.variants = []
        for number in range(count):
            place = f"R-{apartment + (1000 * number if kind == 'reused key' else 0)}"
            start = f"2040-01-{10 + (number if kind == 'claim' else 0)}"
            self.variants.append(Attempt(user, place, start, "2040-02-01", key=key))
        self.is_open = False  # whether a call has ended without anybody knowing what came of it

    def judge(self, replies):
        """What is wrong with the replies, which are (name of an error or None, parameters), or None without a reply."""
        wrong = []
        known = {self.id} - {None}
        for variant, reply in zip(self.variants, replies):
            if reply is None or is_unknown(*reply):
                self.is_open = True
                continue
            name, parameters = reply
            if name is None:
                known.add(parameters["id"])
                variant.id = parameters["id"]
            elif name == {"claim": "PendingBookingExists", "reused key": "IdempotencyKeyReused"}.get(self.kind):
                known.add(parameters["bookingId"])
            elif name not in TYPED:
                wrong.append(f"{name} {json.dumps(parameters)}")
        if self.kind != "key" and sum(variant.id is not None for variant in self.variants) > 1:
            wrong.append("several have won")
        if len(known) > 1:
            wrong.append(f"there are several: {sorted(known)}")
        self.id = next(iter(known), None)
        if self.id is None and all(reply and reply[0] not in TYPED for reply in replies):
            wrong.append("nobody won")
        return [f"{self.kind} of {self.variants[0].user}: {text}; {replies}" for text in wrong]

    def settle(self, attempt, row):
        """Gives the ledger's attempt the content of who has won, so that it can be judged like any other."""
        winner = next((one for one in self.variants if one.id), None)
        for variant in self.variants:
            content = (variant.apartment, variant.start, variant.end)
            is_there = row and (row["apartmentId"], row["startDate"], row["endDate"]) == content
            if variant is winner or (is_there and not winner):
                attempt.apartment, attempt.start, attempt.end = content


class Racers:
    """Races on hosts, one after the other."""

    def __init__(self, hosts, ledger, seed, prefix, rest=0.05):
        self.hosts, self.ledger, self.prefix, self.rest = hosts, ledger, prefix, rest
        self.chance = random.Random(f"{seed} {prefix}")
        self.races = {}  # by user
        self.won = dict.fromkeys(Race.KINDS, 0)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.ending.set()
        self.thread.join()

    def work(self):
        peers = {}
        while not self.ending.is_set():
            kind = self.chance.choice(Race.KINDS)
            race = Race(kind, f"{self.prefix}-{len(self.races)}", self.chance, len(self.hosts))
            try:
                self.run(race, peers)
            except Exception as error:
                self.ledger.wrong.append(f"a race: {type(error).__name__}: {error}")
            self.ending.wait(self.rest * 2 * self.chance.random())
        for peer in peers.values():
            peer.close()

    def settle(self, rows):
        """To be called before what is there is judged."""
        by_user = {row["userId"]: row for row in rows.values()}
        for user, race in self.races.items():
            race.settle(self.ledger.attempts[user], by_user.get(user))

    def run(self, race, peers):
        """One race, which is repeated until somebody has won."""
        first = race.variants[0]
        attempt = self.ledger.attempt(Attempt(first.user, first.apartment, first.start, first.end, key=first.key))
        self.races[first.user] = race
        while race.id is None and not self.ending.is_set():
            hosts = self.chance.sample(self.hosts, len(self.hosts))
            self.ledger.wrong += race.judge(self.call(race, hosts, peers))
            if race.id is None:
                self.ending.wait(0.1)
        if race.id:
            attempt.answer(race.id)
            self.won[race.kind] += 1
        elif not race.is_open:
            attempt.answer(refusal="StorageUnavailable")

    def call(self, race, hosts, peers):
        """Sends every call before it waits for any reply, and takes replies as they come."""
        replies = {}  # by the call's number
        waiting = {}
        for number, (host, variant) in enumerate(zip(hosts, race.variants)):
            try:
                peer = peers.get(host.name) or host.peer("Bookings")
                peers[host.name] = peer
                peer.begin()
                peer.send("CreateApartmentBooking", {"input": variant.input})
                waiting[peer.socket] = number
            except OSError:
                self.give_up(host, peers)
        while waiting:
            readable = select.select(list(waiting), [], [], 60)[0] or list(waiting)
            for socket in readable:
                number = waiting.pop(socket)
                replies[number] = self.reply(hosts[number], peers)
        return [replies.get(number) for number in range(len(race.variants))]

    def give_up(self, host, peers):
        if broken := peers.pop(host.name, None):
            broken.close()

    def reply(self, host, peers):
        peer = peers[host.name]
        try:
            reply = peer.receive()
        except (OSError, EOFError) as error:
            peer.end("CreateApartmentBooking", type(error).__name__)
            self.give_up(host, peers)
            return None
        name = reply.get("error", "").rpartition(".")[2] or None
        parameters = reply.get("parameters", {})
        peer.end("CreateApartmentBooking", name or "answered", parameters if name is None else None)
        return name, parameters
