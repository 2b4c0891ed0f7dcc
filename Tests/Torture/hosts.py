"""Hosts that share one database: a front and a worker on each, and how long those who call them wait.

An answer is timed from the call on, or from when the daemon was started or thawed if that was later: what this program
does to a daemon is not the daemon's fault, and what the network or the database does to it is.
"""

import collections
import random
import signal
import threading
import time

from daemons import INTERFACES, Site
from peer import CallError, Peer

#: How long, in seconds, the daemons wait for the database, and for how long a batch belongs to a worker.
TIMEOUT = LEASE = 3

#: The longest, in seconds, that an answer may take: a call whose commit is under way when the database goes away is
#: tried again for 15 s, which begin when the daemon notices and end in the middle of a try.
BOUND = 15 + 2 * TIMEOUT + 4

PROGRAMS = {f"io.acms.{name}": program for program, names in INTERFACES.items() for name in names}


class Answers:
    """What calls came to, and how long that took; threads share it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()  # by outcome
        self.longest = {}  # by outcome, in seconds, and the call as a text
        self.late = []  # calls that took longer than allowed, as texts
        self.accepted = {}  # by host, when the last booking was accepted

    def note(self, host, call, seconds, outcome, is_accepted):
        with self.lock:
            self.counts[outcome] += 1
            if is_accepted:
                self.accepted[host.name] = time.monotonic()
            if seconds > self.longest.get(outcome, (0, ""))[0]:
                self.longest[outcome] = (seconds, f"{call} on {host.name}")
            if seconds > BOUND:
                self.late.append(f"{call} on {host.name} took {seconds:.1f} s to be answered: {outcome}")


class TimedPeer(Peer):
    """A connection to one of a host's sockets."""

    def __init__(self, host, name, timeout=60):
        super().__init__(host.site.socket_path(name), timeout)
        self.host = host

    def call(self, method, **parameters):
        self.begin()
        try:
            reply = super().call(method, **parameters)
        except CallError as error:
            self.end(method, error.name)
            raise
        except (OSError, EOFError) as error:
            self.end(method, type(error).__name__)
            raise
        self.end(method, "answered", reply)
        return reply

    def begin(self):
        self.began = time.monotonic()

    def end(self, method, outcome, reply=None):
        up = self.host.up.get(PROGRAMS[self.interface])
        if up is None:
            return
        is_accepted = False
        if reply and method.startswith("CreateApartmentBooking"):
            is_accepted = "id" in reply or any(result.get("id") for result in reply.get("results", []))
        seconds = time.monotonic() - max(self.began, up)
        self.host.answers.note(self.host, method, seconds, outcome, is_accepted)


class Host:
    """A front and a worker on a machine, with a spool and sockets of their own."""

    def __init__(self, machine, binaries, directory, environment, answers, buffers=False):
        self.machine, self.name, self.answers = machine, machine.name, answers
        self.buffers = buffers  # whether it accepts into its spool while the database is away
        if buffers:
            environment = environment | {"ACMS_POSTGRES_BUFFER": "spool"}
        self.site = Site(binaries, directory, environment)
        self.site.wrapper = [*machine.enter, *"setpriv --pdeathsig KILL --".split()]
        self.daemons = {}
        self.up = {}  # by program, since when it runs, None while it is down or frozen

    def peer(self, name, timeout=60):
        return TimedPeer(self, name, timeout)

    def start(self, program):
        self.daemons[program] = self.site.start(program)
        self.up[program] = time.monotonic()

    def kill9(self, program):
        """Kills a daemon; what is wrong if it had ended by itself."""
        self.up[program] = None
        daemon = self.daemons[program]
        status = daemon.kill9()
        return [] if status == -signal.SIGKILL else [self.ended(program)]

    def freeze(self, program):
        self.up[program] = None
        self.daemons[program].signal(signal.SIGSTOP)

    def thaw(self, program):
        self.daemons[program].signal(signal.SIGCONT)
        self.up[program] = time.monotonic()

    def crashed(self):
        """What daemons have ended that nobody has killed."""
        return [self.ended(program) for program, daemon in self.daemons.items()
                if self.up[program] and not daemon.is_running]

    def ended(self, program):
        daemon = self.daemons[program]
        return f"{program} on {self.name} ended with {daemon.status}: {daemon.log()[-600:]}"

    def stop(self):
        """Ends the daemons in good order; what is wrong with how they ended."""
        wrong = []
        for program, daemon in self.daemons.items():
            self.up[program] = None
            if daemon.stop() != 0:
                wrong.append(self.ended(program))
        return wrong

    def close(self):
        for daemon in self.daemons.values():
            daemon.kill9()
        self.site.close()


class Pool:
    """Several hosts taken for one: each connection, and each file that is put into the spool, goes to one of them."""

    def __init__(self, hosts):
        self.hosts = hosts

    def peer(self, name, timeout=60):
        return random.choice(self.hosts).peer(name, timeout)

    @property
    def spool(self):
        return random.choice(self.hosts).site.spool
