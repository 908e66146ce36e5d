// The native twins of the workloads in C and C++ give the results that their README.md promises.
#include "workloads/programs.h"

#include <gtest/gtest.h>

#include <string>

namespace sandglass {
namespace {

class ProgramTest : public ::testing::TestWithParam<GuestProgram> {};

TEST_P(ProgramTest, TwinsGiveTheExpectedResult) {
  const GuestProgram& program = GetParam();
  for (const ProgramSize& size : {program.quick, program.full}) {
    EXPECT_EQ(program.ordinary_twin(size.argument), size.expected);
    EXPECT_EQ(program.scalar_twin(size.argument), size.expected);
  }
}

TEST_P(ProgramTest, ASecondRunIsLikeTheFirst) {
  const GuestProgram& program = GetParam();
  EXPECT_NE(program.scalar_twin(program.quick.argument + 1), program.quick.expected);
  EXPECT_EQ(program.scalar_twin(program.quick.argument), program.quick.expected);
}

INSTANTIATE_TEST_SUITE_P(Programs, ProgramTest,
                         ::testing::ValuesIn(guest_programs().begin(), guest_programs().end()),
                         [](const auto& info) { return std::string(info.param.name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProgramTest);

TEST(Programs, AreBuiltOrMissingWithAReason) {
  for (std::string_view missing : missing_programs()) {
    size_t colon = missing.find(": ");
    ASSERT_NE(colon, std::string_view::npos) << missing;
    EXPECT_GT(missing.size(), colon + 2) << missing;
  }
  EXPECT_GT(guest_programs().size() + missing_programs().size(), 0u);
}

// So that nobody takes a build without programs for a complete one.
TEST(Programs, MissingOnesAreSaid) {
  if (missing_programs().empty()) return;
  std::string all;
  for (std::string_view missing : missing_programs()) all += std::string(missing) + "\n";
  GTEST_SKIP() << all;
}

}  // namespace
}  // namespace sandglass
