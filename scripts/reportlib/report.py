"""From samples to a report: its parts, before anything is said about how they look."""

import statistics

from . import document, names, sections
from .sections import machine
from .study import Study

_SUMMARY_COLUMNS = ["What", "How", "Median", "Lowest…highest process", "Remark"]

_BUSY = 1.1  # times the CPU time

# Where the work is not done by the thread that is timed.
_WITH_PROCESSES = frozenset({"spawn", "handoff", "kill", "footprint", "hardening", "cold"})

# context key → (the value it should have, what another one means)
_EXPECTED_CONTEXT = {
    "build_type": ("release", "measured with a build that is not a release build"),
    "build_is_dirty": ("no", "measured with uncommitted changes: the commit does not say what was measured"),
    "cpu_scaling_enabled": ("false", "the CPU's frequency was not fixed"),
}


def build_report(results):
    study = Study(results)
    parts, summary = sections.build_all(study)
    caption = "Times are medians over processes; ratios are taken inside each process first"
    table = document.Table(caption, _SUMMARY_COLUMNS, summary)
    return document.Report("Sandglass benchmark report", machine.subtitle(study), _warnings(study), table, parts)


def _warnings(study):
    """What makes the numbers less than they seem."""
    return _failures(study) + _dropped(study) + _few_processes(study) + _busy(study) + _context_warnings(study)


def _failures(study):
    return [f"{name} failed and has no result: {message}" for name, message in study.failed.items()] + [
        f"{name} was skipped: {message}" for name, message in study.skipped.items()
    ]


def _dropped(study):
    return [
        f"{name}: {document.count_of(count, 'repetition')} without a usable time left out"
        for name, count in study.dropped.items()
    ]


def _few_processes(study):
    if len(study.processes) > 1:
        return []
    return ["one process only: nothing is known about the spread between processes"]


def _busy(study):
    """Wall time that is no CPU time was somebody else's, where nothing that is timed sleeps or is done by others."""
    alone = [name for name in study.names if _is_done_alone(names.parse(name))]
    ratios = [(study.time_ns(name), study.cpu_ns(name)) for name in alone]
    shares = [wall.median / cpu.median for wall, cpu in ratios if wall and cpu and cpu.median > 0]
    if not shares or statistics.median(shares) < _BUSY:
        return []
    share = document.three_digits(statistics.median(shares))
    return [f"the machine was busy: half of the benchmarks took {share} times their CPU time, or more"]


def _is_done_alone(path):
    return path.backend != "linux" and path.family not in _WITH_PROCESSES


def _context_warnings(study):
    found = []
    for key, (wanted, meaning) in _EXPECTED_CONTEXT.items():
        values = {str(p.context[key]).lower() for p in study.processes if key in p.context}
        if values - {wanted}:
            found.append(f"{meaning} ({key}: {', '.join(sorted(values))})")
    return found
