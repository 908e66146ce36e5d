#!/usr/bin/python3
"""Who may include whom.

ALLOWED is the picture of the architecture as a table: a part of the tree, and the parts whose headers it may
include besides its own. Data flows one way, so a cycle or a shortcut shows up here as one line with its name.
"""

import re
import unittest

import tree

# Longest prefix first: a file belongs to the first part whose prefix it starts with.
PARTS = [
    ("sandbox/base/", "base"),
    ("sandbox/abi/", "abi"),
    ("sandbox/program/", "program"),
    ("sandbox/memory/", "memory"),
    ("sandbox/gas/", "gas"),
    ("sandbox/interrupt.", "interrupt"),
    ("sandbox/interpreter/", "interpreter"),
    ("sandbox/compiler/", "compiler"),
    ("sandbox/backend/generic/", "backend/generic"),
    ("sandbox/backend/interpreted/", "backend/interpreted"),
    ("sandbox/backend/linux/", "backend/linux"),
    ("sandbox/backend/", "backend"),
    ("sandbox/pool/", "pool"),
    ("zygote/", "zygote"),
    ("sandbox/cli/", "cli"),
    ("sandbox/sandglass.h", "umbrella"),
    ("workloads/linker/", "linker"),
    ("workloads/", "workloads"),
    ("bench/", "bench"),
    ("tests/", "tests"),
]

PROGRAM_SIDE = ["program", "base"]
EXECUTION = ["program", "gas", "memory", "abi", "base"]
PUBLIC = EXECUTION + ["interrupt", "compiler", "backend", "umbrella"]

ALLOWED = {
    "base": [],
    "abi": [],
    "program": ["base"],
    "memory": PROGRAM_SIDE,
    "gas": PROGRAM_SIDE,
    "interrupt": ["memory", "base"],
    "interpreter": EXECUTION + ["interrupt"],
    "compiler": EXECUTION + ["interrupt"],
    "backend": EXECUTION + ["interrupt", "compiler"],
    "backend/generic": EXECUTION + ["interrupt", "compiler", "backend"],
    "backend/interpreted": EXECUTION + ["interrupt", "compiler", "interpreter", "backend"],
    "backend/linux": EXECUTION + ["interrupt", "compiler", "backend"],
    "pool": EXECUTION + ["backend", "backend/linux"],
    "zygote": ["abi"],
    "umbrella": PUBLIC + ["pool"],
    "linker": PROGRAM_SIDE,
    "cli": PUBLIC + ["backend/linux", "workloads", "linker"],
    "workloads": PUBLIC,
    "bench": PUBLIC + ["interpreter", "backend/generic", "backend/interpreted", "backend/linux", "pool", "workloads"],
    "tests": [part for _, part in PARTS] + ["tests"],
}

# The one place that knows all backends: the factory behind the interface.
EXCEPTIONS = {
    "sandbox/backend/sandbox.cc": ["backend/generic", "backend/interpreted", "backend/linux"],
}

# Made by the build, so not in the tree.
GENERATED = {"workloads/built_programs.h", "workloads/embedded_text.h", "bench/commit.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def part_of(name):
    return next((part for prefix, part in PARTS if name.startswith(prefix)), None)


def violations(name, text, known_files):
    """Sentences about the includes of one file that break a rule."""
    part = part_of(name)
    if part is None:
        return [f"{name}: belongs to no part of the tree; add it to PARTS"]
    allowed = {part, *ALLOWED[part], *EXCEPTIONS.get(name, [])}
    found = []
    for included in INCLUDE.findall(text):
        if included not in known_files:
            found.append(f'{name}: "{included}" is no path from the root of the project')
        elif part_of(included) not in allowed:
            found.append(f"{name}: {part} may not include {included}")
    return found


class IncludeRules(unittest.TestCase):
    def test_every_file_keeps_to_the_picture(self):
        files = set(tree.project_files())
        sources = [name for name in files if tree.is_cpp(name)]
        self.assertGreater(len(sources), 30, "the sources were not found")
        found = [line for name in sorted(sources) for line in violations(name, tree.read_text(name), files | GENERATED)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_every_part_has_a_rule(self):
        self.assertEqual({part for _, part in PARTS}, set(ALLOWED))

    def test_the_picture_has_no_cycle(self):
        order = []
        remaining = dict(ALLOWED)
        while remaining:
            ready = [part for part, uses in remaining.items() if not set(uses) & (set(remaining) - {part})]
            self.assertTrue(ready, f"a cycle among {sorted(remaining)}")
            order += ready
            for part in ready:
                del remaining[part]
        self.assertEqual(order[-1], "tests")

    # The rules themselves must be able to fail.
    def check(self, name, included, expected):
        found = violations(name, f'#include <vector>\n#include "{included}"\n', {included})
        self.assertEqual(bool(found), not expected, found)

    def test_reports_upward_includes(self):
        self.check("sandbox/base/x.h", "sandbox/base/result.h", True)
        self.check("sandbox/base/x.h", "sandbox/program/program.h", False)
        self.check("sandbox/abi/x.h", "sandbox/base/result.h", False)
        self.check("sandbox/program/x.cc", "sandbox/gas/cost_model.h", False)
        self.check("sandbox/compiler/x.cc", "sandbox/backend/sandbox.h", False)
        self.check("sandbox/interpreter/x.cc", "sandbox/compiler/module.h", False)

    def test_reports_sibling_backends(self):
        self.check("sandbox/backend/generic/x.cc", "sandbox/backend/sandbox.h", True)
        self.check("sandbox/backend/generic/x.cc", "sandbox/backend/interpreted/interpreted_sandbox.h", False)
        self.check("sandbox/backend/interpreted/x.cc", "sandbox/backend/generic/enter.h", False)
        self.check("sandbox/backend/sandbox.h", "sandbox/backend/generic/enter.h", False)
        self.check("sandbox/backend/sandbox.cc", "sandbox/backend/generic/enter.h", True)

    def test_reports_anything_that_leans_on_tests_or_bench(self):
        for name in ("sandbox/cli/main.cc", "bench/main.cc", "workloads/x.cc", "sandbox/sandglass.h"):
            self.check(name, "tests/x.h", False)
        for name in ("sandbox/cli/main.cc", "workloads/x.cc", "sandbox/sandglass.h"):
            self.check(name, "bench/x.h", False)
        self.check("tests/x.cc", "bench/x.h", True)

    def test_reports_relative_includes(self):
        self.assertTrue(violations("sandbox/base/x.cc", '#include "x.h"\n', {"sandbox/base/x.h"}))

    def test_reports_files_outside_of_the_picture(self):
        self.assertTrue(violations("extras/x.cc", "", set()))


if __name__ == "__main__":
    unittest.main()
