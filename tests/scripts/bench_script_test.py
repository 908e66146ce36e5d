#!/usr/bin/python3
"""Does scripts/bench measure in rounds, report, and end with the right status? With a stand-in for bench_sandbox."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Understands what scripts/bench passes on. FAKE chooses what goes wrong.
_FAKE_BINARY = """\
#!/usr/bin/python3
import json, os, re, sys
sys.path.insert(0, {tests!r})
sys.dont_write_bytecode = True
import sample_results
options = dict(argument.lstrip("-").partition("=")[::2] for argument in sys.argv[1:])
fake = os.environ.get("FAKE", "")
everything = ("noop/loop", "run/native/fib", "run/generic/sync/fib", "footprint/raw/program_net")
inverted = options["filter"].startswith("-")
names = [name for name in everything if bool(re.search(options["filter"][inverted:], name)) != inverted]
if not names: sys.exit(4)
if "list" in options:
    print("\\n".join(names))
    sys.exit(0)
with open({log!r}, "a") as log: log.write(json.dumps([options, len(os.environ.get("SANDGLASS_PADDING", ""))]) + "\\n")
if fake == "crash": os.kill(os.getpid(), 6)
rows = [sample_results.row(name, 100.0 + os.getpid() % 7) for name in names]
if fake == "wrong": rows[-1] = sample_results.failed_row(names[-1], "a wrong answer before timing")
for row in rows: print(f"{{row['name']}}    100 ns   100 ns   10")
with open(options["out"], "w") as out: json.dump(sample_results.result(rows, load_avg=[os.getpid()]), out)
sys.exit(1 if fake == "wrong" else 0)
"""


class BenchScriptTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sandglass-bench-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.log = self.folder / "log"
        self.out = self.folder / "out"
        self.binary = self.folder / "bench_sandbox"
        source = _FAKE_BINARY.format(tests=str(pathlib.Path(__file__).parent), log=str(self.log))
        self.binary.write_text(source, encoding="utf-8")
        self.binary.chmod(0o755)

    def bench(self, *arguments, fake=""):
        command = [str(ROOT / "scripts" / "bench"), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "FAKE": fake}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)

    def measure(self, *arguments, fake=""):
        return self.bench("--binary", str(self.binary), "--out", str(self.out), *arguments, fake=fake)

    def test_every_round_is_a_process_with_the_whole_selection(self):
        run = self.measure("--processes", "3", "--profile=smoke")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(len(list(self.out.glob("process-*.json"))), 3)
        self.assertEqual(len(self.log.read_text().splitlines()), 3)
        self.assertIn("3 processes", (self.out / "report" / "report.html").read_text(encoding="utf-8"))
        self.assertIn("report.html", run.stdout)
        self.assertIn("Slowdown against native", run.stdout)

    def test_the_environment_differs_in_size(self):
        self.measure("--processes=4", "--profile=smoke")
        sizes = {line.rpartition(",")[2] for line in self.log.read_text().splitlines()}
        self.assertGreater(len(sizes), 1)

    def test_the_filter_is_passed_on(self):
        self.assertEqual(self.measure("--filter=noop", "--profile", "smoke").returncode, 0)
        self.assertIn('"filter": "noop"', self.log.read_text())

    def test_a_smoke_run_leaves_out_what_takes_long_unless_it_is_asked_for(self):
        slow = "footprint/raw/program_net"
        self.measure("--profile=smoke")
        self.assertNotIn(slow, (self.out / "benchmarks.txt").read_text().split())
        self.assertIn("noop/loop", (self.out / "benchmarks.txt").read_text().split())
        self.out = self.folder / "asked"
        self.measure("--profile=smoke", f"--filter={slow}")
        self.assertEqual((self.out / "benchmarks.txt").read_text().split(), [slow])

    def test_nothing_matched(self):
        run = self.measure("--filter=nonsense")
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertIn("nothing matches --filter=nonsense", run.stderr)

    def test_a_wrong_answer_is_an_error_and_in_the_report(self):
        run = self.measure("--profile=smoke", fake="wrong")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("failed and has no result", (self.out / "report" / "report.html").read_text(encoding="utf-8"))

    def test_a_crash_is_an_error(self):
        run = self.measure("--profile=smoke", fake="crash")
        self.assertEqual(run.returncode, 1)
        self.assertIn("exit status 134", run.stderr)
        self.assertIn("no process left a result", run.stderr)

    def test_two_runs_are_not_mixed(self):
        self.measure("--profile=smoke")
        run = self.measure("--profile=smoke")
        self.assertEqual(run.returncode, 1)
        self.assertIn("holds results already", run.stderr)

    def test_usage_errors_end_with_64(self):
        for arguments in (["--nonsense"], ["--profile=tiny"], ["--processes=0"], ["--processes", "x"], ["--filter"]):
            with self.subTest(arguments=arguments):
                run = self.bench(*arguments)
                self.assertEqual(run.returncode, 64, run.stderr)
                self.assertIn("usage: scripts/bench", run.stderr)

    def test_help(self):
        run = self.bench("--help")
        self.assertEqual(run.returncode, 0)
        for word in ("smoke", "short", "full", "--filter", "--processes", "--out", "64 wrong usage"):
            self.assertIn(word, run.stdout)


if __name__ == "__main__":
    unittest.main()
