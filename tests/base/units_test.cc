#include "sandbox/base/units.h"

#include <gtest/gtest.h>

namespace sandglass {
namespace {

TEST(Units, AreBinary) {
  EXPECT_EQ(KiB(3), 3072u);
  EXPECT_EQ(MiB(1), 1048576u);
  EXPECT_EQ(GiB(4), uint64_t{1} << 32);
}

TEST(Units, RoundUpReachesTheNextMultiple) {
  EXPECT_EQ(round_up(0, 4096), 0u);
  EXPECT_EQ(round_up(1, 4096), 4096u);
  EXPECT_EQ(round_up(4096, 4096), 4096u);
  EXPECT_EQ(round_up(4097, 4096), 8192u);
  EXPECT_EQ(round_up(UINT32_MAX, 65536), uint64_t{1} << 32);
}

TEST(Units, RoundDownReachesTheMultipleBelow) {
  EXPECT_EQ(round_down(0, 4096), 0u);
  EXPECT_EQ(round_down(4095, 4096), 0u);
  EXPECT_EQ(round_down(4096, 4096), 4096u);
  EXPECT_EQ(round_down(UINT64_MAX, 65536), UINT64_MAX - 65535);
}

TEST(Units, AUnitOfOneChangesNothing) {
  EXPECT_EQ(round_up(12345, 1), 12345u);
  EXPECT_EQ(round_down(12345, 1), 12345u);
}

}  // namespace
}  // namespace sandglass
