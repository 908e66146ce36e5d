#!/usr/bin/python3
"""Every script explains itself, refuses what it does not know with status 64, and setup names what is missing."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
# Takes one folder and nothing else.
WITHOUT_OPTIONS = {"count_tests"}


def run(name, *arguments, **environment):
    return subprocess.run([SCRIPTS / name, *arguments], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, **environment})


def scripts():
    return sorted(path.name for path in SCRIPTS.iterdir() if path.is_file() and path.name not in WITHOUT_OPTIONS)


class Options(unittest.TestCase):
    def test_help_explains(self):
        self.assertGreater(len(scripts()), 3)
        for name in scripts():
            with self.subTest(name):
                answer = run(name, "--help")
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertIn(f"scripts/{name}", answer.stdout)

    def test_an_unknown_option_is_refused(self):
        for name in scripts():
            with self.subTest(name):
                answer = run(name, "--no-such-option")
                self.assertEqual(answer.returncode, 64)
                self.assertIn("no-such-option", answer.stderr)
                self.assertEqual(answer.stdout, "")

    def test_check_refuses_an_unknown_step(self):
        self.assertEqual(run("check", "--only", "magic").returncode, 64)

    def test_check_refuses_to_check_nothing(self):
        self.assertEqual(run("check", "--only", "style", "--skip", "style").returncode, 64)


class Setup(unittest.TestCase):
    def fake_dpkg(self, status):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "dpkg-query"
        path.write_text(f"#!/bin/sh\nprintf %s '{status}'\n", encoding="utf-8")
        path.chmod(0o755)
        return f"{folder.name}:{os.environ['PATH']}"

    def test_is_content_when_everything_is_there(self):
        answer = run("setup", "--check", PATH=self.fake_dpkg("installed"))
        self.assertEqual((answer.returncode, answer.stdout), (0, ""))

    def test_names_what_is_missing(self):
        answer = run("setup", "--check", "test", PATH=self.fake_dpkg("not-installed"))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("libgtest-dev", answer.stdout)
        self.assertNotIn("libbenchmark-dev", answer.stdout)

    def test_a_removed_package_with_its_configuration_left_is_missing(self):
        self.assertEqual(run("setup", "--check", PATH=self.fake_dpkg("config-files")).returncode, 1)


if __name__ == "__main__":
    unittest.main()
