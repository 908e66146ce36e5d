"""What does the command line mean, and with which status does it end?"""

import argparse
import pathlib
import sys

from . import render, verify
from .errors import ReportError, UsageError
from .load import load_results
from .report import build_report
from .study import Study

EXIT_OK, EXIT_ERROR, EXIT_USAGE = 0, 1, 64

_DESCRIPTION = """\
Turns result files of bench_sandbox into a report: report.html (one self-contained page), report.md and the plots
as SVG. Each file is one process; give several of them to learn the spread. A folder stands for the *.json in it.
"""
_EPILOG = """\
exit status: 0 ok; 1 error, also when a benchmark in the results failed (the report is written and says so) or
when --verify finds a difference; 64 usage
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message)


def _parser():
    parser = _Parser(
        prog="scripts/report",
        usage="scripts/report [--out DIR] RESULT.json...\n       scripts/report --verify REPORT.html [RESULT.json...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("results", nargs="*", metavar="RESULT.json", help="a result file, or a folder of them")
    parser.add_argument("--out", metavar="DIR", help="where to write (default: report/ beside the first result)")
    parser.add_argument(
        "--verify",
        metavar="REPORT.html",
        help="recompute every number of a report from the samples in it; with results, also compare the samples",
    )
    return parser


def main(arguments):
    try:
        options = _parser().parse_args(arguments)
        return _verify(options) if options.verify else _write(options)
    except UsageError as error:
        print(f"scripts/report: {error}; --help tells more", file=sys.stderr)
        return EXIT_USAGE
    except ReportError as error:
        print(f"scripts/report: {error}", file=sys.stderr)
        return EXIT_ERROR


def _write(options):
    if not options.results:
        raise UsageError("no result file given")
    paths = _expand(options.results)
    results = load_results(paths)
    folder = pathlib.Path(options.out) if options.out else _folder_of(options.results[0]) / "report"
    _write_files(folder, render.render(results))
    print(render.text_summary(build_report(results)))
    print(f"\nreport: {folder / 'report.html'}")
    return EXIT_ERROR if Study(results).failed else EXIT_OK


def _verify(options):
    if options.out:
        raise UsageError("--verify writes nothing: leave out --out")
    differences, count, remark = verify.verify(options.verify, _expand(options.results))
    for difference in differences:
        print(f"scripts/report: {difference}", file=sys.stderr)
    if differences:
        return EXIT_ERROR
    print(f"{options.verify}: {count:,} figures follow from the embedded samples ({remark})")
    return EXIT_OK


def _folder_of(result):
    path = pathlib.Path(result)
    return path if path.is_dir() else path.parent


def _expand(arguments):
    paths = []
    for argument in arguments:
        path = pathlib.Path(argument)
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found:
            raise ReportError(f"{argument}: no *.json in this folder")
        paths += found
    return paths


def _write_files(folder, files):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{folder}: {error.strerror}") from error
