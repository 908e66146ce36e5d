// When the far seat is worth what it costs. How fast the seats are, the suite measures: handoff/.
#include "sandbox/backend/linux/turns.h"

#include <gtest/gtest.h>

namespace sandglass {
namespace {

constexpr uint64_t kSliceNs = 4'000'000;     // what a busy process keeps a core for
constexpr uint64_t kTurnsPerSlice = 10'000;  // of 400 ns each
constexpr int kLong = 10'000;

// How many slices the seat is kept for when each brings so many turns, and then is lost to somebody else.
int slices_until_left(FarAccount account, uint64_t turns_per_slice) {
  for (int slices = 1; slices <= kLong; ++slices) {
    if (!account.charge(turns_per_slice, kSliceNs)) return slices;
  }
  return kLong;
}

TEST(FarAccountTest, ABusyProcessOnThatCoreIsWorthIt) {
  EXPECT_EQ(slices_until_left({}, kTurnsPerSlice), kLong);
}

TEST(FarAccountTest, AsManyBusyProcessesAsToLoseThreeSlicesOfFourAreWorthIt) {
  EXPECT_EQ(slices_until_left({}, kTurnsPerSlice / 3), kLong);
}

TEST(FarAccountTest, OneWhoHardlyGetsTheCpuLeaves) { EXPECT_LT(slices_until_left({}, 100), 10); }

TEST(FarAccountTest, OneUnluckySliceIsNoReason) { EXPECT_GT(slices_until_left({}, 0), 1); }

TEST(FarAccountTest, AGoodPastDoesNotPayForEver) {
  FarAccount account;
  for (int i = 0; i < kLong; ++i) ASSERT_TRUE(account.charge(100 * kTurnsPerSlice, kSliceNs));
  EXPECT_LT(slices_until_left(account, 0), 20);
}

TEST(FarAccountTest, HasPaidOnlyAfterAGoodTime) {
  FarAccount account;
  EXPECT_FALSE(account.has_paid());
  ASSERT_TRUE(account.charge(0, kSliceNs));
  EXPECT_FALSE(account.has_paid());
  ASSERT_TRUE(account.charge(100 * kTurnsPerSlice, kSliceNs));
  EXPECT_TRUE(account.has_paid());
}

TEST(FarAccountTest, SurvivesTimesAndNumbersThatCannotBe) {
  FarAccount account;
  EXPECT_TRUE(account.charge(UINT64_MAX, 0));
  EXPECT_FALSE(account.charge(0, UINT64_MAX));
}

}  // namespace
}  // namespace sandglass
