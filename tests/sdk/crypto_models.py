"""What the workloads libsodium and mbedtls compute, from the definitions of their algorithms: for
expected_programs_test.py."""

import hashlib
import hmac
import itertools
import struct
import subprocess

from workload_input import checksum_of, random_message

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
