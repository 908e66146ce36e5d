// Random: a small generator of random numbers that is the same on every machine and in every standard
// library (std::uniform_int_distribution is not). SplitMix64; not for secrets.
#pragma once

#include <cstdint>

namespace sandglass::bench {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 … bound - 1; bound must not be 0. The bias is below bound / 2^32.
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>((next() >> 32) * bound >> 32); }
  int32_t between(int32_t low, int32_t high) {  // both included
    return low + static_cast<int32_t>(below(static_cast<uint32_t>(high - low) + 1));
  }
  bool chance(uint32_t percent) { return below(100) < percent; }

 private:
  uint64_t state_;
};

}  // namespace sandglass::bench
