"""What is a report made of?

Sections of sentences, plots and tables. Every number that was computed from samples is a Figure with a key, in
whichever of them it stands: that is what lets `--verify` compare each against the samples.
"""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str
    text: str
    is_prose: bool = False  # several numbers in a row, to be set like text

    def __str__(self):
        return self.text


@dataclasses.dataclass
class Table:
    caption: str
    columns: list  # of headings; the first column names the row
    rows: list  # of lists of str, Figure or tuples of them


@dataclasses.dataclass
class Plot:
    file_name: str
    svg: str  # a complete SVG document


@dataclasses.dataclass
class Section:
    anchor: str
    title: str
    asks: str  # what is timed, in which unit, and what is not
    answer: list = dataclasses.field(default_factory=list)  # sentences; each a list of str and Figure
    plots: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    folded: bool = False


@dataclasses.dataclass
class Report:
    title: str
    subtitle: str
    warnings: list  # of str: what makes the numbers less than they seem
    summary: Table
    sections: list


NONE = "–"


def ratio_figure(key, estimate):
    return Figure(key, f"{three_digits(estimate.median)}×") if estimate else NONE


def ratio_range(key, estimate):
    """Smallest and largest process; nothing to say with fewer than two."""
    if not estimate or estimate.count < 2:
        return NONE
    return Figure(f"{key}/range", f"{three_digits(estimate.low)}…{three_digits(estimate.high)}×")


def time_figure(key, estimate):
    return Figure(key, duration(estimate.median)) if estimate else NONE


def time_range(key, estimate):
    if not estimate or estimate.count < 2:
        return NONE
    scale, unit = time_scale(estimate.median)
    return Figure(f"{key}/range", f"{three_digits(estimate.low / scale)}…{three_digits(estimate.high / scale)} {unit}")


def difference_figure(key, estimate):
    """Nanoseconds more (or less) than something else."""
    return Figure(key, f"{_signed(estimate.median)} ns") if estimate else NONE


def difference_range(key, estimate):
    if not estimate or estimate.count < 2:
        return NONE
    return Figure(f"{key}/range", f"{_signed(estimate.low)}…{_signed(estimate.high)} ns")


def plain_figure(key, estimate, scale=1.0):
    """In the unit that the column names."""
    return Figure(key, three_digits(estimate.median / scale)) if estimate else NONE


def plain_range(key, estimate, scale=1.0):
    if not estimate or estimate.count < 2:
        return NONE
    return Figure(f"{key}/range", f"{three_digits(estimate.low / scale)}…{three_digits(estimate.high / scale)}")


def _signed(value):
    return ("+" if value > 0 else "") + three_digits(value).replace("-", "−")


def duration(nanoseconds):
    scale, unit = time_scale(nanoseconds)
    return f"{three_digits(nanoseconds / scale)} {unit}"


def time_scale(nanoseconds):
    """The unit that leaves one to three digits before the point."""
    for scale, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if nanoseconds >= scale * 0.9995:
            return scale, unit
    return 1.0, "ns"


def three_digits(value):
    """1.23, 12.3, 123, 1,230: no more digits than a measurement here has."""
    if value == 0:
        return "0"
    if abs(value) >= 1e12 or abs(value) < 1e-4:
        return f"{value:.2e}"
    rounded = float(f"{value:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def count_of(number, noun):
    """1 process, 2 processes, 3 workloads"""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"
