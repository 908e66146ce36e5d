#!/usr/bin/python3
""".ci/run with stand-ins for the scripts that it calls: what it adds up, and when it fails."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

CI_RUN = pathlib.Path(__file__).resolve().parents[2] / ".ci" / "run"


class CiRun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.parent = pathlib.Path(folder.name)
        self.checkout = self.parent / "checkout"
        (self.checkout / ".ci").mkdir(parents=True)
        (self.checkout / "scripts").mkdir()
        shutil.copy(CI_RUN, self.checkout / ".ci" / "run")
        self.vectors = self.parent / "shared" / "conformance"
        self.vectors.mkdir(parents=True)
        self.stage("test", "echo '10 passed, 0 failed'")
        self.stage("check", "echo '5 passed, 0 failed'")
        self.stage("bench", "echo measured")

    def stage(self, name, body):
        path = self.checkout / "scripts" / name
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def run_ci(self, ci="true"):
        environment = {key: value for key, value in os.environ.items() if key != "SANDGLASS_CONFORMANCE_DIR"}
        return subprocess.run(["bash", ".ci/run"], cwd=self.checkout, env={**environment, "CI": ci},
                              capture_output=True, text=True, timeout=60, check=False)

    def expect(self, closing_line, status):
        answer = self.run_ci()
        self.assertEqual(answer.stdout.splitlines()[-1], closing_line, answer.stdout)
        self.assertEqual(answer.returncode, status)

    def test_adds_up_what_passed(self):
        self.expect("16 passed, 0 failed", 0)

    def test_ignores_what_was_skipped(self):
        self.stage("test", "echo '10 passed, 0 failed, 3 skipped'")
        self.expect("16 passed, 0 failed", 0)

    def test_fails_with_its_stage_and_runs_the_others(self):
        self.stage("test", "echo '8 passed, 2 failed'; exit 1")
        self.expect("14 passed, 2 failed", 1)

    def test_fails_when_a_stage_dies_without_a_word(self):
        self.stage("bench", "exit 2")
        self.expect("15 passed, 1 failed", 1)

    def test_fails_when_a_stage_dies_after_good_news(self):
        self.stage("check", "echo '5 passed, 0 failed'; exit 1")
        self.expect("16 passed, 1 failed", 1)

    def test_takes_the_last_closing_line_of_a_stage(self):
        self.stage("check", "echo '100 passed, 0 failed'; echo '5 passed, 0 failed'")
        self.expect("16 passed, 0 failed", 0)

    def test_gives_its_stages_no_input(self):
        self.stage("bench", "read -r line && exit 1; exit 0")
        self.expect("16 passed, 0 failed", 0)

    def test_hands_the_vectors_to_the_tests(self):
        self.stage("test", f'[[ "$SANDGLASS_CONFORMANCE_DIR" == "{self.vectors}" ]] && echo "1 passed, 0 failed"')
        self.expect("7 passed, 0 failed", 0)

    def test_missing_vectors_fail_where_it_counts(self):
        self.vectors.rmdir()
        answer = self.run_ci()
        self.assertEqual(answer.returncode, 1)
        self.assertIn("vectors are missing", answer.stderr)
        self.assertEqual(self.run_ci(ci="").returncode, 0)


if __name__ == "__main__":
    unittest.main()
