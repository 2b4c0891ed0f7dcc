"""Machines on one machine: namespaces on a bridge, each of which can be cut off from it and joined again.

A namespace lives as long as there is a process in it, and its first process ends with the thread that made it, so that
nothing is left behind however this program ends.
"""

import subprocess

from volume import command


class Namespace:
    """A network and what belongs to System V IPC, apart from everybody else's."""

    def __init__(self):
        words = "setpriv --pdeathsig KILL unshare --net --ipc sh -c".split() + ["echo; exec sleep infinity"]
        self.holder = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"\n":
            self.close()
            raise OSError("There can be no network namespace here.")
        # A command that is given another one to run inside.
        place = f"/proc/{self.holder.pid}/ns"
        self.enter = ["nsenter", f"--net={place}/net", f"--ipc={place}/ipc", "--"]

    def command(self, *words):
        command(*self.enter, *words)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Bridge(Namespace):
    """What joins the machines."""

    def __init__(self):
        super().__init__()
        self.command(*"ip link add bridge type bridge".split())
        self.command(*"ip link set bridge up".split())


class Machine(Namespace):
    """A machine with an address of its own."""

    def __init__(self, bridge, name, number):
        super().__init__()
        self.bridge, self.name = bridge, name
        self.address = f"10.89.0.{number}"
        self.is_joined = False
        # The bridge's end of the cable has the machine's name.
        bridge.command(*f"ip link add {name} type veth peer name eth0 netns {self.holder.pid}".split())
        self.command(*f"ip address add {self.address}/24 dev eth0".split())
        self.command(*"ip link set lo up".split())
        self.command(*"ip link set eth0 up".split())
        self.join()

    def cut_off(self, is_silent):
        """Nothing comes through any more; unless it is silent, the machine can see that its cable has no carrier."""
        self.is_joined = False
        self.bridge.command(*f"ip link set {self.name} {'nomaster' if is_silent else 'down'}".split())

    def join(self):
        self.bridge.command(*f"ip link set {self.name} master bridge up".split())
        self.is_joined = True
