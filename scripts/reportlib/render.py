"""How does a report look? As one self-contained page, as markdown for a pull request, as text for a terminal.

The same results give the same bytes: nothing here reads a clock, a path or the environment.
"""

import hashlib
import json
import pathlib

import jinja2

from . import embed
from .document import NONE, Figure
from .errors import ReportError
from .report import build_report

MAX_PAGE_BYTES = 2_000_000
_HERE = pathlib.Path(__file__).resolve().parent


def render(results):
    """file name → text of everything a report consists of."""
    report = build_report(results)
    files = {"report.html": _html(report, results), "report.md": _markdown(report)}
    for section in report.sections:
        files.update({plot.file_name: plot.svg for plot in section.plots})
    size_bytes = len(files["report.html"].encode("utf-8"))
    if size_bytes > MAX_PAGE_BYTES:
        raise ReportError(f"the page would have {size_bytes:,} bytes, more than {MAX_PAGE_BYTES:,}: give fewer files")
    return files


def generator_id():
    """Changes whenever this program does: two reports of one generator can be compared byte for byte."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.rglob("*")):
        if path.suffix in (".py", ".j2"):
            digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def text_summary(report):
    """The summary as aligned columns."""
    rows = [report.summary.columns[:4]] + [[_plain(cell) for cell in row[:4]] for row in report.summary.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines + [f"warning: {warning}" for warning in report.warnings])


def _html(report, results):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.tests["numeric"] = _is_numeric
    environment.tests["numeric_column"] = _is_numeric_column
    template = environment.get_template("report.html.j2")
    return template.render(report=report, samples=_embedded(results), generator=generator_id()) + "\n"


def _embedded(results):
    """JSON that cannot end the script element it stands in."""
    data = json.dumps(embed.pack(results), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return data.replace("<", "\\u003c").replace(">", "\\u003e")


def _is_numeric(cell):
    first = cell[0] if isinstance(cell, tuple) else cell
    return first == NONE or (isinstance(first, Figure) and not first.is_prose)


def _is_numeric_column(table, index):
    return bool(table.rows) and all(_is_numeric(row[index]) for row in table.rows)


def _plain(cell):
    return " ".join(str(part).strip() for part in cell) if isinstance(cell, tuple) else str(cell)


def _markdown(report):
    lines = [f"# {report.title}", "", _escaped(report.subtitle), ""]
    lines += [f"> **Note:** {_escaped(warning)}\n" for warning in report.warnings]
    lines += ["## Summary", "", *_markdown_table(report.summary)]
    for section in report.sections:
        lines += _markdown_section(section)
    return "\n".join(lines) + "\n"


def _markdown_section(section):
    body = [_escaped(section.asks), ""]
    for sentence in section.answer:
        body += ["".join(_escaped(part) for part in sentence), ""]
    for plot in section.plots:
        body += [f"![{_escaped(section.title)}]({plot.file_name})", ""]
    for table in section.tables:
        body += _markdown_table(table)
    body += [f"- {_escaped(note)}" for note in section.notes] + ([""] if section.notes else [])
    if section.folded:
        return ["<details>", f"<summary>{_escaped(section.title)}</summary>", "", *body, "</details>", ""]
    return [f"## {_escaped(section.title)}", "", *body]


def _markdown_table(table):
    rows = [table.columns, ["---"] * len(table.columns)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["| " + " | ".join(_escaped(_plain(cell)) for cell in row) + " |" for row in table.rows]
    return [f"*{_escaped(table.caption)}*", "", *lines, ""]


def _escaped(text):
    """Text that stays text in a table cell of any markdown dialect."""
    plain = " ".join(str(text).split())
    for character in "\\`*_[]<>|&#$~":
        plain = plain.replace(character, "\\" + character if character not in "<>&" else _ENTITIES[character])
    return plain


_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
