#!/usr/bin/env python3
"""bench_sandbox as scripts see it: exit status, lists, files.

usage: command_line_test.py BENCH_SANDBOX
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from reportlib.sections import primitives, targets  # noqa: E402 (the path comes first)

BINARY = ""
QUICK = "--min-time=3x"
FAMILIES = "noop host_call trap instantiate spawn pool handoff paging kill footprint hardening gas run cold compile encoder"


def bench(*arguments, env=None, **keywords):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})}, **keywords
    )


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def strict_json(text):
    return json.loads(text, parse_constant=refuse_constant)


class ExitStatus(unittest.TestCase):
    def test_is_0_when_all_is_well(self):
        self.assertEqual(bench("--filter=^noop/", QUICK).returncode, 0)
        self.assertEqual(bench("--help").returncode, 0)

    def test_is_4_when_nothing_matches(self):
        done = bench("--filter=no_such_benchmark")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no_such_benchmark", done.stderr)
        self.assertEqual(bench("--list", "--filter=no_such_benchmark").returncode, 4)

    def test_is_64_for_wrong_usage(self):
        for wrong in ("--bogus", "word", "--filter=(", "--min-time=x", "--format=xml", "--benchmark_bogus=1"):
            with self.subTest(wrong):
                self.assertEqual(bench(wrong).returncode, 64)

    def test_is_1_when_the_result_cannot_be_written(self):
        self.assertEqual(bench("--filter=^noop/", QUICK, "--out=/nonexistent/result.json").returncode, 1)


class List(unittest.TestCase):
    def setUp(self):
        self.names = bench("--list").stdout.split()

    def test_is_a_list_of_different_paths(self):
        self.assertGreater(len(self.names), 50)
        self.assertEqual(len(self.names), len(set(self.names)))
        for name in self.names:
            self.assertRegex(name, r"^[a-z_]+(/[a-zA-Z0-9_]+){2,4}$")

    def test_begins_with_noop(self):
        self.assertTrue(self.names[0].startswith("noop/"))

    def test_has_every_family_and_the_promised_names(self):
        families = {name.split("/")[0] for name in self.names}
        self.assertEqual(families, set(FAMILIES.split()))
        for name in (
            "host_call/generic/loop",
            "trap/generic/instruction",
            "trap/generic/memory",
            "trap/generic/out_of_gas",
            "trap/raw/sigsegv_longjmp",
            "spawn/raw/exec/clone_execveat",
            "handoff/raw/futex/same_core",
            "handoff/raw/futex/same_core/hogs",
            "paging/raw/uffd_sigbus/continue",
            "paging/raw/reset/pagemap_scan_memcpy/16",
            "kill/raw/same_core",
            "host_call/linux/loop",
            "spawn/linux/worker/same_core",
            "spawn/linux/engine",
            "pool/linux/same_module/cross_core",
            "handoff/linux/host_call/cross_core/hogs",
            "paging/linux/fault/same_core/1_hogs",
            "paging/linux/fault/same_core/1",
            "kill/linux/same_core",
            "hardening/linux/host_call_same_core/forbid_timestamp",
            "run/linux/sync/sieve",
            "footprint/raw/fork_small_process",
            "compile/generic/sync_naive/150000",
            "run/native/sieve",
            "run/generic/gas_off/sieve",
            "run/generic/sync/sieve",
        ):
            self.assertIn(name, self.names)

    def test_has_what_the_report_compares(self):
        """scripts/report leaves out what it does not find, so a name that has changed would go unnoticed."""
        for target in targets.TARGETS:
            for name, _, _ in target.terms + target.floor_terms:
                self.assertIn(name, self.names)
        for primitive in primitives.PRIMITIVES.values():
            self.assertIn(primitive, self.names)

    def test_is_narrowed_by_the_filter(self):
        self.assertEqual(bench("--list", "--filter=^noop/native/loop$").stdout.split(), ["noop/native/loop"])


class Results(unittest.TestCase):
    def run_to_file(self, *arguments, **keywords):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            done = bench(f"--out={path}", *arguments, **keywords)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), ["result.json"])
            with open(path, encoding="utf-8") as file:
                return strict_json(file.read())

    def test_are_strict_json_with_aggregates(self):
        # Counters that are always 0 have no coefficient of variation: Google Benchmark would write NaN.
        result = self.run_to_file("--filter=^noop/", QUICK, "--repetitions=3")
        self.assertEqual(result["context"]["executable"], "bench_sandbox")
        self.assertTrue(any(row["run_type"] == "aggregate" for row in result["benchmarks"]))

    def test_are_named_as_in_the_list(self):
        result = self.run_to_file("--filter=^(noop|encoder)/", QUICK)
        listed = bench("--list", "--filter=^(noop|encoder)/").stdout.split()
        self.assertEqual([row["name"] for row in result["benchmarks"]], listed)
        self.assertTrue(all(row["iterations"] == 3 for row in result["benchmarks"]))

    def test_carry_the_fingerprint(self):
        context = self.run_to_file("--filter=noop/native/loop", QUICK, "--sandglass_seed=77")["context"]
        self.assertRegex(context["build_sha256"], r"^[0-9a-f]{64}$")
        self.assertEqual(context["run_seed"], "77")
        for key in "build_commit build_is_dirty build_type build_flags host_cpu host_kernel host_mitigations".split():
            self.assertTrue(context[key], key)

    def test_carry_the_noise(self):
        result = self.run_to_file("--filter=noop/native/loop", QUICK)
        self.assertIn("noise_involuntary_switches", result["benchmarks"][0])

    def test_on_standard_output_are_the_same(self):
        done = bench("--filter=^noop/", QUICK, "--benchmark_format=json")
        self.assertEqual(len(strict_json(done.stdout)["benchmarks"]), 3)

    def test_do_not_listen_to_google_benchmarks_environment(self):
        result = self.run_to_file(
            "--filter=noop/native/loop", QUICK,
            env={"BENCHMARK_FILTER": "nothing", "BENCHMARK_LIST_TESTS": "true", "BENCHMARK_OUT": "elsewhere"},
        )
        self.assertEqual(len(result["benchmarks"]), 1)

    def test_are_quiet_where_nobody_watches(self):
        self.assertNotIn("\r", bench("--filter=^noop/", QUICK).stderr)


class Processes(unittest.TestCase):
    """The families that start processes and pin them: right answers, and nothing is left behind."""

    def run_family(self, family, **keywords):
        done = bench(f"--filter=^{family}/", "--dry-run", "--format=json", **keywords)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {row["name"]: row for row in strict_json(done.stdout)["benchmarks"]}

    def test_answer_rightly(self):
        for family in ("spawn", "pool", "handoff", "paging", "kill", "footprint", "hardening"):
            with self.subTest(family):
                self.assertTrue(self.run_family(family))

    def test_have_a_spread(self):
        row = self.run_family("kill")["kill/raw/same_core"]
        self.assertLessEqual(row["p50_ns"], row["p99_ns"])
        self.assertGreater(row["mean_over_p50"], 0)

    def test_skip_what_one_core_cannot_do(self):
        core = min(os.sched_getaffinity(0))
        rows = self.run_family("kill", preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        for backend in ("raw", "linux"):
            self.assertIn("needs two cores", rows[f"kill/{backend}/other_core"]["error_message"])
        self.assertNotIn("error_occurred", rows["kill/raw/same_core"])

    def test_skip_the_linux_backend_where_nobody_can_make_a_jail(self):
        forbid = ["unshare", "--user", "--map-root-user", "sh", "-c",
                  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
        if subprocess.run([*forbid, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("needs a user namespace, to forbid them in it")
        command = [*forbid, BINARY, "--filter=^(noop|host_call|instantiate|spawn|pool|kill)/(linux|native)/", "--dry-run", "--format=json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = strict_json(done.stdout)
        self.assertTrue(rows["context"]["run_isolation"].startswith("none: "))
        for row in rows["benchmarks"]:
            is_skipped = row.get("error_message", "").startswith("unsupported: ")
            self.assertEqual(is_skipped, "/linux/" in row["name"], row)

    def test_say_which_layers_surround_a_worker(self):
        done = bench("--filter=noop/native/loop", QUICK, "--format=json")
        self.assertRegex(strict_json(done.stdout)["context"]["run_isolation"], r"^(linux|none): ")


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
