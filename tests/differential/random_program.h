// Random guest programs for differential tests: mostly sensible, sometimes mutilated.
#pragma once

#include <cstdint>

#include "bench/random.h"
#include "sandbox/program/program.h"

namespace sandglass::fuzz {

// The suite's generator, with bounds of 64 bits.
class Random : public bench::Random {
 public:
  using bench::Random::Random;
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool chance(uint32_t percent) { return below(100) < percent; }
  template <typename T, size_t n>
  const T& pick(const T (&choices)[n]) {
    return choices[below(n)];
  }
};

// Values that break things: edges of every width, and addresses in and around the regions of random programs.
uint64_t interesting_value(Random& random);

// One to about sixty instructions, data in all regions, a jump table, an export "main" at 0. Some of the
// programs get random bytes and random bits in their bitmask.
ProgramParts random_program(Random& random, InstructionSet set);

}  // namespace sandglass::fuzz
