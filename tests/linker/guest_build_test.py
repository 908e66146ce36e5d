#!/usr/bin/python3
"""scripts/guest-build makes guests from C and C++ and says what is missing; traps name functions.

  guest_build_test.py SANDGLASS_COMMAND CMAKE_GUEST
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANDGLASS = ""
CMAKE_GUEST = ""
MISSING = [tool for tool in ("clang-19", "ld.lld-19") if shutil.which(tool) is None]

PROGRAM = """
#include <sandglass/guest.h>
SANDGLASS_IMPORT_NAMED(void, host_log, "log", const char* text, size_t length)
static __attribute__((noinline)) void fail(volatile int* at) { *at = 1; }
uint64_t hello(uint64_t a) { host_log("hello\\n", 6); return a + 2; }
SANDGLASS_EXPORT_NAMED(hello, "main")
void boom(void) { fail((int*)16); sandglass_trap(); }
SANDGLASS_EXPORT(boom)
"""


def run(*command, **environment):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, **environment})


class GuestBuild(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def build(self, suffix, *options):
        source = self.folder / f"guest{suffix}"
        source.write_text(PROGRAM, encoding="utf-8")
        out = self.folder / "guest.polkavm"
        answer = run(ROOT / "scripts/guest-build", "--sandglass", SANDGLASS, *options, "-o", out, source)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return out

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_c_and_cpp_run(self):
        for suffix in (".c", ".cc"):
            guest = self.build(suffix, "-O2")
            answer = run(SANDGLASS, "run", guest, "--allow", "log", "--arg", "40", "--metering", "none")
            self.assertEqual((answer.returncode, answer.stdout), (0, "hello\na0 = 42 (0x2a)\n"), answer.stderr)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_a_trap_names_its_function_unless_stripped(self):
        call = ("run", "--entry", "boom", "--allow", "log")
        answer = run(SANDGLASS, *call, self.build(".c"))
        self.assertEqual(answer.returncode, 2)
        self.assertIn("function     fail+0x", answer.stderr)
        self.assertIn("function names", run(SANDGLASS, "inspect", self.folder / "guest.polkavm").stdout)
        answer = run(SANDGLASS, *call, self.build(".c", "--link", "--strip"))
        self.assertEqual(answer.returncode, 2)
        self.assertNotIn("function", answer.stderr)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_verbose_tells_sizes(self):
        elf = self.folder / "guest.elf"
        self.build(".c", "--keep-elf", elf)
        answer = run(SANDGLASS, "link", "--verbose", "-o", self.folder / "again.polkavm", elf)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        for words in (".text ", ".sandglass.exports", "jump table ", "imports, exports    1, 2"):
            self.assertIn(words, answer.stdout)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_cmake_builds_guests(self):
        answer = run(SANDGLASS, "run", CMAKE_GUEST, "--entry", "answer")
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_says_which_tool_is_missing(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for tool in ("bash", "dirname", "env"):
            (tools / tool).symlink_to(shutil.which(tool))
        answer = run(ROOT / "scripts/guest-build", "-o", "x.polkavm", "x.c", PATH=str(tools))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("clang-19 is missing: run scripts/setup guests", answer.stderr)

    def test_wrong_usage_is_status_64(self):
        for options in (["x.c"], ["-o", "x"], ["-o"], ["-o", "x", "x.txt"], ["--no-such-option"]):
            answer = run(ROOT / "scripts/guest-build", "--sandglass", SANDGLASS, *options)
            self.assertIn(answer.returncode, (64, 1 if MISSING else 64), options)
            self.assertNotEqual(answer.stderr, "")

    def test_bad_files_are_refused(self):
        bad = self.folder / "bad.elf"
        bad.write_bytes(b"\x7fELF")
        answer = run(SANDGLASS, "link", "-o", self.folder / "out", bad)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("bad.elf: bad program: this is no ELF file", answer.stderr)
        self.assertFalse((self.folder / "out").exists())
        self.assertEqual(run(SANDGLASS, "link", "-o", "out", self.folder / "missing").returncode, 1)
        self.assertEqual(run(SANDGLASS, "link", bad).returncode, 64)


if __name__ == "__main__":
    SANDGLASS, CMAKE_GUEST = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
