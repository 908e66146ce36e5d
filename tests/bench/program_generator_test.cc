#include "bench/program_generator.h"

#include <gtest/gtest.h>

#include <map>

#include "bench/guests.h"

namespace sandglass::bench {
namespace {

std::shared_ptr<const Program> generate(uint64_t seed, size_t instructions) {
  return Program::from_parts(generate_program({.seed = seed, .instructions = instructions})).value();
}

// Calls `visit` for every instruction, from the start of the code to its end.
template <typename Visit>
void for_each_instruction(const Program& program, Visit visit) {
  for (uint32_t pc = 0; pc < program.code_bytes();) {
    const Instruction in = program.decode(pc);
    ASSERT_GT(in.next_pc, pc) << "a gap in the code";
    visit(in);
    pc = in.next_pc;
  }
}

bool has_target(Form form) {
  return form == Form::Target || form == Form::SrcImmTarget || form == Form::SrcSrcTarget ||
         form == Form::DstImmTarget;
}

class GeneratedProgram : public testing::TestWithParam<size_t> {};

TEST_P(GeneratedProgram, HasExactlyTheInstructionsAskedFor) {
  size_t count = 0;
  for_each_instruction(*generate(1, GetParam()), [&](const Instruction&) { ++count; });
  EXPECT_EQ(count, GetParam());
}

TEST_P(GeneratedProgram, IsValidThroughout) {
  const auto program = generate(2, GetParam());
  for_each_instruction(*program, [&](const Instruction& in) {
    ASSERT_NE(in.opcode, Opcode::kInvalid) << in.pc;
    if (has_target(info_of(in.opcode).form)) {
      ASSERT_TRUE(program->is_jump_target(in.target)) << in.pc;
    }
  });
  for (const uint32_t target : program->parts().jump_table) {
    ASSERT_TRUE(program->is_jump_target(target)) << target;
  }
}

TEST_P(GeneratedProgram, DependsOnNothingButTheSeed) {
  EXPECT_EQ(generate_program({.seed = 3, .instructions = GetParam()}),
            generate_program({.seed = 3, .instructions = GetParam()}));
  EXPECT_NE(generate_program({.seed = 3, .instructions = GetParam()}),
            generate_program({.seed = 4, .instructions = GetParam()}));
}

INSTANTIATE_TEST_SUITE_P(Sizes, GeneratedProgram,
                         testing::Values(kMinGeneratedInstructions, kMinGeneratedInstructions + 1, 100, 1000,
                                         9999, 150'000));

// A change to the generator changes what every result of compile/ means: it must be on purpose.
TEST(ProgramGeneratorTest, MakesTheProgramThatResultsWereTakenWith) {
  const ProgramParts parts = generate_program({.seed = 1, .instructions = 10'000});
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : parts.code) hash = (hash ^ byte) * 0x100000001b3;
  EXPECT_EQ(hash, 0x73e0ab1f06638f4fu) << std::hex << hash;
}

enum class Kind { kArithmetic, kMemory, kBlockEnd, kMove, kConstant, kTest, kMultiplication };

Kind kind_of(const Instruction& in) {
  const std::string_view name = name_of(in.opcode);
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (is_terminator(in.opcode)) return Kind::kBlockEnd;
  if (info_of(in.opcode).access_bytes != 0) return Kind::kMemory;
  if (in.opcode == Opcode::kMoveReg) return Kind::kMove;
  if (in.opcode == Opcode::kLoadImm || in.opcode == Opcode::kLoadImm64) return Kind::kConstant;
  if (has("mul") || has("div") || has("rem")) return Kind::kMultiplication;
  if (has("set_") || has("cmov") || has("extend") || has("count_") || has("reverse")) return Kind::kTest;
  return Kind::kArithmetic;
}

TEST(ProgramGeneratorTest, HasTheMixThatItsHeaderPromises) {
  constexpr size_t kCount = 150'000;
  std::map<Kind, double> percent;
  for_each_instruction(*generate(1, kCount),
                       [&](const Instruction& in) { percent[kind_of(in)] += 100.0 / kCount; });
  EXPECT_NEAR(percent[Kind::kArithmetic], 37, 1.5);
  EXPECT_NEAR(percent[Kind::kMemory], 25, 1.5);
  EXPECT_NEAR(percent[Kind::kBlockEnd], 17, 1.5);
  EXPECT_NEAR(percent[Kind::kMove], 8, 1);
  EXPECT_NEAR(percent[Kind::kConstant], 6, 1);
  EXPECT_NEAR(percent[Kind::kTest], 5, 1);
  EXPECT_NEAR(percent[Kind::kMultiplication], 2, 0.5);
}

std::unique_ptr<Sandbox> sandbox_for(const std::shared_ptr<const Program>& program, Backend backend) {
  auto module = Module::create(program, {.backend = backend, .gas = GasMetering::kSync}).value();
  return Sandbox::create(module, {.gas = kPlentyOfGas}).value();
}

TEST(ProgramGeneratorTest, ComesToAnEndSoonEnough) {
  constexpr size_t kCount = 20'000;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const auto program = generate(seed, kCount);
    const auto sandbox = sandbox_for(program, Backend::kInterpreter);
    ASSERT_TRUE(call(*sandbox, *program->find_export("main"))) << seed;
    const int64_t charged = kPlentyOfGas - sandbox->gas();
    EXPECT_GT(charged, static_cast<int64_t>(kCount / 2)) << seed;
    EXPECT_LT(charged, static_cast<int64_t>(3 * kCount)) << seed;
  }
}

TEST(ProgramGeneratorTest, LeavesTheSameRegistersOnEveryBackend) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto program = generate(seed, 2'000);
    const auto reference = sandbox_for(program, Backend::kInterpreter);
    const auto compiled = sandbox_for(program, Backend::kGeneric);
    const uint32_t main = *program->find_export("main");
    ASSERT_TRUE(call(*reference, main)) << seed;
    ASSERT_TRUE(call(*compiled, main)) << seed;
    EXPECT_EQ(compiled->gas(), reference->gas()) << seed;
    for (size_t i = 0; i < kRegCount; ++i) {
      const auto reg = static_cast<Reg>(i);
      ASSERT_EQ(compiled->reg(reg), reference->reg(reg)) << name_of(reg) << ", seed " << seed;
    }
  }
}

TEST(ProgramGeneratorTest, HasAnExportThatReturnsAtOnce) {
  const auto program = generate(1, 1'000);
  const auto sandbox = sandbox_for(program, Backend::kInterpreter);
  ASSERT_TRUE(call(*sandbox, *program->find_export("nop")));
  EXPECT_EQ(sandbox->gas(), kPlentyOfGas - 1);
}

}  // namespace
}  // namespace sandglass::bench
