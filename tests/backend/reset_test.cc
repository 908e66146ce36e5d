// Nothing of a guest outlives a reset or its sandbox: not in the same sandbox, not in the next one of the
// same module, not in one of another module that gets the same piece of address space.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class ResetTest : public BackendTest {};
SG_ON_ALL_BACKENDS(ResetTest);

constexpr uint32_t kRw = 0x30000, kStackEnd = 0xfffd0000, kAux = 0xfffe0000;
constexpr uint32_t kHeapBytes = 1 << 20;

std::string text(const char* first_bytes) {
  return std::string("%ro_data_size = 100\n%ro_data = ") + first_bytes +
         "\n%rw_data_size = 6000\n%rw_data = " + first_bytes + "\n%stack_size = 8192\nu64 [a0] = a1\n trap";
}

ModuleOptions with_aux(ModuleOptions options) {
  options.aux_bytes = 8192;
  return options;
}

void expect_fresh(Sandbox& sandbox, const std::vector<uint8_t>& first_bytes) {
  std::vector<uint8_t> data(8192, 0);
  std::copy(first_bytes.begin(), first_bytes.end(), data.begin());
  EXPECT_EQ(read_bytes(sandbox, kRw, 8192), data);
  data.resize(4096);
  EXPECT_EQ(read_bytes(sandbox, 0x10000, 4096), data);
  EXPECT_EQ(read_bytes(sandbox, kStackEnd - 8192, 8192), std::vector<uint8_t>(8192, 0));
  EXPECT_EQ(read_bytes(sandbox, kAux, 8192), std::vector<uint8_t>(8192, 0));
  EXPECT_EQ(sandbox.heap_bytes(), 0u);
  EXPECT_FALSE(can_read(sandbox, kRw + 8192, 1));
  ASSERT_TRUE(sandbox.sbrk(kHeapBytes));
  EXPECT_EQ(read_bytes(sandbox, kRw + 8192, kHeapBytes - 4096), std::vector<uint8_t>(kHeapBytes - 4096, 0));
}

void soil(Sandbox& sandbox) {
  ASSERT_TRUE(sandbox.sbrk(kHeapBytes));
  EXPECT_TRUE(can_write(sandbox, kRw, 6000 + kHeapBytes));
  EXPECT_TRUE(can_write(sandbox, kStackEnd - 8192, 8192));
  EXPECT_TRUE(can_write(sandbox, kAux, 8192));
  // The guest's own writes, too.
  for (const uint32_t address : {kRw, kRw + 6000, kRw + kHeapBytes, kStackEnd - 8}) {
    EXPECT_TRUE(sandbox.prepare_call(0, std::vector<uint64_t>{address, ~uint64_t{0}}));
    EXPECT_EQ(sandbox.run()->trap, TrapKind::kInstruction);
  }
}

TEST_P(ResetTest, LeavesNothingBehindInAnyRegion) {
  const auto sandbox = start(text("0102"), with_aux({}));
  for (int round = 0; round < 3; ++round) {
    soil(*sandbox);
    ASSERT_TRUE(sandbox->reset_memory());
    expect_fresh(*sandbox, {1, 2});
  }
}

TEST_P(ResetTest, OpensAllOfAuxAgain) {
  const auto sandbox = start(text("0102"), with_aux({}));
  soil(*sandbox);
  ASSERT_TRUE(sandbox->set_accessible_aux(0));
  ASSERT_TRUE(sandbox->reset_memory());
  expect_fresh(*sandbox, {1, 2});
  EXPECT_TRUE(sandbox->is_accessible(kAux, 8192, Access::kRead));
}

TEST_P(ResetTest, KeepsRegistersGasAndPcs) {
  const auto sandbox = start("%rw_data_size = 8\na0 = 1\n ecalli 1\n a1 = u8 [0x20000]\n trap");
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  ASSERT_TRUE(can_write(*sandbox, 0x20000, 8));
  const int64_t gas = sandbox->gas();
  const auto next = sandbox->next_program_counter();
  ASSERT_TRUE(sandbox->reset_memory());
  EXPECT_EQ(sandbox->reg(Reg::a0), 1u);
  EXPECT_EQ(sandbox->gas(), gas);
  EXPECT_EQ(sandbox->next_program_counter(), next);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 0u);
}

TEST_P(ResetTest, NextSandboxOfTheModuleIsFresh) {
  const auto module = module_for(text("0102"), with_aux(here()));
  for (int round = 0; round < 4; ++round) {
    const auto sandbox = Sandbox::create(module).value();
    expect_fresh(*sandbox, {1, 2});
    ASSERT_TRUE(sandbox->reset_memory());
    soil(*sandbox);
    if (round % 2 == 1) {
      ASSERT_TRUE(sandbox->set_accessible_aux(4096));
    }
  }
}

TEST_P(ResetTest, SandboxOfAnotherModuleIsFresh) {
  const auto one = module_for(text("0102"), with_aux(here()));
  const auto other = module_for(text("a0a1a2a3"), with_aux(here()));
  const auto bare = module_for("trap", here());
  for (int round = 0; round < 20; ++round) {  // more than the idle ones that are kept
    {
      const auto sandbox = Sandbox::create(one).value();
      expect_fresh(*sandbox, {1, 2});
      ASSERT_TRUE(sandbox->reset_memory());
      soil(*sandbox);
    }
    const auto sandbox = Sandbox::create(other).value();
    expect_fresh(*sandbox, {0xa0, 0xa1, 0xa2, 0xa3});
    ASSERT_TRUE(sandbox->reset_memory());
    soil(*sandbox);
    const auto empty = Sandbox::create(bare).value();
    for (const uint32_t address : {0x10000u, kRw, kStackEnd - 8192, kAux}) {
      EXPECT_FALSE(can_read(*empty, address, 1));
      EXPECT_FALSE(empty->is_accessible(address, 1, Access::kRead));
    }
  }
}

// The guest asks itself, not the host's bookkeeping: every page it could reach before must trap now.
TEST_P(ResetTest, NextGuestCannotReachWhatTheOneBeforeCould) {
  const auto rich = module_for(text("0102"), with_aux(here()));
  const auto poor = module_for("a1 = u64 [a0]\n trap", here());
  for (int round = 0; round < 3; ++round) {
    {
      const auto sandbox = Sandbox::create(rich).value();
      soil(*sandbox);
    }
    const auto sandbox = Sandbox::create(poor).value();
    for (const uint32_t address : {0x10000u, kRw, kRw + 6000, kRw + kHeapBytes, kStackEnd - 8, kAux}) {
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{address}));
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kMemoryAccess) << std::hex << address;
    }
  }
}

TEST_P(ResetTest, PagesOfDynamicPagingAreGone) {
  const auto module = module_for(text("0102"), here({.dynamic_paging = true}));
  for (int round = 0; round < 3; ++round) {
    const auto sandbox = Sandbox::create(module).value();
    for (int again = 0; again < 2; ++again) {
      EXPECT_FALSE(can_read(*sandbox, kRw, 1));
      ASSERT_TRUE(sandbox->provide(kRw, 8192, Protection::kReadWrite));
      ASSERT_TRUE(sandbox->provide(0x80000000, 4096, Protection::kRead));
      EXPECT_EQ(read_bytes(*sandbox, kRw, 8192), std::vector<uint8_t>(8192, 0));
      EXPECT_EQ(read_bytes(*sandbox, 0x80000000, 4096), std::vector<uint8_t>(4096, 0));
      ASSERT_TRUE(can_write(*sandbox, kRw, 8192));
      ASSERT_TRUE(can_write(*sandbox, 0x80000000, 4096));
      if (again == 0) {
        ASSERT_TRUE(sandbox->reset_memory());
      }
    }
  }
}

TEST_P(ResetTest, StaticSandboxAfterADynamicOneIsFresh) {
  const auto dynamic = module_for("trap", here({.dynamic_paging = true}));
  const auto fixed = module_for(text("0102"), with_aux(here()));
  for (int round = 0; round < 3; ++round) {
    {
      const auto sandbox = Sandbox::create(dynamic).value();
      ASSERT_TRUE(sandbox->provide(kRw, 0x10000, Protection::kReadWrite));
      ASSERT_TRUE(can_write(*sandbox, kRw, 0x10000));
    }
    const auto sandbox = Sandbox::create(fixed).value();
    expect_fresh(*sandbox, {1, 2});
  }
}

TEST_P(ResetTest, RequestToStopDoesNotReachTheNextSandbox) {
  const auto module = module_for("trap", here());
  for (int round = 0; round < 3; ++round) {
    const auto sandbox = Sandbox::create(module).value();
    sandbox->set_next_program_counter(0);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    sandbox->interrupt();
  }
}

}  // namespace
}  // namespace sandglass
