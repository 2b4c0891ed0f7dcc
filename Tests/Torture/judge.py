"""Holds what is found against what callers were told."""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Verdict:
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self):
        return not (self.lost or self.duplicated or self.wrong)

    def __str__(self):
        parts = [f"{name}: {'; '.join(texts[:3])}{' …' if len(texts) > 3 else ''}"
                 for name, texts in (("lost", self.lost), ("duplicated", self.duplicated), ("wrong", self.wrong))
                 if texts]
        return " | ".join(parts) or "all there"


def judge(ledger, rows, letters, before=float("inf"), after=float("inf")):
    """The verdict on a drained site.

    `before` is the time until which an answer binds acms: what was answered later may be missing. `after` is the time
    from which nothing that was begun can be there.
    """
    verdict = Verdict()
    found = defaultdict(list)
    for row in rows.values():
        found[row["userId"]].append(("row", row))
    for letter in letters.values():
        found[letter.get("userId")].append(("letter", letter))
    acts = defaultdict(list)
    approvals = defaultdict(float)  # by apartment, when the first was begun
    apartments = {row["id"]: row["apartmentId"] for row in rows.values()}
    for act in list(ledger.acts):
        if act.began > after:
            continue
        acts[act.id].append(act)
        if act.verb == "approve":
            approvals[apartments.get(act.id)] = act.began
            for identifier in act.cancelled:
                acts[identifier].append(act)
    for attempt in list(ledger.attempts.values()):
        _judge_attempt(attempt, found.pop(attempt.user, []), acts, approvals, before, after, verdict)
    for user, entries in found.items():
        verdict.wrong.append(f"nobody has tried what is there for the user {user}: {entries[0]}")
    _judge_table(rows, verdict)
    return verdict


def _judge_attempt(attempt, entries, acts, approvals, before, after, verdict):
    name = f"{attempt.user} {attempt.id or ''}".strip()
    if len(entries) > 1:
        verdict.duplicated.append(f"{name} is there {len(entries)} times: {[entry[1]['id'] for entry in entries]}")
        return
    if attempt.began > after and entries:
        verdict.wrong.append(f"{name} is there before it was tried")
        return
    identifier = entries[0][1]["id"] if entries else attempt.id
    done = acts.get(identifier, [])
    if not entries:
        if attempt.is_accepted(before) and not any(act.verb == "delete" for act in _of(attempt, acts)):
            kind = "dropped to be poison" if attempt.is_poison else "booked" if attempt.id else "dropped"
            acts = [f"{act.verb} {'done' if act.is_done else 'open'}" for act in _of(attempt, acts)]
            verdict.lost.append(f"{name} ({kind}; {', '.join(acts) or 'nothing was done to it'}) is nowhere")
        return
    if attempt.refusal and attempt.ended < before:
        verdict.wrong.append(f"{name} was refused ({attempt.refusal}) and is there")
        return
    if any(act.verb == "delete" and act.is_answered(before) for act in done):
        verdict.wrong.append(f"{name} was deleted and is there again")
    kind, entry = entries[0]
    if kind == "row":
        _judge_row(attempt, name, entry, done, approvals, before, verdict)
    elif not attempt.is_poison and entry["class"] == "POISON":
        verdict.wrong.append(f"{name} became a dead letter: {entry['reason']}")


def _of(attempt, acts):
    """What was done to an attempt that is nowhere; of one that was dropped only its letter's acts know the id."""
    if attempt.id:
        return acts.get(attempt.id, [])
    return [act for act in itertools.chain.from_iterable(acts.values()) if getattr(act, "user", None) == attempt.user]


def _judge_row(attempt, name, row, done, approvals, before, verdict):
    if attempt.id and row["id"] != attempt.id:
        verdict.wrong.append(f"{name} is in the table as {row['id']}")
    expected = (attempt.apartment, attempt.start, attempt.end)
    if (row["apartmentId"], row["startDate"], row["endDate"]) != expected:
        verdict.wrong.append(f"{name} is in the table with other content: {row}")
    status = row["bookingStatus"]
    cancels = [act for act in done if act.verb == "cancel" or row["id"] in act.cancelled]
    if any(act.is_answered(before) for act in cancels):
        allowed = {"CANCELLED"}
    elif any(act.verb == "approve" and act.id == row["id"] and act.is_answered(before) for act in done):
        allowed = {"APPROVED", "CANCELLED"} if cancels else {"APPROVED"}
    elif done or row["apartmentId"] in approvals:
        allowed = {"PENDING", "APPROVED", "CANCELLED"}
    else:
        allowed = {"PENDING"}
    if status not in allowed:
        verdict.wrong.append(f"{name} is {status} and should be {' or '.join(sorted(allowed))}")


def _judge_table(rows, verdict):
    approved, pending = defaultdict(list), defaultdict(list)
    for row in rows.values():
        if row["bookingStatus"] == "APPROVED":
            approved[row["apartmentId"]].append((row["startDate"], row["endDate"], row["id"]))
        elif row["bookingStatus"] == "PENDING":
            pending[row["userId"], row["apartmentId"]].append(row["id"])
    for apartment, stays in approved.items():
        for one, other in itertools.pairwise(sorted(stays)):
            if other[0] < one[1]:
                verdict.wrong.append(f"two approved bookings of {apartment} overlap: {one} {other}")
    for claim, identifiers in pending.items():
        if len(identifiers) > 1:
            verdict.duplicated.append(f"{claim} has {len(identifiers)} undecided bookings: {identifiers}")
