#include <gtest/gtest.h>

#include "tests/program/instruction_samples.h"
#include "tests/program/samples.h"

namespace sandglass {
namespace {

std::vector<uint8_t> encoded(const Instruction& in, InstructionSet set = InstructionSet::kLatest64) {
  uint8_t bytes[kMaxInstructionBytes];
  return {bytes, bytes + encode_instruction(in, set, bytes)};
}

constexpr uint32_t kValues[] = {0,          1,          2,          0x7f,       0x80,       0xff,
                                0x100,      0x7fff,     0x8000,     0xffff,     0x7fffff,   0x800000,
                                0xffffff,   0x7fffffff, 0x80000000, 0xff7fffff, 0xff800000, 0xffff7fff,
                                0xffff8000, 0xffffff7f, 0xffffff80, 0xffffffff};

// Instructions of every form with registers and values that vary together.
std::vector<Instruction> samples_of(Opcode opcode) {
  const test::Operands has = test::operands_of(info_of(opcode).form);
  std::vector<Instruction> samples;
  for (uint32_t first : kValues) {
    for (uint32_t second : kValues) {
      const auto reg = [n = samples.size()](size_t step) {
        return static_cast<Reg>((n * step + step) % kRegCount);
      };
      Instruction in{.opcode = opcode};
      if (has.dst) in.dst = reg(1);
      if (has.src1) in.src1 = reg(3);
      if (has.src2) in.src2 = reg(5);
      if (has.base) in.base = reg(7);
      if (has.offset) in.offset = has.imm ? first : second;
      if (has.imm) in.imm = internal::sign_extend(second);
      if (has.target) in.target = first;
      if (info_of(opcode).form == Form::DstImm64) in.imm = uint64_t{first} << 32 | second;
      samples.push_back(in);
    }
  }
  return samples;
}

class Encode : public testing::TestWithParam<InstructionSet> {};

TEST_P(Encode, IsUndoneByDecoding) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    if (kOpcodeInfo[i].byte[static_cast<size_t>(GetParam())] < 0) continue;
    for (Instruction in : samples_of(static_cast<Opcode>(i))) {
      in.pc = 5;
      std::vector<uint8_t> code(in.pc);
      const std::vector<uint8_t> bytes = encoded(in, GetParam());
      code.insert(code.end(), bytes.begin(), bytes.end());
      in.next_pc = static_cast<uint32_t>(code.size());
      code.insert(code.end(), 3, 0xff);
      ASSERT_EQ(test::make_program(code, {in.pc, in.next_pc}, GetParam())->decode(in.pc), in);
    }
  }
}

// At the end of the code there is no next instruction whose bytes could stand in for missing ones.
TEST_P(Encode, IsUndoneByDecodingAtTheEndOfTheCode) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    if (kOpcodeInfo[i].byte[static_cast<size_t>(GetParam())] < 0) continue;
    for (Instruction in : samples_of(static_cast<Opcode>(i))) {
      const std::vector<uint8_t> bytes = encoded(in, GetParam());
      in.next_pc = static_cast<uint32_t>(bytes.size());
      ASSERT_EQ(test::make_program(bytes, {0}, GetParam())->decode(0), in);
    }
  }
}

TEST_P(Encode, GivesNothingForWhatTheSetLacks) {
  for (size_t i = 0; i < kOpcodeCount; ++i) {
    const auto opcode = static_cast<Opcode>(i);
    const bool lacks = info_of(opcode).byte[static_cast<size_t>(GetParam())] < 0;
    EXPECT_EQ(encoded({.opcode = opcode}, GetParam()).empty(), lacks) << name_of(opcode);
  }
  EXPECT_TRUE(encoded({}, GetParam()).empty());
}

INSTANTIATE_TEST_SUITE_P(Sets, Encode,
                         testing::Values(InstructionSet::kReviveV1, InstructionSet::kLatest32,
                                         InstructionSet::kLatest64, InstructionSet::kJamV1),
                         [](const auto& info) { return std::string(name_of(info.param)); });

struct Encoding {
  Instruction in;
  std::vector<uint8_t> bytes;
};

// One row per form, and the lengths of immediates.
const Encoding kEncodings[] = {
    {{.opcode = Opcode::kTrap}, {0}},
    {{.opcode = Opcode::kEcalli}, {10}},
    {{.opcode = Opcode::kEcalli, .imm = 7}, {10, 7}},
    {{.opcode = Opcode::kLoadImm64, .dst = Reg::a0, .imm = 1}, {20, 7, 1, 0, 0, 0, 0, 0, 0, 0}},
    {{.opcode = Opcode::kStoreImmU8, .offset = 0x10000, .imm = 5}, {30, 3, 0, 0, 1, 5}},
    {{.opcode = Opcode::kStoreImmU8}, {30, 0}},
    {{.pc = 10, .opcode = Opcode::kJump, .target = 8}, {40, 0xfe}},
    {{.pc = 10, .opcode = Opcode::kJump, .target = 10}, {40}},
    {{.opcode = Opcode::kJumpIndirect, .base = Reg::ra}, {50, 0}},
    {{.opcode = Opcode::kJumpIndirect, .base = Reg::t0, .offset = 4}, {50, 2, 4}},
    {{.opcode = Opcode::kLoadImm, .dst = Reg::a0, .imm = 127}, {51, 7, 127}},
    {{.opcode = Opcode::kLoadImm, .dst = Reg::a0, .imm = 128}, {51, 7, 128, 0}},
    {{.opcode = Opcode::kLoadImm, .dst = Reg::a0, .imm = uint64_t{0} - 128}, {51, 7, 128}},
    {{.opcode = Opcode::kLoadImm, .dst = Reg::a0, .imm = 0x12345678}, {51, 7, 0x78, 0x56, 0x34, 0x12}},
    {{.opcode = Opcode::kLoadU8, .dst = Reg::s1, .offset = 0x20000}, {52, 6, 0, 0, 2}},
    {{.opcode = Opcode::kStoreU8, .src1 = Reg::s1, .offset = 0xfffffffe}, {59, 6, 0xfe}},
    {{.opcode = Opcode::kStoreImmIndirectU8, .base = Reg::sp, .offset = 300, .imm = 9},
     {70, 0x21, 0x2c, 1, 9}},
    {{.pc = 4, .opcode = Opcode::kLoadImmAndJump, .dst = Reg::ra, .target = 260, .imm = 2},
     {80, 0x10, 2, 0, 1}},
    {{.pc = 4, .opcode = Opcode::kBranchEqImm, .src1 = Reg::a1, .target = 4}, {81, 8}},
    {{.opcode = Opcode::kMoveReg, .dst = Reg::a0, .src1 = Reg::a5}, {100, 0xc7}},
    {{.opcode = Opcode::kStoreIndirectU32, .src1 = Reg::ra, .base = Reg::sp, .offset = 4}, {122, 0x10, 4}},
    {{.opcode = Opcode::kLoadIndirectI32, .dst = Reg::s0, .base = Reg::sp}, {129, 0x15}},
    {{.opcode = Opcode::kAddImm32, .dst = Reg::sp, .src1 = Reg::sp, .imm = uint64_t{0} - 8},
     {131, 0x11, 0xf8}},
    {{.opcode = Opcode::kCmovIfZeroImm, .dst = Reg::a0, .src1 = Reg::a1, .imm = 3}, {147, 0x87, 3}},
    {{.pc = 9, .opcode = Opcode::kBranchEq, .src1 = Reg::a0, .src2 = Reg::a1, .target = 0},
     {170, 0x87, 0xf7}},
    {{.opcode = Opcode::kLoadImmAndJumpIndirect, .dst = Reg::ra, .base = Reg::t0, .offset = 1, .imm = 300},
     {180, 0x20, 2, 0x2c, 1, 1}},
    {{.opcode = Opcode::kAdd32, .dst = Reg::s0, .src1 = Reg::a1, .src2 = Reg::a0}, {190, 0x78, 5}},
};

TEST(Encoding, IsTheShortestOneOfItsForm) {
  for (const Encoding& e : kEncodings) EXPECT_EQ(encoded(e.in), e.bytes) << e.in;
}

TEST(Encoding, OfAnImmediateIgnoresTheBitsAbove32) {
  EXPECT_EQ(encoded({.opcode = Opcode::kAddImm32, .imm = 0xffffffff}), (std::vector<uint8_t>{131, 0, 0xff}));
}

}  // namespace
}  // namespace sandglass
