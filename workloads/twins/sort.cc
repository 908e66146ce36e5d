#include <utility>

#include "workloads/twins/twins.h"

namespace sandglass::twins {
namespace {

void sift_down(uint64_t* numbers, uint64_t root, uint64_t size) {
  const uint64_t moving = numbers[root];
  for (;;) {
    uint64_t child = 2 * root + 1;
    if (child >= size) break;
    if (child + 1 < size && numbers[child + 1] > numbers[child]) ++child;
    if (numbers[child] <= moving) break;
    numbers[root] = numbers[child];
    root = child;
  }
  numbers[root] = moving;
}

void generate(uint64_t* numbers, uint64_t n, uint64_t state) {
  for (uint64_t i = 0; i < n; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    numbers[i] = state;
  }
}

void heapsort(uint64_t* numbers, uint64_t n) {
  for (uint64_t root = n / 2; root-- > 0;) sift_down(numbers, root, n);
  for (uint64_t last = n - 1; last > 0; --last) {
    std::swap(numbers[0], numbers[last]);
    sift_down(numbers, 0, last);
  }
}

// 0 when the numbers are not in order, where the guest traps.
uint64_t fold(const uint64_t* numbers, uint64_t n) {
  uint64_t hash = 0xcbf29ce484222325;
  uint64_t previous = 0;
  for (uint64_t i = 0; i < n; ++i) {
    if (numbers[i] < previous) return 0;
    previous = numbers[i];
    hash = (hash ^ numbers[i]) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

uint64_t sort(uint64_t n, uint64_t seed, uint8_t* memory) {
  auto* numbers = reinterpret_cast<uint64_t*>(memory);
  generate(numbers, n, seed);
  heapsort(numbers, n);
  return fold(numbers, n);
}

}  // namespace sandglass::twins
