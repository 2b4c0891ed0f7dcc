"""What callers did, what they were told, and when: the memory that acms is held against.

Each booking that is tried has a user of its own, so that whatever is found in the table or among the dead letters
can be told from everything else, answered or not.
"""

import time
from dataclasses import dataclass, field


@dataclass
class Attempt:
    """One booking that somebody tried to make."""

    user: str
    apartment: str
    start: str
    end: str
    key: str | None = None
    is_poison: bool = False  # dropped into the spool so that it becomes a dead letter
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None  # when the answer was there, or the file was durable; None when nobody knows
    id: str | None = None  # None as well for what was dropped: the id is derived then
    refusal: str | None = None

    @property
    def is_reserved(self):
        """Whether nobody approves or cancels in its apartment."""
        return self.apartment.startswith("R")

    @property
    def input(self):
        fields = {"userId": self.user, "apartmentId": self.apartment, "startDate": self.start, "endDate": self.end}
        return fields | ({"idempotencyKey": self.key} if self.key else {})

    def answer(self, identifier=None, refusal=None):
        self.id, self.refusal = identifier, refusal
        self.ended = time.monotonic()

    def is_accepted(self, before):
        """Whether its caller had been told before then that it was accepted."""
        return self.ended is not None and self.ended < before and self.refusal is None


@dataclass
class Act:
    """Something that was done to a booking or a dead letter: approve, cancel, redrive or delete."""

    verb: str
    id: str
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    is_done: bool = False  # the answer said so
    cancelled: list[str] = field(default_factory=list)

    def finish(self, is_done, cancelled=()):
        self.is_done, self.cancelled = is_done, list(cancelled)
        self.ended = time.monotonic()

    def is_answered(self, before):
        return self.is_done and self.ended < before


class Ledger:
    """All attempts and acts. Threads may write side by side: each entry has one writer."""

    def __init__(self):
        self.attempts = {}  # by user
        self.acts = []
        self.wrong = []  # answers that can't be right, as texts

    def attempt(self, attempt):
        self.attempts[attempt.user] = attempt
        return attempt

    def act(self, verb, identifier):
        act = Act(verb, identifier)
        self.acts.append(act)
        return act

    def accepted(self, before=float("inf")):
        return sum(attempt.is_accepted(before) for attempt in list(self.attempts.values()))

    def merge(self, other):
        """Takes over what other callers did, whose users are others."""
        self.attempts |= other.attempts
        self.acts += other.acts
        self.wrong += other.wrong
