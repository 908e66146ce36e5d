#!/usr/bin/python3
"""Is the page what it promises: one file, safe with any name, the same for the same input, readable by all?"""

import json
import re
import shutil
import unittest
import xml.etree.ElementTree as ElementTree

from report_case import Elements, ReportTest, figures
from sample_results import result, row

_HOSTILE = 'run/native/<script>alert(1)</script>|`"\'&*\u2028'


class ReportPageTest(ReportTest):
    def test_equal_input_gives_equal_bytes(self):
        paths = self.write_processes(3)
        self.page_of(*paths)
        first = {path.name: path.read_bytes() for path in self.out.iterdir()}
        shutil.rmtree(self.out)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        moved = [shutil.copy(path, elsewhere) for path in reversed(paths)]
        self.page_of(*moved)
        self.assertEqual(first, {path.name: path.read_bytes() for path in self.out.iterdir()})

    def test_it_loads_nothing(self):
        page = self.page_of(*self.write_processes(2))
        for tag, attributes in Elements(page).tags:
            self.assertNotIn("src", attributes, tag)
            self.assertTrue(attributes.get("href", "#").startswith("#"), attributes)
        self.assertNotRegex(page, r"url\(|@import")

    def test_it_needs_no_scripts(self):
        scripts = [a for tag, a in Elements(self.page_of(*self.write_processes(2))).tags if tag == "script"]
        self.assertEqual([script["type"] for script in scripts], ["application/json"])

    def test_a_big_run_fits_into_two_megabytes(self):
        counters = {f"noise_{source}": 1 / 3 for source in "abcdefgh"} | {"ns_per_instruction": 1 / 3, "faults": 0.0}
        rows = [row(f"run/generic/sync/a_workload_{i}", i + r / 7 + 1, repetition=r, **counters)
                for i in range(240) for r in range(5)]
        page = self.page_of_rows(*[[dict(one, cpu_time=seed + 1 / 3) for one in rows] for seed in range(15)])
        self.assertLess(len(page.encode()), 2_000_000)

    def test_any_name_stays_text(self):
        page = self.page_of_rows([row(_HOSTILE, 100), row("run/generic/sync/x", 100)])
        self.assertEqual(figures(page)[f"time/{_HOSTILE}"], "100 ns")
        self.assertNotIn("<script>alert", page)
        markdown = (self.out / "report.md").read_text(encoding="utf-8")
        self.assertNotIn("<script>", markdown)
        self.assertEqual(self.report("--verify", self.out / "report.html").returncode, 0)

    def test_any_context_stays_text(self):
        path = self.write("a.json", result([row("noop/loop", 1)], odd="</script><b>", date="<i>", nested={"a": [None]}))
        page = self.page_of(path)
        self.assertNotIn("<b>", page)
        self.assertNotIn("<i>", page)

    def test_odd_names_are_shown(self):
        names = ["x", "run", "run/", "run/generic", "//", "compile/generic/0", "compile/generic/sync/12x", "größe/ß", "noop/" + "9" * 5000,
                 "trap/raw", "trap/generic", "gas/sync/sync/a", "run/interpreter/a", "n" * 300]
        page = self.page_of_rows([row(name, 10) for name in names])
        for name in names:
            self.assertEqual(figures(page)[f"time/{name}"], "10.0 ns", name)

    def test_extreme_values_can_be_drawn(self):
        rows = [row("run/native/a", 1e-9), row("run/generic/sync/a", 1e15), row("run/interpreter/a", 1e-9)]
        page = self.page_of_rows(rows)
        self.assertIn("1.00e+24×", page)
        self.assertNotRegex(page, r'="-?(nan|inf)')

    def test_plots_are_complete_documents_with_words_for_those_who_cannot_see_them(self):
        self.page_of(*self.write_processes(2))
        plots = sorted(path.name for path in self.out.glob("*.svg"))
        self.assertEqual(plots, ["compile.svg", "encoder.svg", "host-call.svg", "metering.svg", "slowdown-quick.svg",
                                 "slowdown.svg", "trap.svg"])
        for plot in plots:
            root = ElementTree.parse(self.out / plot).getroot()
            self.assertEqual(root.get("role"), "img")
            named = [root.find(f".//*[@id='{name}']").text for name in root.get("aria-labelledby").split()]
            self.assertTrue(all(named), plot)

    def test_ids_are_unique_and_links_lead_somewhere(self):
        tags = Elements(self.page_of(*self.write_processes(2))).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        self.assertEqual(len(ids), len(set(ids)))
        for _, attributes in tags:
            for target in [attributes.get("href", "#")[1:], *attributes.get("aria-labelledby", "").split()]:
                self.assertIn(target, ["", *ids])

    def test_tables_have_headings(self):
        page = self.page_of(*self.write_processes(2))
        self.assertEqual(page.count("<table"), page.count("<caption"))
        self.assertNotRegex(page, r"<th(?! scope|ead)")

    def test_it_says_what_was_measured_where_and_how_often(self):
        page = self.page_of(*self.write_processes(3))
        self.assertRegex(page, r"Example CPU · 2 CPUs .* 3 processes")
        for value in ("abababab", "Release", "bench-host", "process-2.json"):
            self.assertIn(value, page)

    def test_markdown_has_the_summary_first_and_the_rest_folded(self):
        self.page_of(*self.write_processes(2))
        markdown = (self.out / "report.md").read_text(encoding="utf-8")
        self.assertLess(markdown.index("geometric mean of 4 workloads"), markdown.index("## Running"))
        self.assertLess(markdown.index("<details>"), markdown.index("Every benchmark"))
        for line in markdown.splitlines():
            if line.startswith("|"):
                self.assertEqual(len(re.findall(r"(?<!\\)\|", line)), line.count("|") - line.count("\\|"))

    def test_all_samples_are_embedded(self):
        page = self.page_of(*self.write_processes(2))
        samples = json.loads(re.search(r'id="samples">(.*?)</script>', page).group(1))
        self.assertEqual(len(samples["processes"]), 2)
        self.assertEqual(len(samples["benchmarks"]["noop/native/loop"]["real_ns"][0]), 3)


if __name__ == "__main__":
    unittest.main()
