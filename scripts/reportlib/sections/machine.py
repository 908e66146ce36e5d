"""What was measured, on what, how often?"""

import json

from ..document import Section, Table, count_of

_ASKS = "The context of the result files: one value where all processes agree, all values where they do not."


def build(study):
    section = Section("machine", "Machine and build", _ASKS, folded=True)
    keys = dict.fromkeys(key for process in study.processes for key in process.context)
    rows = [[key, _values(study, key)] for key in keys]
    section.tables = [
        Table("Fingerprint", ["What", "Value"], rows),
        Table("Result files", ["File", "SHA-256", "Benchmarks"], _files(study)),
    ]
    return [section], []


def subtitle(study):
    """One line that says what this is about."""
    context = study.processes[0].context
    commit = context.get("build_commit")
    names = [
        context.get("host_cpu"),
        count_of(context["num_cpus"], "CPU") if "num_cpus" in context else None,
        "virtual machine" if context.get("host_hypervisor", "none") != "none" else None,
        f"commit {commit[:12]}" if isinstance(commit, str) else None,
        context.get("date"),
        count_of(len(study.processes), "process"),
    ]
    return " · ".join(str(name) for name in names if name)


def _values(study, key):
    values = dict.fromkeys(_in_words(process.context[key]) for process in study.processes if key in process.context)
    missing = sum(key not in process.context for process in study.processes)
    shown = " | ".join(values)
    return f"{shown} | missing in {count_of(missing, 'process')}" if missing else shown


def _in_words(value):
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, (int, float)) for item in value):
        return " ".join(f"{item:g}" for item in value)
    return json.dumps(value, sort_keys=True)


def _files(study):
    return [[p.file, p.sha256, str(len(p.series))] for p in study.processes]
