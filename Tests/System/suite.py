"""The package under a booted systemd, from outside: one release a run. Tests/System/run says how."""

import os
import sys
import unittest

from machine import Machine

RELEASE = os.environ["RELEASE"]


class Log(unittest.TextTestResult):
    """Prints each test as a sentence with the figures that it measured."""

    def getDescription(self, test):
        return f"{RELEASE}: {test.shortDescription() or test}"


def main():
    import faults
    import installed
    import removal

    machine = Machine(RELEASE, os.environ["ROOTS"], os.path.dirname(os.path.abspath(__file__)), os.environ["PACKAGES"])
    try:
        machine.boot()
        # In this order: the package is installed by the first and purged by the last.
        cases = [installed.AfterInstallation, installed.Starting, installed.Clients, installed.Journal,
                 installed.Hardening, faults.UnderLoad, faults.Watchdog, faults.CrashLoop, faults.PowerOff,
                 removal.Upgrade, removal.Removal]
        suite = unittest.TestSuite()
        for case in cases:
            case.machine = machine
            names = [name for name in vars(case) if name.startswith("test")]
            suite.addTests(case(name) for name in names if is_chosen(case, name))
        result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Log, failfast=True).run(suite)
        if not result.wasSuccessful():
            print(machine.run("journalctl", "--lines=100", "--no-pager", check=False).stdout)
        return 0 if result.wasSuccessful() else 1
    finally:
        machine.close()


def is_chosen(case, name):
    """Whether the command line asks for a test: all by default; the installation always."""
    chosen = sys.argv[1:]
    return not chosen or case.__name__ == "AfterInstallation" or case.__name__ in chosen or name in chosen


if __name__ == "__main__":
    sys.exit(main())
