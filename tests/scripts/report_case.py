"""What the tests of scripts/report share: a folder of their own, the program, and a reader of its pages."""

import html.parser
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import sample_results

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ReportTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sandglass-report-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.out = self.folder / "out"

    def report(self, *arguments):
        """Runs scripts/report as a user would."""
        command = [str(ROOT / "scripts" / "report"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.folder, check=False)

    def write(self, name, data):
        return sample_results.write(self.folder, name, data)

    def write_processes(self, count):
        return [self.write(f"process-{i}.json", sample_results.process(seed=i)) for i in range(1, count + 1)]

    def page_of(self, *paths, status=0):
        """The page made of these results."""
        run = self.report("--out", self.out, *paths)
        self.assertEqual(run.returncode, status, run.stderr)
        return (self.out / "report.html").read_text(encoding="utf-8")

    def page_of_rows(self, *row_lists, status=0):
        """The same, with one process per list of rows."""
        paths = [self.write(f"p{i}.json", sample_results.result(rows, load_avg=[i])) for i, rows in enumerate(row_lists)]
        return self.page_of(*paths, status=status)

    def assert_refused(self, run, *words, status=1):
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, f"one line is enough: {run.stderr}")
        for word in words:
            self.assertIn(word, run.stderr)


class Elements(html.parser.HTMLParser):
    """All start tags of a page, and its figures by key."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.figures, self._key = [], {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._key = dict(attrs).get("data-figure")

    def handle_endtag(self, tag):
        self._key = None

    def handle_data(self, data):
        if self._key:
            self.figures[self._key] = data


def figures(page):
    return Elements(page).figures
