// What each stop says, where the guest stands after it, and whether it can go on: the table of interrupt.h.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class StopsTest : public BackendTest {};
SG_ON_ALL_BACKENDS(StopsTest);

// Offsets of the instructions, in order.
std::vector<uint32_t> places_in(const Sandbox& sandbox) {
  std::vector<uint32_t> places;
  const Program& program = sandbox.module().program();
  for (uint32_t pc = 0; pc < program.code_bytes(); ++pc) {
    if (program.is_instruction_start(pc)) places.push_back(pc);
  }
  return places;
}

void expect_nowhere_to_go(Sandbox& sandbox) {
  const Result<Interrupt> again = sandbox.run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kNoProgramCounter);
}

TEST_P(StopsTest, FreshSandboxHasNowhereToStart) {
  const auto sandbox = Sandbox::create(module_for("trap", here())).value();
  EXPECT_PCS(*sandbox, kNone, kNone);
  expect_nowhere_to_go(*sandbox);
  EXPECT_PCS(*sandbox, kNone, kNone);
}

TEST_P(StopsTest, FinishedHasNoPcs) {
  const auto sandbox = start("a0 = 7\n ret");
  ASSERT_TRUE(sandbox->prepare_call(0));
  EXPECT_PCS(*sandbox, kNone, at(0));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
  EXPECT_PCS(*sandbox, kNone, kNone);
  EXPECT_EQ(sandbox->reg(Reg::a0), 7u);
  expect_nowhere_to_go(*sandbox);
}

TEST_P(StopsTest, TrapKeepsItsPcRegistersAndMemory) {
  const auto sandbox = start("%rw_data_size = 8\na0 = 5\n u32 [0x20000] = 9\n trap\n a0 = 6\n ret");
  const uint32_t trap = places_in(*sandbox)[2];
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(stop.trap, TrapKind::kInstruction);
  EXPECT_PCS(*sandbox, at(trap), kNone);
  expect_nowhere_to_go(*sandbox);
  EXPECT_PCS(*sandbox, at(trap), kNone);
  EXPECT_EQ(sandbox->reg(Reg::a0), 5u);
  EXPECT_EQ(read_bytes(*sandbox, 0x20000, 4), (std::vector<uint8_t>{9, 0, 0, 0}));
}

TEST_P(StopsTest, TrappedSandboxRunsAgainFromANewPc) {
  const auto sandbox = start("trap\n pub @next:\n a0 = a0 + 1\n trap");
  const uint32_t next = places_in(*sandbox)[1];
  for (uint64_t round = 0; round < 3; ++round) {
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a0), round);
    sandbox->set_next_program_counter(next);
    EXPECT_PCS(*sandbox, kNone, at(next));
  }
}

TEST_P(StopsTest, HostCallGoesOnBehindItself) {
  const auto sandbox = start("a0 = 1\n ecalli 4294967295\n a1 = a0 + 1\n trap");
  const std::vector<uint32_t> places = places_in(*sandbox);
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kHostCall);
  EXPECT_EQ(stop.host_call, UINT32_MAX);
  EXPECT_PCS(*sandbox, at(places[1]), at(places[2]));
  sandbox->set_reg(Reg::a0, 41);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a1), 42u);
}

TEST_P(StopsTest, HostCallAtTheEndOfTheCodeIsFollowedByATrap) {
  const auto sandbox = start("a0 = 1\n ecalli 3");
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  const uint32_t end = sandbox->module().program().code_bytes();
  EXPECT_PCS(*sandbox, at(places_in(*sandbox)[1]), at(end));
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  EXPECT_PCS(*sandbox, at(end), at(end));
  const Interrupt stop = sandbox->run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(stop.trap, TrapKind::kInvalidInstruction);
  EXPECT_PCS(*sandbox, at(end), kNone);
}

TEST_P(StopsTest, HostCallsInALoopSeeEveryRegister) {
  const auto sandbox = start(
      "pub @main:\n a0 = a0 + 1\n t0 = t0 ^ a0\n ecalli 1\n a1 = a1 + a0\n jump @main if a0 <u 2000\n trap");
  uint64_t sum = 0, mixed = 0, calls = 0;
  Interrupt stop = sandbox->run().value();
  for (; stop.kind == InterruptKind::kHostCall; stop = sandbox->run().value()) {
    ++calls;
    mixed ^= sandbox->reg(Reg::a0);
    ASSERT_EQ(sandbox->reg(Reg::t0), mixed);
    sandbox->set_reg(Reg::a0, sandbox->reg(Reg::a0) + 1);  // every second number is left out
    sum += sandbox->reg(Reg::a0);
  }
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(calls, 1000u);
  EXPECT_EQ(sandbox->reg(Reg::a1), sum);
}

TEST_P(StopsTest, StartWhereNothingCanBeExecutedTrapsThere) {
  const auto sandbox = start("a0 = i64 0x1122334455667788\n trap");
  for (const uint32_t pc : {1u, 5u, 11u, 1000u, UINT32_MAX}) {
    sandbox->set_next_program_counter(pc);
    EXPECT_PCS(*sandbox, kNone, at(pc));
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.kind, InterruptKind::kTrap);
    EXPECT_EQ(stop.trap, TrapKind::kInvalidInstruction);
    EXPECT_PCS(*sandbox, at(pc), kNone);
  }
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
}

struct TrapCase {
  const char* name;
  const char* text;
  TrapKind kind;
  size_t place;  // of the instruction that traps
};
constexpr TrapCase kTraps[] = {
    {"trap instruction", "nop\n trap", TrapKind::kInstruction, 1},
    {"undefined opcode", "nop\n %raw ff", TrapKind::kInvalidInstruction, 1},
    {"jump into an instruction", "nop\n jump 1", TrapKind::kInvalidJump, 1},
    {"jump beyond the end", "nop\n jump 100000", TrapKind::kInvalidJump, 1},
    {"branch beyond the end", "nop\n jump 100000 if a0 == 1", TrapKind::kInvalidJump, 1},
    {"dynamic jump to nowhere", "a0 = 2\n jump [a0]", TrapKind::kInvalidDynamicJump, 1},
    {"load from address 0", "nop\n a0 = u8 [a0]", TrapKind::kMemoryAccess, 1},
};

TEST_P(StopsTest, TrapsSayWhyAndWhere) {
  for (const TrapCase& trap : kTraps) {
    SCOPED_TRACE(trap.name);
    for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
      const auto sandbox = start(trap.text, {.gas = gas});
      const Interrupt stop = sandbox->run().value();
      EXPECT_EQ(stop.kind, InterruptKind::kTrap);
      EXPECT_EQ(stop.trap, trap.kind);
      EXPECT_PCS(*sandbox, at(places_in(*sandbox)[trap.place]), kNone);
    }
  }
}

struct FaultCase {
  const char* name;
  const char* text;
  MemoryFault fault;
};
// RO data is 0x10000…0x11000, RW data 0x30000…0x31000.
constexpr FaultCase kFaults[] = {
    {"load", "a1 = u16 [a0 + 15]", {15, 2, Access::kRead}},
    {"absolute load", "a1 = i32 [0x2ffff]", {0x2ffff, 4, Access::kRead}},
    {"store", "u64 [a0 + 0x30ff9] = a1", {0x30ff9, 8, Access::kWrite}},
    {"absolute store", "u8 [0x31000] = a1", {0x31000, 1, Access::kWrite}},
    {"store to read-only data", "u32 [a0 + 0x10004] = a1", {0x10004, 4, Access::kWrite}},
    {"store of a constant", "u32 [a0 + 0x10ffe] = 5", {0x10ffe, 4, Access::kWrite}},
    {"absolute store of a constant", "u16 [0xffffffff] = 5", {0xffffffff, 2, Access::kWrite}},
    {"load over the end of a region", "a1 = u64 [a0 + 0x10ffc]", {0x10ffc, 8, Access::kRead}},
    {"load at the top", "a1 = u64 [a0 + 0xfffffffc]", {0xfffffffc, 8, Access::kRead}},
};

TEST_P(StopsTest, MemoryTrapsNameTheAccessAndChangeNothing) {
  for (const FaultCase& fault : kFaults) {
    SCOPED_TRACE(fault.name);
    const std::string text =
        std::string("%ro_data_size = 16\n%rw_data_size = 16\nnop\n") + fault.text + "\n ret";
    const auto sandbox = start(text);
    for (size_t i = 0; i < kRegCount; ++i) sandbox->set_reg(static_cast<Reg>(i), 0x1000 * i);
    sandbox->set_reg(Reg::a0, 0);
    const Interrupt stop = sandbox->run().value();
    EXPECT_EQ(stop.kind, InterruptKind::kTrap);
    EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(stop.fault.address, fault.fault.address);
    EXPECT_EQ(stop.fault.size_bytes, fault.fault.size_bytes);
    EXPECT_EQ(stop.fault.access, fault.fault.access);
    EXPECT_PCS(*sandbox, at(places_in(*sandbox)[1]), kNone);
    for (size_t i = 0; i < kRegCount; ++i) {
      const auto reg = static_cast<Reg>(i);
      EXPECT_EQ(sandbox->reg(reg), reg == Reg::a0 ? 0 : 0x1000 * i);
    }
    EXPECT_EQ(read_bytes(*sandbox, 0x10000, 4096), std::vector<uint8_t>(4096, 0));
    EXPECT_EQ(read_bytes(*sandbox, 0x30000, 4096), std::vector<uint8_t>(4096, 0));
  }
}

TEST_P(StopsTest, StepsComeBeforeEveryInstruction) {
  const auto sandbox = start("a0 = 1\n fallthrough\n ecalli 2\n a1 = u8 [0]\n trap", {.step_tracing = true});
  const std::vector<uint32_t> places = places_in(*sandbox);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kStep);
    EXPECT_PCS(*sandbox, at(places[i]), at(places[i]));
  }
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  EXPECT_PCS(*sandbox, at(places[2]), at(places[3]));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kStep);
  EXPECT_PCS(*sandbox, at(places[3]), at(places[3]));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_PCS(*sandbox, at(places[3]), kNone);
}

TEST_P(StopsTest, StepsShowTheRegistersAsTheyAre) {
  const auto sandbox =
      start("pub @main:\n a0 = a0 + 1\n jump @main if a0 <u 50\n trap", {.step_tracing = true});
  uint64_t steps = 0;
  Interrupt stop = sandbox->run().value();
  for (; stop.kind == InterruptKind::kStep; stop = sandbox->run().value(), ++steps) {
    ASSERT_EQ(sandbox->reg(Reg::a0), (steps + 1) / 2) << steps;
  }
  EXPECT_EQ(stop.kind, InterruptKind::kTrap);
  EXPECT_EQ(steps, 101u);
}

TEST_P(StopsTest, RegistersMayChangeAtAStep) {
  const auto sandbox = start("a1 = a1 - 1\n jump @zero if a1 == 0\n a0 = 1\n trap\n @zero:\n a0 = 2\n trap",
                             {.step_tracing = true});
  sandbox->set_reg(Reg::a1, 10);
  ASSERT_EQ(sandbox->run()->kind, InterruptKind::kStep);
  ASSERT_EQ(sandbox->run()->kind, InterruptKind::kStep);
  sandbox->set_reg(Reg::a1, 0);
  while (sandbox->run()->kind == InterruptKind::kStep) {
  }
  EXPECT_EQ(sandbox->reg(Reg::a0), 2u);
}

}  // namespace
}  // namespace sandglass
