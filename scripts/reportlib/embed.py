"""How are results written into a page, so that few bytes hold them all?

By benchmark, each name and key once, and then one entry per process (null where it has none):

  {"processes": [{"file", "sha256", "context"}...],
   "benchmarks": {name: {"real_ns": [[repetition...]...], "cpu_ns": ..., "counters": {key: [[...]...]}}}}
"""

import dataclasses

from .load import Process, Results, Series

_FIELDS = [field.name for field in dataclasses.fields(Series) if field.name != "counters"]
_HEAD = ("file", "sha256", "context")


def pack(results):
    names = sorted({name for process in results.processes for name in process.series})
    return {
        "processes": [{key: getattr(process, key) for key in _HEAD} for process in results.processes],
        "benchmarks": {name: _columns([process.series.get(name) for process in results.processes]) for name in names},
    }


def unpack(data):
    """Raises whatever comes when `data` is not what pack() made."""
    processes = [Process(**{key: head[key] for key in _HEAD}, series={}) for head in data["processes"]]
    for name, columns in data["benchmarks"].items():
        for index, process in enumerate(processes):
            series = _series(columns, index)
            if series:
                process.series[name] = series
    return Results(processes)


def _columns(series):
    columns = {field: [getattr(one, field) if one else None for one in series] for field in _FIELDS}
    keys = sorted({key for one in series if one for key in one.counters})
    columns["counters"] = {key: [one.counters.get(key) if one else None for one in series] for key in keys}
    return {field: values for field, values in columns.items() if field in ("real_ns", "counters") or any(values)}


def _series(columns, index):
    if columns["real_ns"][index] is None:
        return None
    fields = {field: columns[field][index] for field in _FIELDS if field in columns}
    counters = {key: values[index] for key, values in columns["counters"].items() if values[index] is not None}
    return Series(**fields, counters=counters)
