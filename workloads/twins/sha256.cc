// SHA-256 as FIPS 180-4 describes it.
#include <bit>
#include <cstring>

#include "workloads/twins/twins.h"

namespace sandglass::twins {
namespace {

constexpr uint64_t kBlockBytes = 64;

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t big_endian_word(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return __builtin_bswap32(word);
}

// Appends the padding to the message and returns the size with it.
uint64_t pad(uint8_t* message, uint64_t size_bytes) {
  const uint64_t padded_bytes = (size_bytes + 8 + kBlockBytes) / kBlockBytes * kBlockBytes;
  message[size_bytes] = 0x80;
  for (uint64_t i = size_bytes + 1; i < padded_bytes - 8; ++i) message[i] = 0;
  const uint64_t size_bits = __builtin_bswap64(size_bytes * 8);
  std::memcpy(message + padded_bytes - 8, &size_bits, sizeof size_bits);
  return padded_bytes;
}

void make_schedule(uint32_t (&w)[64], const uint8_t* block) {
  for (int i = 0; i < 16; ++i) w[i] = big_endian_word(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

void hash_block(uint32_t (&hash)[8], const uint8_t* block) {
  uint32_t w[64];
  make_schedule(w, block);
  uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
  uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
  for (int i = 0; i < 64; ++i) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + s1 + (((f ^ g) & e) ^ g) + kRound[i] + w[i];
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = s0 + (((a | b) & c) | (a & b));
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + t2;
  }
  hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
  hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

}  // namespace

uint64_t sha256(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory) {
  uint32_t hash[8] = {};
  for (; repetitions != 0; --repetitions) {
    const uint64_t padded_bytes = pad(memory, size_bytes);
    std::memcpy(hash, kInitial, sizeof hash);
    for (uint64_t i = 0; i < padded_bytes; i += kBlockBytes) hash_block(hash, memory + i);
  }
  return uint64_t{hash[0]} << 32 | hash[1];
}

}  // namespace sandglass::twins
