"""What does measuring cost?"""

from ..document import Section, Table, time_figure, time_range

_ASKS = (
    "What the loop around every measurement adds, with nothing in it. Beside it what a benchmark pays that times"
    " itself (clock), and the cheapest system call. Wall time."
)


def build(study):
    found = study.paths("noop")
    estimates = {name: study.time_ns(name) for name in found}
    rows = [
        [name, time_figure(f"time/{name}", e), time_range(f"time/{name}", e)] for name, e in estimates.items() if e
    ]
    if not rows:
        return [], []
    section = Section("noop", "Measuring nothing", _ASKS)
    section.tables = [Table("Cost of an iteration", ["Benchmark", "Time", "Lowest…highest"], rows)]
    return [section], []
