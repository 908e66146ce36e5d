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

# Standard headers of both languages, float, a constructor, thread-local and 128-bit numbers.
HOSTED = """
#include <sandglass/guest.h>
#include <sandglass/start.h>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <unordered_map>
#include <vector>
SANDGLASS_IMPORT_NAMED(void, host_log, "log", const char* text, size_t length)
static std::vector<int> numbers{3, 1, 2};
static thread_local int calls = 0;
extern "C" uint64_t hello(double unused) {
  sandglass_start();
  std::sort(numbers.begin(), numbers.end(), [](int a, int b) { return a > b; });
  std::stable_sort(numbers.begin(), numbers.end(), [](int a, int b) { return a / 8 > b / 8; });  // std::nothrow
  std::map<int, double> halves;
  for (int number : numbers) halves[number] = number / 2.0;
  std::unordered_map<int, int> squares;
  for (int i = 0; i < 1000; i++) squares[i] = i * i;
  for (int i = 0; i < 1000; i++) if (squares.at(i) != i * i) sandglass_trap();
  if (squares.bucket_count() != 1597) sandglass_trap();  // grown from prime to prime, as libc++ does
  char text[80];
  unsigned __int128 wide = (unsigned __int128)halves.size() << 100;
  snprintf(text, sizeof text, "%d %.2f %d\\n", numbers[0], halves[1], (int)(wide / 3 >> 98));
  host_log(text, strlen(text));
  return ++calls;
}
SANDGLASS_EXPORT_NAMED(hello, "main")
"""

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

    def build(self, suffix, *options, program=PROGRAM):
        """Without the C library, which a test must not have to download."""
        return self.build_hosted(suffix, "--freestanding", *options, program=program)

    def build_hosted(self, suffix, *options, program):
        source = self.folder / f"guest{suffix}"
        source.write_text(program, encoding="utf-8")
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
    def test_the_standard_libraries_work(self):
        libraries = run(ROOT / "scripts/guest-libraries")
        if libraries.returncode != 0:
            self.skipTest(libraries.stderr)
        guest = self.build_hosted(".cc", program=HOSTED)
        answer = run(SANDGLASS, "run", guest, "--allow", "log")
        self.assertEqual((answer.returncode, answer.stdout.splitlines()[:2]), (0, ["3 0.50 4", "a0 = 1 (0x1)"]),
                         answer.stderr)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_the_program_of_the_readme_works(self):
        libraries = run(ROOT / "scripts/guest-libraries")
        if libraries.returncode != 0:
            self.skipTest(libraries.stderr)
        section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Run your own C++ program in the sandbox")[1]
        guest = self.build_hosted(".cc", program=section.split("```cpp\n")[1].split("```")[0])
        answer = run(SANDGLASS, "run", guest, "--backend", "generic", "--entry", "total", "--arg", "1000")
        self.assertIn("a0 = 8000 ", answer.stdout, answer.stderr)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_objects_are_linked_later(self):
        source, thing = self.folder / "a.c", self.folder / "a.o"
        source.write_text("int seven(void) { return 7; }", encoding="utf-8")
        self.assertEqual(run(ROOT / "scripts/guest-build", "--freestanding", "-c", "-o", thing, source).returncode, 0)
        program = ("#include <sandglass/guest.h>\nint seven(void); int call(void) { return seven(); }\n"
                   'SANDGLASS_EXPORT_NAMED(call, "main")')
        answer = run(SANDGLASS, "run", self.build(".c", thing, program=program))
        self.assertEqual(answer.stdout.splitlines()[0], "a0 = 7 (0x7)", answer.stderr)

    @unittest.skipIf(MISSING, f"{MISSING} missing: run scripts/setup guests")
    def test_traps_and_traces_name_functions_unless_stripped(self):
        call = ("run", "--entry", "boom", "--allow", "log")
        answer = run(SANDGLASS, *call, self.build(".c"))
        self.assertEqual(answer.returncode, 2)
        self.assertIn("function     fail+0x", answer.stderr)
        self.assertIn("function names", run(SANDGLASS, "inspect", self.folder / "guest.polkavm").stdout)
        lines = run(SANDGLASS, *call, "--trace", self.folder / "guest.polkavm").stderr.splitlines()
        self.assertIn("fail:", lines)
        self.assertLess(lines.index("boom:"), lines.index("fail:"))
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
        for options in (["x.c"], ["-o", "x"], ["-o"], ["-o", "x", "x.txt"], ["--no-such-option"],
                        ["-c", "-o", "x", "a.c", "b.c"]):
            answer = run(ROOT / "scripts/guest-build", "--sandglass", SANDGLASS, *options)
            self.assertEqual(answer.returncode, 64, options)
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
