"""How much slower than its native twin does a guest run?"""

from .. import charts
from ..document import NONE, Plot, Section, Table, count_of, ratio_figure, ratio_range, time_figure, time_range
from .configurations import is_quick, split

NATIVE = "native"
FAST = "native_fast"

# The label of a benchmark says what kind of workload it runs; results from before there were kinds have none.
ASSEMBLY = "assembly"

# Workloads whose twin does next to nothing, or leaves the work to the kernel. Their ratio says nothing about the
# code that was compiled, so no mean contains it.
APART = {
    "noop": "the twin is one call",
    "host_call_loop": "the twin is a loop of calls",
    "trap_loop": "the twin is a loop of calls",
    "touch_pages": "the kernel does the work, for guest and twin alike",
}

_ASKS = (
    "Wall time of one whole call of a workload, as a multiple of its native twin: the same algorithm in scalar"
    " C++, compiled at -O2, timed in the same process. Every result is checked. Compiling and instantiating the"
    " guest are not in it. 1× is native speed; lower is better."
)
_NO_TWIN = (
    "No native twin was measured, so there is no slowdown to give: run without a filter, or with one that also"
    " lets run/native through. The times are under «Every benchmark»."
)


class Matrix:
    """Workloads × configurations of one size, of some kinds: which benchmark is where."""

    def __init__(self, study, quick, kinds=(ASSEMBLY,)):
        paths = {
            name: path for name, path in study.paths("run").items()
            if path.rest and is_quick(path) == quick and (study.label(name) or ASSEMBLY) in kinds
        }
        fast_names = {"/".join(path.rest): name for name, path in paths.items() if path.backend == FAST}
        twin_names = {"/".join(path.rest): name for name, path in paths.items() if path.backend == NATIVE}
        self.study = study
        self.size = "quick" if quick else "full"
        self.twins = {workload.removesuffix("/quick"): name for workload, name in twin_names.items()}
        self.fast_twins = fast_names
        self.cells = {}
        for name, path in paths.items():
            if path.backend not in (NATIVE, FAST):
                configuration, workload = split(path, self.twins)
                self.cells[workload, configuration] = name
        workloads = sorted({workload for workload, _ in self.cells} | set(self.twins))
        self.workloads = [workload for workload in workloads if workload not in APART]
        self.apart = [workload for workload in workloads if workload in APART]
        self.configurations = sorted({c for _, c in self.cells}, key=lambda configuration: configuration.order)

    def ratio(self, workload, configuration):
        """(figure key, estimate); the estimate is None where a side is missing."""
        name, twin = self.cells.get((workload, configuration)), self.twins.get(workload)
        return f"slowdown/{name}", self.study.ratio(name, twin) if name and twin else None

    def mean(self, configuration, kind=ASSEMBLY):
        """(figure key, number of workloads in it, estimate), of one kind."""
        complete = [w for w in self.of_kind(kind) if self.ratio(w, configuration)[1]]
        pairs = [(self.cells[w, configuration], self.twins[w]) for w in complete]
        of_kind = "" if kind == ASSEMBLY else f"{kind.replace(' ', '_')}/"
        key = f"mean/{of_kind}{self.size}/{configuration.backend}/{configuration.variant}"
        return key, len(pairs), self.study.mean_ratio(pairs)

    def of_kind(self, kind):
        """The workloads of a kind that belong into its mean."""
        return [w for w in self.workloads if self.kind(w) == kind]

    def kind(self, workload):
        names = [self.twins.get(workload), *(name for (w, _), name in self.cells.items() if w == workload)]
        return next((label for name in names if name and (label := self.study.label(name))), ASSEMBLY)


def build(study):
    full, quick = Matrix(study, quick=False), Matrix(study, quick=True)
    sections, summary = [], []
    for matrix, build_section in ((full, _full_section), (quick, _quick_section)):
        if matrix.cells:
            sections.append(build_section(matrix))
            summary += [row for c in matrix.configurations if (row := _summary_row(matrix, c))]
    if sections and not full.twins and not quick.twins:
        summary.append(["Slowdown against native", NONE, NONE, NONE, "no native twin measured"])
    return sections, summary


def _full_section(matrix):
    section = Section("run", "Running: slowdown against the native twin", _ASKS)
    return _filled(section, matrix, "slowdown", "Slowdown against the native twin")


def _quick_section(matrix):
    asks = "The same for inputs so small that the interpreter finishes them too; the start weighs more here."
    section = Section("run-quick", "Running small inputs: interpreter and recompiler", asks)
    return _filled(section, matrix, "slowdown-quick", "Slowdown against the native twin, small inputs")


def _filled(section, matrix, plot_id, title):
    if not matrix.twins:
        section.answer.append([_NO_TWIN])
        return section
    groups = _groups(matrix)
    if groups:
        labels = [configuration.label for configuration in matrix.configurations]
        axis = "× the native twin's time; lower is better"
        section.plots = [Plot(f"{plot_id}.svg", charts.lollipops(plot_id, title, groups, labels, axis, 1.0))]
    section.tables = [table for table in (_table(matrix), _apart_table(matrix)) if table.rows]
    section.notes = _notes(matrix)
    return section


def _summary_row(matrix, configuration):
    """Small inputs matter to the summary only for what runs nothing else."""
    key, count, mean = matrix.mean(configuration)
    if not mean or (matrix.size == "quick" and configuration.backend != "interpreter"):
        return None
    worst = max(matrix.workloads, key=lambda workload: _median(matrix.ratio(workload, configuration)[1]))
    remark = (f"geometric mean of {count_of(count, 'workload')}; worst: {worst}",
              ratio_figure(*matrix.ratio(worst, configuration)))
    size = ", small inputs" if matrix.size == "quick" else ""
    return ["Slowdown against native", configuration.label + size, ratio_figure(key, mean),
            ratio_range(key, mean), remark]


def _median(estimate):
    return estimate.median if estimate else 0.0


def _table(matrix):
    rows = [_row(matrix, workload) for workload in matrix.workloads]
    if rows:
        means = [matrix.mean(configuration) for configuration in matrix.configurations]
        rows.append(["Geometric mean", NONE] + [(ratio_figure(k, e), ratio_range(k, e)) for k, _, e in means])
    return Table("Slowdown per workload: median over processes, then lowest…highest process", _columns(matrix), rows)


def _apart_table(matrix):
    rows = [_row(matrix, workload) for workload in matrix.apart]
    return Table("Not in the mean, since the twin does not do the work that is timed", _columns(matrix), rows)


def _columns(matrix):
    return ["Workload", "Native twin"] + [configuration.label for configuration in matrix.configurations]


def _row(matrix, workload):
    twin = matrix.twins.get(workload)
    native = matrix.study.time_ns(twin) if twin else None
    first = (time_figure(f"time/{twin}", native), time_range(f"time/{twin}", native)) if native else "no twin"
    ratios = [matrix.ratio(workload, configuration) for configuration in matrix.configurations]
    return [workload, first] + [(ratio_figure(*one), ratio_range(*one)) for one in ratios]


def _groups(matrix):
    groups = [charts.Group(w, bars([matrix.ratio(w, c) for c in matrix.configurations])) for w in matrix.workloads]
    means = [matrix.mean(configuration) for configuration in matrix.configurations]
    groups.append(charts.Group("geometric mean", bars([(key, mean) for key, _, mean in means])))
    return [group for group in groups if group.bars]


def bars(keyed):
    return [charts.Bar(series, e, ratio_figure(key, e)) for series, (key, e) in enumerate(keyed) if e]


def _notes(matrix):
    notes = [f"{workload} is apart: {APART[workload]}." for workload in matrix.apart if matrix.size == "full"]
    lonely = [w for w in matrix.workloads if w not in matrix.twins]
    if lonely:
        notes.append(f"No native twin was measured for {', '.join(lonely)}: their times are under «Every benchmark».")
    for configuration in matrix.configurations:
        _, count, _ = matrix.mean(configuration)
        if count < len(matrix.workloads):
            total = count_of(len(matrix.workloads), "workload")
            notes.append(f"{configuration.label}: the mean is of {count} of {total}.")
    return notes
