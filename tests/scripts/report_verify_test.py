#!/usr/bin/python3
"""Does `report --verify` notice what was changed in a report?"""

import json
import re
import unittest

from report_case import ReportTest
from sample_results import process


class ReportVerifyTest(ReportTest):
    def setUp(self):
        super().setUp()
        self.paths = self.write_processes(2)
        self.page = self.page_of(*self.paths)
        self.path = self.out / "report.html"

    def verify(self, *results):
        return self.report("--verify", self.path, *results)

    def refuse_page(self, page, *words):
        self.assertNotEqual(page, self.page, "the test changed nothing")
        self.path.write_text(page, encoding="utf-8")
        run = self.verify()
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertNotIn("Traceback", run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)

    def by_another_generator(self, page):
        return re.sub(r"sandglass report [0-9a-f]+", "sandglass report 0000", page)

    def test_an_untouched_report_passes(self):
        run = self.verify()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"[1-9][0-9,]* figures follow .*every byte")

    def test_with_its_results(self):
        self.assertEqual(self.verify(*self.paths).returncode, 0)

    def test_with_other_results(self):
        run = self.verify(self.paths[0], self.write("process-2.json", process(seed=9)))
        self.assert_refused(run, "samples: not those of the result files")

    def test_a_changed_number_in_a_table(self):
        key = "slowdown/run/generic/sync/sieve"
        changed = re.sub(f'(data-figure="{key}">)[^<]*(</span>)', r"\g<1>1.00×\2", self.page)
        self.refuse_page(changed, f"{key}: the report says 1.00×, the samples say 1.6")

    def test_a_changed_number_in_a_plot(self):
        changed = re.sub(r'(<text [^>]*data-figure="mean/full/generic/sync">)[^<]*', r"\g<1>0.50×", self.page)
        self.refuse_page(changed, "mean/full/generic/sync: the report says 0.50×")

    def test_a_changed_number_in_a_report_of_another_version(self):
        changed = self.page.replace('data-figure="time/noop/native/loop">0.3', 'data-figure="time/noop/native/loop">0.2')
        self.assertNotEqual(changed, self.page)
        self.refuse_page(self.by_another_generator(changed), "time/noop/native/loop: the report says 0.2")

    def test_a_report_of_another_version_is_compared_by_its_figures(self):
        self.path.write_text(self.by_another_generator(self.page).replace("Read this", "Read that"), encoding="utf-8")
        run = self.verify()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("the figures only", run.stdout)

    def test_changed_words(self):
        self.refuse_page(self.page.replace("lower is better", "higher is better"), "report.html: not what its samples")

    def test_a_removed_row(self):
        self.refuse_page(re.sub(r"<tr><th scope=\"row\">fib</th>.*?</tr>", "", self.page, count=1), "belongs")

    def test_an_added_figure(self):
        extra = '<p><span data-figure="mean/linux">0.9×</span></p></main>'
        self.refuse_page(self.page.replace("</main>", extra), "figures, its samples give")

    def test_changed_samples(self):
        document = json.loads(re.search(r'id="samples">(.*?)</script>', self.page).group(1))
        document["benchmarks"]["run/generic/sync/sieve"]["real_ns"] = [[1.0], [1.0]]
        changed = re.sub(r'(id="samples">).*?(</script>)', lambda m: m[1] + json.dumps(document) + m[2], self.page)
        self.refuse_page(changed, "slowdown/run/generic/sync/sieve")

    def test_damaged_samples(self):
        for damage in ('{"processes":', "[]", '{"processes":[]}', '{"processes":[{"file":1}]}', "",
                       '{"processes":[],"benchmarks":{}}'):
            with self.subTest(damage=damage):
                self.refuse_page(re.sub(r'(id="samples">).*?(</script>)', rf"\g<1>{damage}\2", self.page), "samples")

    def test_a_changed_plot_beside_the_page(self):
        plot = self.out / "compile.svg"
        plot.write_text(plot.read_text(encoding="utf-8").replace("circle", "rect"), encoding="utf-8")
        self.assert_refused(self.verify(), "compile.svg: not what its samples give")

    def test_a_page_that_is_no_report(self):
        self.refuse_page("<p>hello</p>", "no embedded samples")

    def test_no_page(self):
        self.assert_refused(self.report("--verify", "absent.html"), "absent.html: No such file")


if __name__ == "__main__":
    unittest.main()
