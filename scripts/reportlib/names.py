"""What does a benchmark's path say?

Names are paths, `question/backend/variant[/size]`: run/generic/sync/sieve, compile/generic/gas_off/150000.
Google Benchmark adds settings behind them, as in run/native/sieve/iterations:8/real_time.
"""

import dataclasses
import re

# Settings that do not change what was measured. threads:N does, so it stays in the name.
_SETTING = re.compile(r"((real|process|manual)_time|(iterations|repeats|min_time|min_warmup_time):[^/]*)$")


@dataclasses.dataclass(frozen=True)
class BenchmarkPath:
    family: str
    backend: str
    rest: tuple  # of segments: variant, workload or size

    @property
    def size(self):
        """The number at the end, None when there is none."""
        return int(self.rest[-1]) if self.rest and re.fullmatch(r"[0-9]{1,15}", self.rest[-1]) else None


def without_settings(name):
    segments = name.split("/")
    while len(segments) > 1 and _SETTING.match(segments[-1]):
        segments.pop()
    return "/".join(segments)


def parse(name):
    family, _, tail = name.partition("/")
    backend, _, rest = tail.partition("/")
    return BenchmarkPath(family, backend, tuple(rest.split("/")) if rest else ())


def natural_order(name):
    """Sorts numbers by their value: read_memory/64 before read_memory/4096."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(len(part) if part[0] in "0123456789" else 0, part) for part in parts], name


def in_words(segment):
    """gas_off → gas off"""
    return segment.replace("_", " ")
