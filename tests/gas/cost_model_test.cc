// What a block costs under each model, as the host asks for it.
#include "sandbox/gas/cost_model.h"

#include <gtest/gtest.h>

#include "tests/gas/random_block.h"
#include "tests/gas/reference_pipeline.h"

namespace sandglass {
namespace {

// A program out of bytes; `starts` has one character per byte, '^' where an instruction starts.
std::shared_ptr<const Program> program_of(std::vector<uint8_t> code, std::string_view starts,
                                          InstructionSet set = InstructionSet::kLatest64) {
  ProgramParts parts = {.instruction_set = set};
  parts.bitmask.resize((code.size() + 7) / 8);
  for (size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] == '^') parts.bitmask[i / 8] |= static_cast<uint8_t>(1 << i % 8);
  }
  parts.code = std::move(code);
  return *Program::from_parts(std::move(parts));
}

constexpr uint8_t kTrap = 0, kFallthrough = 1, kUnlikely = 3, kEcalli = 10, kUndefined = 250;
constexpr uint8_t kMoveReg = 100, kBranchEq = 170;

uint32_t naive(const Program& program, uint32_t pc = 0) {
  return block_cost(program, pc, CostModel::naive());
}
uint32_t pipeline(const Program& program, uint32_t pc = 0) {
  return block_cost(program, pc, *CostModel::pipeline(CostModel::kL2Hit));
}

TEST(NaiveModelTest, CountsInstructionsUpToTheTerminator) {
  EXPECT_EQ(naive(*program_of({kEcalli, kEcalli, kTrap, kTrap}, "^^^^")), 3u);
  EXPECT_EQ(naive(*program_of({kEcalli, kEcalli, kTrap, kTrap}, "^^^^"), 3), 1u);
}

TEST(NaiveModelTest, CountsTheMissingInstructionAtTheEnd) {
  EXPECT_EQ(naive(*program_of({kEcalli, kEcalli}, "^^")), 3u);
}

TEST(NaiveModelTest, CountsNothingBehindALastTerminator) {
  EXPECT_EQ(naive(*program_of({kEcalli, kFallthrough}, "^^")), 2u);
  EXPECT_EQ(naive(*program_of({kEcalli, kBranchEq, 0}, "^^ ")), 2u);
}

TEST(NaiveModelTest, EndsABlockAtAnUndefinedOpcode) {
  EXPECT_EQ(naive(*program_of({kEcalli, kUndefined, kTrap}, "^^^")), 2u);
}

TEST(NaiveModelTest, EndsABlockInAGap) {
  std::vector<uint8_t> code(40, kTrap);
  code[0] = kEcalli;
  EXPECT_EQ(naive(*program_of(code, "^                              ^")), 2u);
}

TEST(NaiveModelTest, CostsOneWhereNothingIs) {
  const auto program = program_of({kTrap}, "^");
  EXPECT_EQ(naive(*program, 1), 1u);
  EXPECT_EQ(naive(*program, UINT32_MAX), 1u);
}

TEST(TableModelTest, AddsUpWhatTheTableSays) {
  CostModel::Table costs{};
  costs[static_cast<size_t>(Opcode::kEcalli)] = 7;
  costs[static_cast<size_t>(Opcode::kTrap)] = 100;
  costs[kOpcodeCount] = 5000;
  const CostModel model = CostModel::table(costs);
  EXPECT_EQ(block_cost(*program_of({kEcalli, kEcalli, kTrap}, "^^^"), 0, model), 114u);
  EXPECT_EQ(block_cost(*program_of({kEcalli}, "^"), 0, model), 5007u);
  EXPECT_EQ(block_cost(*program_of({kFallthrough}, "^"), 0, model), 0u);
}

TEST(TableModelTest, StopsAtTheLargestCost) {
  CostModel::Table costs;
  costs.fill(UINT32_MAX);
  const CostModel model = CostModel::table(costs);
  EXPECT_EQ(block_cost(*program_of({kTrap}, "^"), 0, model), kMaxBlockCost);
  EXPECT_EQ(block_cost(*program_of({kEcalli, kEcalli, kTrap}, "^^^"), 0, model), kMaxBlockCost);
}

TEST(PipelineCostTest, AcceptsLoadsOfOneTo127Cycles) {
  EXPECT_TRUE(CostModel::pipeline(1).has_value());
  EXPECT_TRUE(CostModel::pipeline(127).has_value());
  EXPECT_EQ(CostModel::pipeline(0).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(CostModel::pipeline(128).error().kind, ErrorKind::kInvalidArgument);
}

TEST(PipelineCostTest, KnowsTheSmallestBlocks) {
  EXPECT_EQ(pipeline(*program_of({kTrap}, "^")), 2u);
  EXPECT_EQ(pipeline(*program_of({kTrap}, "^"), 1), 2u);
  EXPECT_EQ(pipeline(*program_of({kEcalli, kTrap}, "^^")), 100u);
  EXPECT_EQ(pipeline(*program_of({kUnlikely, kTrap}, "^^")), 40u);
  EXPECT_EQ(pipeline(*program_of({kMoveReg, 0x10, kTrap}, "^ ^")), 2u);
}

// branch_eq ra, ra, +4 over two bytes of which the first follows the branch and the second is its target.
uint32_t branch_cost(uint8_t behind, uint8_t target, InstructionSet set = InstructionSet::kLatest64) {
  return pipeline(*program_of({kBranchEq, 0x00, 4, behind, target, kFallthrough}, "^  ^^^", set));
}

TEST(PipelineCostTest, MakesABranchToAColdSuccessorCheap) {
  EXPECT_EQ(branch_cost(kFallthrough, kFallthrough), 20u);
  EXPECT_EQ(branch_cost(kTrap, kFallthrough), 1u);
  EXPECT_EQ(branch_cost(kFallthrough, kTrap), 1u);
  EXPECT_EQ(branch_cost(kUnlikely, kFallthrough), 1u);
  EXPECT_EQ(branch_cost(kFallthrough, kUnlikely), 1u);
}

TEST(PipelineCostTest, KnowsUnlikelyInEachSet) {
  EXPECT_EQ(branch_cost(2, kFallthrough, InstructionSet::kJamV1), 1u);
  EXPECT_EQ(branch_cost(3, kFallthrough, InstructionSet::kJamV1), 20u);
  EXPECT_EQ(branch_cost(3, kFallthrough, InstructionSet::kReviveV1), 20u);
  EXPECT_EQ(branch_cost(255, kFallthrough, InstructionSet::kReviveV1), 1u);
}

TEST(PipelineCostTest, LooksAtBytesWhereNoInstructionStarts) {
  EXPECT_EQ(pipeline(*program_of({kBranchEq, 0x00, 4, kFallthrough, kTrap, kFallthrough}, "^  ^ ^")), 1u);
}

TEST(PipelineCostTest, TreatsTheEndOfTheCodeAsCold) {
  EXPECT_EQ(pipeline(*program_of({kBranchEq, 0x00, 4, kFallthrough}, "^  ^")), 1u);
  EXPECT_EQ(pipeline(*program_of({kBranchEq, 0x00, 0x80, kFallthrough}, "^  ^")), 1u);
  EXPECT_EQ(pipeline(*program_of({kFallthrough, kBranchEq, 0x00, 0xff}, "^^  "), 1), 1u);
}

TEST(PipelineCostTest, WalksTheSameBlockAsTheReference) {
  std::mt19937_64 random(99);
  for (int i = 0; i < 2'000; ++i) {
    const auto program = test::random_block(random, test::random_shape(random));
    test::ReferencePipeline reference(*program, CostModel::kL2Hit);
    Instruction in;
    for (uint32_t pc = 0; pc == 0 || info_of(in.opcode).flow == Flow::Next; pc = in.next_pc) {
      in = program->decode(pc);
      reference.feed(in);
    }
    ASSERT_EQ(pipeline(*program), reference.finish()) << "block " << i;
  }
}

}  // namespace
}  // namespace sandglass
