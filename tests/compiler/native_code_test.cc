// NativeCode: from every place of the guest's code to the machine code and back.
#include "sandbox/compiler/native_code.h"

#include <gtest/gtest.h>

#include <string>

#include "sandbox/program/assembler.h"
#include "tests/differential/random_program.h"

namespace sandglass {
namespace {

constexpr InstructionSet kSets[] = {InstructionSet::kLatest64, InstructionSet::kLatest32,
                                    InstructionSet::kJamV1, InstructionSet::kReviveV1};

// Instructions without code of their own share their place with the next one.
bool leads_back(const NativeCode& code, const Program& program, uint32_t pc) {
  const uint32_t entry = code.entry_of(pc);
  const std::optional<NativeCode::Place> place = code.find(entry);
  if (!place || (place->native_begin != entry && place->native_body != entry)) return false;
  if (place->pc == pc) return true;
  const Instruction in = program.decode(pc);
  return place->pc > pc && (in.opcode == Opcode::kFallthrough || in.opcode == Opcode::kUnlikely ||
                            (in.opcode == Opcode::kMoveReg && in.dst == in.src1));
}

class NativeCodeTest : public testing::TestWithParam<GasMetering> {};

TEST_P(NativeCodeTest, FindsEveryPlaceOfRandomPrograms) {
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    fuzz::Random random(seed);
    const auto program = Program::from_parts(fuzz::random_program(random, random.pick(kSets))).value();
    const auto module = Module::create(program, {.gas = GetParam(), .step_tracing = random.chance(10)});
    if (!module) continue;  // JamV1 refuses some
    const NativeCode& code = *(*module)->native_code();
    for (uint32_t pc = 0; pc < program->code_bytes(); ++pc) {
      if (!program->block_start(pc)) continue;
      ASSERT_TRUE(leads_back(code, *program, pc)) << "seed " << seed << ", pc " << pc;
    }
  }
}

// A block that asks for the price of the next one as well grows after its instructions were counted.
TEST_P(NativeCodeTest, FindsWhatLiesBehindAPairedBlockThatCrossesACheckpoint) {
  std::string text = "pub @main:\n";
  for (int i = 0; i < 25; ++i) text += " a0 = a0 + 1\n";
  const auto parts =
      assemble(text + " jump @main if a0 != 0\n ret\n@behind:\n a1 = 7\n a2 = 8\n trap").value();
  const auto program = Program::from_parts(parts).value();
  const auto module = Module::create(program, {.gas = GetParam()}).value();
  for (uint32_t pc = 0; pc < program->code_bytes(); ++pc) {
    if (!program->block_start(pc)) continue;
    EXPECT_TRUE(leads_back(*module->native_code(), *program, pc)) << pc;
  }
  if (GetParam() == GasMetering::kSync) {
    EXPECT_EQ(module->native_code()->charge_of(*program->find_export("main")).cost, 26u);
    EXPECT_EQ(module->native_code()->charge_of(program->code_bytes() - 7).cost, 3u);
  }
}

TEST_P(NativeCodeTest, ChargesWhatTheModelSays) {
  if (GetParam() == GasMetering::kNone) return;
  for (uint64_t seed = 1; seed <= 5'000; ++seed) {
    fuzz::Random random(seed);
    const auto program = Program::from_parts(fuzz::random_program(random, random.pick(kSets))).value();
    const auto module = Module::create(program, {.gas = GetParam(), .cost_model = *CostModel::pipeline(25)});
    if (!module) continue;
    for (uint32_t pc = 0; pc < program->code_bytes(); ++pc) {
      if (!program->is_jump_target(pc)) continue;
      ASSERT_EQ((*module)->native_code()->charge_of(pc).cost, (*module)->gas_cost(pc))
          << "seed " << seed << ", pc " << pc;
    }
  }
}

TEST_P(NativeCodeTest, KnowsNothingOfItsRoutines) {
  ProgramParts parts;
  parts.code = {0};
  parts.bitmask = {1};
  const auto module = Module::create(Program::from_parts(parts).value(), {.gas = GetParam()}).value();
  const NativeCode& code = *module->native_code();
  for (uint32_t offset = 0; offset < code.tables().trampolines.end; ++offset) {
    EXPECT_FALSE(code.find(offset).has_value()) << offset;
  }
  EXPECT_FALSE(code.find(static_cast<uint32_t>(code.size_bytes()) + 1).has_value());
}

INSTANTIATE_TEST_SUITE_P(Gas, NativeCodeTest,
                         testing::Values(GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync));

}  // namespace
}  // namespace sandglass
