"""What does a step of a sandbox's life cost, beside the primitive it could rest on?"""

from .. import charts, names
from ..document import NONE, Plot, Section, Table, ratio_figure, ratio_range, time_figure, time_range

RAW = "raw"
_ELSEWHERE = frozenset({"run", "cold", "gas", "compile", "encoder", "noop"})  # families that have a section of their own

# family → (title, what is timed)
_QUESTIONS = {
    "host_call": ("Host calls", "One round trip host → guest → host, or one copy between host and guest memory."),
    "trap": ("Traps", "From resuming the guest to the host knowing why it stopped."),
    "spawn": ("Starting processes", "One worker process, or one whole engine with its template."),
    "pool": ("Workers from a pool", "A turnover: acquire a worker, run a guest, reset the worker, release it."),
    "handoff": ("Handing the turn over", "From resuming the guest to the host knowing why it stopped; single samples."),
    "paging": ("Pages", "Faults that the host serves, first touches, and resets of guest memory."),
    "kill": ("Killing", "From the signal until the process is gone."),
    "footprint": ("Memory of a process", "Starting all the processes whose memory is then counted."),
    "hardening": ("Optional layers", "One operation with this layer, which was asked for by name, beside none."),
    "instantiate": ("Instantiating", "A cycle: create a sandbox from a ready module, call it, drop it; and its parts."),
}

# family → what of it is in the summary; of other families, everything.
_HEADLINES = {
    "host_call": ("loop", "loop_sync", "registers"),
    "instantiate": ("call", "cycle/tiny", "cycle/code_1MiB", "cycle/touch_64"),
    # The table of targets has the headlines of these.
    **{family: () for family in ("spawn", "pool", "handoff", "paging", "kill", "footprint", "hardening")},
}

# What stands beside a benchmark (named without its backend) where its family has no raw one of the same name.
PRIMITIVES = {
    ("trap", "memory"): "trap/raw/sigsegv_longjmp",
    ("trap", "instruction"): "trap/raw/sigsegv_longjmp",
    ("trap", "dynamic_jump"): "trap/raw/sigsegv_longjmp",
    ("trap", "out_of_gas"): "trap/raw/sigsegv_longjmp",
    ("host_call", "loop"): "noop/native/system_call",
    ("host_call", "loop_sync"): "noop/native/system_call",
    ("host_call", "registers"): "noop/native/system_call",
    ("spawn", "worker/same_core"): "spawn/raw/fork/small_process",
    ("spawn", "engine"): "spawn/raw/namespaces/all",
    ("paging", "first_write"): "paging/raw/first_write/memfd_fresh",
    ("kill", "running"): "kill/raw/other_core_running",
    ("footprint", "worker"): "footprint/raw/fork_small_process",
    **{
        ("hardening", f"{what}/{layer}"): f"hardening/linux/{what}/none"
        for what in ("engine", "worker", "host_call_same_core", "host_call_cross_core", "sort", "touch_pages")
        for layer in ("forbid_store_bypass", "isolate_predictor", "flush_l1_cache", "forbid_timestamp", "cgroup")
    },
    **{
        ("handoff", f"{stop}/{seating}{load}"): f"handoff/raw/{primitive}{load}"
        for stop in ("host_call", "host_call_sync", "trap", "memory_fault", "out_of_gas")
        for seating, primitive in (("cross_core", "spin/cross_core"), ("same_core", "futex/same_core"))
        for load in ("", "/hogs")
    },
    **{("paging", f"reset/zeroes/{pages}"): f"paging/raw/reset/fstat_memset/{pages}" for pages in (16, 64, 256)},
    **{("paging", f"reset/image/{pages}"): f"paging/raw/reset/pagemap_scan_memcpy/{pages}" for pages in (16, 64, 256)},
}


def build(study):
    sections, summary = [], []
    for family in [family for family in study.families if family not in _ELSEWHERE]:
        pairs = _pairs(study, family)
        if pairs:
            sections.append(_section(study, family, pairs))
            summary += _summary(study, family, pairs)
    return sections, summary


def _pairs(study, family):
    """(benchmark, its primitive or None)"""
    guests = {name: path for name, path in study.paths(family).items() if path.backend != RAW}
    return [(name, _primitive_of(study, family, path)) for name, path in guests.items()]


def _primitive_of(study, family, path):
    variant = "/".join(path.rest)
    for candidate in (f"{family}/{RAW}/{variant}", PRIMITIVES.get((family, variant))):
        if candidate in study.names and candidate not in study.without_result:
            return candidate
    return None


def _question(family):
    return _QUESTIONS.get(family, (names.in_words(family).capitalize(), "One operation."))


def _section(study, family, pairs):
    title, asks = _question(family)
    section = Section(family.replace("_", "-"), title, f"{asks} Wall time; lower is better.")
    section.tables = [table for table in (_table(study, pairs), _raw_table(study, family)) if table.rows]
    plot = _plot(study, family, title, pairs)
    section.plots = [plot] if plot else []
    if any(primitive for _, primitive in pairs):
        section.notes.append(
            "A primitive is what the kernel and the CPU want for such a step without any sandbox: a signal to its"
            " handler and back, a system call. Below 1× the sandbox gets by without it."
        )
    return section


def _ratio(study, name, primitive):
    """(figure key, estimate or None)"""
    return f"against/{primitive}/{name}", study.ratio(name, primitive) if primitive else None


def _table(study, pairs):
    if not any(primitive for _, primitive in pairs):
        rows = [_time_row(study, name) for name, _ in pairs]
        return Table("Median over processes", ["Benchmark", "Time", "Lowest…highest"], rows)
    columns = ["Benchmark", "Time", "Lowest…highest", "Primitive", "Its time", "Ratio", "Lowest…highest ratio"]
    rows = [_time_row(study, name) + _primitive_cells(study, name, primitive) for name, primitive in pairs]
    return Table("Median over processes, beside a primitive where there is one", columns, rows)


def _time_row(study, name):
    time = study.time_ns(name)
    return [name, time_figure(f"time/{name}", time), time_range(f"time/{name}", time)]


def _primitive_cells(study, name, primitive):
    if not primitive:
        return ["", NONE, NONE, NONE]
    ratio = _ratio(study, name, primitive)
    raw = time_figure(f"time/{primitive}", study.time_ns(primitive))
    return [primitive, raw, ratio_figure(*ratio), ratio_range(*ratio)]


def _raw_table(study, family):
    found = [name for name, path in study.paths(family).items() if path.backend == RAW]
    rows = [_time_row(study, name) for name in found]
    return Table("The primitives alone", ["Primitive", "Time", "Lowest…highest"], rows)


def _plot(study, family, title, pairs):
    groups = []
    for name, primitive in pairs:
        key, ratio = _ratio(study, name, primitive)
        if ratio:
            bar = charts.Bar(0, ratio, ratio_figure(key, ratio))
            groups.append(charts.Group(name.removeprefix(family + "/"), [bar]))
    if not groups:
        return None
    plot_id = family.replace("_", "-") + "-plot"
    axis = "× the primitive's time; lower is better"
    drawn = charts.lollipops(plot_id, f"{title} beside their primitives", groups, [], axis, 1.0)
    return Plot(f"{family.replace('_', '-')}.svg", drawn)


def _summary(study, family, pairs):
    """The interpreter is there to be right, not fast: its steps are in the section only."""
    return [_summary_row(study, family, *pair) for pair in pairs if _is_headline(family, names.parse(pair[0]))]


def _is_headline(family, path):
    variant = "/".join(path.rest)
    return path.backend != "interpreter" and variant in _HEADLINES.get(family, (variant,))


def _summary_row(study, family, name, primitive):
    time, ratio = study.time_ns(name), _ratio(study, name, primitive)
    remark = (f"against {primitive}:", ratio_figure(*ratio)) if ratio[1] else ""
    label = names.in_words(name.removeprefix(family + "/")).replace("/", ", ")
    return [_question(family)[0], label, time_figure(f"time/{name}", time), time_range(f"time/{name}", time), remark]
