// SHA-256 as FIPS 180-4 describes it, over made-up messages: workloads/c_kernels/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>
#include <string.h>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr size_t kMessageBytes = 64 * 1024;
constexpr size_t kBlockBytes = 64;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint8_t message[kMessageBytes];

uint32_t rotate(uint32_t value, int bits) { return value >> bits | value << (32 - bits); }

uint32_t load_big_endian(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void expand(uint32_t schedule[64], const uint8_t* block) {
  for (int i = 0; i < 16; i++) schedule[i] = load_big_endian(block + 4 * i);
  for (int i = 16; i < 64; i++) {
    uint32_t w15 = schedule[i - 15], w2 = schedule[i - 2];
    uint32_t s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3;
    uint32_t s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10;
    schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1;
  }
}

void compress(uint32_t state[8], const uint8_t* block) {
  uint32_t schedule[64];
  expand(schedule, block);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i++) {
    uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRounds[i] + schedule[i];
    uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

// Of whole blocks, so that the padding is a block of its own.
void hash(uint32_t state[8], const uint8_t* bytes, size_t count) {
  static const uint32_t kStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(state, kStart, sizeof(kStart));
  for (size_t at = 0; at < count; at += kBlockBytes) compress(state, bytes + at);
  uint8_t padding[kBlockBytes] = {0x80};
  for (int i = 0; i < 8; i++) padding[63 - i] = static_cast<uint8_t>(uint64_t{count} * 8 >> (8 * i));
  compress(state, padding);
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    Random random(round);
    for (size_t at = 0; at < kMessageBytes; at += 8) {
      uint64_t word = random.next();
      memcpy(message + at, &word, sizeof(word));
    }
    uint32_t digest[8];
    hash(digest, message, kMessageBytes);
    for (uint32_t word : digest) checksum.add(word);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
