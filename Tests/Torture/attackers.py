"""Hostile peers: one process with thousands of connections, on its own so that its work is not its victims'.

    attackers.py ATTACK SOCKET SEED ARGUMENTS

It says "ready" once the attack is under way, goes on until its standard input is closed, and then prints what it did as
a line of JSON.
"""

import errno
import json
import os
import random
import re
import resource
import select
import socket
import sys
import time

PART = 1 << 16


class Crowd:
    """The connections of an attack, and the loop that all of them share."""

    def __init__(self, path, seed):
        self.path = path
        self.interface = "io.acms." + path.rpartition(".")[2]
        self.chance = random.Random(seed)
        self.poll = select.epoll()
        self.poll.register(0, select.EPOLLIN | select.EPOLLHUP)
        self.members = {}
        self.figures = {"opened": 0, "closed": 0, "calls": 0, "ids": 0, "most": 0}
        self.is_over = False
        self.ids = []

    def open(self, member):
        """Connects; False when the listener's queue is full."""
        peer = socket.socket(socket.AF_UNIX)
        peer.setblocking(False)
        try:
            peer.connect(self.path)
        except (BlockingIOError, ConnectionError):
            peer.close()
            return False
        member.begin(peer)
        self.members[peer.fileno()] = member
        self.poll.register(peer.fileno(), member.events)
        self.figures["opened"] += 1
        self.figures["most"] = max(self.figures["most"], len(self.members))
        return True

    def close(self, member, by_daemon=True):
        self.figures["closed"] += by_daemon
        del self.members[member.peer.fileno()]
        member.peer.close()

    def fill(self, count, make, rate=float("inf"), patience=20):
        """Opens connections until there are so many, as many a second as told."""
        end = time.monotonic() + patience
        while len(self.members) < count and not self.is_over and time.monotonic() < end:
            began = time.monotonic()
            for _ in range(min(count - len(self.members), 100)):
                if not self.open(make()):
                    break
            self.turn(max(0, began + 100 / rate - time.monotonic()))

    def turn(self, seconds=0.0):
        """Serves those that can go on, for so long at least."""
        end = time.monotonic() + seconds
        while not self.is_over:
            for number, events in self.poll.poll(max(0, end - time.monotonic()), 1024):
                if number == 0:
                    self.is_over = True
                    continue
                member = self.members.get(number)
                if member is None:
                    continue
                try:
                    if events & (select.EPOLLHUP | select.EPOLLERR) or not member.act(events):
                        self.close(member)
                except (BrokenPipeError, ConnectionResetError):
                    self.close(member)
                except BlockingIOError:
                    pass
            if time.monotonic() >= end:
                return


class Member:
    """A connection that does nothing, and notices its end."""

    events = select.EPOLLIN | select.EPOLLRDHUP

    def __init__(self, crowd):
        self.crowd = crowd

    def begin(self, peer):
        self.peer = peer

    def act(self, events):
        """False once it is to be closed."""
        return bool(self.peer.recv(PART)) if events & select.EPOLLIN else not events & select.EPOLLRDHUP


class Sender(Member):
    """A connection that sends the same bytes, once or again and again, and reads its replies or doesn't."""

    def __init__(self, crowd, frame, again=False, reads=True):
        super().__init__(crowd)
        self.frame, self.again, self.reads = memoryview(frame), again, reads
        self.events = select.EPOLLOUT | (select.EPOLLIN if reads else 0)
        self.rest = self.frame

    def act(self, events):
        if events & select.EPOLLIN and not self.peer.recv(PART):
            return False
        if events & select.EPOLLOUT:
            self.rest = self.rest[self.peer.send(self.rest[:PART]):]
            if not self.rest:
                self.crowd.figures["calls"] += 1
                self.rest = self.frame
                if not self.again:
                    self.crowd.poll.modify(self.peer.fileno(), select.EPOLLIN if self.reads else select.EPOLLRDHUP)
        return not events & select.EPOLLRDHUP


class Caller(Member):
    """A connection that always has so many bookings under way, each another one."""

    def __init__(self, crowd, window, name):
        super().__init__(crowd)
        self.window, self.name, self.made, self.tail = window, name, 0, b""
        self.events = select.EPOLLIN | select.EPOLLOUT
        self.unsent = b"".join(self.call() for _ in range(window))

    def call(self):
        self.made += 1
        return call("io.acms.Bookings.CreateApartmentBooking", input=booking(f"{self.name}-{self.made}"))

    def act(self, events):
        if events & select.EPOLLIN:
            part = self.peer.recv(PART)
            if not part:
                return False
            *frames, self.tail = (self.tail + part).split(b"\0")
            self.crowd.figures["calls"] += len(frames)
            self.crowd.ids += [match[1] for frame in frames if (match := IDENTIFIER.search(frame))]
            self.unsent += b"".join(self.call() for _ in frames)
        if self.unsent:
            self.unsent = self.unsent[self.peer.send(self.unsent[:PART]):]
            self.crowd.poll.modify(
                self.peer.fileno(), select.EPOLLIN | (select.EPOLLOUT if self.unsent else 0))
        return True


IDENTIFIER = re.compile(rb'"id":"([0-9a-f-]{36})"')


def booking(user, apartment="H-1"):
    return {"userId": user, "apartmentId": apartment, "startDate": "2027-01-01", "endDate": "2027-01-02"}


def call(method, more=False, **parameters):
    return json.dumps({"method": method, "parameters": parameters} | ({"more": True} if more else {})).encode() + b"\0"


# The attacks. Each is given the crowd, says "ready", and goes on until the crowd's time is over.

def ready():
    print("ready", flush=True)


def idle(crowd, count, patience):
    """So many connections that do nothing."""
    crowd.fill(count, lambda: Member(crowd), patience=patience)
    ready()
    while not crowd.is_over:
        crowd.turn(0.2)


def slow_writers(crowd, count):
    """A byte a second of a call, on each of so many connections."""
    frame = call(crowd.interface + ".GetBooking", id="x" * 600)
    crowd.fill(count, lambda: Member(crowd))
    ready()
    sent = 0
    while not crowd.is_over:
        for member in list(crowd.members.values()):
            try:
                member.peer.send(frame[sent % 500:sent % 500 + 1])
            except (BrokenPipeError, ConnectionResetError, BlockingIOError):
                pass
        sent += 1
        crowd.turn(1)
        crowd.fill(count, lambda: Member(crowd), patience=0.5)


def half_frames(crowd, count, size):
    """So many calls of which all but the end is sent; who is closed comes again."""
    frame = b'{"method":"' + b"x" * (size - 11)
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Sender(crowd, frame), rate=1000, patience=2)
        crowd.turn(0.05)


def unread_replies(crowd, count, user):
    """Long lists that are asked for as fast as they can be, and never read."""
    frame = call("io.acms.Bookings.GetAllBookingsPerUser", userId=user, limit=1000)
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Sender(crowd, frame, again=True, reads=False), rate=100, patience=2)
        crowd.turn(0.05)


def awaiting(crowd, count, calls, identifier):
    """So many calls on each of so many connections that wait for a booking that isn't settled, and never read."""
    frame = call("io.acms.Bookings.AwaitBooking", more=True, id=identifier) * calls
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Sender(crowd, frame, reads=False), rate=1000, patience=2)
        crowd.turn(0.05)


def bad_frames(crowd, count):
    """Whatever is no call: no JSON, deep nesting, NULs, unending frames, wrong types; large and small."""
    frames = [
        b"\0" * 1000, b"nonsense\0", b"\xff\xfe" * 500 + b"\0", b"{}\0", b"null\0", b'{"method":7}\0',
        b"[" * 500_000 + b"\0", b'{"method":' + b'{"a":' * 100_000 + b"\0",
        b'{"parameters":' + b"[" * 400 + b"]" * 400 + b',"method":"' + crowd.interface.encode() + b'.GetBooking"}\0',
        b'{"method":"' + b"x" * 1_500_000, b"[" + b"1," * 300_000 + b"1]\0", b'"' + b"\\u0000" * 100_000 + b'"\0',
        call(crowd.interface + ".Nothing"), call("io.acms.Nobody.Nothing"), call("org.varlink.service.GetInfo", a=1),
        call(crowd.interface + ".GetBooking", id=["x"] * 1000), call(crowd.interface + ".GetBooking", id="\0" * 1000),
    ]
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Sender(crowd, crowd.chance.choice(frames), again=True), patience=0.5)
        crowd.turn(0.002)


def large_batches(crowd, count):
    """Calls with as many bookings as a call has room for: wrong ones, and the same one again and again."""
    def batch(fields):
        # As many as fit into 1 MiB.
        one = json.dumps(fields).encode() + b", "
        head = b'{"method":"io.acms.Bookings.CreateApartmentBookings","parameters":{"inputs":['
        return head + (one * ((1_048_500 - len(head)) // len(one)))[:-2] + b"]}}\0"
    frames = [batch(booking("batch") | {"endDate": "2026-01-01"}), batch(booking("batch")), batch({"userId": "u"})]
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Sender(crowd, crowd.chance.choice(frames), again=True), rate=1000, patience=0.5)
        crowd.turn(0.02)


def come_and_go(crowd):
    """Connections that are closed as soon as they are open, as fast as they can be."""
    ready()
    while not crowd.is_over:
        for _ in range(100):
            peer = socket.socket(socket.AF_UNIX)
            try:
                peer.connect(crowd.path)
                crowd.figures["opened"] += 1
            except OSError:
                pass
            peer.close()
        crowd.turn()


def many_calls(crowd, count, window):
    """So many bookings under way on each of so many connections, for as long as it lasts."""
    numbers = iter(range(1 << 40))
    prefix = f"h{crowd.chance.randrange(1 << 40):x}"
    ready()
    while not crowd.is_over:
        crowd.fill(count, lambda: Caller(crowd, window, f"{prefix}-{next(numbers)}"), rate=1000, patience=0.5)
        crowd.turn(0.05)


def main():
    name, path, seed, arguments = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(path, seed)
    globals()[name](crowd, *arguments)
    crowd.figures["open"] = len(crowd.members)
    with open(os.environ["ATTACK_IDS"], "ab") as file:
        file.writelines(identifier + b"\n" for identifier in crowd.ids)
    crowd.figures["ids"] = len(crowd.ids)
    print(json.dumps(crowd.figures), flush=True)


if __name__ == "__main__":
    main()
