#!/usr/bin/python3
"""Every header compiles alone; those of abi/ also without a standard library, exceptions and RTTI.

  headers_alone_test.py [compiler]     default: c++
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import tree

COMPILER = "c++"
FLAGS = ["-std=gnu++20", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror"]
# For another machine and another compiler: tests/linker compiles them.
FOR_GUESTS = "workloads/sdk/"
# What programs in C and C++ find without a path.
PROGRAMS_INCLUDE = [f"-I{tree.ROOT}/workloads/sdk/include", "-isystem", "/usr/include/eigen3"]
FREESTANDING = ["-ffreestanding", "-nostdlib", "-fno-exceptions", "-fno-rtti"]
# Remembers what compiled; hundreds of small compilations take a while otherwise.
CCACHE = [path] if (path := shutil.which("ccache")) else []


def compile_errors(include, extra_flags, folder=tree.ROOT):
    """What the compiler says about a file that includes `include` twice; empty when it is content."""
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "twice.cc"), "w", encoding="utf-8") as file:
            file.write(f'#include "{include}"\n#include "{include}"\n')
        command = [*CCACHE, COMPILER, *FLAGS, *extra_flags, f"-I{folder}", "-c", "twice.cc", "-o", "twice.o"]
        run = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode != 0 else ""


def all_errors(headers, extra_flags=()):
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return "".join(pool.map(lambda header: compile_errors(header, list(extra_flags)), headers))


class HeadersAlone(unittest.TestCase):
    def headers(self, prefix=""):
        headers = [name for name in tree.project_files()
                   if name.startswith(prefix) and name.endswith(".h") and not name.startswith(FOR_GUESTS)]
        self.assertTrue(headers, "no headers were found")
        return headers

    def test_every_header_compiles_alone(self):
        self.assertEqual(all_errors(self.headers(), PROGRAMS_INCLUDE), "")

    def test_abi_needs_nothing_but_a_compiler(self):
        self.assertEqual(all_errors(self.headers("sandbox/abi/"), FREESTANDING), "")

    def test_reports_a_header_that_leans_on_others(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "bad.h"), "w", encoding="utf-8") as file:
                file.write("#pragma once\nstd::string name();\n")
            with open(os.path.join(folder, "good.h"), "w", encoding="utf-8") as file:
                file.write("#pragma once\n#include <string>\nstd::string name();\n")
            self.assertIn("bad.h", compile_errors("bad.h", [], folder))
            self.assertEqual(compile_errors("good.h", [], folder), "")

    def test_reports_a_missing_guard(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "twice.h"), "w", encoding="utf-8") as file:
                file.write("struct Twice {};\n")
            self.assertIn("redefinition", compile_errors("twice.h", [], folder))

    def test_reports_exceptions_in_freestanding_headers(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "throws.h"), "w", encoding="utf-8") as file:
                file.write("#pragma once\ninline void f() { throw 1; }\n")
            self.assertEqual(compile_errors("throws.h", [], folder), "")
            self.assertIn("exception", compile_errors("throws.h", FREESTANDING, folder))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        COMPILER = sys.argv.pop(1)
    unittest.main()
