"""Do a report's numbers follow from the samples embedded in it?

Computes the report again from its samples and compares every figure, in text, tables and plots. If this is the
program that wrote it, the page and the files beside it must also agree to the last byte. Given result files, the
embedded samples must be theirs.
"""

import html.parser
import json
import pathlib

from . import embed, render
from .errors import ReportError
from .load import load_results


def verify(report_path, result_paths):
    """Returns (differences, number of figures compared, remark)."""
    page = _read_page(report_path)
    results = _samples(report_path, page)
    files = _recompute(report_path, results)
    expected = PageReader(files["report.html"])
    differences = _compare_figures(page.figures, expected.figures)
    if result_paths and embed.pack(load_results(result_paths)) != embed.pack(results):
        differences.append("samples: not those of the result files given")
    if page.generator != expected.generator:
        return differences, len(expected.figures), "written by another version: compared the figures only"
    return differences + _compare_bytes(report_path, files), len(expected.figures), "every byte compared"


class PageReader(html.parser.HTMLParser):
    """Picks the figures [(key, text)], the samples and the generator out of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.figures, self.samples, self.generator = [], "", ""
        self._open_figure = None  # (key, tag) while inside one
        self._in_samples = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if "data-figure" in attributes:
            self._open_figure = (attributes["data-figure"], tag)
            self.figures.append((attributes["data-figure"], ""))
        if tag == "script" and attributes.get("id") == "samples":
            self._in_samples = True
        if tag == "meta" and attributes.get("name") == "generator":
            self.generator = attributes.get("content", "")

    def handle_endtag(self, tag):
        if self._open_figure and self._open_figure[1] == tag:
            self._open_figure = None
        if tag == "script":
            self._in_samples = False

    def handle_data(self, data):
        if self._in_samples:
            self.samples += data
        elif self._open_figure:
            key, text = self.figures.pop()
            self.figures.append((key, text + data))


def _read_page(path):
    try:
        return PageReader(pathlib.Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: byte {error.start}: not UTF-8") from error


def _samples(path, page):
    if not page.samples:
        raise ReportError(f"{path}: no embedded samples: not a report of this program")
    try:
        return embed.unpack(json.loads(page.samples))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ReportError(f"{path}: the embedded samples are damaged: {error}") from error


def _recompute(path, results):
    """The samples may have been edited into anything, which no list of checks would foresee."""
    try:
        return render.render(results)
    except ReportError:
        raise
    except Exception as error:
        raise ReportError(f"{path}: the embedded samples are damaged: {error!r}") from error


def _compare_figures(found, expected):
    """In the order of the page, with what each should be."""
    differences = []
    for (found_key, found_text), (key, text) in zip(found, expected):
        if found_key != key:
            return differences + [f"{found_key}: stands where {key} belongs"]
        if found_text != text:
            differences.append(f"{key}: the report says {found_text}, the samples say {text}")
    if len(found) != len(expected):
        differences.append(f"the report has {len(found)} figures, its samples give {len(expected)}")
    return differences


def _compare_bytes(report_path, files):
    """Of the page, under whatever name, and of what lies beside it."""
    page = pathlib.Path(report_path)
    paths = {name: page if name == "report.html" else page.parent / name for name in files}
    present = {name: path for name, path in paths.items() if path.is_file()}
    changed = [path for name, path in present.items() if path.read_bytes() != files[name].encode("utf-8")]
    return [f"{path}: not what its samples give" for path in changed]
