// Where instructions start, what they reach, and where jumps may land.
#include <gtest/gtest.h>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::code_parts;
using test::make_program;
using test::must_make;

// Opcode bytes of latest64, and one that no set has.
constexpr uint8_t kTrap = 0, kFallthrough = 1, kUnlikely = 3, kEcalli = 10, kJump = 40, kMoveReg = 100,
                  kBranchEq = 170, kUndefined = 255;

std::vector<uint8_t> zeroes_with(size_t size, std::initializer_list<std::pair<size_t, uint8_t>> bytes) {
  std::vector<uint8_t> code(size);
  for (const auto& [at, value] : bytes) code[at] = value;
  return code;
}

TEST(Program, SkipEndsAtTheNextInstruction) {
  const auto program = make_program({kTrap, kMoveReg, 0, kTrap}, {0, 1, 3});
  EXPECT_EQ(program->skip_at(0), 0u);
  EXPECT_EQ(program->skip_at(1), 1u);
}

TEST(Program, SkipEndsAtTheEndOfTheCode) {
  for (uint32_t code_bytes = 1; code_bytes <= 25; ++code_bytes) {
    const auto program = make_program(std::vector<uint8_t>(code_bytes), {0});
    EXPECT_EQ(program->skip_at(0), code_bytes - 1);
    EXPECT_EQ(program->decode(0).next_pc, code_bytes);
  }
}

TEST(Program, SkipIsAtMost24) {
  for (uint32_t distance : {24u, 25u, 26u, 60u}) {
    const auto program = make_program(std::vector<uint8_t>(distance + 1), {0, distance});
    EXPECT_EQ(program->skip_at(0), std::min(distance - 1, 24u)) << distance;
    EXPECT_EQ(program->skip_at(distance), 0u);
  }
  EXPECT_EQ(make_program(std::vector<uint8_t>(100), {0})->skip_at(0), 24u);
}

TEST(Program, SkipIsRightAtEveryBitOfTheBitmask) {
  for (uint32_t start = 0; start < 40; ++start) {
    for (uint32_t next = start + 1; next < 80; ++next) {
      const auto program = make_program(std::vector<uint8_t>(80), {start, next});
      ASSERT_EQ(program->skip_at(start), std::min(next - start - 1, 24u)) << start << " to " << next;
    }
  }
}

TEST(Program, NothingStartsAtOrBehindTheEnd) {
  for (uint32_t code_bytes : {1u, 7u, 8u, 9u, 16u}) {
    const auto program = make_program(std::vector<uint8_t>(code_bytes), {0});
    for (uint32_t pc : {code_bytes, code_bytes + 1, code_bytes + 1000, 0x80000000u, UINT32_MAX}) {
      EXPECT_FALSE(program->is_instruction_start(pc));
      EXPECT_EQ(program->opcode_at(pc), Opcode::kInvalid);
      EXPECT_EQ(program->decode(pc).opcode, Opcode::kInvalid);
      EXPECT_EQ(program->decode(pc).next_pc, pc);
      EXPECT_FALSE(program->is_jump_target(pc));
      EXPECT_FALSE(program->block_start(pc));
    }
  }
}

TEST(Program, InTheMiddleOfAnInstructionThereIsNone) {
  const auto program = make_program({kMoveReg, kTrap, kTrap}, {0, 2});
  EXPECT_EQ(program->decode(1).opcode, Opcode::kInvalid);
  EXPECT_EQ(program->decode(1).next_pc, 1u);
}

TEST(Program, AnUndefinedOpcodeStillHasALength) {
  const auto program = make_program({kUndefined, 1, 2, kTrap}, {0, 3});
  EXPECT_EQ(program->decode(0).opcode, Opcode::kInvalid);
  EXPECT_EQ(program->decode(0).next_pc, 3u);
}

TEST(Program, TheInstructionSetDecidesWhatAnOpcodeByteMeans) {
  const auto opcode_in = [](InstructionSet set, uint8_t byte) {
    return make_program({byte}, {0}, set)->opcode_at(0);
  };
  EXPECT_EQ(opcode_in(InstructionSet::kLatest64, 3), Opcode::kUnlikely);
  EXPECT_EQ(opcode_in(InstructionSet::kJamV1, 2), Opcode::kUnlikely);
  EXPECT_EQ(opcode_in(InstructionSet::kLatest64, 2), Opcode::kMemset);
  EXPECT_EQ(opcode_in(InstructionSet::kJamV1, 3), Opcode::kInvalid);
  EXPECT_EQ(opcode_in(InstructionSet::kReviveV1, 2), Opcode::kInvalid);
  EXPECT_EQ(opcode_in(InstructionSet::kLatest32, 200), Opcode::kInvalid);
}

TEST(Program, ThePreviousInstructionIsAtMost25BytesAway) {
  EXPECT_EQ(make_program(std::vector<uint8_t>(26), {0, 25})->previous_instruction(25), 0u);
  EXPECT_EQ(make_program(std::vector<uint8_t>(27), {0, 26})->previous_instruction(26), std::nullopt);
  EXPECT_EQ(make_program({kTrap}, {0})->previous_instruction(0), std::nullopt);
  EXPECT_EQ(make_program(std::vector<uint8_t>(9), {0, 3, 8})->previous_instruction(8), 3u);
}

TEST(Program, JumpsMayLandAtTheStartAndBehindTerminators) {
  const auto program = make_program({kMoveReg, 0, kEcalli, kUnlikely, kFallthrough, kUndefined, kMoveReg, 0,
                                     kBranchEq, 0, kTrap, kJump, kTrap},
                                    {0, 2, 3, 4, 5, 6, 8, 10, 11, 12});
  const bool expected[] = {true,  false, false, false, false, true, false,
                           false, false, false, true,  true,  true, false};
  for (uint32_t pc = 0; pc < std::size(expected); ++pc) {
    EXPECT_EQ(program->is_jump_target(pc), expected[pc]) << pc;
  }
}

TEST(Program, EveryTerminatorMakesTheNextInstructionATarget) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const auto opcode = static_cast<Opcode>(i);
    const auto byte =
        static_cast<uint8_t>(info_of(opcode).byte[static_cast<size_t>(InstructionSet::kLatest64)]);
    const auto program = make_program({byte, 0, 0, kTrap}, {0, 3});
    EXPECT_EQ(program->is_jump_target(3), is_terminator(opcode)) << name_of(opcode);
  }
}

TEST(Program, TheStartIsATargetOnlyWhereAnInstructionIs) {
  EXPECT_FALSE(make_program({kTrap, kTrap}, {1})->is_jump_target(0));
  EXPECT_FALSE(make_program({kTrap, kTrap}, {1})->is_jump_target(1));
}

TEST(Program, ATerminatorBeforeALongGapMakesNoTarget) {
  EXPECT_TRUE(make_program(std::vector<uint8_t>(26), {0, 25})->is_jump_target(25));
  EXPECT_FALSE(make_program(std::vector<uint8_t>(27), {0, 26})->is_jump_target(26));
}

TEST(Program, BlocksStartAtJumpTargets) {
  const auto program = make_program({kMoveReg, 0, kMoveReg, 0, kTrap, kMoveReg, 0, kTrap}, {0, 2, 4, 5, 7});
  const std::optional<uint32_t> expected[] = {0, {}, 0, {}, 0, 5, {}, 5, {}};
  for (uint32_t pc = 0; pc < std::size(expected); ++pc)
    EXPECT_EQ(program->block_start(pc), expected[pc]) << pc;
}

TEST(Program, BehindAnInvalidInstructionThereIsNoBlock) {
  const auto program = make_program({kUndefined, kMoveReg, 0, kTrap, kTrap}, {0, 1, 3, 4});
  EXPECT_EQ(program->block_start(0), 0u);
  EXPECT_EQ(program->block_start(1), std::nullopt);
  EXPECT_EQ(program->block_start(3), std::nullopt);
  EXPECT_EQ(program->block_start(4), 4u);
}

TEST(Program, BehindAGapThereIsNoBlock) {
  const auto program = make_program(zeroes_with(42, {{0, kTrap}, {40, kMoveReg}}), {0, 40});
  EXPECT_EQ(program->block_start(40), std::nullopt);
}

TEST(Program, CodeAddressesAreTwiceTheTableIndexFromOne) {
  ProgramParts parts = code_parts({kTrap, kTrap, kMoveReg, 0, kTrap}, {0, 1, 2, 4});
  parts.jump_table = {2, 4, 0, 1};
  const auto program = must_make(parts);
  EXPECT_EQ(program->dynamic_jump_target(2), 2u);
  EXPECT_EQ(program->dynamic_jump_target(4), std::nullopt) << "entry 1 is 4, in mid-block";
  EXPECT_EQ(program->dynamic_jump_target(6), 0u);
  EXPECT_EQ(program->dynamic_jump_target(8), 1u);
  for (uint32_t address : {0u, 1u, 3u, 9u, 10u, 0xffff0000u, 0xfffffffeu, UINT32_MAX}) {
    EXPECT_EQ(program->dynamic_jump_target(address), std::nullopt) << address;
  }
}

TEST(Program, WithoutAJumpTableEveryDynamicJumpTraps) {
  const auto program = make_program({kTrap}, {0});
  for (uint32_t address : {0u, 1u, 2u, 4u}) EXPECT_EQ(program->dynamic_jump_target(address), std::nullopt);
}

TEST(Program, FindsExportsByTheirBytes) {
  const auto program = must_make(test::rich_parts());
  EXPECT_EQ(program->find_export("main"), 0u) << "the first of two";
  EXPECT_EQ(program->find_export(""), 7u);
  EXPECT_EQ(program->find_export(std::string_view("\xc3\0x", 3)), 200u);
  EXPECT_EQ(program->find_export("mai"), std::nullopt);
}

}  // namespace
}  // namespace sandglass
