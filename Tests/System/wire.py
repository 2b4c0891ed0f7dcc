"""One call over a connected socket, as Varlink frames it: JSON and a NUL, both ways."""

import json


def call(peer, method, parameters):
    """The whole reply, a result's or an error's; ConnectionResetError when the peer closes before its end."""
    peer.sendall(json.dumps({"method": f"io.acms.Bookings.{method}", "parameters": parameters}).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        part = peer.recv(65536)
        if not part:
            raise ConnectionResetError("closed" + (" in the middle of a reply" if reply else ""))
        reply += part
    return json.loads(reply[:-1])
