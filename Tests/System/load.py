"""Books at a steady rate until it is told to stop, and notes what each caller was told.

load.py SOCKET LEDGER PREFIX RATE CONNECTIONS: each connection makes one call at a time. A line of the ledger is
"+ ID USER" for an answer, "- REASON" for a connection that was refused or broke, and "! TEXT" for any other answer.
"""

import os
import signal
import socket
import sys
import threading
import time

from wire import call


def main(path, ledger, prefix, rate, connections):
    descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def note(line):
        os.write(descriptor, f"{line}\n".encode())

    def book(peer, user):
        booking = {"userId": user, "apartmentId": f"A-{user}", "startDate": "2027-01-01", "endDate": "2027-01-05"}
        reply = call(peer, "CreateApartmentBooking", {"input": booking})
        if "error" in reply or set(reply["parameters"]) != {"id"}:
            note(f"! {user} {reply}")
        else:
            note(f"+ {reply['parameters']['id']} {user}")

    def work(number):
        period = int(connections) / float(rate)
        due = time.monotonic() + period * number / int(connections)
        peer, count = None, 0
        while not stop.wait(max(0, due - time.monotonic())):
            due = max(due + period, time.monotonic())
            count += 1
            try:
                if peer is None:
                    peer = socket.socket(socket.AF_UNIX)
                    peer.settimeout(60)
                    peer.connect(path)
                book(peer, f"{prefix}-{number}-{count}")
            # A socket that systemd has just made belongs to root for a moment.
            except (ConnectionError, FileNotFoundError, PermissionError) as error:
                note(f"- {type(error).__name__}: {error}")
                peer.close()
                peer = None
            except Exception as error:
                note(f"! {type(error).__name__}: {error}")
                peer.close()
                peer = None

    threads = [threading.Thread(target=work, args=(number,)) for number in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
