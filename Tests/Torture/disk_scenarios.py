"""What the daemons do while the disk fails: short stories that together take the main path of both.

A story has a beginning, on a disk that works, whose outcome is kept and copied for each trial, and an act in which
the call fails.
"""

import json
import os


class Story:
    """A beginning and an act. The beginning leaves the site's files, and the ledger's entries, with no daemon running."""

    def begin(self, trial):
        pass

    def act(self, trial):
        raise NotImplementedError

    #: Whether one telling takes seconds.
    is_long = False
    #: Whether a call of a function on a file is tried in it; None for all.
    wanted = None

    @property
    def name(self):
        return type(self).__name__


class Accepting(Story):
    """The front begins, accepts, refuses, ends in good order, begins again, and is killed."""

    def act(self, trial):
        trial.start("acms-frontd")
        first = trial.book()
        trial.duplicate(first)
        keyed = trial.book(key="k1")
        trial.repeat(keyed)
        many = trial.book_many(3)
        trial.refused("InvalidInput", "Bookings", "CreateApartmentBooking", input=many[0].input | {"userId": ""})
        trial.stop("acms-frontd")
        trial.start("acms-frontd")
        trial.duplicate(first)
        trial.repeat(keyed)
        trial.book()
        trial.kill("acms-frontd")
        trial.start("acms-frontd")
        trial.duplicate(many[2])
        last = trial.book()
        if trial.until_done(lambda: trial.call("Bookings", "GetBooking", id=last.id))["progress"] != "QUEUED":
            trial.wrong.append("a booking without a worker is not QUEUED")


class Replaying(Story):
    """The front begins where a power cut has taken files that only its journal has, beside letters and a table."""

    def begin(self, trial):
        trial.start("acms-frontd")
        trial.start("acms-workerd")
        trial.old = [trial.book(), trial.book(key="k1")]
        drop_poison(trial)
        know_letters(trial)
        trial.stop("acms-workerd")
        trial.waiting = trial.book_many(2)
        trial.taken = [trial.book(), trial.book()]
        trial.kill("acms-frontd")
        for attempt in trial.taken:
            os.unlink(f"{trial.site.spool}/incoming/{attempt.id}.1.jsonl")
        name = trial.entries("incoming")[0]
        os.rename(f"{trial.site.spool}/incoming/{name}", f"{trial.site.spool}/active/{name}")
        trial.drop("in-hand.jsonl", [by_hand(trial) for _ in range(2)])
        os.rename(f"{trial.site.spool}/incoming/in-hand.jsonl", f"{trial.site.spool}/active/in-hand.jsonl")

    def act(self, trial):
        trial.start("acms-frontd")
        trial.duplicate(trial.taken[0])
        trial.duplicate(trial.waiting[1])
        trial.duplicate(trial.old[0])
        trial.repeat(trial.old[1])
        trial.book()
        for attempt, progress in ((trial.old[0], "COMMITTED"), (trial.taken[1], "QUEUED")):
            answer = trial.until_done(lambda: trial.call("Bookings", "GetBooking", id=attempt.id))
            if answer["progress"] != progress:
                trial.wrong.append(f"{attempt.user} is {answer['progress']}, not {progress}")
        page = trial.until_done(lambda: trial.call(
            "Bookings", "GetAllBookingsPerApartment", apartmentId=trial.old[0].apartment))
        if [item["id"] for item in page["items"]] != [trial.old[0].id]:
            trial.wrong.append(f"the apartment has {page}")


class Recovering(Replaying):
    """The worker begins on the same: it replays the journal, and finds what a dead one had in hand."""

    def act(self, trial):
        trial.start("acms-workerd")
        trial.settled()


class Journal(Story):
    """The journal's segments are filled, settled by the file system's sync, and begun anew."""

    is_long = True

    def wanted(self, name, path):
        return "journal" in path or name == "syncfs" or path.endswith(("spool", "incoming"))

    def act(self, trial):
        trial.start("acms-frontd")
        # Messages of about 1,400 bytes, so that three calls fill a segment.
        for _ in range(7):
            trial.book_many(900, apartment='"' * 256, key='"' * 256)
        trial.book()
        trial.book()


class Committing(Story):
    """The worker begins with no table, and commits what front and others have put into the queue."""

    def begin(self, trial):
        trial.start("acms-frontd")
        trial.first = trial.book()
        trial.book_many(3)
        drop_poison(trial)
        trial.drop("by-hand.jsonl", [by_hand(trial) for _ in range(2)])
        trial.stop("acms-frontd")

    def act(self, trial):
        trial.start("acms-workerd")
        trial.settled()
        trial.until_done(lambda: trial.call("Queue", "GetQueueAttributes"))
        trial.stop("acms-workerd")
        trial.drop("again.jsonl", [by_hand(trial)])
        trial.start("acms-workerd")
        trial.settled()
        trial.kill("acms-workerd")
        trial.drop("once-more.jsonl", [by_hand(trial)])
        trial.start("acms-workerd")
        trial.settled()


class Deciding(Story):
    """Retries, the caretaker, the dead letters and a pause."""

    def begin(self, trial):
        trial.start("acms-frontd")
        trial.start("acms-workerd")
        trial.chosen = trial.book(apartment="shared")
        trial.crowded_out = trial.book(apartment="shared")
        trial.unwanted = trial.book()
        drop_poison(trial)
        know_letters(trial)
        trial.stop("acms-workerd")
        trial.change_table("CREATE TRIGGER held BEFORE INSERT ON bookings WHEN NEW.apartmentId = 'held' "
                           "BEGIN SELECT RAISE(ABORT, 'not yet'); END")
        trial.held = trial.book(apartment="held")
        # Killed: its journal has what is deleted from the letters later.
        trial.kill("acms-frontd")

    def act(self, trial):
        trial.start("acms-workerd")
        trial.wait_for("a retry", lambda: any(
            trial.held.id in name for place in ("deferred", "dead") for name in trial.entries(place)))
        trial.change_table("DROP TRIGGER held")
        trial.decide("approve", trial.chosen.id)
        trial.decide("cancel", trial.unwanted.id)
        items = trial.until_done(lambda: trial.call("Queue", "ListDeadLetters"))["items"]
        if len(items) < 2:
            trial.wrong.append(f"there are {len(items)} dead letters")
        mended, deleted = trial.letters[:2]
        redriven = trial.letters_done(
            "RedriveDeadLetters", "redriven", ids=[mended.id], input=mended.input)
        if redriven != [mended.id]:
            trial.wrong.append(f"redriven was {redriven}")
        trial.until_done(lambda: trial.call("Queue", "Pause"))
        act = trial.ledger.act("delete", deleted.id)
        if delete(trial, deleted.id):
            act.finish(True)
        trial.until_done(lambda: trial.call("Queue", "Resume"))
        trial.settled()
        trial.stop("acms-workerd")


def delete(trial, identifier):
    """Deletes a letter; after a failure it may be gone already, which is no lie as nothing was promised."""
    from disk_trial import Trouble
    had_trouble = []

    def once():
        answer = trial.call("Queue", "DeleteDeadLetters", ids=[identifier])
        for failure in answer["failed"]:
            error = failure["error"].rpartition(".")[2]
            if error == "DeadLetterNotFound" and had_trouble:
                return True
            if error != "StorageUnavailable":
                trial.wrong.append(f"delete: {failure}")
                return False
            had_trouble.append(failure)
            raise Trouble(str(failure))
        return True
    return trial.until_done(once)


def by_hand(trial):
    """A line with a booking that is put into the spool by hand."""
    attempt = trial.ledger.attempt(trial.booking())
    attempt.answer()
    return json.dumps({"input": attempt.input}).encode()


def drop_poison(trial):
    """Three lines that can't be committed, in a file with one that can."""
    trial.letters = []
    lines = [by_hand(trial)]
    for _ in range(3):
        attempt = trial.ledger.attempt(trial.booking(is_poison=True))
        attempt.answer()
        trial.letters.append(attempt)
        lines.append(json.dumps({"v": 99, "input": attempt.input}).encode())
    trial.drop("poison.jsonl", lines)


def know_letters(trial):
    """Learns the ids of the dead letters, which nobody was told."""
    trial.settled()
    ids = {letter["userId"]: letter["id"] for letter in trial.call("Queue", "ListDeadLetters")["items"]}
    for attempt in trial.letters:
        attempt.id = ids[attempt.user]


STORIES = [Accepting(), Replaying(), Recovering(), Journal(), Committing(), Deciding()]
