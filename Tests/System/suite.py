"""The package under a booted systemd, from outside: one release a run. Tests/System/run says how."""

import os
import sys
import unittest

import database
import faults
import installed
import removal
import verbs
from machine import Machine

RELEASE = os.environ["RELEASE"]
# In this order: the package is installed by the first and purged by the last.
CASES = [installed.AfterInstallation, installed.Starting, installed.Clients, installed.Journal, installed.Hardening,
         installed.Metrics, verbs.Trace, verbs.Doctor, database.Database, faults.UnderLoad, faults.Watchdog,
         faults.CrashLoop, faults.PowerOff, removal.Upgrade, removal.Removal]


class Log(unittest.TextTestResult):
    """Prints each test as a sentence with the figures that it measured."""

    def getDescription(self, test):
        return f"{RELEASE}: {test.shortDescription() or test}"


def chosen(names):
    """The tests that are asked for by their names or their classes' names: all by default; the installation always."""
    tests = [(case, name) for case in CASES for name in vars(case) if name.startswith("test")]
    unknown = set(names) - {case.__name__ for case in CASES} - {name for _, name in tests}
    if unknown:
        sys.exit(f"There is no test {', '.join(sorted(unknown))}.")
    return [case(name) for case, name in tests
            if not names or case is CASES[0] or case.__name__ in names or name in names]


def main(*names):
    tests = chosen(names)
    machine = Machine(RELEASE, os.environ["ROOTS"], os.path.dirname(os.path.abspath(__file__)), os.environ["PACKAGES"])
    try:
        machine.boot()
        for test in tests:
            test.machine = machine
        runner = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Log, failfast=True)
        result = runner.run(unittest.TestSuite(tests))
        if not result.wasSuccessful():
            print(machine.run("journalctl", "--lines=100", "--no-pager", check=False).stdout)
        return 0 if result.wasSuccessful() else 1
    finally:
        machine.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
