// The sort guest against std::sort, for sizes around the edges of the heap.
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/workloads/guest.h"

namespace sandglass {
namespace {

std::vector<uint64_t> sorted_numbers(uint64_t n, uint64_t state) {
  std::vector<uint64_t> numbers(n);
  for (uint64_t& number : numbers) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    number = state;
  }
  std::ranges::sort(numbers);
  return numbers;
}

Result<std::vector<uint64_t>> sorted_by_guest(Sandbox& sandbox, uint64_t n, uint64_t seed) {
  const Workload& sort = *find_workload("sort");
  SG_TRY(sandbox.prepare_call(sort.entry, {n, seed}));
  SG_TRY(finish(sandbox, sort));
  const std::vector<uint8_t> bytes = SG_TRY(read_guest(sandbox, sort.memory_base, n * sizeof(uint64_t)));
  std::vector<uint64_t> numbers(n);
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

class SortTest : public testing::TestWithParam<Backend> {};

TEST_P(SortTest, AgreesWithTheStandardLibrary) {
  auto sandbox = make_guest(find_workload("sort")->assembly, GetParam(), GasMetering::kNone);
  ASSERT_TRUE(sandbox) << to_string(sandbox.error());
  for (uint64_t n : {2, 3, 4, 5, 6, 7, 8, 31, 32, 33, 1000}) {
    const uint64_t seed = n + 1;
    const auto numbers = sorted_by_guest(**sandbox, n, seed);
    ASSERT_TRUE(numbers) << to_string(numbers.error());
    EXPECT_EQ(*numbers, sorted_numbers(n, seed)) << n << " numbers";
  }
}

INSTANTIATE_TEST_SUITE_P(All, SortTest, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass
