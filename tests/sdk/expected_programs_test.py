#!/usr/bin/python3
"""The expected results of workloads in C and C++ (their README.md), computed again by somebody else: a model in
Python (*_models.py), another implementation, or another build of the same one."""

import bz2
import ctypes
import json
import math
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import unittest

import small_models
from crypto_models import libsodium, mbedtls
from kernel_models import c_bytecode, c_crc32, c_hash_table, c_mandelbrot, c_matmul, c_queens, c_quicksort, c_sha256, dijkstra
from workload_input import MASK, Checksum, Random, checksum_of, random_words

WORKLOADS = pathlib.Path(__file__).resolve().parents[2] / "workloads"


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


def raw_strings(name, file, tag):
    """{constant: text} of the raw strings in a C++ header."""
    header = (WORKLOADS / name / file).read_text(encoding="utf-8")
    return dict(re.findall(rf'(\w+)\[\] = R"{tag}\((.*?)\){tag}"', header, re.DOTALL))


def random_bytes(seed, count):
    """The top byte of each number, signed."""
    return [(word >> 56) - (word >> 63 << 8) for word in random_words(seed, count)]


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


def fixed_point_fft(samples, twiddles, sign):
    """Radix 4, by recursion; samples are pairs of fractions of 31 bits, which every stage divides by 4."""
    def rounded(product):
        return product + (1 << 30) >> 31

    if len(samples) == 1:
        return samples
    quarter, stride = len(samples) // 4, len(twiddles) // len(samples)
    parts = [fixed_point_fft(samples[start::4], twiddles, sign) for start in range(4)]
    result = [None] * len(samples)
    for k in range(quarter):
        turned = []
        for start in range(4):
            re, im = (rounded(part * (0x7FFFFFFF // 4)) for part in parts[start][k])
            if start:
                cos, sin = twiddles[start * k * stride]
                re, im = rounded(re * cos - im * sin), rounded(re * sin + im * cos)
            turned.append((re, im))
        (ar, ai), (br, bi), (cr, ci), (dr, di) = turned
        result[k] = ar + cr + br + dr, ai + ci + bi + di
        result[k + 2 * quarter] = ar + cr - br - dr, ai + ci - bi - di
        result[k + quarter] = ar - cr - sign * (bi - di), ai - ci + sign * (br - dr)
        result[k + 3 * quarter] = ar - cr + sign * (bi - di), ai - ci - sign * (br - dr)
    return result


def kissfft(rounds, size=4096):
    def signed_half(word):
        number = word - (word >> 31 << 32)
        return (number + (number < 0)) >> 1  # towards zero

    def twiddles(sign):
        phases = [sign * 2 * math.pi * k / size for k in range(size)]
        return [tuple(math.floor(0.5 + 0x7FFFFFFF * of(phase)) for of in (math.cos, math.sin)) for phase in phases]

    checksum, forward, inverse = checksum_of([]), twiddles(-1), twiddles(1)
    for round in range(rounds):
        signal = [(signed_half(word >> 32), signed_half(word & 0xFFFFFFFF)) for word in random_words(round, size)]
        spectrum = fixed_point_fft(signal, forward, -1)
        returned = fixed_point_fft(spectrum, inverse, 1)
        words = ((re & 0xFFFFFFFF) << 32 | im & 0xFFFFFFFF for re, im in spectrum + returned)
        checksum = checksum_of(words, checksum)
    return checksum


def lua(rounds):
    script = raw_strings("lua", "script.h", "lua")["kScript"]
    program = f'local run = load([====[{script}]====])\nprint(string.format("%d", run({rounds})))'
    answer = subprocess.run(["lua5.4", "-e", program], capture_output=True, text=True, check=True)
    return int(answer.stdout) & MASK


def prose(size, seed):
    """As in workloads/prose.h."""
    random = Random(seed)
    vocabulary = [bytes(97 + random.below(26) for _ in range(12)) for _ in range(256)]
    text = bytearray()
    while len(text) < size:
        rank = random.below(random.below(256) + 1)
        text += vocabulary[rank][:3 + rank % 9] + b" "
    return bytes(text[:size])


def packed_texts(pack, unit_bytes):
    """The model of a workload that compresses `units` of text, at most 1 MiB at once."""
    def model(units):
        checksum, left = Checksum(), units * unit_bytes
        while left > 0:
            size = min(left, 1 << 20)
            packed = pack(prose(size, left))
            checksum.add(len(packed))
            checksum.add_words(packed)
            left -= size
        return checksum.value
    return model


def library(name, version_function, version):
    """This machine's own build, if it has the version that the results were made with."""
    try:
        found = ctypes.CDLL(name)
    except OSError:
        return None
    return found if getattr(found, version_function)() == version else None


LZ4 = library("liblz4.so.1", "LZ4_versionNumber", 10904)
ZSTD = library("libzstd.so.1", "ZSTD_versionNumber", 10504)


def lz4_pack(text):
    packed = ctypes.create_string_buffer(2 * len(text) + 64)
    count = LZ4.LZ4_compress_default(text, packed, len(text), len(packed))
    return packed.raw[:count]


def zstd_pack(text):
    packed = ctypes.create_string_buffer(2 * len(text) + 64)
    ZSTD.ZSTD_compress.restype = ctypes.c_size_t
    count = ZSTD.ZSTD_compress(packed, ctypes.c_size_t(len(packed)), text, ctypes.c_size_t(len(text)), 3)
    return packed.raw[:count]


def mujs(rounds):
    script = raw_strings("mujs", "script.h", "js")["kScript"]
    program = f"var rounds = {rounds};\nfunction report(value) {{ console.log(JSON.stringify(value)); }}\n{script}"
    answer = subprocess.run(["node", "--use_strict", "-"], input=program, capture_output=True, text=True, check=True)
    checksum = Checksum()
    for value in map(json.loads, answer.stdout.splitlines()):
        if isinstance(value, str):
            checksum.add_bytes(value.encode())
        else:
            checksum.add(value)
    return checksum.value


class Shop:
    """As in workloads/sqlite/sqlite.cc, with the SQLite that Python was built with."""

    CITIES = ["aachen", "bern", "delft", "espoo", "ghent", "lund", "porto", "turku"]

    def __init__(self, units):
        self.customers, self.orders = units * 10, units * 100
        self.database = sqlite3.connect(":memory:", isolation_level=None)
        self.random, self.checksum = Random(1), Checksum()

    def add(self, value):
        if isinstance(value, str):
            self.checksum.add_bytes(value.encode())
        elif isinstance(value, float):
            self.checksum.add(struct.unpack("<Q", struct.pack("<d", value))[0])
        else:
            self.checksum.add(-1 if value is None else value)

    def ask(self, text, arguments=()):
        for row in self.database.execute(text, arguments):
            for value in row:
                self.add(value)

    def ask_all(self, texts):
        statement = ""
        for line in texts.splitlines():
            statement += line + "\n"
            if sqlite3.complete_statement(statement):
                self.ask(statement)
                statement = ""

    def word(self, letters):
        return "".join(chr(97 + self.random.below(26)) for _ in range(letters))

    def customer(self, number):
        name = self.word(4 + self.random.below(8))
        return number, name, self.CITIES[self.random.below(8)]

    def order(self, number):
        below = self.random.below
        order = [number, 1 + below(self.customers), self.word(1 + below(2)), 1 + below(9), 100 + below(5000), below(365)]
        return [*order, None if below(4) == 0 else self.word(8 + below(32))]

    def trade(self):
        header = (WORKLOADS / "sqlite" / "statements.h").read_text(encoding="utf-8")
        prepared = dict(re.findall(r'(\w+)\[\] =\s+"(.*)";', header))
        scripts = raw_strings("sqlite", "statements.h", "sql")
        self.ask_all(scripts["kSchema"])
        self.ask("BEGIN")
        for number in range(1, self.customers + 1):
            self.ask(prepared["kInsertCustomer"], self.customer(number))
        for number in range(1, self.orders + 1):
            self.ask(prepared["kInsertOrder"], self.order(number))
        self.ask("COMMIT")
        self.ask_all(scripts["kIndexes"])
        for _ in range(self.customers):
            self.ask(prepared["kOrdersOfCustomer"], [1 + self.random.below(self.customers)])
        self.ask_all(scripts["kQueries"])
        return self.checksum.value


def table_of_the_program():
    """{name: {argument: result}} from what is compiled into the tests and the suite."""
    rows = re.findall(r"^SG_PROGRAM\((\w+), \w+, \"[^\"]*\",\s+(\d+), 0x([0-9a-f]{16}), (\d+), 0x([0-9a-f]{16})\)$",
                      (WORKLOADS / "programs.def").read_text(encoding="utf-8"), re.MULTILINE)
    return {name: {int(quick): int(one, 16), int(full): int(two, 16)} for name, quick, one, full, two in rows}


class ExpectedResults(unittest.TestCase):
    def test_every_readme_says_what_the_table_says(self):
        table = table_of_the_program()
        self.assertGreaterEqual(len(table), 7)
        for name, results in table.items():
            self.assertEqual(expected(name), results)

    def check(self, name, model, largest=MASK):
        """Without the results for arguments above `largest`, which would take too long."""
        table = expected(name)
        self.assertGreaterEqual(len(table), 2)
        self.assertLessEqual(min(table), largest)
        for argument, result in table.items():
            if argument > largest:
                continue
            with self.subTest(name, argument=argument):
                self.assertEqual(f"{model(argument):#018x}", f"{result:#018x}")

    def test_c_kernels(self):
        for model in (c_sha256, c_crc32, c_quicksort, c_hash_table, c_matmul, c_mandelbrot, c_queens, c_bytecode):
            self.check(model.__name__, model)

    def test_dijkstra(self):
        self.check("dijkstra", dijkstra)

    def test_eigen_int8(self):
        self.check("eigen_int8", eigen_int8)

    def test_libsodium(self):
        self.check("libsodium", libsodium)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_mbedtls(self):
        self.check("mbedtls", mbedtls)

    def test_kissfft(self):
        self.check("kissfft", kissfft, largest=1)  # the other size takes half a minute

    @unittest.skipUnless(shutil.which("lua5.4"), "lua5.4 is not installed")
    def test_lua(self):
        self.check("lua", lua)

    def test_sqlite(self):
        self.check("sqlite", lambda units: Shop(units).trade())

    def test_small_models(self):
        for name, (model, largest) in small_models.MODELS.items():
            self.check(name, model, largest)

    @unittest.skipUnless(LZ4, "liblz4 1.9.4 is not installed")
    def test_lz4(self):
        self.check("lz4", packed_texts(lz4_pack, 1 << 16))

    @unittest.skipUnless(ZSTD, "libzstd 1.5.4 is not installed")
    def test_zstd(self):
        self.check("zstd", packed_texts(zstd_pack, 1 << 16))

    def test_bzip2(self):
        self.check("bzip2", packed_texts(bz2.compress, 1 << 13))

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_mujs(self):
        self.check("mujs", mujs)


if __name__ == "__main__":
    unittest.main()
