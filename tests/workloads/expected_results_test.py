#!/usr/bin/python3
"""The expected results in workloads.cc, computed by somebody else: Python, its standard library, and closed forms."""

import hashlib
import os
import re
import unittest

TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "workloads", "workloads.cc")
MASK = (1 << 64) - 1
SEED = 0x9E3779B97F4A7C15
FNV_START, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
ALPHABET = "etaoinshrdlucmfwypvbgkjqxzeta0123456789" + " " * 11 + "\n\n\n" + '""#...+-=(;'
# One group per kind of token, in the order of their numbers; blanks belong to no group.
TOKENS = re.compile(r'[ \n]+|([a-z][a-z0-9]*)|([0-9]+(?:\.[0-9]*)?)|("[^"]*"?)|(#[^\n]*)|(.)')


def loop_arith(n, _):
    state = SEED
    for _ in range(n):
        state ^= state >> 12
        state ^= state << 25 & MASK
        state ^= state >> 27
        state = state * 0x2545F4914F6CDD1D & MASK
    return state


def divloop(n, _):
    folded = 0
    for divisor in range(n, 0, -1):
        quotient, remainder = divmod(0xFEDCBA9876543210, divisor)
        folded = ((folded ^ quotient) + remainder) & MASK
    return folded


def jumptable(n, _):
    steps = (lambda x: x + 1, lambda x: x + 3, lambda x: x ^ 5, lambda x: x + 7)
    total = 0
    for i in range(n):
        total = steps[i % 4](total)
    return total


def fib(n, _):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def sieve(n, _):
    is_prime = bytearray([0, 0]) + bytearray([1]) * (n - 2)
    for i in range(2, int(n**0.5) + 1):
        if is_prime[i]:
            is_prime[i * i :: i] = bytes(len(range(i * i, n, i)))
    return sum(is_prime)


def sort(n, state):
    numbers = []
    for _ in range(n):
        state ^= state << 13 & MASK
        state ^= state >> 7
        state ^= state << 17 & MASK
        numbers.append(state)
    digest = FNV_START
    for number in sorted(numbers):
        digest = (digest ^ number) * FNV_PRIME & MASK
    return digest


def state_machine(n, repetitions):
    state, text = SEED, ""
    for _ in range(n):
        state = (state * 0x5851F42D4C957F2D + 0x14057B7EF767814F) & MASK
        text += ALPHABET[state >> 58]
    tokens = [(len(m.group()) << 3 | m.lastindex) for m in TOKENS.finditer(text) if m.lastindex]
    digest = FNV_START
    for token in tokens * repetitions:
        digest = (digest ^ token) * FNV_PRIME & MASK
    return digest


MODELS = {
    "noop": lambda n, _: n,
    "loop_add": lambda n, _: n * (n + 1) // 2,
    "loop_arith": loop_arith,
    "divloop": divloop,
    "jumptable": jumptable,
    "fib": fib,
    "sieve": sieve,
    "memset": lambda _, repetitions: int.from_bytes(bytes([repetitions]) * 8, "little"),
    "memcpy": lambda *_: int.from_bytes(bytes(range(1, 9)), "little"),
    "sort": sort,
    "sha256": lambda n, _: int.from_bytes(hashlib.sha256(b"a" * n).digest()[:8], "big"),
    "state_machine": state_machine,
    "host_call_loop": lambda n, _: n,
    "trap_loop": lambda n, _: n,
    "touch_pages": lambda n, _: n,
}
# Python would need a minute for each of these at full size. Guest and twin agree there, in workload_test.cc.
QUICK_ONLY = {"loop_arith", "divloop", "jumptable", "state_machine"}


def number(text):
    names = {"kSeed": SEED, "KiB": lambda n: n << 10, "MiB": lambda n: n << 20}
    return eval(text.replace("'", "").rstrip("u"), {"__builtins__": {}}, names)


def table_rows():
    """(name, size, arguments, expected) of every row in the table."""
    with open(TABLE, encoding="utf-8") as file:
        text = file.read()
    for row in re.split(r'\.name = (?=")', text)[1:]:
        name = re.match(r'"(\w+)"', row).group(1)
        sizes = re.findall(r"\.(quick|full) =\s+\{\.arguments = \{(.*?)\},\s+\.expected = ([^,}]+)", row)
        for size, arguments, expected in sizes:
            yield name, size, [number(a) for a in arguments.split(",")], number(expected)


class ExpectedResults(unittest.TestCase):
    def test_every_workload_has_a_model(self):
        rows = [(name, size) for name, size, _, _ in table_rows()]
        self.assertEqual(sorted(rows), sorted((name, size) for name in MODELS for size in ("quick", "full")))

    def test_models_agree_with_the_table(self):
        for name, size, arguments, expected in table_rows():
            if size == "full" and name in QUICK_ONLY:
                continue
            with self.subTest(workload=name, size=size):
                self.assertEqual(MODELS[name](*(arguments + [0])[:2]), expected)


if __name__ == "__main__":
    unittest.main()
