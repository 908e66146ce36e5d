"""sandglass/workload.h in Python: the numbers that workloads are made of, and the checksum that they return."""

import struct

MASK = (1 << 64) - 1


class Random:
    def __init__(self, seed):
        self.state = (seed * 2 + 1) & MASK

    def next(self):
        self.state ^= self.state >> 12
        self.state ^= (self.state << 25) & MASK
        self.state ^= self.state >> 27
        return self.state * 0x2545F4914F6CDD1D & MASK

    def below(self, limit):
        return (self.next() >> 32) * limit >> 32


class Checksum:
    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, *words):
        for word in words:
            self.value = (self.value ^ word & MASK) * 0x100000001B3 & MASK

    def add_bytes(self, data):
        self.add(*data)

    def add_words(self, data):
        self.add(*(word for word, in struct.iter_unpack("<Q", data[:len(data) // 8 * 8])))

    def add_text(self, text):
        self.add(len(text), *text)


def random_words(seed, count):
    random = Random(seed)
    return [random.next() for _ in range(count)]


def checksum_of(words, checksum=None):
    """Of many words, or going on from a checksum."""
    sum_of_all = Checksum()
    if checksum is not None:
        sum_of_all.value = checksum
    sum_of_all.add(*words)
    return sum_of_all.value


def random_message(seed, count):
    return b"".join(word.to_bytes(8, "little") for word in random_words(seed, count // 8))
