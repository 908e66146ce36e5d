// A guest reaches nothing but its own memory and its own code. Each case closes a hole that a sandbox of this
// kind has had, or that its construction invites.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class ContainmentTest : public BackendTest {};
SG_ON_ALL_BACKENDS(ContainmentTest);

constexpr uint64_t kHighHalves[] = {1,          2,          0x7fff,     0x8000,     0x7fffffff,
                                    0x80000000, 0xffff8000, 0xfffffffe, 0xffffffff, 0x5555aaaa};
constexpr GasMetering kAllGas[] = {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync};

volatile uint64_t g_victim = 0x1122334455667788;

// Memory. --------------------------------------------------------------------------------------------------

// RW data is 0x20000…0x21000.
constexpr const char* kAccesses[] = {
    "u8 [a0] = a1",       "u16 [a0] = a1",       "u32 [a0] = a1",       "u64 [a0] = a1",
    "u8 [a0] = 0x5a",     "u16 [a0] = 0x5a",     "u32 [a0] = 0x5a",     "u64 [a0] = 0x5a",
    "u8 [a0 + 16] = a1",  "u64 [a0 - 16] = a1",  "u8 [a0 + 16] = 0x5a", "u64 [a0 - 16] = 0x5a",
    "a2 = u8 [a0]",       "a2 = i8 [a0]",        "a2 = u16 [a0]",       "a2 = i16 [a0]",
    "a2 = u32 [a0]",      "a2 = i32 [a0]",       "a2 = u64 [a0]",       "a2 = u8 [a0 + 16]",
    "a2 = u64 [a0 - 16]", "a2 = i32 [a0 + 2044]"};

// Without an offset it was tempting to use the whole register as the address.
TEST_P(ContainmentTest, UpperHalfOfABaseIsNoPartOfTheAddress) {
  for (const char* access : kAccesses) {
    SCOPED_TRACE(access);
    const auto sandbox = start("%rw_data_size = 4096\n" + std::string(access) + "\n trap");
    const auto run_with = [&](uint64_t base) {
      EXPECT_TRUE(sandbox->reset_memory());
      EXPECT_TRUE(sandbox->write(0x20800, std::vector<uint8_t>(64, 0x91)));
      EXPECT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{base, 0xc3c3c3c3c3c3c3c3}));
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
      return std::pair(sandbox->reg(Reg::a2), read_bytes(*sandbox, 0x20000, 4096));
    };
    const auto expected = run_with(0x20800);
    for (const uint64_t high : kHighHalves) EXPECT_EQ(run_with(high << 32 | 0x20800), expected);
  }
}

TEST_P(ContainmentTest, AddressOfAHostVariableIsNoGuestAddress) {
  const auto victim = reinterpret_cast<uint64_t>(&g_victim);
  for (const char* access : kAccesses) {
    const auto sandbox = start(std::string(access) + "\n trap");
    for (const uint64_t base : {victim, victim - 16, victim + 16, -victim, victim - 0x20000}) {
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{base, 0}));
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kMemoryAccess) << access;
    }
  }
  EXPECT_EQ(g_victim, 0x1122334455667788u);
}

TEST_P(ContainmentTest, SumOfBaseAndOffsetWrapsAroundAt32Bits) {
  const auto sandbox = start("%rw_data_size = 4096\nu32 [a0 + 0x20010] = a1\n trap");
  for (const uint64_t high : kHighHalves) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{high << 32 | 0xfffffff8, 7}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(read_bytes(*sandbox, 0x20008, 4), (std::vector<uint8_t>{7, 0, 0, 0}));
    ASSERT_TRUE(sandbox->reset_memory());
  }
}

TEST_P(ContainmentTest, AccessOverTheEndOf32BitsTraps) {
  const auto sandbox = start("a2 = u64 [a0]\n trap\n pub @store:\n u64 [a0 + 4] = a1\n trap");
  for (uint64_t address = 0xfffffff0; address <= 0xffffffff; ++address) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{address}));
    const Interrupt load = sandbox->run().value();
    EXPECT_EQ(load.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(load.fault.address, static_cast<uint32_t>(address));
    ASSERT_TRUE(sandbox->prepare_call("store", {address}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kMemoryAccess);
  }
}

TEST_P(ContainmentTest, FirstAndLast64KibAreNobodys) {
  const auto sandbox = start("a2 = u8 [a0]\n trap");
  for (const uint64_t address :
       {0x0u, 0x1u, 0xfffu, 0x1000u, 0x8000u, 0xffffu, 0xffff0000u, 0xffff8000u, 0xffffffffu}) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{address}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kMemoryAccess) << std::hex << address;
  }
}

// Filling used 64-bit registers as they were: an address anywhere, and a count beyond the guest's memory.
TEST_P(ContainmentTest, UpperHalvesOfAddressAndCountAreNoPartOfAMemset) {
  for (const GasMetering gas : kAllGas) {
    for (const uint64_t high : kHighHalves) {
      const auto sandbox = start("%rw_data_size = 4096\nmemset\n trap", {.gas = gas});
      sandbox->set_gas(1000);
      sandbox->set_reg(Reg::a0, high << 32 | 0x20010);
      sandbox->set_reg(Reg::a1, ~uint64_t{0} << 8 | 0x33);
      sandbox->set_reg(Reg::a2, high << 32 | 32);
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
      EXPECT_EQ(sandbox->reg(Reg::a0), (high << 32 | 0x20010) + 32);
      EXPECT_EQ(sandbox->reg(Reg::a2), 0u);
      EXPECT_EQ(sandbox->gas(), gas == GasMetering::kNone ? 1000 : 1000 - 2 - 32);
      std::vector<uint8_t> expected(4096, 0);
      std::fill_n(expected.begin() + 0x10, 32, 0x33);
      EXPECT_EQ(read_bytes(*sandbox, 0x20000, 4096), expected);
    }
  }
}

TEST_P(ContainmentTest, MemsetWithACountFrom2To63OnWithGasStaysInside) {
  for (const GasMetering gas : kAllGas) {
    for (const uint64_t count :
         {uint64_t{1} << 63, ~uint64_t{0}, uint64_t{1} << 63 | 1, uint64_t{0xffffffff}}) {
      const auto sandbox = start("%rw_data_size = 4096\nmemset\n trap", {.gas = gas});
      sandbox->set_reg(Reg::a0, 0x20ff0);
      sandbox->set_reg(Reg::a1, 0x33);
      sandbox->set_reg(Reg::a2, count);
      const Interrupt stop = sandbox->run().value();
      const bool is_nothing = static_cast<uint32_t>(count) == 0;
      const bool is_short = static_cast<uint32_t>(count) <= 16;
      EXPECT_EQ(stop.trap, is_short ? TrapKind::kInstruction : TrapKind::kMemoryAccess);
      EXPECT_EQ(read_bytes(*sandbox, 0x20ff0, 1)[0], is_nothing ? 0 : 0x33);
      if (!is_short) {
        EXPECT_EQ(stop.fault.address, 0x21000u);
      }
    }
  }
}

TEST_P(ContainmentTest, MemsetOverTheEndOf32BitsTraps) {
  const auto sandbox = start("memset\n trap");
  for (const uint64_t address : {0xfffffff0u, 0xffffffffu, 0xffff0000u, 0xfffeffffu, 0u}) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{address, 1, 0x1'0000'0000 - 1}));
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(stop.fault.address, address);
  }
}

// The heap. ------------------------------------------------------------------------------------------------

// A size with high bits moved the top of the heap backwards, over the data.
TEST_P(ContainmentTest, NegativeSbrkMovesNothing) {
  for (const Reg result : {Reg::a0, Reg::a1}) {
    const auto sandbox = start("%rw_data_size = 100\n" + std::string(name_of(result)) + " = sbrk a0\n trap");
    ASSERT_TRUE(sandbox->sbrk(8192));
    for (const uint64_t size : {~uint64_t{0}, ~uint64_t{0} - 4095, uint64_t{1} << 63, uint64_t{1} << 32}) {
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{size}));
      EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
      EXPECT_EQ(sandbox->heap_bytes(), 8192u);
      EXPECT_EQ(sandbox->reg(result), 0x20064u + 8192);
    }
  }
}

TEST_P(ContainmentTest, SbrkBeyondTheLimitFails) {
  const auto sandbox = start("%rw_data_size = 100\na1 = sbrk a0\n trap");
  for (const uint64_t size : {0xffffffffu, 0xfffff000u, 0x80000000u + 0x7ffd0000u}) {
    sandbox->set_reg(Reg::a0, size);
    sandbox->set_reg(Reg::a1, 1);
    sandbox->set_next_program_counter(0);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a1), 0u);
    EXPECT_EQ(sandbox->heap_bytes(), 0u);
  }
}

TEST_P(ContainmentTest, NegativeSbrkIn32BitsFails) {
  const auto sandbox = start("%isa = latest32\n%rw_data_size = 100\na0 = sbrk a0\n trap");
  for (const uint64_t size : {0xffffffffu, 0xfffff000u}) {
    sandbox->set_reg(Reg::a0, size);
    sandbox->set_next_program_counter(0);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
    EXPECT_EQ(sandbox->heap_bytes(), 0u);
  }
}

// Jumps. ---------------------------------------------------------------------------------------------------

constexpr std::string_view kJumps =
    "jump [a0]\n@target:\n a1 = 1\n trap\n pub @linked:\n a2 = 5, jump [a0]\n pub @table:\n a3 = @target\n "
    "trap";

// What lies beside the return-to-host address ended the process; odd addresses and those without an entry are
// nobody's, either.
TEST_P(ContainmentTest, DynamicJumpsBesideTheReturnAddressTrap) {
  for (const GasMetering gas : kAllGas) {
    const auto sandbox = start(kJumps, {.gas = gas});
    for (uint32_t address = 0xffff0001; address <= 0xffff0200; ++address) {
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{address}));
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kInvalidDynamicJump) << std::hex << address;
      EXPECT_PCS(*sandbox, at(0), kNone);
    }
  }
}

TEST_P(ContainmentTest, DynamicJumpsToAddressesOfNobodyTrap) {
  const auto sandbox = start(kJumps);
  for (const uint32_t address :
       {0u, 1u, 3u, 4u, 5u, 6u, 0x1000u, 0x10000u, 0x7fffffffu, 0x80000000u, 0xfffefffeu, 0xfffeffffu,
        0xffffff00u, 0xfffffffdu, 0xfffffffeu, 0xffffffffu}) {
    for (const uint64_t high : {uint64_t{0}, uint64_t{0xffffffff}}) {
      ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{high << 32 | address}));
      const Interrupt stop = sandbox->run().value();
      EXPECT_EQ(stop.kind, InterruptKind::kTrap) << std::hex << address;
      EXPECT_EQ(stop.trap, TrapKind::kInvalidDynamicJump) << std::hex << address;
      EXPECT_EQ(sandbox->reg(Reg::a1), 0u);
    }
  }
}

// The whole register went into the address of a table entry: any table, anywhere.
TEST_P(ContainmentTest, UpperHalfOfARegisterIsNoPartOfAJumpAddress) {
  const auto sandbox = start(kJumps);
  for (const uint64_t high : kHighHalves) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{high << 32 | 2}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(sandbox->reg(Reg::a1), 1u);
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{high << 32 | 0xffff0000}));
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
    ASSERT_TRUE(sandbox->prepare_call("linked", {high << 32 | 2}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(sandbox->reg(Reg::a2), 5u);
  }
}

TEST_P(ContainmentTest, LinkIsWrittenByADynamicJumpThatTraps) {
  const auto sandbox = start(kJumps);
  for (const uint64_t address : {0u, 0xffff0002u, 0xfffffffeu, 7u}) {
    ASSERT_TRUE(sandbox->prepare_call("linked", {address}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInvalidDynamicJump);
    EXPECT_EQ(sandbox->reg(Reg::a2), 5u);
  }
}

TEST_P(ContainmentTest, InvalidEntriesOfTheJumpTableTrap) {
  // Into an instruction, into the middle of a block, at the end of the code, far beyond it, as far as it
  // goes.
  const auto sandbox =
      start("%jump_table 1 5 13 1000 4294967295 0\njump [a0]\n a1 = i64 0x1122334455667788\n trap");
  ASSERT_EQ(sandbox->module().program().code_bytes(), 13u);
  for (uint64_t entry = 1; entry <= 5; ++entry) {
    ASSERT_TRUE(sandbox->prepare_call(0, std::vector<uint64_t>{2 * entry}));
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInvalidDynamicJump) << "entry " << entry;
    EXPECT_PCS(*sandbox, at(0), kNone);
  }
}

// A jump behind the end of the code overran a table of the compiler.
TEST_P(ContainmentTest, JumpsAroundTheEndOfTheCodeTrap) {
  for (const char* jump : {"jump ", "ra = 1, jump "}) {
    for (int distance = 0; distance < 70; ++distance) {
      const std::string text = std::string(jump) + std::to_string(4 + distance) + "\n nop\n nop";
      const auto sandbox = start(text);
      const uint32_t target = 4 + static_cast<uint32_t>(distance);
      if (target < sandbox->module().program().code_bytes()) continue;
      EXPECT_EQ(sandbox->run()->trap, TrapKind::kInvalidJump) << text;
      EXPECT_PCS(*sandbox, at(0), kNone);
    }
  }
}

TEST_P(ContainmentTest, BranchesAroundTheEndOfTheCodeTrap) {
  for (int target = 3; target < 80; ++target) {
    const auto sandbox = start("jump " + std::to_string(target) + " if a0 == 5\n trap");
    if (static_cast<uint32_t>(target) < sandbox->module().program().code_bytes()) continue;
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInvalidJump) << target;
  }
}

}  // namespace
}  // namespace sandglass
