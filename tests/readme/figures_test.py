#!/usr/bin/python3
"""scripts/readme_figures: what it writes between the markers of a README, and what it refuses."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
PATH = str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "readme_figures")
loader = importlib.machinery.SourceFileLoader("readme_figures", PATH)
figures = importlib.util.module_from_spec(importlib.util.spec_from_loader("readme_figures", loader))
loader.exec_module(figures)


def row(name, time_ns, **counters):
    return {"name": name, "run_type": "iteration", "iterations": 1, "real_time": time_ns, "cpu_time": time_ns,
            "time_unit": "ns", **counters}


class Figures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        figures.REFERENCE = self.folder
        figures.README = self.folder / "README.md"
        figures.ROWS = [("one step", *figures.time("step/generic/one"))]
        self.write_readme(figures.NOTHING_YET)

    def write_readme(self, block):
        figures.README.write_text(f"before\n{figures.BEGIN}{block}{figures.END}after\n", encoding="utf-8")

    def readme(self):
        return figures.README.read_text(encoding="utf-8")

    def process(self, name, *rows):
        context = {"build_commit": "0123456789abcdef", "host_cpu": "Some CPU", "num_cpus": 2, "process": name}
        path = self.folder / f"process-{name}.json"
        path.write_text(json.dumps({"context": context, "benchmarks": rows}), encoding="utf-8")

    def main(self, *arguments):
        """(exit status, what it complained about)"""
        complaints = io.StringIO()
        with contextlib.redirect_stderr(complaints):
            return figures.main(list(arguments)), complaints.getvalue()

    def test_says_so_when_there_is_no_reference_run(self):
        self.assertEqual(self.main("--check"), (0, ""))
        self.write_readme("invented\n")
        self.assertEqual(self.main("--check")[0], 1)

    def test_writes_the_median_over_the_processes_of_their_fastest_repetitions(self):
        for name, times in (("a", (90, 10)), ("b", (30, 31)), ("c", (40, 41))):
            self.process(name, *(row("step/generic/one", time) for time in times))
        self.assertEqual(self.main(), (0, ""))
        self.assertIn("| one step | `step/generic/one` | 30.0 ns |\n", self.readme())
        self.assertIn("3 processes; commit 0123456789ab; ", self.readme())
        self.assertTrue(self.readme().startswith("before\n") and self.readme().endswith("after\n"))

    def test_writes_the_time_per_instruction(self):
        figures.ROWS = [("compile", *figures.per_instruction("compile/generic/gas_off/9"))]
        self.process("a", row("compile/generic/gas_off/9", 90, ns_per_instruction=12.5))
        self.assertEqual(self.main(), (0, ""))
        self.assertIn("| 12.5 ns |", self.readme())

    def test_writes_the_median_of_single_events(self):
        figures.ROWS = [("hand-over", *figures.latency("handoff/linux/x"))]
        self.process("a", row("handoff/linux/x", 900, p50_ns=550))
        self.assertEqual(self.main(), (0, ""))
        self.assertIn("| hand-over | `handoff/linux/x, p50` | 550 ns |", self.readme())

    def test_writes_the_memory_of_a_process(self):
        figures.ROWS = [("idle", *figures.footprint("footprint/linux/worker"))]
        self.process("a", row("footprint/linux/worker", 900, kernel_KiB=66.5, user_KiB=8.5))
        self.assertEqual(self.main(), (0, ""))
        self.assertIn("| 75.0 KiB |", self.readme())

    def test_writes_the_mean_slowdown_against_the_twins(self):
        figures.ROWS = [("slowdown", *figures.slowdown("generic", "sync"))]
        self.process("a", row("run/native/fib", 100), row("run/generic/sync/fib", 200),
                     row("run/native/sieve", 100), row("run/generic/sync/sieve", 800))
        self.assertEqual(self.main(), (0, ""))
        self.assertIn("| 4.00× (2 workloads) |", self.readme())

    def test_check_sees_one_changed_digit(self):
        self.process("a", row("step/generic/one", 30))
        self.main()
        self.assertEqual(self.main("--check"), (0, ""))
        figures.README.write_text(self.readme().replace("30.0 ns", "29.9 ns"), encoding="utf-8")
        self.assertEqual(self.main("--check")[0], 1)

    def test_a_missing_benchmark_is_an_error(self):
        self.process("a", row("step/generic/other", 30))
        for rows in (figures.ROWS, [("s", *figures.slowdown("generic", "sync"))], [("c", *figures.per_instruction("c"))]):
            figures.ROWS = rows
            status, complaint = self.main()
            self.assertEqual(status, 1)
            self.assertIn("no figure for", complaint)

    def test_a_readme_without_markers_is_an_error(self):
        figures.README.write_text("before\nafter\n", encoding="utf-8")
        self.assertEqual(self.main()[0], 1)


if __name__ == "__main__":
    unittest.main()
