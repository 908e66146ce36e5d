"""Which workload, at which size, run how? What `run/<backend>/[<gas mode>/]<workload>[/quick]` means."""

import dataclasses

from .. import names

GAS_OFF = ("gas_off", "off")
# In the order of display, which is also the order of what they cost.
GAS_MODES = ("parse", *GAS_OFF, "async", "sync", "sync_naive", "sync_pipeline")
BACKENDS = ("program", "native", "raw", "generic", "linux", "interpreter")

# The size that the interpreter can finish; without it, a name means the full size.
QUICK = "quick"


@dataclasses.dataclass(frozen=True)
class Configuration:
    backend: str
    variant: str = ""  # the segments between backend and workload; mostly a gas mode, often nothing

    @property
    def label(self):
        parts = [names.in_words(part) for part in (self.backend, *self.variant.split("/")) if part]
        return ", ".join(parts)

    @property
    def order(self):
        return (_position(BACKENDS, self.backend), _position(GAS_MODES, self.variant), self.backend, self.variant)


def is_quick(path):
    return path.rest[-1:] == (QUICK,)


def split(path, workloads=()):
    """(configuration, workload) of a path; a workload may itself have slashes if it is one of `workloads`."""
    rest = path.rest[:-1] if is_quick(path) else path.rest
    for start in range(len(rest)):
        workload = "/".join(rest[start:])
        if workload in workloads:
            return Configuration(path.backend, "/".join(rest[:start])), workload
    return Configuration(path.backend, "/".join(rest[:-1])), "/".join(rest[-1:])


def with_gas_off(name, present):
    """The same benchmark without metering, None when it does not meter or is not among those present."""
    segments = name.split("/")
    metered = [index for index, segment in enumerate(segments) if segment in GAS_MODES and segment not in GAS_OFF]
    if len(metered) != 1:
        return None
    candidates = ["/".join([*segments[: metered[0]], off, *segments[metered[0] + 1 :]]) for off in GAS_OFF]
    return next((candidate for candidate in candidates if candidate in present), None)


def _position(order, value):
    return order.index(value) if value in order else len(order)
