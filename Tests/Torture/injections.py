"""Ways to damage a file, and what of the bookings in it each of them touches."""

import json
import os
import re
import shutil
import sqlite3
import uuid
from dataclasses import dataclass, field

BLOCK = 4096


@dataclass
class Injection:
    """Damage to one file, or to two that are swapped."""

    part: str  # relative to the site
    kind: str
    other: str | None = None  # the file it was swapped with, or its copy
    spans: list = field(default_factory=list)  # changed bytes: (start, end)
    old: bytes = b""
    new: bytes = b""

    def __str__(self):
        place = f" at {self.spans[0][0]}" if self.spans else ""
        return f"{self.kind} {self.part}{place}{f' {self.other}' if self.other else ''}"


def inject(directory, part, kind, chance, others):
    """Damages `part`; None where this kind makes no sense."""
    path = f"{directory}/{part}"
    with open(path, "rb") as file:
        old = file.read()
    one = Injection(part, kind, old=old)
    new = bytearray(old)
    if kind == "flip":
        # Files with much that is unused are hit where something is.
        used = [index for index in range(0, len(old), 64) if any(old[index:index + 64])]
        if not used:
            return None
        place = min(len(old) - 1, chance.choice(used) + chance.randrange(64))
        new[place] ^= 1 << chance.randrange(8)
        one.spans = [(place, place + 1)]
    elif kind == "zero":
        if not old:
            return None
        used = [index for index in range(0, len(old), BLOCK) if any(old[index:index + BLOCK])]
        if not used:
            return None
        start = chance.choice(used)
        end = min(len(old), start + BLOCK)
        if len(old) < BLOCK:
            start = chance.randrange(len(old))
            end = min(len(old), start + chance.randrange(1, 64))
        new[start:end] = bytes(end - start)
        one.spans = [(start, end)]
    elif kind == "truncate":
        if not old:
            return None
        end = chance.randrange(len(old))
        del new[end:]
        one.spans = [(end, len(old))]
    elif kind == "append":
        new += chance.choice([b"garbage", b"{}\n", b"\0" * 100, chance.randbytes(300)])
        one.spans = [(len(old), len(new))]
    elif kind == "swap":
        if not others:
            return None
        one.other = chance.choice(others)
        other = f"{directory}/{one.other}"
        os.rename(path, f"{path}.swap")
        os.rename(other, path)
        os.rename(f"{path}.swap", other)
        return one
    elif kind == "copy":
        match = re.fullmatch(r"(spool/\w+)/([0-9a-f-]{36})(\..*)", part)
        if not match:
            return None
        name = str(uuid.UUID(int=uuid.UUID(match[2]).int ^ chance.getrandbits(16) << 4 ^ 16))
        one.other = f"{match[1]}/{name}{match[3]}"
        shutil.copy2(path, f"{directory}/{one.other}")
        return one
    one.new = bytes(new)
    if one.new == one.old:
        return None
    # In place, as a disk does it: its owner and mode stay, and so does the inode.
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.write(one.new)
        file.truncate()
    os.chmod(path, mode)
    return one


def touched(one):
    """The lines of a spool file that the damage has changed, as they are now; of a swap or a copy none."""
    if not one.spans:
        return []
    start, end = one.spans[0]
    lines, offset = [], 0
    for line in one.old.splitlines(keepends=True):
        if offset < end and start < offset + len(line):
            lines.append((line, one.new[offset:offset + len(line)]))
        offset += len(line)
    return lines


def must_be_found(one, directory, pristine):
    """Whether the check has to name the file; or the reason why the damage does no harm or can't be known."""
    name = os.path.basename(one.part)
    if one.part.endswith("-shm") or name in ("lock", ".lock", ".journal-open"):
        return "nothing is read of it"
    if name == "reserve" and one.kind in ("flip", "zero", "swap"):
        return "only its length counts"
    if name.startswith(".journal-"):
        return _journal(one)
    if one.part.endswith("-wal") and one.kind == "truncate" and not cuts_frames(one):
        return "it cuts off no frame that is in use"
    if one.part.startswith("table/"):
        return _table(one, directory, pristine)
    if one.kind in ("swap", "copy") and name.endswith(".deleted"):
        return "all say the same, and one of nobody is forgotten"
    if not name[:8].isalnum() or name == "by-hand.jsonl":
        return True if name == "paused" else "lines by hand have no checksums"
    if one.kind == "truncate" and one.old[len(one.new):] == b"\n":
        return "a last line needs no newline"
    if one.kind == "append" and not one.new[len(one.old):].strip(b" \t\r\n"):
        return "blank"
    return True


def cuts_frames(one):
    """Whether a cut of the -wal file takes a frame that belongs to its present use."""
    salts, size, last = one.old[16:24], 4096 + 24, 32
    while one.old[last + 8:last + 16] == salts and last + size <= len(one.old):
        last += size
    return len(one.new) < last


def groups(segment):
    """The groups of a journal's segment: where each begins, the bytes of its header, its length and fields."""
    found, offset = [], 0
    while offset + 256 <= len(segment):
        header = segment[offset:offset + 256]
        fields = dict(re.findall(rb"(\w+)=(\S*)", header))
        if not header.startswith(b"acms-journal 1 ") or b"bytes" not in fields:
            break
        length = 256 + int(fields[b"bytes"])
        found.append((offset, len(header.rstrip()), length, fields))
        offset += (length + BLOCK - 1) // BLOCK * BLOCK
    return found


def _journal(one):
    if one.kind == "swap":
        return "each segment says itself which it is"
    if len(one.new) != len(one.old):
        return True
    start, end = one.spans[0]
    known = groups(one.old)
    # The last may as well be one that was never finished, and its file is in its place.
    for index, (offset, header, length, _) in enumerate(known):
        covered = [(offset, offset + header), (offset + 256, offset + length)]
        if any(start < stop and begin < end for begin, stop in covered):
            if index == 0 or index < len(known) - 1 and end <= known[-1][0]:
                return True
            return "the last group could be an unfinished one"
    return "it is behind the journal's end, or unused"


def dump(path):
    """The rows as SQLite reads them, and whether it finds the file in order; None when it can't read it."""
    copy = f"{path}.look"
    for suffix in ("", "-wal"):
        if os.path.exists(path + suffix):
            shutil.copyfile(path + suffix, copy + suffix)
    try:
        connection = sqlite3.connect(copy)
        try:
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            rows = connection.execute("SELECT * FROM bookings NOT INDEXED ORDER BY id").fetchall()
            totals = connection.execute("SELECT * FROM totals").fetchall()
            schema = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
            sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return rows, totals, schema, sound
        finally:
            connection.close()
    except sqlite3.Error:
        return None
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(copy + suffix):
                os.unlink(copy + suffix)


def _table(one, directory, pristine):
    now, before = dump(f"{directory}/table/acms.sqlite"), dump(f"{pristine}/table/acms.sqlite")
    if now == before:
        return "SQLite reads the very same"
    if now and now[3] and one.part.endswith(".sqlite") and now[0] != before[0]:
        return "SQLite keeps no checksums of its pages"
    if now and now[3] and now[0] == before[0] and now[1] != before[1]:
        return "SQLite keeps no checksums of its pages"
    return True
