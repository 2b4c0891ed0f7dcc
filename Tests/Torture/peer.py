"""A Varlink peer: one call after the other over a Unix socket, JSON and a NUL both ways."""

import json
import socket
import struct


class CallError(Exception):
    """The service has answered with an error."""

    def __init__(self, name, parameters):
        super().__init__(f"{name} {json.dumps(parameters)}")
        self.name = name.rpartition(".")[2]
        self.parameters = parameters


class Peer:
    """A connection to one of the sockets. Whatever breaks it raises OSError, and the caller makes another one."""

    def __init__(self, path, timeout=60):
        self.interface = "io.acms." + path.rpartition(".")[2]
        self.socket = socket.socket(socket.AF_UNIX)
        # A connect(2) with a timeout of Python's doesn't wait where the backlog is full.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(timeout), 0))
        self.socket.connect(path)
        self.socket.settimeout(timeout)
        self.received = b""

    def close(self):
        self.socket.close()

    def send(self, method, parameters, **flags):
        name = method if "." in method else f"{self.interface}.{method}"
        self.socket.sendall(json.dumps({"method": name, "parameters": parameters, **flags}).encode() + b"\0")

    def receive(self):
        """The next reply as it came."""
        while b"\0" not in self.received:
            part = self.socket.recv(1 << 18)
            if not part:
                raise ConnectionResetError("closed" + (" in the middle of a reply" if self.received else ""))
            self.received += part
        frame, _, self.received = self.received.partition(b"\0")
        return json.loads(frame)

    def call(self, method, **parameters):
        """The reply's parameters; CallError if it is an error."""
        self.send(method, parameters)
        reply = self.receive()
        if "error" in reply:
            raise CallError(reply["error"], reply.get("parameters", {}))
        return reply.get("parameters", {})

    def stream(self, method, **parameters):
        """The parameters of each reply of a call with "more"."""
        self.send(method, parameters, more=True)
        while True:
            reply = self.receive()
            if "error" in reply:
                raise CallError(reply["error"], reply.get("parameters", {}))
            yield reply.get("parameters", {})
            if not reply.get("continues"):
                return
