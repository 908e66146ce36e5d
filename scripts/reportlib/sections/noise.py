"""What else happened on the machine meanwhile?"""

from ..document import NONE, Figure, Section, Table, three_digits
from ..load import NOISE

_ASKS = (
    "Totals over everything a process measured: how long it waited for a CPU, what the hypervisor took, how often"
    " it was moved or switched, how long others waited (pressure). A process that stands out here explains a"
    " sample that stands out above."
)


def build(study):
    keys = sorted(
        {k for p in study.processes for s in p.series.values() for k in s.counters if k.startswith(NOISE)}
    )
    if not keys:
        return [], []
    section = Section("noise", "Noise ledger", _ASKS, folded=True)
    columns = ["Source"] + [process.file.removesuffix(".json") for process in study.processes]
    section.tables = [Table("Noise per process", columns, [_row(study, key) for key in keys])]
    return [section], []


def _row(study, key):
    cells = [
        NONE if total is None else Figure(f"noise/{key}/{index}", three_digits(total))
        for index, total in enumerate(study.counter_totals(key))
    ]
    return [key.removeprefix(NOISE).replace("_", " "), *cells]
