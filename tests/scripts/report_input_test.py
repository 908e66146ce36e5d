#!/usr/bin/python3
"""What does scripts/report say to input that is wrong? One line that names the file and the place in it."""

import json
import os
import unittest

from report_case import ReportTest
from sample_results import result, row


class ReportInputTest(ReportTest):
    def refuse(self, data, *words):
        path = self.write("bad.json", data)
        self.assert_refused(self.report("--out", self.out, path), "bad.json", *words)
        self.assertFalse(self.out.exists(), "nothing is written from bad input")

    def test_no_json(self):
        self.refuse('{"context": {},\n "benchmarks": [}', ":2:17:")

    def test_a_file_cut_short(self):
        self.refuse(json.dumps(result([row("noop/loop", 1.0)]))[:200], ":1:")

    def test_an_empty_file(self):
        self.refuse("", ":1:1:")

    def test_a_list(self):
        self.refuse("[]", "result: expected object, found []")

    def test_no_context(self):
        self.refuse({"benchmarks": []}, "result: lacks context")

    def test_a_time_that_is_text(self):
        self.refuse(result([row("noop/loop", 1.0), row("noop/loop", "fast")]), "benchmarks[1].real_time", '"fast"')

    def test_a_time_that_is_true(self):
        self.refuse(result([row("noop/loop", True)]), "benchmarks[0].real_time: expected number or null, found true")

    def test_an_unknown_unit(self):
        self.refuse(result([row("noop/loop", 1.0, unit="h")]), "benchmarks[0].time_unit: expected one of ns, us")

    def test_a_benchmark_without_a_name(self):
        self.refuse(result([row("", 1.0)]), "benchmarks[0].name: must not be empty")

    def test_negative_iterations(self):
        self.refuse(result([row("noop/loop", 1.0, iterations=-1)]), "benchmarks[0].iterations: -1 is less than 0")

    def test_no_benchmarks(self):
        self.refuse(result([]), "no benchmarks")

    def test_only_aggregates(self):
        self.refuse(result([row("noop/loop", 1.0, run_type="aggregate")]), "only aggregates")

    def test_a_number_of_thousands_of_digits(self):
        self.refuse('{"context": {}, "benchmarks": ' + "9" * 10000 + "}", "not a result file")

    def test_a_deep_nest(self):
        self.refuse("[" * 100000, "not a result file")

    def test_bytes_that_are_no_utf8(self):
        path = self.folder / "bad.json"
        path.write_bytes(b'{"context": "\xff"}')
        self.assert_refused(self.report(path), "bad.json: byte 13: not UTF-8")

    def test_a_missing_file(self):
        self.assert_refused(self.report("absent.json"), "absent.json: No such file")

    def test_an_empty_folder(self):
        os.mkdir(self.folder / "empty")
        self.assert_refused(self.report("empty"), "empty: no *.json")

    def test_the_same_result_twice(self):
        data = result([row("noop/loop", 1.0)])
        paths = [self.write("a.json", data), self.write("b.json", data)]
        self.assert_refused(self.report(*paths), "b.json: the same result as a.json")

    def test_results_of_two_builds(self):
        paths = [self.write("a.json", result([row("noop/loop", 1.0)], build_sha256="11")),
                 self.write("b.json", result([row("noop/loop", 1.0)], build_sha256="22"))]
        self.assert_refused(self.report(*paths), "b.json: context.build_sha256 is 22, in", "a.json it is 11")

    def test_one_bad_file_among_good_ones(self):
        paths = [self.write("a.json", result([row("noop/loop", 1.0)])), self.write("b.json", "{")]
        self.assert_refused(self.report(*paths), "b.json:1:2:")

    def test_a_folder_that_cannot_be_made(self):
        path = self.write("a.json", result([row("noop/loop", 1.0)]))
        self.assert_refused(self.report("--out", path / "x", path), "Not a directory")

    def test_results_too_big_for_a_page(self):
        rows = [row(f"noop/{'x' * 200}{i}", 1.0) for i in range(6000)]
        self.assert_refused(self.report("--out", self.out, self.write("a.json", result(rows))), "more than 2,000,000")

    def test_a_result_as_the_schema_has_it_is_taken(self):
        run = self.report("--out", self.out, self.write("a.json", result([row("noop/loop", 1.0)])))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("one process only", run.stdout)


class ReportUsageTest(ReportTest):
    def test_usage_errors_end_with_64(self):
        for arguments in ([], ["--nonsense"], ["--out"], ["--verify", "a.html", "--out", "b"], ["--verif", "x"]):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.report(*arguments), "--help", status=64)

    def test_help_names_every_option_and_exit_status(self):
        run = self.report("--help")
        self.assertEqual(run.returncode, 0)
        for word in ("RESULT.json", "--out", "--verify", "64 usage"):
            self.assertIn(word, run.stdout)

    def test_a_folder_stands_for_its_results(self):
        self.write_processes(2)
        run = self.report(self.folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertTrue((self.folder / "report" / "report.html").is_file())


if __name__ == "__main__":
    unittest.main()
