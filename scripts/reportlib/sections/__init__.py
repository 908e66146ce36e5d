"""Which numbers answer which question? Each module's `build(study)` returns its sections, and the lines it adds
to the summary: (question, configuration, result, spread, remark)."""

from . import cold, compile_speed, encoder, machine, metering, noise, noop, primitives, programs, raw, run, targets

# The order of the report.
BUILDERS = (
    run.build,
    programs.build,
    cold.build,
    targets.build,
    metering.build,
    compile_speed.build,
    encoder.build,
    primitives.build,
    noop.build,
    raw.build,
    noise.build,
    machine.build,
)


def build_all(study):
    sections, summary = [], []
    for build in BUILDERS:
        new_sections, new_summary = build(study)
        sections += new_sections
        summary += new_summary
    return sections, summary
