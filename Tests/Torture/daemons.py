"""A private place with a spool, a table and sockets, and the daemons in it.

The sockets listen as long as the site lives, as the service manager's do: a caller that connects while a daemon is
down waits for the next one.
"""

import os
import select
import signal
import socket
import sqlite3
import time

from peer import Peer

INTERFACES = {"acms-frontd": ["Bookings"], "acms-workerd": ["Queue", "Caretaker"]}


class Daemon:
    """A daemon's process."""

    def __init__(self, site, program, environment):
        self.program = program
        self.site = site
        self.log_path = f"{site.directory}/{program}.log"
        listening = [site.sockets[name] for name in INTERFACES[program]]
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self.log_start = os.fstat(log).st_size
            variables = site.environment | environment | {
                "LISTEN_FDS": str(len(listening)),
                "LISTEN_FDNAMES": ":".join(f"io.acms.{name}" for name in INTERFACES[program]),
            }
            preload = variables.pop("LD_PRELOAD", "")
            actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
            actions += [(os.POSIX_SPAWN_DUP2, log, number) for number in (1, 2)]
            actions += [(os.POSIX_SPAWN_DUP2, peer.fileno(), 3 + number) for number, peer in enumerate(listening)]
            # LISTEN_PID must be the daemon's own process id, which only the process itself knows; nor is the shell to
            # be preloaded.
            script = 'export LISTEN_PID=$$; [ -z "$1" ] || export LD_PRELOAD="$1"; shift; exec "$@"'
            arguments = ["sh", "-c", script, "sh", preload, *site.wrapper, f"{site.binaries}/{program}"]
            self.pid = os.posix_spawn("/bin/sh", arguments, variables, file_actions=actions, setpgroup=0)
        finally:
            os.close(log)
        self.handle = os.pidfd_open(self.pid)
        self.status = None

    @property
    def is_running(self):
        return self.wait(0) is None

    def signal(self, number):
        if self.is_running:
            signal.pidfd_send_signal(self.handle, number)

    def wait(self, seconds=60):
        """The exit status, minus the signal's number when one has ended it, None if it still runs after so long."""
        if self.status is None:
            poll = select.poll()
            poll.register(self.handle, select.POLLIN)
            if poll.poll(seconds * 1000):
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                os.close(self.handle)
        return self.status

    def kill9(self):
        """Kills it; whether it had ended by itself before, as the status tells."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def stop(self, seconds=60):
        """Ends it in good order, and returns the status; kills it when it doesn't end, which is returned as well."""
        self.signal(signal.SIGTERM)
        if self.wait(seconds) is None:
            self.kill9()
        return self.status

    def log(self):
        """What this process has logged."""
        with open(self.log_path, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def resident_kilobytes(self, name="VmRSS"):
        """A figure of /proc/PID/status, in KiB: VmRSS now, VmHWM at most."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


class Site:
    """The place itself; `directory` holds everything unless `spool` or `table` are elsewhere."""

    def __init__(self, binaries, directory, environment=None, spool=None, table=None, backlog=4096):
        self.binaries = os.path.abspath(binaries)
        self.directory = os.path.abspath(directory)
        self.spool = spool or f"{self.directory}/spool"
        self.table_directory = table or f"{self.directory}/table"
        self.table = f"{self.table_directory}/acms.sqlite"
        self.wrapper = []  # a command that is given the daemon to run
        os.makedirs(self.directory, exist_ok=True)
        os.makedirs(self.table_directory, exist_ok=True)
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "ACMS_SPOOL_DIRECTORY": self.spool,
            "ACMS_TABLE_PATH": self.table,
            "ACMS_WORKER_IDLE_EXIT_SECONDS": "0",
            "ACMS_WORKER_RETRY_INITIAL_SECONDS": "0.05",
            "ACMS_WORKER_RETRY_MAXIMUM_SECONDS": "0.2",
            "ACMS_SPOOL_MIN_FREE_BYTES": "1048576",
        }
        self.sockets = {}
        for name in (name for names in INTERFACES.values() for name in names):
            self.environment[f"ACMS_SOCKET_{name.upper()}"] = self.socket_path(name)
            if os.path.exists(self.socket_path(name)):
                os.unlink(self.socket_path(name))
            self.sockets[name] = socket.socket(socket.AF_UNIX)
            self.sockets[name].bind(self.socket_path(name))
            self.sockets[name].listen(backlog)
        self.environment |= environment or {}

    def socket_path(self, name):
        return f"{self.directory}/io.acms.{name}"

    def start(self, program, environment=None):
        return Daemon(self, program, environment or {})

    def start_front(self, environment=None):
        return self.start("acms-frontd", environment)

    def start_worker(self, environment=None):
        return self.start("acms-workerd", environment)

    def peer(self, name, timeout=60):
        return Peer(self.socket_path(name), timeout)

    def attributes(self, timeout=60):
        """What GetQueueAttributes says."""
        peer = self.peer("Queue", timeout)
        try:
            return peer.call("GetQueueAttributes")
        finally:
            peer.close()

    def drain(self, seconds=120):
        """Resumes if paused, and waits until nothing waits any more; the last attributes. TimeoutError after so long."""
        peer = self.peer("Queue")
        try:
            peer.call("Resume")
            end = time.monotonic() + seconds
            while True:
                attributes = peer.call("GetQueueAttributes")
                if attributes["incoming"] == attributes["active"] == attributes["deferred"] == 0:
                    return attributes
                if time.monotonic() > end:
                    raise TimeoutError(f"The queue was not drained: {attributes}")
                time.sleep(0.005)
        finally:
            peer.close()

    def letters(self):
        """All dead letters, by id."""
        peer = self.peer("Queue")
        try:
            return {letter["id"]: letter for part in peer.stream("ListDeadLetters") for letter in part["items"]}
        finally:
            peer.close()

    def rows(self):
        """All rows of the table, by id, read with no code of acms'."""
        connection = sqlite3.connect(f"file:{self.table}?mode=ro", uri=True)
        try:
            connection.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM bookings")}
        finally:
            connection.close()

    def close(self):
        for listening in self.sockets.values():
            listening.close()
