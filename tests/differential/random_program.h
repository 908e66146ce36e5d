// Random guest programs for differential tests: mostly sensible, sometimes mutilated.
#pragma once

#include <cstdint>
#include <random>

#include "sandbox/program/program.h"

namespace sandglass::fuzz {

// A small fast generator (splitmix64), the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  bool chance(uint32_t percent) { return below(100) < percent; }
  template <typename T, size_t n>
  const T& pick(const T (&choices)[n]) {
    return choices[below(n)];
  }

 private:
  uint64_t state_;
};

// Values that break things: edges of every width, and addresses in and around the regions of random programs.
uint64_t interesting_value(Random& random);

// One to about sixty instructions, data in all regions, a jump table, an export "main" at 0. Some of the
// programs get random bytes and random bits in their bitmask.
ProgramParts random_program(Random& random, InstructionSet set);

}  // namespace sandglass::fuzz
