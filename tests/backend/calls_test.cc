// Preparing a call, and registers as the host sees them.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class CallsTest : public BackendTest {};
class RegistersTest : public BackendTest {};
SG_ON_ALL_BACKENDS(CallsTest);
SG_ON_ALL_BACKENDS(RegistersTest);

TEST_P(CallsTest, PutsArgumentsIntoTheirRegisters) {
  const auto sandbox = start("%stack_size = 5000\npub @main:\n ret");
  for (size_t i = 0; i < kRegCount; ++i) sandbox->set_reg(static_cast<Reg>(i), 77);
  ASSERT_TRUE(sandbox->prepare_call("main", {1, 2, 3, 4, 5, 6, 7, 8, ~uint64_t{0}}));
  constexpr Reg kOrder[] = {Reg::a0, Reg::a1, Reg::a2, Reg::a3, Reg::a4, Reg::a5, Reg::t0, Reg::t1};
  for (size_t i = 0; i < std::size(kOrder); ++i) EXPECT_EQ(sandbox->reg(kOrder[i]), i + 1);
  EXPECT_EQ(sandbox->reg(Reg::t2), ~uint64_t{0});
  EXPECT_EQ(sandbox->reg(Reg::ra), 0xffff0000u);
  EXPECT_EQ(sandbox->reg(Reg::sp), 0xfffe0000u);
  EXPECT_EQ(sandbox->reg(Reg::s0), 0u);
  EXPECT_EQ(sandbox->reg(Reg::s1), 0u);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
}

TEST_P(CallsTest, RefusesATenthArgumentAndChangesNothing) {
  const auto sandbox = start("pub @main:\n trap");
  sandbox->set_reg(Reg::a0, 5);
  sandbox->set_next_program_counter(0);
  const std::vector<uint64_t> ten(10, 1);
  const Status refused = sandbox->prepare_call(0, ten);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(sandbox->reg(Reg::a0), 5u);
  EXPECT_PCS(*sandbox, kNone, at(0));
}

TEST_P(CallsTest, RefusesAnExportThatIsNotThere) {
  const auto sandbox = Sandbox::create(module_for("pub @main:\n trap", here())).value();
  const Status refused = sandbox->prepare_call("mian");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_STREQ(refused.error().detail, "mian");
  EXPECT_FALSE(sandbox->run());
}

TEST_P(CallsTest, ReplacesACallThatHasNotEnded) {
  const auto sandbox = start("pub @main:\n ecalli 1\n a0 = 2\n ret");
  ASSERT_TRUE(sandbox->prepare_call("main"));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  ASSERT_TRUE(sandbox->prepare_call("main", {9}));
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kHostCall);
  EXPECT_EQ(sandbox->reg(Reg::a0), 9u);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
}

TEST_P(CallsTest, ReachesAnExportInTheMiddleOfABlock) {
  const auto sandbox = start("a0 = 1\n pub @mid: %no_fallthrough\n a1 = 2\n ret");
  sandbox->set_gas(100);
  ASSERT_TRUE(sandbox->prepare_call("mid"));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
  EXPECT_EQ(sandbox->reg(Reg::a1), 2u);
  EXPECT_EQ(sandbox->gas(), 97);
}

TEST_P(RegistersTest, AreZeroInAFreshSandboxWhateverTheOneBeforeLeft) {
  const auto module = module_for("a0 = -1\n t2 = -1\n ra = -1\n trap", here());
  for (int round = 0; round < 3; ++round) {
    const auto sandbox = Sandbox::create(module).value();
    for (size_t i = 0; i < kRegCount; ++i) EXPECT_EQ(sandbox->reg(static_cast<Reg>(i)), 0u);
    EXPECT_EQ(sandbox->gas(), 1'000'000'000);
    sandbox->set_next_program_counter(0);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    sandbox->set_reg(Reg::s1, 1);
    sandbox->interrupt();
  }
}

TEST_P(RegistersTest, HoldAll64BitsInBothDirections) {
  const auto sandbox = start("a1 = a0\n a2 = ~(a0 ^ a3)\n trap");
  sandbox->set_reg(Reg::a0, 0xfedcba9876543210);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 0xfedcba9876543210);
  EXPECT_EQ(sandbox->reg(Reg::a2), ~0xfedcba9876543210);
}

TEST_P(RegistersTest, Of32BitSetsAreCutAndZeroExtended) {
  const auto sandbox = start("%isa = latest32\na1 = -1\n a2 = a0 - 1\n a3 = a0 * a0\n a4 = a0 >>a 31\n trap");
  sandbox->set_reg(Reg::a0, 0x1234567880000000);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0x80000000u);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 0xffffffffu);
  EXPECT_EQ(sandbox->reg(Reg::a2), 0x7fffffffu);
  EXPECT_EQ(sandbox->reg(Reg::a3), 0u);
  EXPECT_EQ(sandbox->reg(Reg::a4), 0xffffffffu);
}

TEST_P(RegistersTest, ArgumentsOf32BitSetsAreCut) {
  const auto sandbox = start("%isa = latest32\npub @main:\n ret");
  ASSERT_TRUE(sandbox->prepare_call("main", {~uint64_t{0}}));
  EXPECT_EQ(sandbox->reg(Reg::a0), 0xffffffffu);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0xffffffffu);
}

// Numbers 13 to 15 mean a5 in every operand; elsewhere they reached t2.
TEST_P(RegistersTest, Encoded13To15MeanA5) {
  for (const char* byte : {"0d", "0e", "0f"}) {
    const auto sandbox =
        start(std::string("t2 = 1\n %raw 33") + byte + "07\n %raw 64" + byte[1] + "7\n trap");
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a5), 7u) << "load_imm, register " << byte;
    EXPECT_EQ(sandbox->reg(Reg::a0), 7u) << "move_reg from register " << byte;
    EXPECT_EQ(sandbox->reg(Reg::t2), 1u);
  }
}

}  // namespace
}  // namespace sandglass
