"""A terminal of 80 columns and 24 rows, which tmux keeps so that it can be looked at."""

import os
import re
import subprocess
import time
import unicodedata
from dataclasses import dataclass

COLUMNS, ROWS = 80, 24
CONFIGURATION = """
set -g exit-empty off
set -g status off
set -g history-limit 10000
"""
# What ends a program's output is the terminal's title, which shows nothing: once tmux has it, it has all before it. An
# interrupt is for the program, not for the shell.
SCRIPT = r'''trap : INT; "$@"; printf '\033]2;ended %s\033\\' $?; exec sleep infinity'''


@dataclass
class Shown:
    """What a terminal has shown at a time."""
    text: str
    styled: str  # the same with the escape sequences of colours
    lines: list  # as they were printed: those that the terminal has broken are whole


class Terminal:
    """A tmux of its own, with one pane at a time."""

    def __init__(self, directory):
        self.socket = f"{directory}/tmux"
        with open(f"{directory}/tmux.conf", "w") as file:
            file.write(CONFIGURATION)
        # -u: whatever the locale is, the text is UTF-8.
        self.prefix = ["tmux", "-u", "-S", self.socket, "-f", f"{directory}/tmux.conf"]
        self.environment = {"PATH": os.environ["PATH"], "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}
        self.tmux("start-server")

    def tmux(self, *words, timeout=60):
        return subprocess.run([*self.prefix, *words], env=self.environment, check=True, capture_output=True, text=True,
                              timeout=timeout).stdout

    def start(self, command, environment):
        """Runs a command, given as its words, with this environment and what a terminal adds to it."""
        variables = [f"{name}={value}" for name, value in (environment | {"TERM": "screen-256color"}).items()]
        self.tmux("new-session", "-d", "-s", "run", "-x", str(COLUMNS), "-y", str(ROWS), "--",
                  "sh", "-c", SCRIPT, "sh", "env", "-i", *variables, *command)

    def type(self, keys):
        self.tmux("send-keys", "-t", "run", *keys.split())

    def wait_for(self, text):
        """Waits until a text is shown."""
        self.eventually(f"{text!r}", lambda: text in self.text())

    def end(self):
        """Waits until the program has ended; its exit status as a shell tells it."""
        return int(self.eventually("the end", lambda: re.fullmatch(
            r"ended (\d+)\n", self.tmux("display-message", "-p", "-t", "run", "#{pane_title}")))[1])

    def eventually(self, what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"{what} didn't come, but:\n{self.text()}")
            time.sleep(0.005)
        return value

    def text(self):
        """What it shows, also what has scrolled away."""
        return self.captured("-p")

    def shown(self):
        return Shown(self.text(), self.captured("-p", "-e"),
                     [line.rstrip() for line in self.captured("-p", "-J").splitlines()])

    def captured(self, *options):
        return self.tmux("capture-pane", "-t", "run", "-S", "-", *options).rstrip("\n") + "\n"

    def clear(self):
        self.tmux("kill-session", "-t", "run")

    def close(self):
        self.tmux("kill-server")


def width(line):
    """How many columns a line takes."""
    return sum(0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
               for character in line)
