"""Holds a ledger against the table: verify.py LEDGER PREFIX; prints the figures as JSON.

Each booking that was answered must be in the table under its id, and no user more than once.
"""

import json
import sqlite3
import sys
from collections import Counter


def main(ledger, prefix):
    with open(ledger) as file:
        lines = [line.rstrip("\n") for line in file]
    answered = [line.split()[1:] for line in lines if line.startswith("+")]
    table = sqlite3.connect("file:/var/lib/acms/table/acms.sqlite?mode=ro", uri=True)
    rows = table.execute("SELECT id, userId FROM bookings WHERE userId GLOB ?", (f"{prefix}-*",)).fetchall()
    committed = dict(rows)
    print(json.dumps({
        "answered": len(answered),
        "committed": len(rows),
        "lost": [entry for entry in answered if committed.get(entry[0]) != entry[1]],
        "twice": [user for user, count in Counter(user for _, user in rows).items() if count > 1],
        "refused": Counter(line[2:] for line in lines if line.startswith("-")),
        "wrong": [line for line in lines if line.startswith("!")],
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
