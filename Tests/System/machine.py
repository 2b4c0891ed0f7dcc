"""A Debian system with a service manager of its own: a container whose PID 1 is systemd, on a volume of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path


def eventually(what, condition, seconds=60):
    """The first true value of `condition`, asked again and again; fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Machine:
    """One release's system. It is made from a root directory, which stays as it is."""

    def __init__(self, release, roots, scripts, packages):
        self.release = release
        self.roots, self.scripts, self.packages = Path(roots), Path(scripts), Path(packages)
        self.scratch = Path(tempfile.mkdtemp(prefix=f"acms-{release}."))
        self.root = self.scratch / "root"
        self.process = None
        self.leader = None
        try:
            self._make_volume()
        except BaseException:
            self.close()
            raise

    def _make_volume(self):
        # A file system with a journal, whatever the one below is.
        image = self.scratch / "volume"
        with open(image, "wb") as file:
            file.truncate(4 << 30)
        host("mkfs.ext4", "-q", str(image))
        self.root.mkdir()
        host("mount", "-o", "loop", str(image), str(self.root))
        host("cp", "-a", f"{self.roots / self.release}/.", str(self.root))

    def boot(self):
        """Boots it and waits until it is up."""
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", f"--machine=acms-{self.release}",
             "--register=no", "--keep-unit", "--private-network", "--console=pipe",
             f"--bind-ro={self.scripts}:/tests", f"--bind-ro={self.packages}:/packages",
             # varlinkctl is newer than systemd 252, so the older release borrows it.
             f"--bind-ro={self.roots / 'trixie'}:/opt/trixie"],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL, stdout=open(self.scratch / "console", "ab"), stderr=subprocess.STDOUT)
        self.leader = eventually("PID 1", self._find_leader)
        eventually("the bus", lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() not in
                   ("", "offline", "unknown"))
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        if state != "running":
            raise AssertionError(f"{self.release} is {state}: {self.run('systemctl', '--failed', check=False).stdout}")

    def _find_leader(self):
        if self.process.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended: {(self.scratch / 'console').read_text(errors='replace')}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            lines = Path(f"/proc/{child}/status").read_text().splitlines()
            if any(line.split()[-1] == "1" for line in lines if line.startswith("NSpid:") and len(line.split()) > 2):
                return int(child)
        return None

    def command(self, *words, user=None):
        """What to call so that `words` run inside, as root or as somebody else."""
        if user:
            words = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *words)
        return ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "PYTHONPATH=/packages",
                "SYSTEMD_PAGER=cat", "PYTHONDONTWRITEBYTECODE=1", *words]

    def run(self, *words, user=None, check=True, timeout=120, input=None):
        """Runs a command inside to its end."""
        result = subprocess.run(self.command(*words, user=user), input=input, capture_output=True, text=True,
                                timeout=timeout, stdin=None if input is not None else subprocess.DEVNULL)
        if check and result.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: status {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def start(self, *words, user=None):
        """Starts a command inside."""
        return subprocess.Popen(self.command(*words, user=user), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def put(self, source, target):
        """Copies a file into it."""
        shutil.copyfile(source, self.root / target.lstrip("/"))

    def property(self, unit, name):
        """A unit's property."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def is_active(self, unit):
        """Whether a unit is active."""
        return self.property(unit, "ActiveState") == "active"

    def power_off(self, *inside):
        """Powers it off as an operator does, while the given processes still run inside."""
        self.run("systemctl", "poweroff", check=False)

        def is_off():
            # PID 1 stops all processes for a moment before it kills them. nsenter(1) then stops itself, out of PID 1's
            # reach, and would never collect its process, for which the kernel waits.
            for process in inside:
                process.send_signal(signal.SIGCONT)
            return self.process.poll() is not None

        eventually("the power off", is_off)
        self.process = None

    def close(self):
        """Ends it and removes everything."""
        if self.process and self.process.poll() is None:
            # nspawn lets PID 1 shut down.
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if os.path.ismount(self.root):
            host("umount", str(self.root))
        shutil.rmtree(self.scratch)


def host(*words):
    """Runs a command on this machine."""
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
