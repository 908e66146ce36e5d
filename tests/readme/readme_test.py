#!/usr/bin/python3
"""README.md keeps its word: readme_test.py HELLO, where HELLO is the program built from hello.cc."""

import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
HELLO = ""


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def fenced(text, language):
    """The contents of all code blocks of this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class Readme(unittest.TestCase):
    def setUp(self):
        self.readme = read("README.md")

    def test_the_program_is_the_one_that_is_built(self):
        self.assertEqual(fenced(self.readme, "cpp")[0], read("tests/readme/hello.cc"))

    def test_the_output_is_what_the_program_prints(self):
        run = subprocess.run([HELLO], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(run.stderr, "")
        self.assertEqual(fenced(self.readme, "text")[0], run.stdout)

    def test_the_paths_it_names_exist(self):
        paths = re.findall(r"`((?:sandbox|bench|workloads|scripts|results|tests)/[A-Za-z0-9_./-]*)`", self.readme)
        self.assertGreater(len(paths), 10)
        missing = [path for path in paths if not os.path.exists(os.path.join(ROOT, path))]
        self.assertEqual(missing, [])

    def test_the_commands_it_shows_can_be_started(self):
        commands = re.findall(r"^(scripts/[\w-]+)", "\n".join(fenced(self.readme, "sh")), re.MULTILINE)
        self.assertTrue({"scripts/test", "scripts/bench"} <= set(commands))
        for command in commands:
            with self.subTest(command):
                run = subprocess.run([os.path.join(ROOT, command), "--help"], capture_output=True, check=False)
                self.assertEqual(run.returncode, 0)

    def test_the_figures_are_those_of_the_reference_run(self):
        run = subprocess.run([os.path.join(ROOT, "scripts", "readme_figures"), "--check"],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    HELLO = sys.argv.pop(1)
    unittest.main()
