"""The two kinds of plot: lollipops for values against a reference, curves over a size."""

import dataclasses
import math

from . import svg
from .document import Figure, three_digits

WIDTH = 820
_ROW = 18
_GAP = 10


@dataclasses.dataclass
class Bar:
    series: int
    estimate: object  # stats.Estimate, in the unit of the axis
    figure: Figure  # the number as the table prints it


@dataclasses.dataclass
class Group:
    label: str
    bars: list


@dataclasses.dataclass
class Curve:
    label: str
    points: list  # of (size, stats.Estimate, Figure), by size


def lollipops(plot_id, title, groups, series_labels, axis_label, baseline):
    """One row per bar: a stem from the baseline to the median, whiskers from the lowest to the highest process.

    The stem is what was paid on top of the baseline (1 for a ratio, 0 for a time). With ratios that differ more
    than tenfold the axis becomes logarithmic, and says so; one that starts at zero cannot.
    """
    left = 24 + svg.CHARACTER_WIDTH * max(len(group.label) for group in groups)
    frame_left, frame_right = min(left, 260), WIDTH - 90
    scale = _lollipop_scale(groups, baseline, frame_left, frame_right)
    parts, legend_height = svg.legend(series_labels, 8, 14, WIDTH) if len(series_labels) > 1 else ([], 0)
    top = legend_height + 12
    bottom = top + sum(len(group.bars) * _ROW + _GAP for group in groups)
    parts += _vertical_grid(scale, top, bottom)
    parts.append(svg.line(scale(baseline), top, scale(baseline), bottom, "base") if scale.shows(baseline) else "")
    y = top + _GAP / 2
    for group in groups:
        middle = y + len(group.bars) * _ROW / 2
        parts.append(svg.text(frame_left - 10, middle + 4, _cut(group.label), "end"))
        for bar in group.bars:
            parts += _lollipop(bar, scale, scale.clamped(baseline), y + _ROW / 2)
            y += _ROW
        y += _GAP
    parts.append(svg.text((frame_left + frame_right) / 2, bottom + 36, axis_label + scale.remark, "middle", "soft"))
    description = f"{axis_label}. The numbers are in the table below the plot."
    return svg.document(plot_id, title, description, WIDTH, bottom + 46, parts)


def _lollipop(bar, scale, baseline_x, y):
    style = f"s{bar.series % svg.SERIES_COUNT}"
    x, low, high = scale(bar.estimate.median), scale(bar.estimate.low), scale(bar.estimate.high)
    return [
        svg.line(baseline_x, y, x, y, f"stem {style}"),
        svg.line(low, y, high, y, f"whisker {style}"),
        svg.line(low, y - 4, low, y + 4, f"whisker {style}"),
        svg.line(high, y - 4, high, y + 4, f"whisker {style}"),
        svg.marker(x, y, bar.series),
        svg.text(max(x, high, baseline_x) + 9, y + 4, bar.figure.text, "start", "soft", bar.figure.key),
    ]


def curves(plot_id, title, series, x_label, y_label):
    """Values over sizes: sizes on a logarithmic axis, values from zero."""
    left, right, height = 70, WIDTH - 20, 260
    parts, legend_height = svg.legend([one.label for one in series], 8, 14, WIDTH)
    top = legend_height + 24
    bottom = top + height
    sizes = sorted({size for one in series for size, _, _ in one.points})
    x_scale = _Logarithmic(sizes[0] / 1.15, sizes[-1] * 1.15, left, right)
    y_scale = _Linear(0, max(e.high for one in series for _, e, _ in one.points) * 1.08, bottom, top)
    for tick in y_scale.ticks():
        parts.append(svg.line(left, y_scale(tick), right, y_scale(tick), "grid"))
        parts.append(svg.text(left - 8, y_scale(tick) + 4, tick_label(tick), "end", "soft"))
    for size in _spaced(sizes, x_scale, 58):
        parts.append(svg.line(x_scale(size), bottom, x_scale(size), bottom + 5, "grid"))
        parts.append(svg.text(x_scale(size), bottom + 20, f"{size:,}", "middle", "soft"))
    for index, one in enumerate(series):
        parts += _curve(one, index, x_scale, y_scale)
    parts.append(svg.text((left + right) / 2, bottom + 42, x_label, "middle", "soft"))
    parts.append(svg.text(8, top - 10, y_label, "start", "soft"))
    description = f"{y_label} over {x_label}. The numbers are in the table below the plot."
    return svg.document(plot_id, title, description, WIDTH, bottom + 52, parts)


def _curve(one, index, x_scale, y_scale):
    style = f"s{index % svg.SERIES_COUNT}"
    parts = [svg.curve([(x_scale(size), y_scale(e.median)) for size, e, _ in one.points], style)]
    for size, estimate, _ in one.points:
        x = x_scale(size)
        parts.append(svg.line(x, y_scale(estimate.low), x, y_scale(estimate.high), f"whisker {style}"))
        parts.append(svg.marker(x, y_scale(estimate.median), index))
    return parts


class _Linear:
    remark = ""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value):
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def shows(self, value):
        return self.low <= value <= self.high

    def clamped(self, value):
        return self(min(max(value, self.low), self.high))

    def ticks(self):
        step = _round_step((self.high - self.low) / 6)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 12) for index in range(first, last + 1)]


class _Logarithmic(_Linear):
    remark = " (logarithmic)"

    def __call__(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if self.high / self.low < 1000 else (1,)
        candidates = [step * 10.0**power for power in powers for step in steps]
        return [tick for tick in candidates if self.low <= tick <= self.high]


def _lollipop_scale(groups, baseline, start, end):
    estimates = [bar.estimate for group in groups for bar in group.bars]
    low = min(estimate.low for estimate in estimates)
    high = max(estimate.high for estimate in estimates)
    if baseline > 0 and low > 0 and high / min(low, baseline) > 10:
        return _Logarithmic(min(low, baseline) / 1.3, max(high, baseline) * 1.3, start, end)
    low, high = min(low, baseline), max(high, baseline)
    margin = (high - low or abs(high) or 1.0) * 0.06
    return _Linear(low - (margin if low < baseline or baseline else 0), high + margin, start, end)


def _vertical_grid(scale, top, bottom):
    parts = []
    for tick in _spaced(scale.ticks(), scale, 44):
        parts.append(svg.line(scale(tick), top, scale(tick), bottom, "grid"))
        parts.append(svg.text(scale(tick), bottom + 16, tick_label(tick), "middle", "soft"))
    return parts


def _spaced(values, scale, distance):
    """Leaves out what would be printed over its neighbour."""
    kept = []
    for value in values:
        if not kept or abs(scale(value) - scale(kept[-1])) >= distance:
            kept.append(value)
    return kept


def tick_label(value):
    return f"{value:,.10g}" if value == 0 or 1e-3 <= abs(value) < 1e9 else three_digits(value)


def _round_step(step):
    power = 10 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)


def _cut(label):
    return label if len(label) <= 34 else label[:33] + "…"
