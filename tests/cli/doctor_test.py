#!/usr/bin/python3
"""sandglass doctor: usage: doctor_test.py SANDGLASS

Here and now it may find what it likes, as long as the findings agree with each other. What it must find is
tested by taking features away: a seccomp filter refuses one system call, or a user namespace forbids further ones.
"""

import ctypes
import errno
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SANDGLASS = ""
ORDINARY_USER = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"] if os.geteuid() == 0 else []

# Numbers of x86-64.
CALLS = {"clone3": 435, "io_uring_setup": 425, "memfd_create": 319, "mseal": 462, "pidfd_getfd": 438,
         "pivot_root": 155, "seccomp": 317, "unshare": 272, "userfaultfd": 323}
KILL_PROCESS = 0x80000000
# What cannot be tried without a feature that is taken away here.
DEPENDENTS = {"clone3": ("cgroup pids", "cgroup memory", "cgroup cpu")}


def refuse(call, action):
    """For this process and what it starts: a filter that answers one call with an error, or kills for it."""
    action = KILL_PROCESS if action == KILL_PROCESS else 0x50000 | action
    load, equal, give = 0x20, 0x15, 0x06
    rows = [(load, 0, 0, 0), (equal, 0, 1, CALLS[call]), (give, 0, 0, action), (give, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(rows), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privs, set_seccomp, filter_mode = 38, 22, 2
    if prctl(no_new_privs, 1, 0, 0, 0) != 0 or prctl(set_seccomp, filter_mode, program) != 0:
        raise OSError(ctypes.get_errno(), "install a filter")


def doctor(*arguments, before=(), preexec=None, **extra):
    return subprocess.run([*before, SANDGLASS, "doctor", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=False, preexec_fn=preexec, **extra)


class Doctor(unittest.TestCase):
    def examine(self, **how):
        """The findings by name, after checking what holds for any of them."""
        done = doctor("--json", **how)
        self.assertEqual(done.stderr, "")
        document = json.loads(done.stdout)
        found = {feature["name"]: feature for feature in document["features"]}
        self.assertEqual(len(found), len(document["features"]), "names are unique")
        for feature in found.values():
            with self.subTest(feature["name"]):
                self.assertTrue(feature["purpose"] and feature["layer"])
                self.assertEqual(feature["fix"] == "", feature["ok"], feature)
                self.assertTrue(feature["ok"] or feature["detail"], "it says what was refused")
        ready = all(feature["ok"] for feature in found.values() if feature["required"])
        self.assertEqual(document["ready"], ready)
        self.assertEqual(done.returncode, 0 if ready else 1)
        self.assertEqual(document["verdict"].split(":")[0], "ready" if ready else "not ready")
        return found

    def taken_away(self, usual, **how):
        """The findings, and the names of what works usually and does not work now."""
        found = self.examine(**how)
        return found, {name for name in found if usual[name]["ok"] and not found[name]["ok"]}

    def test_findings_agree_with_each_other(self):
        self.assertGreater(len(self.examine()), 20)

    def test_an_ordinary_user_is_told_the_same_way(self):
        found = self.examine(before=ORDINARY_USER)
        self.assertTrue(found["sealed memfd"]["ok"], found)

    def test_what_only_some_ask_for_is_optional(self):
        for how in ({}, {"before": ORDINARY_USER}):
            found = self.examine(**how)
            limits = ("cgroup pids", "cgroup memory", "cgroup cpu")
            for name, feature in found.items():
                if feature["layer"] == "hardening on request" or name in limits:
                    self.assertFalse(feature["required"], name)
            for name in limits:
                self.assertTrue(found[name]["ok"] or "systemd-run" in found[name]["fix"], found[name])
            self.assertIn("forbid_timestamp", found)

    def test_a_refused_call_takes_away_exactly_its_feature(self):
        usual = self.examine()
        for call, action, name in [
                ("userfaultfd", errno.EPERM, "userfaultfd"), ("io_uring_setup", errno.EPERM, "io_uring"),
                ("io_uring_setup", errno.ENOSYS, "io_uring"), ("clone3", errno.ENOSYS, "clone3"),
                ("pidfd_getfd", errno.EPERM, "pidfd_getfd"), ("pivot_root", errno.EPERM, "empty root"),
                ("io_uring_setup", KILL_PROCESS, "io_uring"), ("clone3", KILL_PROCESS, "clone3")]:
            with self.subTest(call=call, action=action):
                if not usual[name]["ok"]:
                    self.skipTest(f"{name} is not there to be taken away")
                found, missing = self.taken_away(usual, preexec=lambda: refuse(call, action))
                dependents = {other for other in DEPENDENTS.get(name, ()) if usual[other]["ok"]}
                self.assertEqual(missing, {name} | dependents)
                self.assertIn(call, found[name]["fix"])
                self.assertIn("seccomp filter", found[name]["detail"])
                expected = "SIGSYS" if action == KILL_PROCESS else errno.errorcode[action]
                self.assertIn(expected, found[name]["detail"])

    def test_an_optional_feature_only_warns(self):
        usual = self.examine()
        if not usual["mseal"]["ok"]:
            self.skipTest("mseal is not there to be taken away")
        found, missing = self.taken_away(usual, preexec=lambda: refuse("mseal", errno.ENOSYS))
        self.assertEqual(missing, {"mseal"})
        self.assertFalse(found["mseal"]["required"])

    def test_what_needs_a_missing_feature_says_so(self):
        usual = self.examine()
        if not usual["seccomp notification"]["ok"]:
            self.skipTest("there is no seccomp to be taken away")
        found, missing = self.taken_away(usual, preexec=lambda: refuse("seccomp", errno.EPERM))
        self.assertEqual(missing, {"seccomp filter", "seccomp notification"})
        self.assertEqual(found["seccomp notification"]["fix"], "the fix of: seccomp filter")

    def test_a_sysctl_that_forbids_user_namespaces_is_named(self):
        usual = self.examine(before=ORDINARY_USER)
        if not usual["empty root"]["ok"]:
            self.skipTest("there are no user namespaces to be taken away")
        forbid = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
        found, missing = self.taken_away(usual, before=[*ORDINARY_USER, "unshare", "-Ur", "sh", "-c", forbid, "sh"])
        self.assertEqual(missing, {name for name, feature in found.items() if feature["layer"] == "namespaces"})
        self.assertEqual(found["user namespace"]["fix"], "sysctl -w user.max_user_namespaces=10000")
        self.assertIn("user.max_user_namespaces is 0", found["user namespace"]["detail"])

    def test_the_table_says_what_the_json_says(self):
        done = doctor(preexec=lambda: refuse("userfaultfd", errno.EPERM))
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("kernel  Linux "), lines[0])
        self.assertRegex(lines[1], rf"^user    {os.geteuid()}, ")
        self.assertRegex(lines[-1], r"^not ready: \d+ of \d+ required features missing: .*userfaultfd")
        row = next(i for i, line in enumerate(lines) if line.startswith("  MISSING  userfaultfd "))
        self.assertTrue(lines[row + 1].startswith("      refused: open a userfaultfd"), lines[row + 1])
        self.assertTrue(lines[row + 2].startswith("      fix:     "), lines[row + 2])
        self.assertTrue(done.stdout.isascii(), "plain text away from a terminal")

    def on_terminal(self, **environment):
        main_end, its_end = pty.openpty()
        with subprocess.Popen([SANDGLASS, "doctor"], stdin=subprocess.DEVNULL, stdout=its_end,
                              env={**os.environ, "NO_COLOR": "", **environment}) as process:
            os.close(its_end)
            text = b""
            try:
                while chunk := os.read(main_end, 65536):
                    text += chunk
            except OSError:
                pass  # the terminal is gone with its last user
        os.close(main_end)
        self.assertIn(process.returncode, (0, 1))
        return text.decode()

    def test_a_terminal_gets_symbols_unless_it_asks_not_to(self):
        self.assertIn("✓", self.on_terminal())
        self.assertTrue(self.on_terminal(NO_COLOR="1").isascii())

    def test_nobody_is_left_behind(self):
        """Whoever lives on would hold the other end of the pipe, and this would run into the time limit."""
        read_end, write_end = os.pipe()
        done = doctor(pass_fds=[write_end])
        os.close(write_end)
        self.assertIn(done.returncode, (0, 1))
        self.assertEqual(os.read(read_end, 1), b"")
        os.close(read_end)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # Where an ordinary user may start it, wherever it was built.
        os.chmod(folder, 0o755)
        SANDGLASS = shutil.copy(sys.argv.pop(1), folder)
        unittest.main()
