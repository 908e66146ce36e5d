#!/usr/bin/python3
"""The expected results of workloads in C and C++ (their README.md), computed again by somebody else: a model in
Python (small_models.py), another implementation, or another build of the same one."""

import bz2
import ctypes
import hashlib
import heapq
import hmac
import itertools
import json
import math
import operator
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import unittest
import zlib

import small_models
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
    random = Random(seed)
    tops = [random.next() >> 56 for _ in range(count)]
    return [top - 256 if top > 127 else top for top in tops]


def random_message(seed, count):
    return b"".join(word.to_bytes(8, "little") for word in random_words(seed, count // 8))


def below(word, limit):
    return (word >> 32) * limit >> 32


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


P25519, EDWARDS_D = 2**255 - 19, -121665 * pow(121666, -1, 2**255 - 19)
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202


def edwards_add(a, b):
    """Points of Ed25519 as (x z, y z, z, x y z): RFC 8032, section 5.1.4."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % P25519, (y1 + x1) * (y2 + x2) % P25519
    c, d = 2 * t1 * t2 * EDWARDS_D % P25519, 2 * z1 * z2 % P25519
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P25519, g * h % P25519, f * g % P25519, e * h % P25519


def ed25519_times_base(scalar):
    """The point, as 32 bytes."""
    y = 4 * pow(5, -1, P25519) % P25519
    power, total = (ED25519_BASE_X, y, 1, ED25519_BASE_X * y % P25519), (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = edwards_add(total, power)
        power, scalar = edwards_add(power, power), scalar >> 1
    inverse = pow(total[2], -1, P25519)
    return (total[1] * inverse % P25519 | (total[0] * inverse % P25519 & 1) << 255).to_bytes(32, "little")


def ed25519_sign(seed, message):
    """RFC 8032, section 5.1.6."""
    def number(*parts):
        return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")

    secret, prefix = number(seed) % 2**256, hashlib.sha512(seed).digest()[32:]
    secret = secret & (2**254 - 8) | 2**254
    public = ed25519_times_base(secret)
    once = number(prefix, message) % ED25519_ORDER
    point = ed25519_times_base(once)
    return point + ((once + number(point, public, message) * secret) % ED25519_ORDER).to_bytes(32, "little")


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    start = struct.unpack("<16I", b"expand 32-byte k" + key + counter.to_bytes(4, "little") + nonce)
    state = list(start)
    for a, b, c, d in CHACHA20_QUARTERS * 10:
        for one, two, other, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[one] = (state[one] + state[two]) & 0xFFFFFFFF
            mixed = state[other] ^ state[one]
            state[other] = (mixed << bits | mixed >> 32 - bits) & 0xFFFFFFFF
    return struct.pack("<16I", *((one + two) & 0xFFFFFFFF for one, two in zip(start, state)))


CHACHA20_QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                     (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def chacha20_poly1305(key, nonce, text):
    """The encrypted text and its tag, RFC 8439, section 2.8; of whole blocks, with nothing that is only signed."""
    stream = b"".join(chacha20_block(key, 1 + block, nonce) for block in range(len(text) // 64))
    sealed = exclusive_or(text, stream)
    once = chacha20_block(key, 0, nonce)
    factor = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    tag, lengths = 0, struct.pack("<QQ", 0, len(text))
    for at in range(0, len(text) + 16, 16):
        tag = (tag + int.from_bytes((sealed + lengths)[at:at + 16], "little") + 2**128) * factor % (2**130 - 5)
    return sealed + ((tag + int.from_bytes(once[16:32], "little")) % 2**128).to_bytes(16, "little")


def exclusive_or(one, two):
    return (int.from_bytes(one, "big") ^ int.from_bytes(two, "big")).to_bytes(len(one), "big")


def libsodium(rounds, message_bytes=64 * 1024, sealed_bytes=8 * 1024):
    checksum = checksum_of([])
    for round in range(rounds):
        made_up = random_message(round, 80 + message_bytes)
        message = made_up[80:]
        signature = ed25519_sign(made_up[:32], hashlib.blake2b(message, digest_size=32).digest())
        sealed = chacha20_poly1305(made_up[32:64], made_up[64:76], message[:sealed_bytes])
        checksum = checksum_of(signature + sealed, checksum)
    return checksum


def openssl_aes(mode, key, text, vector=None):
    start = ["-iv", vector.hex()] if vector else []
    command = ["openssl", "enc", f"-aes-128-{mode}", "-nopad", "-K", key.hex(), *start]
    return subprocess.run(command, input=text, capture_output=True, check=True).stdout


def ghash(key, text):
    """NIST SP 800-38D, section 6.4; `bits` counts from the left."""
    multiple, of_bit = int.from_bytes(key, "big"), []
    for _ in range(128):
        of_bit.append(multiple)
        multiple = multiple >> 1 ^ (0xE1 << 120 if multiple & 1 else 0)
    of_byte = [[0] * 256 for _ in range(16)]
    for place, byte in itertools.product(range(16), range(1, 256)):
        bit = 8 - byte.bit_length()
        of_byte[place][byte] = of_byte[place][byte ^ 0x80 >> bit] ^ of_bit[8 * place + bit]
    state = 0
    for at in range(0, len(text), 16):
        mixed = (state ^ int.from_bytes(text[at:at + 16], "big")).to_bytes(16, "big")
        state = 0
        for place, byte in enumerate(mixed):
            state ^= of_byte[place][byte]
    return state.to_bytes(16, "big")


def aes_gcm(key, nonce, text):
    stream = openssl_aes("ctr", key, bytes(16) + text, nonce + bytes([0, 0, 0, 1]))
    signed = stream[16:] + struct.pack(">QQ", 0, 8 * len(text))
    return stream[16:], exclusive_or(ghash(openssl_aes("ecb", key, bytes(16)), signed), stream[:16])


def mbedtls(rounds, record_bytes=16 * 1024):
    checksum = checksum_of([])
    for round in range(rounds):
        made_up = random_message(round, 64 + record_bytes)
        key, vector, authentication, record = made_up[:16], made_up[16:32], made_up[32:64], made_up[64:]
        encrypted, tag = aes_gcm(key, vector[:12], record)
        chained = openssl_aes("cbc", key, record, vector)
        codes = [hmac.digest(authentication, text, "sha256") for text in (chained, encrypted)]
        checksum = checksum_of(b"".join([hashlib.sha256(record).digest(), *codes, tag]), checksum)
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
