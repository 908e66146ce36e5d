"""Workloads in C++ (their sources), again in Python: for expected_programs_test.py. MODELS is at the end."""

import json as json_module
import struct

from workload_input import MASK, Checksum, Random

# --- eigen_mlp ------------------------------------------------------------------------------------------------

def wrapped(number):
    """As 32 bits with a sign."""
    return (number + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


def small_numbers(random, count, shift):
    return [struct.unpack("<h", struct.pack("<H", random.next() >> 48))[0] * 2 >> shift for _ in range(count)]


def layer_of(random, inputs, outputs):
    weights = small_numbers(random, inputs * outputs, 3)  # column after column
    biases = small_numbers(random, outputs, 2)
    return [(weights[row::outputs], bias) for row, bias in enumerate(biases)]


def through(layer, vector):
    return [wrapped(sum(w * x >> 16 for w, x in zip(weights, vector)) + bias) for weights, bias in layer]


def eigen_mlp(batches, widths=(256, 256, 160, 10), batch_size=8):
    random, checksum = Random(1), Checksum()
    layers = [layer_of(random, *pair) for pair in zip(widths, widths[1:])]
    for batch in range(batches):
        inputs = Random(2 + batch)
        for _ in range(batch_size):
            vector = small_numbers(inputs, widths[0], 0)
            for layer in layers[:-1]:
                vector = [max(0, x) for x in through(layer, vector)]
            scores = through(layers[-1], vector)
            checksum.add(*(score & 0xFFFFFFFF for score in scores), scores.index(max(scores)))
    return checksum.value


# --- json -----------------------------------------------------------------------------------------------------

WORDS = ["sand", "glass", "clock", "caf\\u00e9", '\\"quoted\\"', "na\u00efve", "tab\\tand", "line\\nend", "slash\\\\",
         "ordinary"]


def json_record(random, number):
    def words(count):
        return " ".join(WORDS[random.below(10)] for _ in range(count))

    def coordinate():
        sign = "-" if random.below(2) == 0 else ""
        whole = random.below(180)
        return f"{sign}{whole}.{1 + random.below(999999)}"

    lines = [f'    "id": {number}', f'    "name": "{words(2)}"',
             f'    "active": {"true" if random.below(3) else "false"}',
             f'    "parent": {random.below(number) if number else "null"}']
    account = random.next() >> 1
    sign = "-" if random.below(4) == 0 else ""
    lines.append(f'    "account": {{ "number": {account}, "balance": {sign}{1 + random.below(1000000)} }}')
    latitude = coordinate()
    lines.append(f'    "position": [ {latitude}, {coordinate()} ]')
    tags = [f'"{words(1)}"' for _ in range(random.below(4))]
    lines.append(f'    "tags": [{", ".join(tags)}]')
    lines.append(f'    "note": "{words(random.below(12))}"')
    return "  {\n" + ",\n".join(lines) + "\n  }"


def json_walk(value, checksum):
    types = {type(None): 0, dict: 3, list: 4, str: 5, int: 6, float: 6}
    checksum.add(1 + value if isinstance(value, bool) else types[type(value)])
    if isinstance(value, dict):
        checksum.add(len(value))
        for name, member in value.items():
            checksum.add_text(name.encode())
            json_walk(member, checksum)
    elif isinstance(value, list):
        checksum.add(len(value))
        for element in value:
            json_walk(element, checksum)
    elif isinstance(value, str):
        checksum.add_text(value.encode())
    elif isinstance(value, float):
        checksum.add(struct.unpack("<Q", struct.pack("<d", value))[0])
    elif value is not None and not isinstance(value, bool):
        checksum.add(value)


def json(records):
    random, checksum = Random(1), Checksum()
    text = "[\n" + ",\n".join(json_record(random, number) for number in range(records)) + "\n]\n"
    document = json_module.loads(json_module.dumps(json_module.loads(text)))
    json_walk(document, checksum)
    checksum.add(sum(record["account"]["balance"] for record in document if record["active"]))
    return checksum.value


# --- std_sort -------------------------------------------------------------------------------------------------

def sort_records(count):
    """(key, group, serial, value)"""
    random = Random(1)
    return [(random.next() >> 8, random.below(1000), serial, random.next()) for serial in range(count)]


def sort_words(count):
    random = Random(2)
    for _ in range(count):
        prefix = random.below(12)
        length = prefix + 2 + random.below(10)
        yield bytes(ord("a") + (at if at < prefix else random.below(26)) for at in range(length))


def std_sort(count):
    checksum, records = Checksum(), sort_records(count)
    for order in (lambda record: (record[1], record[0]), lambda record: record[1]):
        for key, _, serial, value in sorted(records, key=order):
            checksum.add(key, serial, value)
    values = sorted(record[3] for record in records)
    for quarter in (1, 2, 3):
        at = count * quarter // 4
        checksum.add(values[at], sum(values[:at]))
    for word in sorted(sort_words(count)):
        checksum.add(len(word), word[-1], word[len(word) // 2])
    return checksum.value


# --- trees ----------------------------------------------------------------------------------------------------

def tree_sum(depth, number):
    if depth == 0:
        return number
    return number + 3 * tree_sum(depth - 1, 2 * number) + 5 * tree_sum(depth - 1, 2 * number + 1)


def visits_of(seed):
    """{key: [first step, count]}"""
    random, visits = Random(seed), {}
    for step in range(8000):
        key = random.below(4096) * 0x9E3779B1
        if random.below(4) == 0:
            visits.pop(key, None)
        else:
            visits.setdefault(key, [step, 0])[1] += 1
    return visits


def trees(rounds):
    checksum = Checksum()
    for number in range(rounds):
        checksum.add(*(tree_sum(4, 1 + number + i) for i in range(128)), tree_sum(12, 1 + number))
        for key, (step, count) in sorted(visits_of(2 * number).items()):
            checksum.add(key, step, count)
        visits = visits_of(2 * number + 1)
        checksum.add(*(step * count for _, (step, count) in sorted(visits.items())))
        checksum.add(sum(key * count for key, (_, count) in visits.items()), len(visits))
    return checksum.value


# --- page_strider ---------------------------------------------------------------------------------------------

def page_strider(megabytes):
    checksum, words = Checksum(), megabytes << 17
    memory = [i * 0x9E3779B97F4A7C15 & MASK for i in range(words)]
    for i in range(0, words, 8):
        memory[i] ^= memory[i] >> 29
    checksum.add(sum(memory))
    stops = words // 32
    memory[::32] = circle = list(range(stops))
    random = Random(stops)
    for i in range(stops - 1, 0, -1):
        other = random.below(i)
        circle[i], circle[other] = circle[other], circle[i]
    memory[::32] = circle
    at = total = 0
    for _ in range(stops):
        at = circle[at]
        total = total * 3 + at & MASK
    checksum.add(at, total, sum(memory))
    return checksum.value


# --- fannkuch -------------------------------------------------------------------------------------------------

# The first n! permutations: their alternating sum of flips and the most flips, as published for n pancakes.
PANCAKES = {5040: (228, 16), 40320: (1616, 22), 362880: (8629, 30), 3628800: (73196, 38)}


def flips(pile):
    count = 0
    while pile[0] != 0:
        turned = pile[0] + 1
        pile[:turned] = pile[turned - 1::-1] if turned < len(pile) else pile[::-1]
        count += 1
    return count


def permutations(count, size=10):
    pile, digits = list(range(size)), [0] * size
    for _ in range(count):
        yield list(pile)
        for i in range(1, size):
            pile.insert(i, pile.pop(0))
            digits[i] += 1
            if digits[i] <= i:
                break
            digits[i] = 0


def fannkuch(count):
    turned = [flips(pile) for pile in permutations(count)]
    ends = (sum(turned[::2]) - sum(turned[1::2]), max(turned))
    if PANCAKES.get(count, ends) != ends:
        raise ValueError(f"the first {count} permutations give {ends}")
    checksum = Checksum()
    checksum.add(*turned, *ends)
    return checksum.value


# name: the model, and the largest argument that it has the time for.
MODELS = {
    "eigen_mlp": (eigen_mlp, 1),
    "json": (json, MASK),
    "std_sort": (std_sort, MASK),
    "trees": (trees, MASK),
    "page_strider": (page_strider, 1),
    "fannkuch": (fannkuch, MASK),
}
