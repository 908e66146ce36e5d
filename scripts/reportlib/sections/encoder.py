"""Which machine code encoder does the compiler want?"""

from .. import charts
from ..document import (
    Plot,
    Section,
    Table,
    difference_figure,
    plain_figure,
    ratio_figure,
    ratio_range,
    time_figure,
    time_range,
)

OWN, DISPATCH = "own", "none"
_PER_INSTRUCTION = "ns_per_instruction"
_ASKS = (
    "Wall time of writing one machine instruction, of a sequence like those the compiler writes: our encoder (own)"
    " and the libraries that were found at build time. «none» is the loop around them, which every other figure"
    " contains. What each encoder writes is run to verify it. Lower is better."
)


def build(study):
    costs = {name: study.counter(name, _PER_INSTRUCTION) for name in study.paths("encoder")}
    costs = {name: cost for name, cost in costs.items() if cost}
    if not costs:
        return [], []
    section = Section("encoder", "Encoders of machine code", _ASKS)
    section.plots = [_plot(costs)]
    columns = ["Encoder", "Per instruction", "Lowest…highest", "Above the loop", "Against own", "Lowest…highest ratio",
               "Bytes per instruction"]
    section.tables = [Table("Median over processes", columns, [_row(study, name, costs[name]) for name in costs])]
    longest = {_who(name): name for name in costs}  # of each encoder the last, which has the longest sequence
    return [section], [_summary_row(study, name, costs[name]) for who, name in longest.items() if who != DISPATCH]


def _who(name):
    return name.split("/")[1] if "/" in name else name


def _as(name, who):
    """The same benchmark of another encoder."""
    return "/".join(["encoder", who, *name.split("/")[2:]])


def _key(name):
    return f"per-instruction/{name}"


def _row(study, name, cost):
    above = study.counter_difference(name, _as(name, DISPATCH), _PER_INSTRUCTION) if _who(name) != DISPATCH else None
    key, ratio = _against_own(study, name)
    return [
        name.removeprefix("encoder/"), time_figure(_key(name), cost), time_range(_key(name), cost),
        difference_figure(f"above/{name}", above), ratio_figure(key, ratio), ratio_range(key, ratio),
        plain_figure(f"bytes/{name}", study.counter(name, "bytes_per_instruction")),
    ]


def _against_own(study, name):
    """(figure key, ratio); None for our own and for the loop."""
    ratio = None if _who(name) in (OWN, DISPATCH) else study.ratio(name, _as(name, OWN))
    return f"against/own/{name}", ratio


def _plot(costs):
    groups = [
        charts.Group(name.removeprefix("encoder/"), [charts.Bar(0, cost, time_figure(_key(name), cost))])
        for name, cost in costs.items()
    ]
    axis = "ns per machine instruction; lower is better"
    return Plot("encoder.svg", charts.lollipops("encoder-plot", "Encoders of machine code", groups, [], axis, 0.0))


def _summary_row(study, name, cost):
    key, ratio = _against_own(study, name)
    remark = ("against own:", ratio_figure(key, ratio)) if ratio else ""
    return ["Encoder, per machine instruction", _who(name), time_figure(_key(name), cost),
            time_range(_key(name), cost), remark]
