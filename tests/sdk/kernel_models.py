"""The kernels in C and C++ (their sources), again in Python: for expected_programs_test.py."""

import hashlib
import heapq
import operator
import zlib

from workload_input import MASK, checksum_of, random_message, random_words


def below(word, limit):
    return (word >> 32) * limit >> 32


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
