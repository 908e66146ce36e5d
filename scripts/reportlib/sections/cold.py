"""How long until a program has answered that nobody has run before, and what is that time made of?"""

from ..document import NONE, Section, Table, plain_figure, ratio_figure, time_figure
from .run import NATIVE

_ASKS = (
    "Wall time from the bytes of a program's container to its first answer, with module, sandbox and worker process all"
    " new. Compile: parse and compile. Spawn: make the sandbox. First touch: what the first run takes longer than a"
    " second one of the same sandbox. Execution: that second run."
)
_STRATEGIES_ASK = "The whole of it as a multiple of the scalar twin, which is loaded already."

# Heading → counters that are added and subtracted.
_PARTS = {
    "Compile": ("compile_ns",),
    "Spawn": ("spawn_ns",),
    "First touch": ("first_ns", "again_ns"),
    "Execution": ("again_ns",),
}
_SIZES = {
    "Container, KiB": "container_KiB",
    "Guest code, KiB": "code_KiB",
    "Machine code, KiB": "native_KiB",
    "Data, KiB": "data_KiB",
    "Heap, KiB": "heap_KiB",
}
# Whose parts are shown one by one: a process of its own, with the default strategy, and none.
_SPLIT = ("generic/static", "linux/lazy")


def build(study):
    cells = {}  # (program, configuration) → benchmark
    for name, path in study.paths("cold").items():
        if len(path.rest) == 2:
            cells[path.rest[1], f"{path.backend}/{path.rest[0]}"] = name
    if not cells:
        return [], []
    section = Section("cold", "Programs from nothing to an answer", _ASKS)
    programs = sorted({program for program, _ in cells})
    section.tables = [_split_table(study, cells, programs, one) for one in _SPLIT]
    section.tables += [_strategies_table(study, cells, programs), _sizes_table(study, cells, programs)]
    section.tables = [table for table in section.tables if table.rows]
    return [section], []


def _split_table(study, cells, programs, configuration):
    rows = []
    for program in programs:
        name = cells.get((program, configuration))
        if name:
            parts = [_part(study, name, counters) for counters in _PARTS.values()]
            rows.append([program, time_figure(f"time/{name}", study.time_ns(name))] + parts)
    caption = f"{configuration.replace('/', ', ')}: what the time is made of; median over processes"
    return Table(caption, ["Program", "In all", *_PARTS], rows)


def _part(study, name, counters):
    key = f"cold/{name}/{'-'.join(counters)}"
    if len(counters) == 1:
        return time_figure(key, study.counter(name, counters[0]))
    difference = study.sum([(name, counters[0], 1.0), (name, counters[1], -1.0)])
    # Two runs that differ by less than the machine's mood.
    return time_figure(key, difference) if difference and difference.median > 0 else NONE


def _strategies_table(study, cells, programs):
    configurations = sorted({configuration for _, configuration in cells})
    rows = []
    for program in programs:
        twin = f"run/{NATIVE}/{program}"
        names = [cells.get((program, configuration)) for configuration in configurations]
        rows.append([program] + [ratio_figure(f"cold-slowdown/{n}", study.ratio(n, twin)) if n else NONE for n in names])
    columns = ["Program"] + [configuration.replace("/", ", ") for configuration in configurations]
    return Table(f"By memory strategy. {_STRATEGIES_ASK}", columns, rows)


def _sizes_table(study, cells, programs):
    rows = []
    for program in programs:
        name = next(name for (one, _), name in cells.items() if one == program)
        counters = [(f"size/{name}/{key}", study.counter(name, key)) for key in _SIZES.values()]
        rows.append([program] + [plain_figure(key, estimate) for key, estimate in counters])
    return Table("Sizes: what is shipped, what it becomes, what the guest asks for", ["Program", *_SIZES], rows)
