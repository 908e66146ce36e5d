"""How fast is a program compiled, and does that hold for big ones?"""

from .. import charts
from ..document import (
    NONE,
    Plot,
    Section,
    Table,
    plain_figure,
    plain_range,
    time_figure,
    time_range,
)
from .configurations import split

_PER_INSTRUCTION = "ns_per_instruction"
_BYTES_PER_SECOND = "code_bytes_per_second"
_NATIVE_BYTES = "native_bytes_per_instruction"
_ASKS = (
    "Wall time of compiling, per instruction of the guest (PVM's, not the machine's), single-threaded, over"
    " generated programs of growing size; a flat curve means linear time. Every module is run to verify it, untimed."
    " Lower is better."
)


def build(study):
    curves = _curves(study)
    if not curves:
        return [], []
    section = Section("compile", "Compiling: nanoseconds per instruction", _ASKS)
    drawn = [
        charts.Curve(configuration.label, [(size, e, time_figure(_key(name), e)) for size, name, e in points])
        for configuration, points in curves.items()
    ]
    axis = "instructions of the program (logarithmic)"
    svg = charts.curves("compile", "Compiling: time per instruction", drawn, axis, "ns per instruction")
    section.plots = [Plot("compile.svg", svg)]
    section.tables = [_table(curves), _throughput_table(study, curves)]
    return [section], [_summary_row(configuration, points) for configuration, points in curves.items()]


def _curves(study):
    """configuration → [(size, benchmark, nanoseconds per instruction)], by size"""
    found = {}
    for name, path in study.paths("compile").items():
        is_compiled = path.size and path.backend != "interpreter"  # which has nothing to do here
        per_instruction = study.counter(name, _PER_INSTRUCTION) if is_compiled else None
        if per_instruction:
            found.setdefault(split(path)[0], []).append((path.size, name, per_instruction))
    order = sorted(found, key=lambda configuration: configuration.order)
    return {configuration: sorted(found[configuration], key=lambda point: point[0]) for configuration in order}


def _key(name):
    return f"per-instruction/{name}"


def _table(curves):
    sizes = sorted({size for points in curves.values() for size, _, _ in points})
    rows = []
    for configuration, points in curves.items():
        cells = {size: (time_figure(_key(name), e), time_range(_key(name), e)) for size, name, e in points}
        rows.append([configuration.label] + [cells.get(size, NONE) for size in sizes])
    columns = ["Configuration"] + [f"{size:,} instructions" for size in sizes]
    return Table("Compile time per instruction: median over processes, then lowest…highest", columns, rows)


def _throughput_table(study, curves):
    rows = []
    for configuration, points in curves.items():
        for size, name, _ in points:
            speed = study.counter(name, _BYTES_PER_SECOND, best=max)
            density = study.counter(name, _NATIVE_BYTES)
            rows.append([
                configuration.label, f"{size:,}", time_figure(f"time/{name}", study.time_ns(name)),
                plain_figure(f"speed/{name}", speed, 1e6), plain_range(f"speed/{name}", speed, 1e6),
                plain_figure(f"density/{name}", density),
            ])
    columns = ["Configuration", "Instructions", "Time", "Guest code, MB/s", "Lowest…highest",
               "Machine code, bytes per instruction"]
    return Table("Whole programs", columns, rows)


def _summary_row(configuration, points):
    size, name, per_instruction = points[-1]
    return [
        "Compiling, per instruction",
        configuration.label,
        time_figure(_key(name), per_instruction),
        time_range(_key(name), per_instruction),
        f"program of {size:,} instructions",
    ]
