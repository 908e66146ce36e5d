"""Which number stands for a set of samples?

A sample is a process. The repetitions inside one are reduced to one number first (they resemble each other too
much to count as independent), then the median over the processes stands for them all. A ratio is taken inside
each process, where both sides saw the same machine at the same time, and only then across processes.
"""

import statistics

from . import names, stats

# Everything that competes for the CPU makes a repetition slower, never faster: the minimum is the measurement.
# Cross-core handoff alone has lucky repetitions, when both sides happen to be awake.
QUANTILE_25_FAMILIES = frozenset({"handoff"})

# How the message of a benchmark begins that was skipped because the machine lacks something.
_UNSUPPORTED = "unsupported: "


class Study:
    def __init__(self, results):
        self.processes = results.processes
        self._without_result = self._find_without_result()
        found = {name for process in self.processes for name in process.series}
        self.names = sorted(found, key=names.natural_order)

    def paths(self, family):
        """name → path of every benchmark of a family that has a result, in the order of their names."""
        parsed = {name: names.parse(name) for name in self.names if name not in self._without_result}
        return {name: path for name, path in parsed.items() if path.family == family}

    @property
    def families(self):
        return sorted({names.parse(name).family for name in self.names})

    @property
    def failed(self):
        """name → the first message. A benchmark that failed in any process has no result at all."""
        return {name: why for name, why in self._without_result.items() if not why.startswith(_UNSUPPORTED)}

    @property
    def skipped(self):
        """name → what the machine lacked. No result either, but no failure."""
        return {name: why for name, why in self._without_result.items() if why.startswith(_UNSUPPORTED)}

    @property
    def without_result(self):
        """name → why, of both."""
        return self._without_result

    @property
    def dropped(self):
        """name → how many repetitions had no usable time, for those that had some."""
        counts = {name: sum(s.dropped for s in self._series(name)) for name in self.names}
        return {name: count for name, count in counts.items() if count}

    def time_ns(self, name):
        return stats.estimate(self._per_process(name, _real_ns))

    def cpu_ns(self, name):
        return stats.estimate(self._per_process(name, _cpu_ns))

    def counter(self, name, key, best=min):
        """A counter, of a process the best repetition: the smallest of a cost, the largest of a speed."""
        return stats.estimate(self._counters(name, key, best))

    def counter_difference(self, name, base_name, key):
        """How much more of a cost `name` has than `base_name`, inside each process."""
        pairs = zip(self._counters(name, key, min), self._counters(base_name, key, min))
        return stats.estimate(value - base for value, base in pairs if value is not None and base is not None)

    def ratio(self, name, base_name):
        """How many times longer `name` takes than `base_name`; None when no process measured both."""
        return stats.estimate(self._ratios(name, base_name))

    def mean_ratio(self, pairs):
        """The geometric mean of the ratios of (name, base name), of the processes that measured all of them."""
        columns = [self._ratios(name, base) for name, base in pairs]
        complete = [row for row in zip(*columns) if None not in row]
        return stats.estimate(stats.geometric_mean(row) for row in complete)

    def sum(self, terms):
        """Of (name, key, weight), inside each process; the key of a counter, or None for the time. Here, where
        quantiles are summed up, a process is the median of its repetitions."""
        return stats.estimate(self._sums(terms))

    def ratio_of_sums(self, terms, base_terms):
        pairs = zip(self._sums(terms), self._sums(base_terms))
        return stats.estimate(value / base for value, base in pairs if value is not None and base)

    def counters(self, name):
        """key → median over all repetitions of all processes, for the table of raw results."""
        found = {}
        for series in self._series(name):
            for key, values in series.counters.items():
                found.setdefault(key, []).extend(value for value in values if value is not None)
        return {key: statistics.median(values) for key, values in sorted(found.items()) if values}

    def counter_totals(self, key):
        """Per process: the sum of a counter over everything it measured, None where nothing has it."""
        return [_total(process, key) for process in self.processes]

    def label(self, name):
        """What the benchmark says of itself, empty when it says nothing."""
        return next((series.label for series in self._series(name) if series.label), "")

    def repetitions(self, name):
        return sum(len(series.real_ns) for series in self._series(name))

    def _find_without_result(self):
        """A failure is the first message even where other processes skipped the benchmark."""
        messages = {}
        for process in self.processes:
            for name, series in process.series.items():
                if series.error:
                    messages.setdefault(name, []).append(series.error)
        worst_first = {name: sorted(all_of, key=lambda why: why.startswith(_UNSUPPORTED)) for name, all_of in messages.items()}
        return {name: all_of[0] for name, all_of in sorted(worst_first.items())}

    def _series(self, name):
        return [process.series[name] for process in self.processes if name in process.series]

    def _ratios(self, name, base_name):
        pairs = zip(self._per_process(name, _real_ns), self._per_process(base_name, _real_ns))
        return [None if value is None or base is None else value / base for value, base in pairs]

    def _sums(self, terms):
        """Nothing where a term is missing, and where there are no terms."""
        columns = [[value and value * weight for value in self._medians(name, key)] for name, key, weight in terms]
        return [None if None in row else sum(row) for row in zip(*columns)]

    def _medians(self, name, key):
        if key is None:
            return self._per_process(name, _real_ns, statistics.median)
        return self._counters(name, key, statistics.median)

    def _counters(self, name, key, best):
        return self._per_process(name, lambda series: series.counters.get(key), best)

    def _per_process(self, name, values_of, reduce=None):
        """One number per process, None where it has none."""
        if name in self._without_result:
            return [None] * len(self.processes)
        if not reduce:
            reduce = _quantile_25 if names.parse(name).family in QUANTILE_25_FAMILIES else min
        return [_reduced(process.series.get(name), values_of, reduce) for process in self.processes]


def _total(process, key):
    lists = [series.counters[key] for series in process.series.values() if key in series.counters]
    return sum(value for values in lists for value in values if value is not None) if lists else None


def _real_ns(series):
    return series.real_ns


def _cpu_ns(series):
    return series.cpu_ns


def _reduced(series, values_of, reduce):
    values = [value for value in (values_of(series) if series else None) or [] if value is not None]
    return reduce(values) if values else None


def _quantile_25(values):
    return statistics.quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]
