"""Books while no daemon runs and waits until the booking is committed: cold.py USER; prints the seconds as JSON."""

import json
import socket
import sys
import time


def main(user):
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("/run/acms/io.acms.Bookings")

        def call(method, parameters):
            peer.sendall(json.dumps({"method": f"io.acms.Bookings.{method}", "parameters": parameters}).encode() + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                part = peer.recv(65536)
                if not part:
                    raise ConnectionResetError("closed")
                reply += part
            return json.loads(reply[:-1])["parameters"]

        booking = {"userId": user, "apartmentId": "A", "startDate": "2027-01-01", "endDate": "2027-01-05"}
        id = call("CreateApartmentBooking", {"input": booking})["id"]
        answered = time.monotonic()
        progress = call("AwaitBooking", {"id": id})["progress"]
        committed = time.monotonic()
    if progress != "COMMITTED":
        sys.exit(f"{id} is {progress}")
    print(json.dumps({"answered": answered - began, "committed": committed - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
