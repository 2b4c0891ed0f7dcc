"""What the tests of an installed acms share."""

import json
import os
import unittest

from machine import eventually

PACKAGE = os.environ["PACKAGE"]
FRONT, WORKER = "acms-front.service", "acms-worker.service"
SOCKETS = ["acms-front.socket", "acms-worker.socket", "acms-caretaker.socket"]
# What starts the daemons.
STARTERS = [*SOCKETS, "acms-worker.path", "acms-worker.timer"]
PEOPLE = {"clara": "acms-clients", "ada": "acms-admins", "carl": "acms-caretakers", "nora": None}


class Case(unittest.TestCase):
    """A test on a machine with acms. The suite gives the machine."""

    machine = None

    def figure(self, text):
        """Reports something measured."""
        print(f"\n    {text} ", end="", flush=True)

    def call(self, user, method, parameters=None, more=False):
        """The replies to a call with PyPI's varlink, and whether it succeeded."""
        words = ["python3", "-W", "ignore", "/tests/call.py", method, json.dumps(parameters or {})]
        result = self.machine.run(*words, *(["more"] if more else []), user=user, check=False)
        replies = [json.loads(line) for line in result.stdout.splitlines()]
        return replies, result

    def reply(self, user, method, parameters=None):
        """The reply to a call that must succeed."""
        replies, result = self.call(user, method, parameters)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return replies[0]

    def input(self, user, apartment=None):
        """The parameters of a booking."""
        return {"input": {"userId": user, "apartmentId": apartment or f"A-{user}",
                          "startDate": "2027-01-01", "endDate": "2027-01-05"}}

    def book(self, user, apartment=None):
        """Books an apartment, the user's own if not told which, and returns the id."""
        return self.reply("clara", "io.acms.Bookings.CreateApartmentBooking", self.input(user, apartment))["id"]

    def wait_for(self, id):
        """Waits until a booking is settled, and returns how."""
        return self.reply("clara", "io.acms.Bookings.AwaitBooking", {"id": id})["progress"]

    def queue(self):
        return self.reply("ada", "io.acms.Queue.GetQueueAttributes")

    def wait_until_empty(self, seconds=120):
        eventually("an empty queue", lambda: not sum(
            self.queue()[state] for state in ("incoming", "active", "deferred")), seconds)

    def stop_daemons(self):
        self.machine.run("systemctl", "stop", FRONT, WORKER)

    def processes(self):
        result = self.machine.run("pgrep", "-x", "acms-.*d", check=False)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        return result.stdout.split()

    def install(self, package):
        self.machine.put(package, "/root/acms.deb")
        self.machine.run("dpkg", "--install", "/root/acms.deb")
