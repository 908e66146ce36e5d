#include "bench/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sandglass::bench {

size_t Latencies::bucket_of(uint64_t nanoseconds) {
  if (nanoseconds < kExact) return nanoseconds;
  const auto shift = static_cast<size_t>(std::bit_width(nanoseconds)) - 8;  // leaves 128 … 255
  return kExact + (shift - 1) * kPerDoubling + (nanoseconds >> shift) - kPerDoubling;
}

double Latencies::middle_of(size_t bucket) {
  if (bucket < kExact) return static_cast<double>(bucket);
  const size_t shift = (bucket - kExact) / kPerDoubling + 1;
  const double width = std::ldexp(1.0, static_cast<int>(shift));
  return static_cast<double>((bucket - kExact) % kPerDoubling + kPerDoubling) * width + (width - 1) / 2;
}

void Latencies::add(std::chrono::nanoseconds duration) {
  const auto nanoseconds = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
  ++buckets_[bucket_of(nanoseconds)];
  ++count_;
  sum_ns_ += static_cast<double>(nanoseconds);
}

double Latencies::mean_ns() const { return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_); }

double Latencies::quantile_ns(double share) const {
  const auto wanted =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_))));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return middle_of(bucket);
  }
  return 0;
}

void Latencies::report(benchmark::State& state) const {
  const double p50 = quantile_ns(0.5);
  state.counters["p50_ns"] = p50;
  state.counters["p99_ns"] = quantile_ns(0.99);
  state.counters["mean_over_p50"] = mean_ns() / std::max(p50, 1.0);
}

}  // namespace sandglass::bench
