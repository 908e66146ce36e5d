#include "workloads/twins/barrier.h"
#include "workloads/twins/twins.h"

namespace sandglass::twins {

uint64_t noop(uint64_t a0, uint64_t, uint8_t*) { return a0; }

// Without hide() this is n * (n + 1) / 2.
uint64_t loop_add(uint64_t n, uint64_t, uint8_t*) {
  uint64_t sum = 0;
  for (; n != 0; --n) {
    sum += n;
    hide(sum);
  }
  return sum;
}

uint64_t loop_arith(uint64_t n, uint64_t, uint8_t*) {
  uint64_t state = 0x9e3779b97f4a7c15;
  for (; n != 0; --n) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    state *= 0x2545f4914f6cdd1d;
  }
  return state;
}

// One division gives both results, here; the guest's instruction set has none that does.
uint64_t divloop(uint64_t n, uint64_t, uint8_t*) {
  const uint64_t dividend = 0xfedcba9876543210;
  uint64_t folded = 0;
  for (; n != 0; --n) {
    folded ^= dividend / n;
    folded += dividend % n;
  }
  return folded;
}

}  // namespace sandglass::twins
