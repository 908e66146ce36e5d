#!/usr/bin/python3
"""The expected results of workloads in C and C++ (their README.md), computed again by somebody else: a model in
Python, or another build of the same interpreter."""

import hashlib
import heapq
import operator
import pathlib
import re
import shutil
import subprocess
import unittest
import zlib

WORKLOADS = pathlib.Path(__file__).resolve().parents[2] / "workloads"
MASK = (1 << 64) - 1


def description(name):
    """What the README says that has a heading with this name: up to the next heading of its level."""
    for path in sorted(WORKLOADS.glob("*/README.md")):
        section = re.search(rf"^(#+) {name}\n(.*?)(?=^\1 |\Z)", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        if section:
            return section[2]
    raise LookupError(f"no README has a heading {name}")


def expected(name):
    """{argument: result} from the table of a workload's README."""
    text = description(name)
    rows = re.findall(r"^\| (\d+) \| `0x([0-9a-f]{16})` \|$", text, re.MULTILINE)
    return {int(argument): int(result, 16) for argument, result in rows}


def random_words(seed, count):
    """sandglass::workload::Random (sandglass/workload.h)."""
    state, result = (seed * 2 + 1) & MASK, []
    for _ in range(count):
        state ^= state >> 12
        state ^= (state << 25) & MASK
        state ^= state >> 27
        result.append(state * 0x2545F4914F6CDD1D & MASK)
    return result


def random_message(seed, count):
    return b"".join(word.to_bytes(8, "little") for word in random_words(seed, count // 8))


def below(word, limit):
    return (word >> 32) * limit >> 32


def checksum_of(words, checksum=0xCBF29CE484222325):
    """sandglass::workload::Checksum."""
    for word in words:
        checksum = (checksum ^ word) * 0x100000001B3 & MASK
    return checksum


def random_bytes(seed, count):
    """The top byte of each number, signed."""
    return [(word >> 56) - (word >> 63 << 8) for word in random_words(seed, count)]


def c_sha256(rounds):
    digests = b"".join(hashlib.sha256(random_message(round, 64 * 1024)).digest() for round in range(rounds))
    return checksum_of(int.from_bytes(digests[at:at + 4], "big") for at in range(0, len(digests), 4))


def c_crc32(rounds):
    return checksum_of(zlib.crc32(random_message(round, 1 << 20)) for round in range(rounds))


def c_quicksort(rounds, size=40_000):
    checksum = checksum_of([])
    for round in range(rounds):
        numbers = sorted((word >> 32 ^ 1 << 31) for word in random_words(round, size))
        checksum = checksum_of((number ^ 1 << 31 for number in numbers), checksum)
    return checksum


def c_hash_table(rounds, keys=3 << 14, operations=40_000):
    table, seen = {}, []
    for round in range(rounds):
        for number in random_words(round, operations):
            key, operation = (number >> 32) % keys, number % 8
            if operation < 3:
                table[key] = number
            elif operation == 3:
                table.pop(key, None)
            else:
                seen.append(table.get(key, 0))
        seen.append(len(table))
    return checksum_of(seen)


def c_matmul(rounds, size=128):
    left = [word >> 32 for word in random_words(0, size * size)]
    checksum = checksum_of([])
    for round in range(rounds):
        right = [word >> 32 for word in random_words(1 + round, size * size)]
        columns = [right[column::size] for column in range(size)]
        rows = [left[start:start + size] for start in range(0, size * size, size)]
        left = [sum(map(operator.mul, row, column)) & 0xFFFFFFFF for row in rows for column in columns]
        checksum = checksum_of(left, checksum)
    return checksum


def c_mandelbrot(rows, width=384, height=256, most=400, point=28):
    def steps_at(re, im, outside=4 << point):
        x = y = 0
        for steps in range(most):
            xx, yy = x * x >> point, y * y >> point
            if xx + yy > outside:
                return steps
            x, y = xx - yy + re, (x * y >> point - 1) + im
        return most

    one, checksum = 1 << point, checksum_of([])
    for row in range(rows):
        im = row % height * 2 * one // height - one + row // height * one // 1024
        checksum = checksum_of((steps_at(column * 3 * one // width - 2 * one, im) for column in range(width)), checksum)
    return checksum


def c_queens(queens):
    ways = {11: 2680, 12: 14200, 13: 73712}  # A000170 in the On-Line Encyclopedia of Integer Sequences
    return checksum_of([queens, ways[queens]])


def c_bytecode(rounds, size=2048):
    """Shell's method in Python, counting what its instructions in c_bytecode.cc would be."""
    checksum = checksum_of([])
    for seed in range(rounds):
        memory = []
        for _ in range(size):
            seed = (seed * 6364136223846793005 + 11) & MASK
            memory.append(seed >> 33)
        executed, gap = 1 + 6 * size + 1, size
        while gap := gap >> 1:
            executed += 3
            for index in range(gap, size):
                moved, place = memory[index], index
                executed += 2 + 3
                while place >= gap and moved < memory[place - gap]:
                    memory[place] = memory[place - gap]
                    place -= gap
                    executed += 7
                executed += 1 if place < gap else 4
                memory[place] = moved
            executed += 1
        checksum = checksum_of([executed + 2, *memory], checksum)
    return checksum


def dijkstra(rounds, nodes=10_000, edges=50_000):
    checksum = checksum_of([])
    for round in range(rounds):
        words, graph = random_words(round, 3 * edges), [[] for _ in range(nodes)]
        for at in range(0, 3 * edges, 3):
            graph[below(words[at], nodes)].append((below(words[at + 1], nodes), 1 + below(words[at + 2], 1000)))
        nearest, queue = {}, [(0, round % nodes)]
        while queue:
            distance, node = heapq.heappop(queue)
            if node in nearest:
                continue
            nearest[node] = distance
            for to, length in graph[node]:
                heapq.heappush(queue, (distance + length, to))
        checksum = checksum_of((nearest.get(node, MASK) for node in range(nodes)), checksum)
    return checksum


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

    def test_c_kernels(self):
        for model in (c_sha256, c_crc32, c_quicksort, c_hash_table, c_matmul, c_mandelbrot, c_queens, c_bytecode):
            self.check(model.__name__, model)

    def test_dijkstra(self):
        self.check("dijkstra", dijkstra)

    def test_eigen_int8(self):
        self.check("eigen_int8", eigen_int8)

    @unittest.skipUnless(shutil.which("lua5.4"), "lua5.4 is not installed")
    def test_lua(self):
        self.check("lua", lua)


if __name__ == "__main__":
    unittest.main()
