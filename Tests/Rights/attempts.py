"""Tries what a user should not be able to do, and prints how each try ended: "done", or the error's name.

attempts.py files DIRECTORY   changes the table, the spool and what lies in them; reads what the front reads
attempts.py sockets PATH...   calls a method on each socket

Each change is taken back where it succeeds, and the removals come last, so that one success spoils no other try.
"""

import errno
import os
import socket
import sqlite3
import sys


def attempt(name, action):
    try:
        action()
        result = "done"
    except sqlite3.Error as error:
        result = str(error)
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(f"{name}\t{result}")


def open_for(flags, path):
    return lambda: os.close(os.open(path, flags))


def create(path):
    def action():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(path)
    return action


def rename(path, target):
    def action():
        os.rename(path, target)
        os.rename(target, path)
    return action


def link(path, target):
    def action():
        os.link(path, target)
        os.unlink(target)
    return action


def make_directory(path):
    def action():
        os.mkdir(path)
        os.rmdir(path)
    return action


def set_mode(path):
    return lambda: os.chmod(path, os.stat(path).st_mode & 0o7777)


def read(path):
    def action():
        with open(path, "rb") as file:
            file.read()
    return action


def sql(path, statement):
    def action():
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(statement).fetchall()
        finally:
            connection.close()
    return action


def entries(directory):
    return sorted(os.path.join(directory, name) for name in os.listdir(directory))


def files(directory):
    spool, tables = f"{directory}/spool", f"{directory}/table"
    table = f"{tables}/acms.sqlite"
    places = [f"{spool}/{name}" for name in ("active", "deferred", "dead")]
    assert all(entries(place) for place in places)
    inside = [file for place in places for file in entries(place)]
    kept = [f"{spool}/lock", f"{spool}/reserve", f"{spool}/paused"]
    changeable = entries(tables) + inside + kept
    assert len(entries(tables)) == 3, entries(tables)

    # While one connection is open, the end of another doesn't remove the table's two other files.
    reader = sqlite3.connect(table)
    reader.execute("SELECT count(*) FROM bookings").fetchall()
    for file in entries(tables) + inside:
        attempt(f"read {file}", read(file))
    attempt("read the bookings", sql(table, "SELECT count(*) FROM bookings"))
    print("--")
    attempt("change the table", sql(table, "UPDATE bookings SET userId = userId"))
    for file in kept:
        attempt(f"read {file}", read(file))
    for file in changeable:
        attempt(f"open for writing {file}", open_for(os.O_WRONLY, file))
        attempt(f"open for both {file}", open_for(os.O_RDWR, file))
        attempt(f"chmod {file}", set_mode(file))
        attempt(f"rename {file}", rename(file, file + ".moved"))
        attempt(f"take {file}", rename(file, f"{spool}/tmp/taken"))
    for place in places + [tables, spool]:
        attempt(f"create in {place}", create(f"{place}/new"))
        attempt(f"make a directory in {place}", make_directory(f"{place}/new"))
        attempt(f"link into {place}", link(f"{spool}/tmp/own", f"{place}/own"))
        attempt(f"rename into {place}", rename(f"{spool}/tmp/own", f"{place}/own"))
        attempt(f"chmod {place}", set_mode(place))
        attempt(f"rename {place}", rename(place, place + ".moved"))
    for place in ("tmp", "incoming"):
        attempt(f"rename {place}", rename(f"{spool}/{place}", f"{spool}/{place}.moved"))
    for file in changeable:
        attempt(f"truncate {file}", open_for(os.O_WRONLY | os.O_TRUNC, file))
        attempt(f"remove {file}", lambda: os.unlink(file))


def call(path):
    def action():
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            peer.connect(path)
            peer.sendall(b'{"method":"org.varlink.service.GetInfo"}\0')
            reply = b""
            while not reply.endswith(b"\0"):
                part = peer.recv(65536)
                if not part:
                    raise OSError(errno.ECONNRESET, "closed")
                reply += part
    return action


if sys.argv[1] == "files":
    files(sys.argv[2])
else:
    for path in sys.argv[2:]:
        attempt(os.path.basename(path), call(path))
