"""The arithmetic: which number stands for a set of numbers?"""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Estimate:
    """The median over processes, with the smallest and the largest process."""

    per_process: tuple

    @property
    def median(self):
        return statistics.median(self.per_process)

    @property
    def low(self):
        return min(self.per_process)

    @property
    def high(self):
        return max(self.per_process)

    @property
    def count(self):
        return len(self.per_process)


def estimate(values):
    """None when there is nothing to estimate from."""
    values = tuple(value for value in values if value is not None)
    return Estimate(values) if values else None


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))
