"""What each verb of acmsctl is tried with on a terminal, one a line: a verb that has no line here fails the run.

A command's words in braces are made anew for each run: {pending} and {approved} are bookings in the table, {queued} is
one that waits because the queue is paused, {letter} is a dead letter that 'dlq edit' can mend, {spoiled} is the
apartment of one, {file} holds two lines to import, and {new} is a name that nothing has yet.
"""
from dataclasses import dataclass, field


ID = "[0-9a-f-]{36}: "


@dataclass
class Run:
    """A command, and what it must show."""
    command: str
    shows: list = field(default_factory=list)  # texts that must be on the screen
    colour: bool = False  # whether it has any
    status: int = 0
    keys: list = field(default_factory=list)  # (what to wait for on the screen, what to type then), as tmux names keys
    json: str = "--json"  # what makes it print JSON Lines; None if nothing does
    endless: bool = False  # whether it ends only when it is interrupted: `keys` must have C-c, and `status` be 130
    own_screen: bool = False  # whether it takes the screen for itself; it is looked at before the last of `keys`
    booking_meanwhile: str = ""  # what it shows before a booking comes
    wide: str = ""  # how lines begin that may be longer than the screen is wide: sentences, and what is for programs
    environment: dict = field(default_factory=dict)

    @property
    def verb(self):
        """Its verb, with the one below it."""
        words = self.command.split()
        return " ".join(words[:2]) if words[0] in ("dlq", "export") else words[0]


RUNS = [
    Run("book --user {new} --apartment A-17 --from 2027-01-01 --to 2027-01-05", ["Accepted; follow it with"]),
    Run("book --user {new} --apartment A-17 --from 2027-01-01 --to 2027-01-05 --wait", ["COMMITTED", "PENDING"], True),
    Run("book --user {new} --apartment A-17 --from 2027-01-05 --to 2027-01-01", ["acmsctl: "], status=1),
    Run("list --user alice", ["APARTMENT", "A-17", "APPROVED", "CANCELLED"], True),
    Run("list --apartment A-17", ["USER", "…", "PENDING"], True),
    Run("show {pending}", ["progress:   COMMITTED", "status:     PENDING"], True),
    Run("show {new}", ["acmsctl: "], status=1),
    Run("await {pending}", ["progress:   COMMITTED"], True),
    Run("await {pending} --follow", ["COMMITTED"]),
    Run("await {queued} --follow", ["QUEUED"], keys=[("QUEUED", "C-c")], status=130, endless=True),
    Run("approve {pending}", ["APPROVED"], True),
    Run("approve {approved}", ["acmsctl: "], status=1),
    Run("cancel {approved}", ["CANCELLED"], True),
    Run("queue", ["incoming:", "committing:", "available"], True),
    Run("queue --ages", ["APARTMENT", "TOTAL", "<12h"], True),
    Run("queue --ages --dead --by reason", ["REASON", "TOTAL", "The booking"], True),
    Run("pause --for 30m", ["paused until"], True),
    Run("resume", ["committing:  yes"]),
    Run("import {file}", ["accepted:", "refused:"]),
    Run("export bookings", ["userId", "alice"], wide="{"),
    Run("export queue --format csv", ["acceptedOn"], json=None, wide="id,"),
    Run("export dead", ["POISON"], wide="{"),
    Run("import /nonexistent", ["/nonexistent can't be read"], status=66),
    Run("check", ["Nothing is damaged."]),
    Run("calendar --apartment A-17 --from 2027-01", ["A-17", "January 2027"], True),
    Run("trace {approved}", ["STEP", "APPROVED"], True),
    Run("doctor", ["table", "NOTE", "OK"], True, wide=" {9}/"),
    Run("migrate --to postgres --dry-run", ["acmsctl: postgres.url says"], status=78),
    Run("watch", ["ACCEPTED", "COMMITTED"], True, booking_meanwhile="Watching", keys=[("COMMITTED", "C-c")], status=130,
        endless=True),
    Run("top", ["QUEUE", "RATE", "LATENCY", "DEAD LETTERS"], True, own_screen=True, endless=True,
        keys=[("RATE", "d"), ("choose", "Enter"), ("scroll", "Escape"), ("choose", "Escape"), ("RATE", "q")]),
    Run("top --interval 0.2", ["QUEUE"], True, own_screen=True, keys=[("RATE", "C-c")], status=130, json=None),
    Run("metrics", ["acms_queue_messages", "# EOF"], wide='# HELP'),
    Run("dlq list", ["CLASS", "POISON"], True),
    Run("dlq show {letter}", ["reason:", "ATTEMPT", "2023-02-29"], True, wide="reason: |{"),
    Run("dlq redrive {letter}", ["Redrove 0 dead letters. 1 stays:"], status=1, wide=ID),
    Run("dlq redrive --all --dry-run", ["Would redrive"], status=1, wide=ID),
    Run("dlq edit {letter} --yes", ["+ startDate:      2023-02-28", "Redrove 1 dead letter."], True,
        environment={"EDITOR": "sed -i s/2023-02-29/2023-02-28/"}),
    Run("dlq delete {letter}", ["Deleted 1 dead letter."]),
    Run("dlq delete --apartment {spoiled}", ["for good? [y/N]", "Deleted"], keys=[("[y/N]", "y Enter")], json="--yes --json"),
]
