"""Which samples do the result files hold?

A file is one process of bench_sandbox. Everything after this module works on Results, which a report embeds
(embed.py), so what it prints can be recomputed from it alone.
"""

import dataclasses
import hashlib
import json
import math
import os

from . import names, schema
from .errors import ReportError

NOISE = "noise_"  # how the counters of the noise ledger begin
MAX_FILE_BYTES = 64 << 20
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}

# What all files of a report must share; results of two machines or builds make two reports.
_IDENTITY = ("host_name", "host_cpu", "build_commit", "build_sha256", "run_seed")

# What Google Benchmark itself writes into a benchmark; every other number there is a counter.
_OWN_KEYS = frozenset(
    "name run_name run_type family_index per_family_instance_index repetitions repetition_index threads iterations"
    " real_time cpu_time time_unit error_occurred error_message label aggregate_name aggregate_unit".split()
)


@dataclasses.dataclass
class Series:
    """One benchmark in one process. Times are nanoseconds per iteration, one entry per repetition; so are counters,
    except that equal values are kept once and the noise ledger as its sum: a page has to hold it all."""

    real_ns: list = dataclasses.field(default_factory=list)
    cpu_ns: list = dataclasses.field(default_factory=list)
    counters: dict = dataclasses.field(default_factory=dict)
    label: str = ""
    error: str = ""
    dropped: int = 0  # repetitions whose time was no positive, finite number


@dataclasses.dataclass
class Process:
    file: str  # its base name: where the file lies must not change the report
    sha256: str
    context: dict
    series: dict  # name → Series


@dataclasses.dataclass
class Results:
    processes: list


def load_results(paths):
    """Reads all files. The order of the paths does not matter."""
    processes = [_load_process(path) for path in paths]
    processes.sort(key=lambda process: (process.file, process.sha256))
    _refuse_repeated_files(processes)
    _refuse_mixtures(processes)
    if not any(process.series for process in processes):
        raise ReportError(f"{paths[0]}: no benchmarks: the filter matched nothing, or the run was cut short")
    return Results(processes)


def _refuse_repeated_files(processes):
    """The same samples twice would look like two processes that agree wonderfully."""
    seen = {}
    for process in processes:
        if process.sha256 in seen:
            raise ReportError(f"{process.file}: the same result as {seen[process.sha256]}; a sample counts once")
        seen[process.sha256] = process.file


def _refuse_mixtures(processes):
    """A median over two machines or two programs would describe neither."""
    for key in _IDENTITY:
        for process in processes[1:]:
            first, other = processes[0].context.get(key), process.context.get(key)
            if first != other:
                raise ReportError(f"{process.file}: context.{key} is {other}, in {processes[0].file} it is {first}")


def _load_process(path):
    raw = _read(path)
    data = _parse(path, raw)
    _check(path, data)
    series = {}
    for row in data["benchmarks"]:
        if row["run_type"] == "iteration":
            _add_repetition(series, row)
    if data["benchmarks"] and not series:
        raise ReportError(f"{path}: benchmarks: only aggregates; run without --benchmark_report_aggregates_only")
    for entry in series.values():
        entry.counters = {key: _condensed(key, values) for key, values in entry.counters.items()}
    return Process(os.path.basename(path), hashlib.sha256(raw).hexdigest(), _plain(data["context"]), series)


def _read(path):
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ReportError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB: not a result file")
    return raw


def _parse(path, raw):
    try:
        return json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: byte {error.start}: not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ReportError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of thousands of digits
        raise ReportError(f"{path}: not a result file: {error}") from error


def _check(path, data):
    fault = schema.first_fault(data, schema.load_schema())
    if fault:
        raise ReportError(f"{path}: {fault}")


def _add_repetition(series, row):
    entry = series.setdefault(names.without_settings(row.get("run_name", row["name"])), Series())
    entry.label = row.get("label", entry.label)
    if row.get("error_occurred"):
        entry.error = row.get("error_message") or "failed without a message"
        return
    unit_ns = NANOSECONDS[row["time_unit"]]
    real_ns, cpu_ns = _number(row["real_time"], unit_ns), _number(row["cpu_time"], unit_ns)
    if real_ns is None or real_ns <= 0:
        entry.dropped += 1
        return
    entry.real_ns.append(real_ns)
    entry.cpu_ns.append(cpu_ns)
    for key in sorted(row.keys() - _OWN_KEYS):
        entry.counters.setdefault(key, []).append(_number(row[key]))


def _condensed(key, values):
    if key.startswith(NOISE):
        return [_number(sum(value for value in values if value is not None))]
    return values[:1] if len(set(values)) == 1 else values


def _number(value, scale=1.0):
    """Seven digits: more than any clock here resolves, and short where it is embedded. None: not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        scaled = float(value) * scale
    except OverflowError:
        return None
    if not math.isfinite(scaled):
        return None
    short = float(f"{scaled:.7g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _plain(value):
    """The context with everything that JSON cannot say (NaN) replaced by null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
