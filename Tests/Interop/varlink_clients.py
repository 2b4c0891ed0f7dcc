#!/usr/bin/env python3
"""Calls both daemons with Varlink clients that are not ours: PyPI's `varlink`, and varlinkctl where there is one.

usage: varlink_clients.py BIN_DIR INTERFACES_DIR
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import varlink

BIN, IDL = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
BOOKINGS, QUEUE, CARETAKER = "io.acms.Bookings", "io.acms.Queue", "io.acms.Caretaker"
failures = 0
checks = 0


def check(name, holds, detail=""):
    global failures, checks
    checks += 1
    if not holds:
        failures += 1
        print(f"FAILED {name}: {detail}")


def until(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"timed out waiting for {what}")
        time.sleep(0.01)


def error_of(call):
    """The name and parameters of the error that a call of the Python client is answered with."""
    try:
        call()
    except varlink.VarlinkError as error:
        message = error.as_dict()
        return message["error"], message.get("parameters") or {}
    return None, {}


class Site:
    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="acms-"))
        (self.path / "table").mkdir()
        self.processes = []

    def socket(self, interface):
        return str(self.path / interface)

    def start(self, program, interfaces):
        environment = {
            "ACMS_SPOOL_DIRECTORY": f"{self.path}/spool",
            "ACMS_TABLE_PATH": f"{self.path}/table/acms.sqlite",
            "ACMS_SOCKET_BOOKINGS": self.socket(BOOKINGS),
            "ACMS_SOCKET_QUEUE": self.socket(QUEUE),
            "ACMS_SOCKET_CARETAKER": self.socket(CARETAKER),
            "ACMS_WORKER_IDLE_EXIT_SECONDS": "0",
        }
        command = ["systemd-socket-activate", "--fdname=" + ":".join(interfaces)]
        command += [f"--listen={self.socket(i)}" for i in interfaces]
        command += [f"--setenv={k}={v}" for k, v in environment.items()]
        with open(self.path / f"{program}.log", "w") as log:
            self.processes.append(subprocess.Popen(command + [str(BIN / program)], stderr=log))
        for interface in interfaces:
            until(lambda: os.path.exists(self.socket(interface)), f"the socket of {interface}")

    def end(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        shutil.rmtree(self.path)


def python_client(site):
    booking = dict(userId="test1@gmail.com", apartmentId="2F6hDMkdfeX4wQau7Bhoi7cOuAH",
                   startDate="2022-09-22", endDate="2022-10-22")
    for interface in (BOOKINGS, QUEUE, CARETAKER):
        with varlink.Client(f"unix:{site.socket(interface)}") as client:
            service = client.open("org.varlink.service")
            reply = service.GetInfo()
            check(f"python GetInfo {interface}", reply["interfaces"] == ["org.varlink.service", interface], reply)
            text = service.GetInterfaceDescription(interface)["description"]
            check(f"python description {interface}", text == (IDL / f"{interface}.varlink").read_text())
    bookings = varlink.Client(f"unix:{site.socket(BOOKINGS)}").open(BOOKINGS)
    first = bookings.CreateApartmentBooking(booking)["id"]
    check("python books", len(first) == 36, first)
    name, parameters = error_of(lambda: bookings.CreateApartmentBooking(booking))
    check("python PendingBookingExists", (name, parameters.get("bookingId")) == (
        f"{BOOKINGS}.PendingBookingExists", first), (name, parameters))
    name, parameters = error_of(lambda: bookings.CreateApartmentBooking(dict(booking, endDate="2022-02-30")))
    check("python InvalidInput", (name, parameters.get("field")) == (f"{BOOKINGS}.InvalidInput", "endDate"))
    name, parameters = error_of(lambda: bookings.GetBooking("none"))
    check("python BookingNotFound", (name, parameters) == (f"{BOOKINGS}.BookingNotFound", {"id": "none"}))
    queue = varlink.Client(f"unix:{site.socket(QUEUE)}").open(QUEUE)
    check("python GetQueueAttributes", queue.GetQueueAttributes()["tableAvailable"])
    settled = bookings.AwaitBooking(first)
    check("python AwaitBooking", settled["progress"] == "COMMITTED", settled)
    changes = [state["progress"] for state in bookings.AwaitBooking(first, _more=True)]
    check("python AwaitBooking with more", changes == ["COMMITTED"], changes)
    name, parameters = error_of(lambda: queue.GetDeadLetter(first))
    check("python DeadLetterNotFound", name == f"{QUEUE}.DeadLetterNotFound", name)
    caretaker = varlink.Client(f"unix:{site.socket(CARETAKER)}").open(CARETAKER)
    check("python ApproveBooking", caretaker.ApproveBooking(first)["booking"]["bookingStatus"] == "APPROVED")
    name, parameters = error_of(lambda: caretaker.ApproveBooking(first))
    check("python WrongStatus", (name, parameters) == (f"{CARETAKER}.WrongStatus", {"bookingStatus": "APPROVED"}))
    name, parameters = error_of(lambda: bookings.CreateApartmentBooking(dict(booking, userId="other")))
    check("python ApartmentNotAvailable", (name, parameters.get("bookingId")) == (
        f"{BOOKINGS}.ApartmentNotAvailable", first))
    return first


def varlinkctl(site, first):
    def run(*arguments):
        return subprocess.run(["varlinkctl", *arguments], capture_output=True, text=True)

    for interface in (BOOKINGS, QUEUE, CARETAKER):
        for verb in ("info", "introspect"):
            arguments = [verb, site.socket(interface)] + ([interface] if verb == "introspect" else [])
            result = run(*arguments)
            check(f"varlinkctl {verb} {interface}", result.returncode == 0, result.stderr)
        with open(IDL / f"{interface}.varlink") as text:
            result = subprocess.run(["varlinkctl", "validate-idl"], stdin=text, capture_output=True, text=True)
        check(f"varlinkctl validate-idl {interface}", result.returncode == 0 and not result.stderr, result.stderr)
    result = run("call", site.socket(BOOKINGS), f"{BOOKINGS}.GetBooking", json.dumps({"id": first}))
    check("varlinkctl call", '"COMMITTED"' in result.stdout, result.stderr)
    result = run("call", site.socket(BOOKINGS), f"{BOOKINGS}.GetBooking", json.dumps({"id": "none"}))
    check("varlinkctl error", f"{BOOKINGS}.BookingNotFound" in result.stderr, result.stderr)


site = Site()
try:
    site.start("acms-frontd", [BOOKINGS])
    site.start("acms-workerd", [QUEUE, CARETAKER])
    first = python_client(site)
    if shutil.which("varlinkctl"):
        varlinkctl(site, first)
    else:
        print("SKIPPED: varlinkctl is not installed here (it comes with systemd 255 and later)")
finally:
    site.end()
print(f"Varlink clients: {checks - failures} passed, {failures} failed")
sys.exit(1 if failures else 0)
