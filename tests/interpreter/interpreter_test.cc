// What the spec programs cannot see: polling, the pcs of the bare interpreter, and every opcode byte there
// is.
#include <gtest/gtest.h>

#include <random>

#include "tests/interpreter/guest.h"

namespace sandglass {
namespace {

constexpr InstructionSet kAllSets[] = {InstructionSet::kReviveV1, InstructionSet::kLatest32,
                                       InstructionSet::kLatest64, InstructionSet::kJamV1};

constexpr std::string_view kThreeBlocks = R"(
    a0 = 1
    fallthrough
    a0 = 2
    fallthrough
    a0 = 3
    trap
)";

// Counts its calls and asks for a stop at one of them.
struct CountingPoll {
  int calls = 0;
  int stop_at = 0;  // 0: never
  InterruptKind kind = InterruptKind::kInterrupted;

  Interpreter::Poll poll() {
    return [this] { return ++calls == stop_at ? std::optional(kind) : std::nullopt; };
  }
};

TEST(InterpreterTest, PollsWhenItBeginsAndOncePerBlock) {
  Guest guest(kThreeBlocks);
  CountingPoll poll;
  EXPECT_EQ(guest.interpreter.run(poll.poll()).kind, InterruptKind::kTrap);
  EXPECT_EQ(poll.calls, 4);
}

TEST(InterpreterTest, StopsAtABlockStartBeforeItsCharge) {
  Guest guest(kThreeBlocks);
  CountingPoll poll{.stop_at = 3};
  EXPECT_EQ(guest.interpreter.run(poll.poll()).kind, InterruptKind::kInterrupted);
  EXPECT_EQ(guest.reg(Reg::a0), 1u);
  EXPECT_EQ(guest.context.gas, 998);
  EXPECT_EQ(guest.interpreter.program_counter(), 4u);
  EXPECT_EQ(guest.interpreter.next_program_counter(), 4u);
  EXPECT_EQ(guest.interpreter.run().kind, InterruptKind::kTrap);
  EXPECT_EQ(guest.reg(Reg::a0), 3u);
  EXPECT_EQ(guest.context.gas, 994);
}

TEST(InterpreterTest, ReportsTheStopThePollAskedFor) {
  Guest guest(kThreeBlocks);
  CountingPoll poll{.stop_at = 1, .kind = InterruptKind::kDeadlineExceeded};
  EXPECT_EQ(guest.interpreter.run(poll.poll()).kind, InterruptKind::kDeadlineExceeded);
  EXPECT_EQ(guest.interpreter.next_program_counter(), 0u);
  EXPECT_EQ(guest.context.gas, 1000);
}

TEST(InterpreterTest, LeavesAnEndlessLoop) {
  Guest guest("pub @main:\n jump @main", {.gas = GasMetering::kNone});
  CountingPoll poll{.stop_at = 1000};
  EXPECT_EQ(guest.interpreter.run(poll.poll()).kind, InterruptKind::kInterrupted);
}

TEST(InterpreterTest, LeavesAMemsetBetweenPagesAndGoesOn) {
  Guest guest("memset\n trap", {.gas = GasMetering::kNone});
  guest.set_reg(Reg::a0, 0x20000);
  guest.set_reg(Reg::a2, Guest::kDataBytes);
  CountingPoll poll{.stop_at = 3};
  EXPECT_EQ(guest.interpreter.run(poll.poll()).kind, InterruptKind::kInterrupted);
  EXPECT_EQ(guest.interpreter.program_counter(), 0u);
  EXPECT_EQ(guest.reg(Reg::a0), 0x21000u);
  EXPECT_EQ(guest.reg(Reg::a2), 0x1000u);
  EXPECT_EQ(guest.interpreter.run().trap, TrapKind::kInstruction);
  EXPECT_EQ(guest.reg(Reg::a0), 0x22000u);
}

TEST(InterpreterTest, ChargesNothingWhenItIsEnteredInMidBlock) {
  Guest guest("a0 = 1\n a1 = 2\n trap");
  guest.interpreter.enter(3);
  EXPECT_EQ(guest.interpreter.run().kind, InterruptKind::kTrap);
  EXPECT_EQ(guest.reg(Reg::a0), 0u);
  EXPECT_EQ(guest.context.gas, 1000);
}

TEST(InterpreterTest, HasTheProgramCountersOfTheTable) {
  Guest guest("ecalli 7\n jump [a0]");
  EXPECT_EQ(guest.interpreter.program_counter(), std::nullopt);
  EXPECT_EQ(guest.interpreter.next_program_counter(), 0u);
  EXPECT_EQ(guest.interpreter.run().host_call, 7u);
  EXPECT_EQ(guest.interpreter.program_counter(), 0u);
  EXPECT_EQ(guest.interpreter.next_program_counter(), 2u);
  guest.set_reg(Reg::a0, kReturnToHost);
  EXPECT_EQ(guest.interpreter.run().kind, InterruptKind::kFinished);
  EXPECT_EQ(guest.interpreter.program_counter(), std::nullopt);
  EXPECT_EQ(guest.interpreter.next_program_counter(), std::nullopt);
}

TEST(InterpreterTest, HasNoNextProgramCounterBehindATrap) {
  Guest guest("a0 = 1\n trap");
  EXPECT_EQ(guest.interpreter.run().kind, InterruptKind::kTrap);
  EXPECT_EQ(guest.interpreter.program_counter(), 3u);
  EXPECT_EQ(guest.interpreter.next_program_counter(), std::nullopt);
}

// An instruction of 16 bytes whose operands are random, in front of a trap.
ProgramParts one_instruction(InstructionSet set, uint8_t opcode, std::mt19937_64& random) {
  ProgramParts parts{.instruction_set = set, .code = {opcode}};
  while (parts.code.size() < 16) parts.code.push_back(static_cast<uint8_t>(random()));
  parts.code.push_back(0);
  parts.bitmask = {0x01, 0x00, 0x01};
  return parts;
}

class OpcodeByteTest : public ::testing::TestWithParam<InstructionSet> {};

TEST_P(OpcodeByteTest, ThatIsUndefinedTrapsAtItself) {
  std::mt19937_64 random(1);
  int undefined = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (opcode_map(GetParam())[byte] != Opcode::kInvalid) continue;
    ++undefined;
    Guest guest(one_instruction(GetParam(), static_cast<uint8_t>(byte), random), {});
    guest.interpreter.enter(0);
    const Interrupt stop = guest.interpreter.run();
    EXPECT_EQ(stop.kind, InterruptKind::kTrap) << byte;
    EXPECT_EQ(stop.trap, TrapKind::kInvalidInstruction) << byte;
    EXPECT_EQ(guest.interpreter.program_counter(), 0u) << byte;
    EXPECT_EQ(guest.context.gas, 999) << byte;
  }
  constexpr int kUndefined[] = {256 - 138, 256 - 106, 256 - 141, 256 - 139};
  EXPECT_EQ(undefined, kUndefined[static_cast<size_t>(GetParam())]);
}

// With any operands: it goes on, or stops at itself, and registers of 32 bits stay so.
TEST_P(OpcodeByteTest, ThatIsDefinedIsExecutedWithAnyOperands) {
  std::mt19937_64 random(2);
  const uint64_t mask = is_64_bit(GetParam()) ? ~uint64_t{0} : UINT32_MAX;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const Opcode opcode = opcode_map(GetParam())[byte];
    if (opcode == Opcode::kInvalid) continue;
    for (int round = 0; round < 20; ++round) {
      Guest guest(one_instruction(GetParam(), static_cast<uint8_t>(byte), random), {});
      for (uint64_t& reg : guest.context.regs) reg = random() & mask;
      guest.interpreter.enter(0);
      const Interrupt stop = guest.interpreter.run();
      EXPECT_NE(stop.trap, TrapKind::kInvalidInstruction) << name_of(opcode);
      const uint32_t pc = guest.interpreter.program_counter().value_or(0);
      EXPECT_TRUE(pc == 0 || pc == 16) << name_of(opcode);
      for (const uint64_t reg : guest.context.regs) EXPECT_EQ(reg & ~mask, 0u) << name_of(opcode);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, OpcodeByteTest, ::testing::ValuesIn(kAllSets),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass
