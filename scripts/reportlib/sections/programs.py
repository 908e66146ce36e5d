"""How much slower than its native twins does a program in C or C++ run?"""

from .. import charts
from ..document import NONE, Plot, Section, Table, count_of, ratio_figure, ratio_range, time_figure, time_range
from . import run

# Label of the benchmarks → heading, in the order of display. Only the last one's ratios are no measure of the
# compiler, so it has no line in the summary.
KINDS = {
    "kernel": "Kernels, a few hundred lines around one loop",
    "program": "Programs that people run",
    "soft float": "Floating point, in software in the guest and in hardware in the twin",
}
_IN_SUMMARY = ("kernel", "program")

_ASKS = (
    "Wall time of one call of a program, as a multiple of its scalar twin: the same sources by the same compiler, -O2,"
    " without vector instructions, which guests do not have, and with the same memory functions. «Fast twin» is the"
    " same sources at -O3 -march=native, as a multiple of the scalar twin. Every result is checked."
    " 1× is the scalar twin's speed; lower is better."
)
_QUICK_ASKS = "The same for inputs so small that the interpreter finishes them too."


def build(study):
    sections, summary = [], []
    for quick, anchor, title, asks in (
        (False, "programs", "Programs in C and C++: slowdown against native", _ASKS),
        (True, "programs-quick", "Programs in C and C++, small inputs", _QUICK_ASKS),
    ):
        matrix = run.Matrix(study, quick, tuple(KINDS))
        if matrix.cells and matrix.twins:
            sections.append(_section(matrix, Section(anchor, title, asks)))
            summary += [row for kind in _IN_SUMMARY for c in matrix.configurations if (row := _summary_row(matrix, kind, c))]
    return sections, summary


def _section(matrix, section):
    labels = [configuration.label for configuration in matrix.configurations]
    axis = "× the scalar twin's time; lower is better"
    for kind, heading in KINDS.items():
        workloads = matrix.of_kind(kind)
        if not workloads:
            continue
        rows = [_row(matrix, workload) for workload in workloads] + [_mean_row(matrix, kind)]
        columns = ["Program", "Scalar twin", "Fast twin"] + labels
        section.tables.append(Table(f"{heading}: median over processes, then lowest…highest process", columns, rows))
        plot_id = f"{section.anchor}-{kind.replace(' ', '-')}"
        groups = _groups(matrix, kind)
        if groups:
            svg = charts.lollipops(plot_id, heading, groups, labels, axis, 1.0)
            section.plots.append(Plot(f"{plot_id}.svg", svg))
    return section


def _summary_row(matrix, kind, configuration):
    """Small inputs matter to the summary only for what runs nothing else."""
    key, count, mean = matrix.mean(configuration, kind)
    if not mean or (matrix.size == "quick" and configuration.backend != "interpreter"):
        return None
    complete = [w for w in matrix.of_kind(kind) if matrix.ratio(w, configuration)[1]]
    worst = max(complete, key=lambda workload: matrix.ratio(workload, configuration)[1].median)
    remark = (f"geometric mean of {count_of(count, kind)}; worst: {worst}",
              ratio_figure(*matrix.ratio(worst, configuration)))
    size = ", small inputs" if matrix.size == "quick" else ""
    return [f"Slowdown of {kind}s in C and C++", configuration.label + size, ratio_figure(key, mean),
            ratio_range(key, mean), remark]


def _row(matrix, workload):
    twin, fast = matrix.twins.get(workload), matrix.fast_twins.get(workload)
    native = matrix.study.time_ns(twin) if twin else None
    first = (time_figure(f"time/{twin}", native), time_range(f"time/{twin}", native)) if native else NONE
    faster = matrix.study.ratio(fast, twin) if fast and twin else None
    ratios = [matrix.ratio(workload, configuration) for configuration in matrix.configurations]
    return [workload, first, ratio_figure(f"fast/{workload}", faster)] + [
        (ratio_figure(*one), ratio_range(*one)) for one in ratios
    ]


def _mean_row(matrix, kind):
    means = [matrix.mean(configuration, kind) for configuration in matrix.configurations]
    pairs = [(fast, twin) for w in matrix.of_kind(kind)
             if (fast := matrix.fast_twins.get(w)) and (twin := matrix.twins.get(w))]
    faster = matrix.study.mean_ratio(pairs) if pairs else None
    key = f"fast/{matrix.size}/mean/{kind.replace(' ', '_')}"
    return ["Geometric mean", NONE, ratio_figure(key, faster)] + [
        (ratio_figure(key, mean), ratio_range(key, mean)) for key, _, mean in means
    ]


def _groups(matrix, kind):
    groups = [charts.Group(w, run.bars([matrix.ratio(w, c) for c in matrix.configurations])) for w in matrix.of_kind(kind)]
    means = [matrix.mean(configuration, kind) for configuration in matrix.configurations]
    groups.append(charts.Group("geometric mean", run.bars([(key, mean) for key, _, mean in means])))
    return [group for group in groups if group.bars]
