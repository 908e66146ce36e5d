#include "workloads/twins/twins.h"

namespace sandglass::twins {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kCopyDistanceBytes = 8u << 20;  // from the source to the copy

uint64_t count_primes(uint64_t n, uint8_t* composite) {
  for (uint64_t i = 0; i < n; i += 8) *reinterpret_cast<uint64_t*>(composite + i) = 0;
  uint64_t primes = 0;
  for (uint64_t i = 2; i < n; ++i) {
    if (composite[i]) continue;
    ++primes;
    for (uint64_t multiple = i * i; multiple < n; multiple += i) composite[multiple] = 1;
  }
  return primes;
}

void fill(uint64_t* words, const uint64_t* end, uint64_t value) {
  for (; words < end; words += 8) {
    words[0] = value;
    words[1] = value;
    words[2] = value;
    words[3] = value;
    words[4] = value;
    words[5] = value;
    words[6] = value;
    words[7] = value;
  }
}

void copy(const uint64_t* from, const uint64_t* end, uint64_t* to) {
  for (; from < end; from += 4, to += 4) {
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
    to[3] = from[3];
  }
}

}  // namespace

uint64_t sieve(uint64_t n, uint64_t repetitions, uint8_t* memory) {
  uint64_t primes = 0;
  for (; repetitions != 0; --repetitions) primes = count_primes(n, memory);
  return primes;
}

uint64_t memset(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory) {
  auto* words = reinterpret_cast<uint64_t*>(memory);
  const uint64_t* end = words + size_bytes / 8;
  uint64_t value = 0;
  for (; repetitions != 0; --repetitions) fill(words, end, value += 0x0101010101010101);
  return end[-1];
}

uint64_t memcpy(uint64_t size_bytes, uint64_t repetitions, uint8_t* memory) {
  const auto* from = reinterpret_cast<const uint64_t*>(memory);
  auto* to = reinterpret_cast<uint64_t*>(memory + kCopyDistanceBytes);
  for (; repetitions != 0; --repetitions) copy(from, from + size_bytes / 8, to);
  return to[0];
}

uint64_t touch_pages(uint64_t n, uint64_t, uint8_t* memory) {
  for (uint8_t* page = memory; n != 0; --n, page += kPageBytes) *reinterpret_cast<uint64_t*>(page) = n;
  return *reinterpret_cast<uint64_t*>(memory);
}

}  // namespace sandglass::twins
