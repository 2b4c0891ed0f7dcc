"""Books while no daemon runs and waits until the booking is committed: cold.py USER; prints the seconds as JSON."""

import json
import socket
import sys
import time

from wire import call


def main(user):
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("/run/acms/io.acms.Bookings")
        booking = {"userId": user, "apartmentId": "A", "startDate": "2027-01-01", "endDate": "2027-01-05"}
        id = call(peer, "CreateApartmentBooking", {"input": booking})["parameters"]["id"]
        answered = time.monotonic()
        progress = call(peer, "AwaitBooking", {"id": id})["parameters"]["progress"]
        committed = time.monotonic()
    if progress != "COMMITTED":
        sys.exit(f"{id} is {progress}")
    print(json.dumps({"answered": answered - began, "committed": committed - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
