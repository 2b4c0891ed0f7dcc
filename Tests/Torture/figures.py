"""What a torture program is given, and what it says at its end."""

import time
from dataclasses import dataclass, field


@dataclass
class Plan:
    """How a torture program is to run."""

    binaries: str  # the directory with the built programs and the libraries to be preloaded
    scratch: str  # an empty directory of its own
    seconds: float  # how long it may take; it ends soon after
    is_short: bool  # a sample that fits into everybody's test run
    seed: int  # everything random comes from it
    planted: str | None = None  # the fault that a debug build or a library has planted, which must be found
    say: callable = print  # takes a line about the progress
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self):
        """Seconds that are left."""
        return self.began + self.seconds - time.monotonic()


@dataclass
class Figures:
    """The outcome of a torture program; it is good when nothing was lost or duplicated, nothing crashed or failed."""

    name: str
    count: int
    unit: str  # what was counted, such as "power cuts"
    accepted: int = 0  # bookings that were answered with an id, or put into the spool durably
    lost: int = 0
    duplicated: int = 0
    crashes: int = 0  # ends of a daemon that nobody ordered
    failures: list[str] = field(default_factory=list)  # whatever else was wrong, and the details of the above
    notes: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def is_good(self):
        return self.lost == self.duplicated == self.crashes == 0 and not self.failures and self.count > 0
