// Gas across stops: what is charged when, what run() does with too little, and a memset that cannot be paid.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class GasTest : public BackendTest {};
SG_ON_ALL_BACKENDS(GasTest);

constexpr std::string_view kLoop =
    "pub @main:\n a0 = a0 + 1\n a1 = a1 + a0\n jump @main if a0 <u 1000\n trap";  // 3 per round, 1 at the end

TEST_P(GasTest, BelowZeroNothingRuns) {
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
    const auto sandbox = start("a0 = 1\n trap", {.gas = gas});
    sandbox->set_gas(-1);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
    EXPECT_PCS(*sandbox, kNone, at(0));
    EXPECT_EQ(sandbox->gas(), -1);
    EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
    sandbox->set_gas(10);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  }
}

TEST_P(GasTest, EmptyCounterStillTakesTheGuestToItsFirstBlock) {
  const auto sandbox = start("a0 = 1\n trap");
  sandbox->set_gas(0);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
  EXPECT_PCS(*sandbox, at(0), at(0));
  EXPECT_EQ(sandbox->gas(), 0);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
}

TEST_P(GasTest, LoopFedByTheSpoonGivesTheSameResult) {
  for (const int64_t spoon : {3, 4, 5, 100, 2999}) {
    const auto sandbox = start(kLoop);
    sandbox->set_gas(0);
    int64_t given = 0;
    Interrupt stop = sandbox->run().value();
    for (; stop.kind == InterruptKind::kOutOfGas; stop = sandbox->run().value()) {
      ASSERT_PRED2([](auto a, auto b) { return a == b; }, sandbox->program_counter(),
                   sandbox->next_program_counter());
      sandbox->set_gas(sandbox->gas() + spoon);
      given += spoon;
    }
    EXPECT_EQ(stop.kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a1), 500'500u);
    EXPECT_EQ(given - sandbox->gas(), 3001);
  }
}

TEST_P(GasTest, EntryInMidBlockPaysTheWholeBlockOrDoesNotStart) {
  const auto sandbox = start("a0 = 1\n a0 = a0 + 1\n trap");
  constexpr uint32_t kSecond = 3;
  ASSERT_TRUE(sandbox->module().program().is_instruction_start(kSecond));
  sandbox->set_next_program_counter(kSecond);
  sandbox->set_gas(2);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
  EXPECT_PCS(*sandbox, kNone, at(kSecond));
  EXPECT_EQ(sandbox->gas(), 2);
  sandbox->set_gas(3);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->gas(), 0);
  EXPECT_EQ(sandbox->reg(Reg::a0), 1u);
}

TEST_P(GasTest, RequestToStopAtAnEntryInMidBlockDoesNotPayTwice) {
  const auto sandbox = start("a0 = 1\n a0 = a0 + 1\n trap");
  sandbox->set_gas(10);
  sandbox->set_next_program_counter(3);
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  EXPECT_PCS(*sandbox, at(3), at(3));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->gas(), 7);
}

TEST_P(GasTest, AsyncIsLookedAtWhenTheGuestStops) {
  const auto sandbox = start("pub @main:\n a0 = a0 + 1\n jump @main if a0 <u 100\n ecalli 1\n trap",
                             {.gas = GasMetering::kAsync});
  sandbox->set_gas(50);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
  EXPECT_PCS(*sandbox, kNone, kNone);
  EXPECT_EQ(sandbox->gas(), 50 - 202);
  EXPECT_EQ(sandbox->reg(Reg::a0), 100u);
  sandbox->set_gas(1000);
  EXPECT_FALSE(sandbox->run());
}

TEST_P(GasTest, WithoutMeteringTheCounterStays) {
  const auto sandbox = start(kLoop, {.gas = GasMetering::kNone});
  sandbox->set_gas(1);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->gas(), 1);
  EXPECT_EQ(sandbox->reg(Reg::a1), 500'500u);
}

TEST_P(GasTest, HostCallMayTakeGasAway) {
  const auto sandbox = start("pub @main:\n ecalli 1\n jump @main");
  sandbox->set_gas(100);
  Interrupt stop = sandbox->run().value();
  int calls = 0;
  for (; stop.kind == InterruptKind::kHostCall; stop = sandbox->run().value(), ++calls) {
    sandbox->set_gas(sandbox->gas() - 10);
  }
  EXPECT_EQ(stop.kind, InterruptKind::kOutOfGas);
  EXPECT_EQ(calls, 9);  // the ninth leaves a debt of 8
  EXPECT_EQ(sandbox->gas(), -8);
}

// A branch, and behind it a block that is nothing but a dynamic jump: those two may be paid together.
TEST_P(GasTest, BranchBeforeAReturnIsExactWithAnyGas) {
  for (int64_t gas = 0; gas < 12; ++gas) {
    const auto sandbox = start("pub @main:\n a0 = a0 + 1\n jump @main if a0 <u 3\n jump [ra]\n a0 = 9");
    ASSERT_TRUE(sandbox->prepare_call("main"));
    sandbox->set_gas(gas);
    const Interrupt stop = sandbox->run().value();
    const int64_t rounds = std::min<int64_t>(gas / 2, 3);
    EXPECT_EQ(stop.kind, gas >= 7 ? InterruptKind::kFinished : InterruptKind::kOutOfGas);
    EXPECT_EQ(sandbox->gas(), gas - 2 * rounds - (gas >= 7 ? 1 : 0));
    EXPECT_EQ(sandbox->reg(Reg::a0), static_cast<uint64_t>(rounds));
    sandbox->set_gas(100);
    if (gas < 7) {
      EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
    }
    EXPECT_EQ(sandbox->reg(Reg::a0), 3u);
  }
}

// The same two blocks, when the first one was not entered at its start or its gas is taken away inside it.
// TODO(test): enable once the recompiler goes on in the copy of the block that pays for itself; until then
// the guest gets as far as the return and leaves with negative gas.
constexpr std::string_view kLoopAndReturn =
    "%rw_data_size = 8\npub @main:\n a1 = u8 [0x20000]\n jump @main if a0 != 0\n ret";
constexpr uint32_t kBranch = 5, kReturn = 8;

TEST_P(GasTest, EntryBeforeABranchPaysForTheReturnBehindIt) {
  for (int64_t gas = 2; gas <= 4; ++gas) {
    const auto sandbox = start(kLoopAndReturn);
    ASSERT_TRUE(sandbox->prepare_call(kBranch));
    sandbox->set_gas(gas);
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.kind, gas >= 3 ? InterruptKind::kFinished : InterruptKind::kOutOfGas);
    EXPECT_EQ(sandbox->gas(), gas >= 3 ? gas - 3 : 0);
    if (gas < 3) {
      EXPECT_PCS(*sandbox, at(kReturn), at(kReturn));
    }
  }
}

TEST_P(GasTest, TakenAwayInsideABlockIsMissingAtTheReturnBehindIt) {
  const auto sandbox = start(kLoopAndReturn, {.dynamic_paging = true});
  ASSERT_TRUE(sandbox->prepare_call("main"));
  sandbox->set_gas(100);
  ASSERT_EQ(sandbox->run()->kind, InterruptKind::kPageFault);
  ASSERT_TRUE(sandbox->provide(0x20000, 1, Protection::kRead));
  sandbox->set_gas(0);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
  EXPECT_PCS(*sandbox, at(kReturn), at(kReturn));
  EXPECT_EQ(sandbox->gas(), 0);
}

// Memset: 0x20000 is writable for 8 KiB. -------------------------------------------------------------------

constexpr std::string_view kMemset = "%rw_data_size = 8192\nmemset\n trap";

std::unique_ptr<Sandbox> about_to_fill(std::unique_ptr<Sandbox> sandbox, uint64_t address, uint64_t count) {
  sandbox->set_reg(Reg::a0, address);
  sandbox->set_reg(Reg::a1, 0x1ab);
  sandbox->set_reg(Reg::a2, count);
  return sandbox;
}

TEST_P(GasTest, MemsetStopsAtTheByteItCannotPay) {
  const auto sandbox = about_to_fill(start(kMemset), 0x20000, 1000);
  sandbox->set_gas(2 + 300);  // the block costs 2
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kOutOfGas);
  EXPECT_PCS(*sandbox, at(0), at(0));
  EXPECT_EQ(sandbox->gas(), 0);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0x20000u + 300);
  EXPECT_EQ(sandbox->reg(Reg::a2), 700u);
  EXPECT_EQ(read_bytes(*sandbox, 0x20000 + 299, 2), (std::vector<uint8_t>{0xab, 0}));
  sandbox->set_gas(700);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->gas(), 0);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0x20000u + 1000);
  EXPECT_EQ(sandbox->reg(Reg::a2), 0u);
  EXPECT_EQ(read_bytes(*sandbox, 0x20000, 1000), std::vector<uint8_t>(1000, 0xab));
  EXPECT_EQ(read_bytes(*sandbox, 0x20000 + 1000, 1), std::vector<uint8_t>(1, 0));
}

TEST_P(GasTest, MemsetTrapsAtTheFirstBadByteAndPaysForTheOthers) {
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
    const auto sandbox = about_to_fill(start(kMemset, {.gas = gas}), 0x21f00, 1000);
    sandbox->set_gas(100'000);
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(stop.fault.address, 0x22000u);
    EXPECT_EQ(stop.fault.size_bytes, 1u);
    EXPECT_EQ(stop.fault.access, Access::kWrite);
    EXPECT_PCS(*sandbox, at(0), kNone);
    EXPECT_EQ(sandbox->reg(Reg::a0), 0x22000u);
    EXPECT_EQ(sandbox->reg(Reg::a2), 1000u - 256);
    EXPECT_EQ(sandbox->gas(), gas == GasMetering::kNone ? 100'000 : 100'000 - 2 - 256);
    EXPECT_EQ(read_bytes(*sandbox, 0x21f00, 256), std::vector<uint8_t>(256, 0xab));
  }
}

}  // namespace
}  // namespace sandglass
