// Latencies: how long each of many operations took, kept as a histogram of fixed size, so that recording a
// sample neither allocates nor faults. A quantile is off by at most 0.4 %; the mean is exact.
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>

namespace sandglass::bench {

class Latencies {
 public:
  void add(std::chrono::nanoseconds duration);
  uint64_t count() const { return count_; }
  double mean_ns() const;
  // The smallest duration that is not exceeded by this share (0 … 1) of the samples; 0 without samples.
  double quantile_ns(double share) const;
  // Adds the counters p50_ns, p99_ns and mean_over_p50.
  void report(benchmark::State& state) const;

 private:
  // Up to 256 ns every nanosecond has a bucket of its own; every doubling from there on has 128.
  static constexpr size_t kExact = 256, kPerDoubling = 128, kDoublings = 56;
  static size_t bucket_of(uint64_t nanoseconds);
  static double middle_of(size_t bucket);

  std::array<uint32_t, kExact + kPerDoubling* kDoublings> buckets_ = {};
  uint64_t count_ = 0;
  double sum_ns_ = 0;
};

}  // namespace sandglass::bench
