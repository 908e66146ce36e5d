#include "bench/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/random.h"

namespace sandglass::bench {
namespace {

using std::chrono::nanoseconds;

TEST(LatenciesTest, AreExactWhileTheyAreShort) {
  Latencies latencies;
  for (int i = 1; i <= 100; ++i) latencies.add(nanoseconds(i));
  EXPECT_EQ(latencies.count(), 100u);
  EXPECT_EQ(latencies.quantile_ns(0.5), 50);
  EXPECT_EQ(latencies.quantile_ns(0.99), 99);
  EXPECT_EQ(latencies.quantile_ns(1), 100);
  EXPECT_EQ(latencies.mean_ns(), 50.5);
}

TEST(LatenciesTest, AreOffByLessThanTheyPromiseAtEveryLength) {
  for (uint64_t length = 1; length < uint64_t{1} << 62; length += length / 3 + 1) {
    Latencies latencies;
    latencies.add(nanoseconds(length));
    const auto exact = static_cast<double>(length);
    EXPECT_NEAR(latencies.quantile_ns(0.5), exact, 0.004 * exact) << length;
  }
}

// Three decades, as real latencies spread.
TEST(LatenciesTest, AgreeWithSortedSamples) {
  Random random(1);
  Latencies latencies;
  std::vector<double> samples;
  for (int i = 0; i < 10'000; ++i) {
    const double sample = std::floor(100 * std::pow(10, 3 * random.below(1'000'000) / 1e6));
    samples.push_back(sample);
    latencies.add(nanoseconds(static_cast<int64_t>(sample)));
  }
  std::sort(samples.begin(), samples.end());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = samples[static_cast<size_t>(std::ceil(share * 10'000)) - 1];
    EXPECT_NEAR(latencies.quantile_ns(share), exact, 0.004 * exact) << share;
  }
}

TEST(LatenciesTest, WithoutSamplesAreZero) {
  const Latencies latencies;
  EXPECT_EQ(latencies.quantile_ns(0.5), 0);
  EXPECT_EQ(latencies.mean_ns(), 0);
}

TEST(LatenciesTest, TakeAClockThatWentBackwardsForZero) {
  Latencies latencies;
  latencies.add(nanoseconds(-5));
  EXPECT_EQ(latencies.quantile_ns(0.5), 0);
}

}  // namespace
}  // namespace sandglass::bench
