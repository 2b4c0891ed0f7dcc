"""What the commands are about: bookings and dead letters, made when they are asked for."""

import itertools
import os
import re
import time


class Subjects:
    """Makes what a command's words in braces stand for, in a site whose daemons run."""

    def __init__(self, site):
        self.site = site
        self.bookings, self.queue, self.caretaker = (site.peer(name) for name in ("Bookings", "Queue", "Caretaker"))
        self.numbers = itertools.count(1)

    def close(self):
        for peer in (self.bookings, self.queue, self.caretaker):
            peer.close()

    def furnish(self):
        """What the lists show: names that are too long or wide for a column, and each status."""
        for apartment in ("A-17", "B-4", "公寓-" + "十七" * 8):
            self.pending("alice", apartment)
        self.caretaker.call("ApproveBooking", id=self.pending("alice", "C-1"))
        self.caretaker.call("CancelBooking", id=self.pending("alice", "C-2"))
        self.pending("u" * 200, "A-17")
        self.letter()

    def fill(self, command):
        """The command with its braces filled in."""
        return re.sub(r"\{(\w+)\}", lambda match: getattr(self, match[1])(), command)

    def new(self):
        return f"name-{next(self.numbers)}"

    def accepted(self, user, apartment):
        booking = dict(userId=user, apartmentId=apartment, startDate="2027-01-01", endDate="2027-01-05")
        return self.bookings.call("CreateApartmentBooking", input=booking)["id"]

    def queued(self):
        """A booking that waits until the queue is resumed."""
        self.queue.call("Pause")
        return self.accepted(self.new(), self.new())

    def pending(self, user=None, apartment=None):
        """A booking in the table, which waits for a caretaker."""
        self.queue.call("Resume")
        id = self.accepted(user or self.new(), apartment or self.new())
        progress = self.bookings.call("AwaitBooking", id=id)["progress"]
        if progress != "COMMITTED":
            raise RuntimeError(f"The booking {id} is {progress}.")
        return id

    def approved(self):
        id = self.pending()
        self.caretaker.call("ApproveBooking", id=id)
        return id

    def letter(self, apartment=None):
        """A dead letter with a day that there is not, which somebody has put into the spool."""
        self.queue.call("Resume")
        before = self.site.letters()
        name = f"{self.new()}.jsonl"
        with open(f"{self.site.spool}/tmp/{name}", "w") as file:
            file.write(f'{{"input":{{"userId":"poisoned","apartmentId":"{apartment or name}",'
                       '"startDate":"2023-02-29","endDate":"2023-03-05"}}\n')
        os.rename(file.name, f"{self.site.spool}/incoming/{name}")
        end = time.monotonic() + 30
        while not (new := set(self.site.letters()) - set(before)):
            if time.monotonic() > end:
                raise TimeoutError(f"incoming/{name} became no dead letter.")
            time.sleep(0.01)
        return new.pop()

    def spoiled(self):
        """The apartment of a dead letter."""
        apartment = self.new()
        self.letter(apartment)
        return apartment

    def file(self):
        """A file with two bookings."""
        path = f"{self.site.directory}/{self.new()}.jsonl"
        with open(path, "w") as file:
            for _ in range(2):
                file.write(f'{{"userId":"{self.new()}","apartmentId":"A-17","startDate":"2027-01-01",'
                           '"endDate":"2027-01-05"}\n')
        return path
