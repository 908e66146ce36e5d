"""Every benchmark's numbers, by family, with those of each process."""

from ..document import NONE, Figure, Section, Table, three_digits, time_figure, time_range, time_scale
from ..load import NOISE

_COLUMNS = ["Benchmark", "Wall time", "Lowest…highest", "CPU time", "Each process", "Repetitions", "Counters"]
_ASKS = (
    "Per iteration. A process is its fastest repetition; the time is the median over processes. Counters are"
    " medians over all repetitions; the noise ledger is below."
)


def build(study):
    section = Section("raw", "Every benchmark", _ASKS, folded=True)
    section.tables = [_table(study, family) for family in study.families]
    return [section], []


def _table(study, family):
    members = [name for name in study.names if name.partition("/")[0] == family]
    return Table(family, _COLUMNS, [_row(study, name) for name in members])


def _row(study, name):
    if name in study.without_result:
        verdict = "failed" if name in study.failed else "skipped"
        return [name, f"{verdict}: {study.without_result[name]}"] + [NONE] * (len(_COLUMNS) - 2)
    time, cpu = study.time_ns(name), study.cpu_ns(name)
    if not time:
        return [name, "no usable time"] + [NONE] * (len(_COLUMNS) - 2)
    return [
        name,
        time_figure(f"time/{name}", time),
        time_range(f"time/{name}", time),
        time_figure(f"cpu/{name}", cpu),
        _each_process(name, time),
        str(study.repetitions(name)),
        _counters(study, name),
    ]


def _each_process(name, time):
    scale, unit = time_scale(time.median)
    values = " ".join(three_digits(value / scale) for value in time.per_process)
    return Figure(f"processes/{name}", f"{values} {unit}", is_prose=True)


def _counters(study, name):
    found = {key: value for key, value in study.counters(name).items() if not key.startswith(NOISE)}
    counters = [f"{key} {three_digits(value)}" for key, value in found.items()]
    return Figure(f"counters/{name}", ", ".join(counters), is_prose=True) if counters else ""
