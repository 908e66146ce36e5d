#!/usr/bin/python3
"""The expected results of workloads in C and C++ (their README.md), computed again by somebody else: a model in
Python, or another build of the same interpreter."""

import pathlib
import re
import shutil
import subprocess
import unittest

WORKLOADS = pathlib.Path(__file__).resolve().parents[2] / "workloads"
MASK = (1 << 64) - 1


def expected(name):
    """{argument: result} from the table of a workload's README."""
    text = (WORKLOADS / name / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `0x([0-9a-f]{16})` \|$", text, re.MULTILINE)
    return {int(argument): int(result, 16) for argument, result in rows}


def random_bytes(seed, count):
    """The top byte of each number, signed."""
    state, result = (seed * 2 + 1) & MASK, []
    for _ in range(count):
        state ^= state >> 12
        state ^= (state << 25) & MASK
        state ^= state >> 27
        top = (state * 0x2545F4914F6CDD1D & MASK) >> 56
        result.append(top - 256 if top > 127 else top)
    return result


def eigen_int8(layers, size=128):
    activations = random_bytes(1, size * size)  # column after column
    checksum = 0xCBF29CE484222325
    for layer in range(layers):
        weights = random_bytes(2 + layer, size * size)
        rows = [weights[row::size] for row in range(size)]
        columns = [activations[start:start + size] for start in range(0, size * size, size)]
        sums = [sum(map(int.__mul__, row, column)) for column in columns for row in rows]
        activations = [max(-128, min(127, value >> 8)) for value in sums]
        for value in sums:
            checksum = (checksum ^ value & 0xFFFFFFFF) * 0x100000001B3 & MASK
    return checksum


def lua(rounds):
    header = (WORKLOADS / "lua" / "script.h").read_text(encoding="utf-8")
    script = re.search(r'R"lua\((.*)\)lua"', header, re.DOTALL)[1]
    program = f'local run = load([====[{script}]====])\nprint(string.format("%d", run({rounds})))'
    answer = subprocess.run(["lua5.4", "-e", program], capture_output=True, text=True, check=True)
    return int(answer.stdout) & MASK


def table_of_the_program():
    """{name: {argument: result}} from what is compiled into the tests and the suite."""
    rows = re.findall(r"^SG_PROGRAM\((\w+), \w+, \"[^\"]*\",\s+(\d+), 0x([0-9a-f]{16}), (\d+), 0x([0-9a-f]{16})\)$",
                      (WORKLOADS / "programs.def").read_text(encoding="utf-8"), re.MULTILINE)
    return {name: {int(quick): int(one, 16), int(full): int(two, 16)} for name, quick, one, full, two in rows}


class ExpectedResults(unittest.TestCase):
    def test_every_readme_says_what_the_table_says(self):
        table = table_of_the_program()
        self.assertGreaterEqual(len(table), 3)
        for name, results in table.items():
            self.assertEqual(expected(name), results)

    def check(self, name, model):
        table = expected(name)
        self.assertGreaterEqual(len(table), 2)
        for argument, result in table.items():
            with self.subTest(name, argument=argument):
                self.assertEqual(f"{model(argument):#018x}", f"{result:#018x}")

    def test_eigen_int8(self):
        self.check("eigen_int8", eigen_int8)

    @unittest.skipUnless(shutil.which("lua5.4"), "lua5.4 is not installed")
    def test_lua(self):
        self.check("lua", lua)


if __name__ == "__main__":
    unittest.main()
