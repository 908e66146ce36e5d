"""What does counting gas cost a running guest?"""

from .. import charts
from ..document import (
    NONE,
    Plot,
    Section,
    Table,
    count_of,
    difference_figure,
    difference_range,
    ratio_figure,
    ratio_range,
)
from .configurations import is_quick, split, with_gas_off
from .run import APART

COUNTER = "ns_per_block"
_ASKS = (
    "Wall time with metering as a multiple of the same benchmark with gas off, in the same process. 1× means that"
    " metering is free; lower is better. Below, what one charge costs, by the length of the block it pays for."
)


def build(study):
    columns, charges = _columns(study), _charges(study)
    if not columns and not charges:
        return [], []
    section = Section("metering", "Gas: what metering costs", _ASKS)
    section.plots = _plots(study, columns)
    section.tables = [table for table in (_table(study, columns), _charge_table(charges)) if table.rows]
    summary = [_summary_row(study, column, columns[column]) for column in columns]
    return [section], [row for row in summary if row]


def _columns(study):
    """(configuration, whether for small inputs) → {workload: (metered benchmark, the same unmetered)}

    Small inputs only of what runs nothing else.
    """
    found = {}
    for name, path in study.paths("run").items():
        base = with_gas_off(name, study.names)
        if base and study.ratio(name, base):
            configuration, workload = split(path)
            found.setdefault((configuration, is_quick(path)), {})[workload] = (name, base)
    kept = [key for key in found if not key[1] or (key[0], False) not in found]
    return {key: found[key] for key in sorted(kept, key=lambda key: (key[1], key[0].order))}


def _label(column):
    configuration, quick = column
    return configuration.label + (", small inputs" if quick else "")


def _ratio(study, name, base):
    """(figure key, estimate)"""
    return f"metering/{name}", study.ratio(name, base)


def _plots(study, columns):
    shown = [column for column in columns if not column[1]]
    groups = [charts.Group(w, _bars(study, [columns[c].get(w) for c in shown])) for w in _workloads(columns)]
    groups = [group for group in groups if group.bars]
    if not groups:
        return []
    labels = [_label(column) for column in shown]
    axis = "× the time with gas off; lower is better"
    drawn = charts.lollipops("metering-plot", "What metering costs", groups, labels, axis, 1.0)
    return [Plot("metering.svg", drawn)]


def _workloads(columns):
    return sorted({workload for pairs in columns.values() for workload in pairs})


def _bars(study, pairs):
    keyed = [(series, *_ratio(study, *pair)) for series, pair in enumerate(pairs) if pair]
    return [charts.Bar(series, ratio, ratio_figure(key, ratio)) for series, key, ratio in keyed]


def _table(study, columns):
    rows = []
    for workload in _workloads(columns):
        pairs = [pairs.get(workload) for pairs in columns.values()]
        ratios = [_ratio(study, *pair) if pair else ("", None) for pair in pairs]
        rows.append([workload] + [(ratio_figure(*ratio), ratio_range(*ratio)) for ratio in ratios])
    return Table("Metered against unmetered, per workload", ["Workload"] + [_label(c) for c in columns], rows)


def _charges(study):
    """configuration → {additions per block: (benchmark, nanoseconds per block above gas off)}"""
    found = {}
    for name, path in study.paths("gas").items():
        base = with_gas_off(name, study.names)
        extra = study.counter_difference(name, base, COUNTER) if base and path.size else None
        if extra:
            found.setdefault(split(path)[0], {})[path.size] = (name, extra)
    return found


def _charge_table(charges):
    sizes = sorted({size for found in charges.values() for size in found})
    rows = []
    for configuration in sorted(charges, key=lambda c: c.order):
        cells = [_charge_cell(charges[configuration].get(size)) for size in sizes]
        rows.append([configuration.label, *cells])
    columns = ["Metering"] + [f"block of {count_of(size, 'addition')}" for size in sizes]
    return Table("One charge: time per block above gas off", columns, rows)


def _charge_cell(charge):
    if not charge:
        return NONE
    name, extra = charge
    return (difference_figure(f"charge/{name}", extra), difference_range(f"charge/{name}", extra))


def _summary_row(study, column, pairs):
    """Over the workloads that compute."""
    counted = [pair for workload, pair in pairs.items() if workload not in APART]
    mean = study.mean_ratio(counted)
    if not mean:
        return None
    configuration, quick = column
    key = f"metering-mean/{'quick' if quick else 'full'}/{configuration.backend}/{configuration.variant}"
    remark = f"geometric mean of {count_of(len(counted), 'workload')}"
    return ["Metering against gas off", _label(column), ratio_figure(key, mean), ratio_range(key, mean), remark]
