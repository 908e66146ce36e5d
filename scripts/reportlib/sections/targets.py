"""Does the Linux backend keep what it was designed for, and what would the kernel's primitives alone cost?"""

import dataclasses

from ..document import (
    NONE, Figure, Section, Table, count_of, duration, plain_range, ratio_figure, three_digits, time_range
)

# What is compared: the counter of a benchmark, None for its time; and what the numbers are.
P50, P99, TIME, SPREAD, KIB = "p50_ns", "p99_ns", None, "mean_over_p50", ("kernel_KiB", "user_KiB")


@dataclasses.dataclass(frozen=True)
class Target:
    number: int
    what: str
    benchmark: str
    limit: float  # nanoseconds; KiB; times
    floor: tuple = ()  # of benchmarks, or (benchmark, how often): what nobody can go below
    tail_limit: float | None = None  # of the 99th percentile
    key: object = P50
    per: int = 1  # operations in one iteration

    @property
    def terms(self):
        return [(self.benchmark, key, 1 / self.per) for key in (self.key if isinstance(self.key, tuple) else (self.key,))]

    @property
    def floor_terms(self):
        pairs = [(term, 1) if isinstance(term, str) else term for term in self.floor]
        keys = self.key if isinstance(self.key, tuple) else (self.key if self.key == SPREAD else P50,)
        return [(name, _key_of(name, key), count / self.per) for name, count in pairs for key in keys]


# Families whose benchmarks have no distribution: their time stands for the typical one.
_WITHOUT_DISTRIBUTION = ("trap/", "noop/")


def _key_of(name, key):
    return TIME if key == P50 and name.startswith(_WITHOUT_DISTRIBUTION) else key


_SPIN, _FUTEX = "handoff/raw/spin/cross_core", "handoff/raw/futex/same_core"
_SIGNAL = "trap/raw/sigsegv_longjmp"
_SERVED = "paging/raw/uffd_zeropage"


def _same_core(variant):
    return f"{variant}/same_core"


def _rows():
    us, ms = 1e3, 1e6
    pool, handoff, fault = "pool/linux/same_module", "handoff/linux", "paging/linux/fault"
    yield Target(1, "a worker, from the call until it is ready", "spawn/linux/worker/same_core", 60 * us,
                 ("spawn/raw/fork/small_process", "spawn/raw/seccomp/4"), 150 * us)
    yield Target(2, "start of an engine, with its template", "spawn/linux/engine", 0.6 * ms,
                 ("spawn/raw/exec/clone_execveat", "spawn/raw/namespaces/all"))
    yield Target(3, "warm turnover, spinning", f"{pool}/cross_core", 4 * us,
                 (_SPIN, "paging/raw/reset/fstat_memset/4"))
    yield Target(3, "warm turnover, same core", _same_core(pool), 8 * us,
                 (_FUTEX, "paging/raw/reset/fstat_memset/4"), 12 * us)
    yield Target(4, "warm turnover, another module", "pool/linux/other_module/cross_core", 10 * us,
                 ((_SPIN, 2), "paging/raw/reset/fstat_memset/4", "pool/raw/next_image"))
    yield Target(4, "warm turnover, 1 MiB of code", "pool/linux/same_module_code_1MiB/cross_core", 10 * us, (_SPIN,))
    yield Target(4, "warm turnover, another module with 1 MiB of code",
                 "pool/linux/other_module_code_1MiB/cross_core", 10 * us, ((_SPIN, 2), "pool/raw/next_image_1MiB"))
    for variant, gas in (("host_call", "gas off"), ("host_call_sync", "synchronous gas")):
        name = f"{handoff}/{variant}"
        yield Target(5, f"host call, {gas}, spinning", f"{name}/cross_core", 0.22 * us, (_SPIN,))
        yield Target(5, f"host call, {gas}, spinning: mean/p50", f"{name}/cross_core", 2, (_SPIN,), key=SPREAD)
        yield Target(5, f"host call, {gas}, same core", _same_core(name), 2.2 * us, (_FUTEX,))
    yield Target(5, "host call, generic backend", "host_call/generic/loop", 15, key=TIME)
    yield Target(6, "host call with two CPU hogs, spinning: mean/p50", f"{handoff}/host_call/cross_core/hogs", 3,
                 (f"{_SPIN}/hogs",), key=SPREAD)
    yield Target(6, "host call with two CPU hogs, same core: mean/p50", f"{_same_core(f'{handoff}/host_call')}/hogs", 3,
                 (f"{_FUTEX}/hogs",), key=SPREAD)
    yield Target(6, "host call with two CPU hogs, not pinned: mean/p50", f"{handoff}/host_call/anywhere/hogs", 3,
                 (f"{_SPIN}/hogs",), key=SPREAD)
    yield Target(7, "trap instruction, spinning", f"{handoff}/trap/cross_core", 0.35 * us, (_SPIN,))
    yield Target(7, "trap instruction, same core", _same_core(f"{handoff}/trap"), 2.2 * us, (_FUTEX,))
    yield Target(7, "memory fault, spinning", f"{handoff}/memory_fault/cross_core", 1.25 * us, (_SPIN, _SIGNAL))
    yield Target(7, "out of gas, spinning", f"{handoff}/out_of_gas/cross_core", 1.2 * us, (_SPIN,))
    yield Target(8, "page fault served by the host, spinning", f"{fault}/cross_core/1", 2.5 * us,
                 (_SPIN, _SIGNAL, f"{_SERVED}/1"))
    yield Target(8, "page fault served by the host, same core", _same_core(fault) + "/1", 4.5 * us,
                 (_FUTEX, _SIGNAL, f"{_SERVED}/1"))
    yield Target(8, "the same in batches of 16, per page", _same_core(fault) + "/16", 1.1 * us,
                 (_FUTEX, _SIGNAL, f"{_SERVED}/16"), per=16)
    for pages, limit in ((16, 6 * us), (64, 12 * us), (256, 50 * us)):
        yield Target(9, f"reset, {pages} dirty pages of zeroes", f"paging/linux/reset/zeroes/{pages}", limit,
                     (f"paging/raw/reset/fstat_memset/{pages}",))
        yield Target(9, f"reset, {pages} dirty pages of an image", f"paging/linux/reset/image/{pages}", limit,
                     (f"paging/raw/reset/pagemap_scan_memcpy/{pages}",))
    yield Target(10, "an idle worker: memory of the kernel and private", "footprint/linux/worker", 100,
                 ("footprint/raw/fork_small_process",), key=KIB)
    yield Target(11, "kill, until it is gone, same core", "kill/linux/same_core", 25 * us, ("kill/raw/same_core",))
    yield Target(12, "kill, until a waiting run() has returned: p99", "kill/linux/running_noticed", 1 * ms,
                 ("kill/raw/other_core_running",), key=P99)


TARGETS = tuple(_rows())

_ASKS = (
    "The figures that the Linux backend was designed for. A process is the median of its repetitions, here. The"
    " floor is what the kernel and the CPU want for the same in the same run, without any sandbox: primitives that"
    " cannot be left out, added up. «Spinning» puts host and worker on two cores, where both may look for the"
    " other's turn before they sleep; «same core» puts them on one, where neither does."
)
_HOGS_COLUMNS = ["Target", "Alone", "Beside hogs", "Lowest…highest", "p99", "× alone"]
_COLUMNS = ["Target", "At most", "Floor", "Measured", "Lowest…highest", "p99", "× floor", "Verdict"]


def build(study):
    measured = [target for target in TARGETS if study.sum(target.terms)]
    if not measured:
        return [], []
    section = Section("targets", "Targets of the design", _ASKS)
    rows = [_row(study, target) for target in measured]
    section.tables = [Table("Median over processes", _COLUMNS, rows)]
    rows = [_row_beside_hogs(study, target) for target in measured if study.sum(_terms_beside_hogs(target))]
    if rows:
        section.tables.append(Table("The same beside two processes that use all the CPU they can get", _HOGS_COLUMNS, rows))
    met = sum(not _excess(study, target) for target in measured)
    section.answer.append([Figure("targets/met", f"{met} of {count_of(len(measured), 'target')} met.")])
    if len(measured) < len(TARGETS):
        section.notes.append(f"{count_of(len(TARGETS) - len(measured), 'target')} not measured in this run.")
    return [section], []


def key_of(target):
    """Of its figures: a benchmark may have two targets."""
    return f"target/{target.benchmark}" + ("/spread" if target.key == SPREAD else "")


def _row(study, target):
    key, value, floor = key_of(target), study.sum(target.terms), study.sum(target.floor_terms)
    return [
        f"{target.number}. {target.what}",
        _limits(target),
        Figure(f"{key}/floor", _text(target, floor.median)) if floor else NONE,
        Figure(key, _text(target, value.median)),
        _range(target, key, value),
        _tail(study, target, key),
        ratio_figure(f"{key}/ratio", study.ratio_of_sums(target.terms, target.floor_terms)),
        Figure(f"{key}/verdict", _verdict(_excess(study, target)), is_prose=True),
    ]


def _terms_beside_hogs(target):
    """None for what is a ratio or memory, or is measured with hogs itself."""
    if target.key not in (P50, P99) or target.benchmark.endswith("hogs"):
        return []
    return [(_beside_hogs(name), key, weight) for name, key, weight in target.terms]


def _beside_hogs(name):
    """A path has five parts at most, so a number of pages keeps its place."""
    return f"{name}_hogs" if name[-1].isdigit() else f"{name}/hogs"


def _row_beside_hogs(study, target):
    terms, key = _terms_beside_hogs(target), f"{key_of(target)}/hogs"
    value = study.sum(terms)
    beside = dataclasses.replace(target, benchmark=_beside_hogs(target.benchmark))
    return [
        f"{target.number}. {target.what}",
        Figure(f"{key}/alone", _text(target, study.sum(target.terms).median)),
        Figure(key, _text(target, value.median)),
        _range(target, key, value),
        _tail(study, beside, key),
        ratio_figure(f"{key}/ratio", study.ratio_of_sums(terms, target.terms)),
    ]


def _limits(target):
    tail = f" (p99 {duration(target.tail_limit)})" if target.tail_limit else ""
    return _text(target, target.limit) + tail


def _text(target, value):
    if target.key == KIB:
        return f"{three_digits(value)} KiB"
    return f"{three_digits(value)}×" if target.key == SPREAD else duration(value)


def _range(target, key, value):
    return time_range(key, value) if target.key in (P50, P99, TIME) else plain_range(key, value)


def _tail(study, target, key):
    tail = study.sum([(target.benchmark, P99, 1 / target.per)]) if target.key == P50 else None
    return Figure(f"{key}/p99", duration(tail.median)) if tail else NONE


def _excess(study, target):
    """name of a limit → how many times it is exceeded."""
    excess = {"": study.sum(target.terms).median / target.limit}
    if target.tail_limit:
        tail = study.sum([(target.benchmark, P99, 1 / target.per)])
        excess["p99 "] = tail.median / target.tail_limit if tail else 0
    return {name: times for name, times in excess.items() if times > 1}


def _verdict(excess):
    return ", ".join(f"{name}missed: {three_digits(times)}×" for name, times in excess.items()) or "met"
