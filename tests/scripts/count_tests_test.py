#!/usr/bin/python3
"""scripts/count_tests: what counts as passed, failed and skipped in what ctest and GoogleTest leave behind."""

import json
import os
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "scripts", "count_tests")


class CountTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.entries = []

    def entry(self, name, status="run", message=None):
        skipped = f'<skipped message="{message}"/>' if message else ""
        self.entries.append(f'<testcase name="{name}" status="{status}">{skipped}</testcase>')

    def cases(self, name, **outcomes):
        """outcomes: case name → passed, failed, skipped or disabled."""
        rows = []
        for case, outcome in outcomes.items():
            row = {"name": case, "status": "NOTRUN" if outcome == "disabled" else "RUN", "result": "COMPLETED"}
            if outcome == "failed":
                row["failures"] = [{"failure": "1 is not 2"}]
            if outcome == "skipped":
                row["result"] = "SKIPPED"
            rows.append(row)
        path = os.path.join(self.folder, f"{name}.json")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"testsuites": [{"name": "Suite", "testsuite": rows}]}, file)

    def expect(self, closing_line, status, *mentions):
        with open(os.path.join(self.folder, "ctest.xml"), "w", encoding="utf-8") as file:
            file.write(f"<testsuite>{''.join(self.entries)}</testsuite>")
        run = subprocess.run([SCRIPT, self.folder], capture_output=True, text=True, check=False)
        self.assertEqual(run.stdout.splitlines()[-1:], [closing_line], run.stderr)
        self.assertEqual(run.returncode, status)
        for mention in mentions:
            self.assertIn(mention, run.stdout)

    def test_a_program_counts_with_its_cases(self):
        self.entry("base/units_test")
        self.cases("base/units_test", one="passed", two="passed", off="disabled")
        self.expect("2 passed, 0 failed", 0)

    def test_a_failed_case_is_named(self):
        self.entry("base/units_test", status="fail")
        self.cases("base/units_test", one="passed", two="failed")
        self.expect("1 passed, 1 failed", 1, "failed: base/units_test Suite.two")

    def test_a_skipped_case_is_named_and_fails_nothing(self):
        self.entry("base/units_test")
        self.cases("base/units_test", one="passed", two="skipped")
        self.expect("1 passed, 0 failed, 1 skipped", 0, "skipped: base/units_test Suite.two")

    def test_a_script_counts_as_one(self):
        self.entry("style/text_files_test")
        self.entry("readme/readme_test", status="fail")
        self.expect("1 passed, 1 failed", 1)

    def test_a_program_that_died_early_has_failed(self):
        self.entry("base/units_test", status="fail")
        self.expect("0 passed, 1 failed", 1)

    def test_a_program_that_failed_after_its_cases_has_failed(self):
        self.entry("base/units_test", status="fail")
        self.cases("base/units_test", one="passed")
        self.expect("1 passed, 1 failed", 1, "the program failed")

    def test_a_program_that_could_not_be_started_has_failed(self):
        self.entry("base/units_test", status="notrun", message="Unable to find executable")
        self.expect("0 passed, 1 failed", 1)

    def test_a_script_that_skips_itself_is_skipped(self):
        self.entry("cli/a_test", status="notrun", message="SKIP_RETURN_CODE=77")
        self.entry("cli/b_test")
        self.expect("1 passed, 0 failed, 1 skipped", 0)

    def test_nothing_passed_is_no_success(self):
        self.expect("0 passed, 0 failed", 1)


if __name__ == "__main__":
    unittest.main()
