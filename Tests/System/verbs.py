"""The verbs of acmsctl that look at an installed acms as a whole."""

import json

from case import Case


class Trace(Case):
    def test_01_one_life(self):
        """acmsctl trace tells of a booking's steps from the journal, with who decided"""
        id = self.book("traced")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        self.reply("carl", "io.acms.Caretaker.ApproveBooking", {"id": id})
        self.machine.run("journalctl", "--sync")
        # Whoever may write into the journal can't add to the story.
        self.machine.run("sh", "-c", f"printf 'MESSAGE=forged\\nACMS_BOOKING_ID={id}\\n' | logger --journald", check=False)
        steps = [json.loads(line) for line in self.machine.run("acmsctl", "trace", id, "--json").stdout.splitlines()]
        self.assertEqual([step["step"] for step in steps], ["ACCEPTED", "COMMITTED", "APPROVED"])
        self.assertEqual({step["source"] for step in steps}, {"JOURNAL"})
        self.assertTrue(all(0 <= step["delaySeconds"] < 60 for step in steps[1:]), steps)
        self.assertIn("by carl (uid ", steps[-1]["detail"])
        text = self.machine.run("acmsctl", "trace", id).stdout
        self.assertTrue(text.endswith("now:  COMMITTED, APPROVED\n"), text)

    def test_02_a_dead_letter(self):
        """Each try of a dead letter is one step, though both the journal and the letter tell of it"""
        self.machine.run("sh", "-c", "echo '{\"v\":99}' >/var/lib/acms/spool/tmp/odd && chmod 0640 "
                         "/var/lib/acms/spool/tmp/odd && mv /var/lib/acms/spool/tmp/odd /var/lib/acms/spool/incoming/odd.jsonl")
        self.wait_until_empty()
        letters = self.reply("ada", "io.acms.Queue.ListDeadLetters")["items"]
        id = next(letter["id"] for letter in letters if "99" in letter["reason"])
        self.machine.run("journalctl", "--sync")
        steps = [json.loads(line) for line in self.machine.run("acmsctl", "trace", id, "--json").stdout.splitlines()]
        self.assertEqual([(step["step"], step["source"]) for step in steps], [("DEAD_LETTERED", "JOURNAL")])
        self.reply("ada", "io.acms.Queue.DeleteDeadLetters", {"ids": [id]})
        self.machine.run("journalctl", "--sync")
        result = self.machine.run("acmsctl", "trace", id)
        self.assertIn("by ada (uid ", result.stdout)
        self.assertTrue(result.stdout.endswith("now:  nowhere: no booking has this id any more\n"), result.stdout)

    def test_03_without_the_journal(self):
        """Who may not read the journal is told which group may, and what the table knows"""
        id = self.book("untold")
        self.assertEqual(self.wait_for(id), "COMMITTED")
        result = self.machine.run("acmsctl", "trace", id, user="clara")
        self.assertIn("usermod -aG systemd-journal $USER", result.stderr)
        self.assertIn("ACCEPTED  as the table has it\n", result.stdout)


class Doctor(Case):
    def findings(self, user=None):
        """What acmsctl doctor finds; the exit status says whether there is a PROBLEM."""
        result = self.machine.run("acmsctl", "doctor", "--json", user=user, check=False)
        findings = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertGreater(len(findings), 10, result.stdout + result.stderr)
        self.assertEqual(result.returncode, 1 if self.problems(findings) else 0, result.stdout)
        for finding in findings:
            self.assertEqual("mend" in finding, finding["severity"] in ("WARNING", "PROBLEM"), finding)
        return findings

    def problems(self, findings):
        return [finding for finding in findings if finding["severity"] == "PROBLEM"]

    def test_01_in_good_order(self):
        """After an installation acmsctl doctor finds no problem"""
        self.assertEqual(self.problems(self.findings()), [])

    def test_02_for_everybody(self):
        """Who isn't root is told what root could look at, and of no problem"""
        findings = self.findings(user="nora")
        self.assertEqual(self.problems(findings), [])
        self.assertIn("sudo acmsctl doctor", [finding.get("mend") for finding in findings])

    def test_03_what_is_broken(self):
        """What is broken is named with a command, and the command mends it"""
        spool = "/var/lib/acms/spool"
        for breaking, text in (
                ("chmod 0600 /run/acms/io.acms.Queue", "has the mode 0600 instead of 0660"),
                ("chgrp root /run/acms/io.acms.Bookings", "belongs to root:root instead of root:acms-clients"),
                ("rm /run/acms/io.acms.Caretaker", "/run/acms/io.acms.Caretaker is missing"),
                ("systemctl stop acms-front.socket", "acms-front.socket is inactive"),
                ("systemctl stop acms-caretaker.socket", "acms-caretaker.socket is inactive"),
                ("systemctl stop acms.target", "acms.target is inactive"),
                ("systemctl mask --now acms-worker.path", "acms-worker.path is masked"),
                (f"chmod 0777 {spool}/dead", f"{spool}/dead has the mode"),
                (f"chown root:root {spool}/incoming", f"{spool}/incoming belongs to root:root"),
                ("chown root:root /var/lib/acms/table/acms.sqlite", "acms.sqlite belongs to root:root"),
                ("groupdel acms-clients", "There is no group acms-clients"),
                ("gpasswd --delete acms-front acms-queue", "acms-front is not in the group acms-queue")):
            with self.subTest(breaking):
                self.machine.run("sh", "-c", breaking)
                problems = self.problems(self.findings())
                self.assertTrue(any(text in problem["text"] for problem in problems), problems)
                for problem in problems:
                    # The container has no sudo(8), and this is root.
                    self.machine.run("sh", "-c", problem["mend"].replace("sudo ", ""))
                self.assertEqual(self.problems(self.findings()), [])
        # The group's members went with it.
        self.machine.run("usermod", "--append", "--groups", "acms-clients", "clara")
        self.assertEqual(self.wait_for(self.book("after-the-doctor")), "COMMITTED")

    def test_04_what_is_not_enabled(self):
        """A unit that doesn't come back after a boot is a warning, and the command enables it"""
        self.machine.run("systemctl", "disable", "acms-worker.path")
        found = [finding for finding in self.findings() if "acms-worker.path" in finding["text"]]
        self.assertEqual([finding["severity"] for finding in found], ["WARNING"])
        self.machine.run("sh", "-c", found[0]["mend"].replace("sudo ", ""))
        self.assertFalse([finding for finding in self.findings() if "acms-worker.path" in finding["text"]])
