// What the optimizer changes, what it leaves, and when.
#include "workloads/linker/optimizer.h"

#include <gtest/gtest.h>

#include "sandbox/program/program.h"

namespace sandglass::linker {
namespace {

using Op = Opcode;

// Lines at 0, 2, 4, …; `jumps` have the index of a line as their target.
Code code_of(std::vector<Line> lines) {
  Code code{.lines = std::move(lines)};
  for (size_t i = 0; i < code.lines.size(); ++i) {
    Line& line = code.lines[i];
    line.address = static_cast<uint32_t>(2 * i);
    if (line.target != kNowhere) code.targets.push_back(line.target *= 2);
    if (line.code_pointer != kNowhere) code.pointed.push_back(line.code_pointer *= 2);
  }
  sort_unique(code.targets);
  sort_unique(code.pointed);
  return code;
}

std::vector<Op> opcodes(const Code& code) {
  std::vector<Op> list;
  for (const Line& line : code.lines) list.push_back(line.in.opcode);
  return list;
}

Code optimized(std::vector<Line> lines) {
  Code code = code_of(std::move(lines));
  optimize(code, {0}, {});
  return code;
}

Line imm(Reg dst, int64_t value) {
  return {.in = {.opcode = Op::kLoadImm, .dst = dst, .imm = static_cast<uint64_t>(value)}};
}
Line ret() { return {.in = {.opcode = Op::kJumpIndirect, .base = Reg::ra}}; }
Line jump(uint32_t to) { return {.in = {.opcode = Op::kJump}, .target = to}; }
Line call(uint32_t to, uint32_t back) {
  return {.in = {.opcode = Op::kLoadImmAndJump, .dst = Reg::ra}, .target = to, .code_pointer = back};
}

TEST(Optimizer, ComparesWithConstants) {
  const Code code =
      optimized({imm(Reg::a1, 5),
                 {.in = {.opcode = Op::kBranchLessUnsigned, .src1 = Reg::a1, .src2 = Reg::a0}, .target = 3},
                 imm(Reg::a0, 1),
                 {.in = {.opcode = Op::kMoveReg, .dst = Reg::a1, .src1 = Reg::a0}},
                 ret()});
  ASSERT_EQ(opcodes(code),
            (std::vector{Op::kBranchGreaterUnsignedImm, Op::kLoadImm, Op::kMoveReg, Op::kJumpIndirect}));
  EXPECT_EQ(code.lines[0].in.src1, Reg::a0);
  EXPECT_EQ(code.lines[0].in.imm, 5u);
}

TEST(Optimizer, AddressesBecomePartOfLoadsAndStores) {
  const Code code =
      optimized({imm(Reg::a2, 0x30000),
                 imm(Reg::a3, -7),
                 {.in = {.opcode = Op::kLoadIndirectU32, .dst = Reg::a0, .base = Reg::a2, .offset = 8}},
                 {.in = {.opcode = Op::kStoreIndirectU16, .src1 = Reg::a3, .base = Reg::a2, .offset = 4}},
                 {.in = {.opcode = Op::kStoreIndirectU8, .src1 = Reg::a3, .base = Reg::a0, .offset = 1}},
                 imm(Reg::a2, 0),
                 imm(Reg::a3, 0),
                 ret()});
  ASSERT_EQ(opcodes(code),
            (std::vector{Op::kLoadU32, Op::kStoreImmU16, Op::kStoreImmIndirectU8, Op::kJumpIndirect}));
  EXPECT_EQ(code.lines[0].in.offset, 0x30008u);
  EXPECT_EQ(code.lines[1].in.offset, 0x30004u);
  EXPECT_EQ(static_cast<int64_t>(code.lines[1].in.imm), -7);
}

TEST(Optimizer, LargeConstantsAreMadeAtOnce) {
  const Code code =
      optimized({imm(Reg::a0, 0x1234),
                 {.in = {.opcode = Op::kShiftLogicalLeftImm64, .dst = Reg::a0, .src1 = Reg::a0, .imm = 32}},
                 {.in = {.opcode = Op::kAddImm64, .dst = Reg::a0, .src1 = Reg::a0, .imm = ~uint64_t{0}}},
                 ret()});
  ASSERT_EQ(opcodes(code), (std::vector{Op::kLoadImm64, Op::kJumpIndirect}));
  EXPECT_EQ(code.lines[0].in.imm, 0x1233ffffffffu);
}

TEST(Optimizer, ForgetsConstantsWhereOthersJumpTo) {
  const Code code =
      optimized({imm(Reg::a1, 5),
                 {.in = {.opcode = Op::kAdd64, .dst = Reg::a0, .src1 = Reg::a0, .src2 = Reg::a1}},
                 {.in = {.opcode = Op::kAddImm64, .dst = Reg::a1, .src1 = Reg::a1, .imm = 1}},
                 {.in = {.opcode = Op::kBranchNotEqImm, .src1 = Reg::a0, .imm = 100}, .target = 1},
                 ret()});
  EXPECT_EQ(code.lines[1].in.opcode, Op::kAdd64);
}

TEST(Optimizer, ForgetsConstantsBehindHostCalls) {
  const Code code = optimized({imm(Reg::a1, 5),
                               {.in = {.opcode = Op::kEcalli}, .import = "f"},
                               {.in = {.opcode = Op::kMoveReg, .dst = Reg::a0, .src1 = Reg::a1}},
                               ret()});
  EXPECT_EQ(opcodes(code), (std::vector{Op::kLoadImm, Op::kEcalli, Op::kMoveReg, Op::kJumpIndirect}));
}

TEST(Optimizer, LoadsStayAsTheyMayTrap) {
  const Code code = optimized({{.in = {.opcode = Op::kLoadIndirectU8, .dst = Reg::a5, .base = Reg::a0}},
                               {.in = {.opcode = Op::kMulImm64, .dst = Reg::a5, .src1 = Reg::a5, .imm = 3}},
                               ret()});
  EXPECT_EQ(opcodes(code), (std::vector{Op::kLoadIndirectU8, Op::kJumpIndirect}));
}

TEST(Optimizer, WhatACalleeReadsIsWanted) {
  const Code code = optimized({imm(Reg::t2, 9),
                               call(3, 2),
                               ret(),
                               {.in = {.opcode = Op::kMoveReg, .dst = Reg::a0, .src1 = Reg::t2}},
                               ret()});
  EXPECT_EQ(code.lines[0].in.opcode, Op::kLoadImm);
}

TEST(Optimizer, ConditionalMovesReadTheirDestination) {
  const Code code =
      optimized({imm(Reg::a2, 9),
                 {.in = {.opcode = Op::kCmovIfZeroImm, .dst = Reg::a2, .src1 = Reg::a1, .imm = 4}},
                 {.in = {.opcode = Op::kMoveReg, .dst = Reg::a0, .src1 = Reg::a2}},
                 ret()});
  EXPECT_EQ(code.lines.size(), 4u);
}

std::vector<Line> with_borrowed_t0(Reg wanted) {
  return {{.in = {.opcode = Op::kStoreIndirectU64, .src1 = Reg::t0, .base = Reg::sp, .offset = 0xfffffff8},
           .role = LineRole::kSave},
          imm(Reg::t0, 0),
          {.in = {.opcode = Op::kMaximum, .dst = Reg::a0, .src1 = Reg::a0, .src2 = Reg::t0}},
          {.in = {.opcode = Op::kLoadIndirectU64, .dst = Reg::t0, .base = Reg::sp, .offset = 0xfffffff8},
           .role = LineRole::kRestore},
          {.in = {.opcode = Op::kAdd64, .dst = Reg::a0, .src1 = Reg::a0, .src2 = wanted}},
          ret()};
}

Code optimized_as_one(std::vector<Line> lines) {
  Code code = code_of(std::move(lines));
  for (size_t i = 1; i < 4; ++i) code.lines[i].address = 0;
  optimize(code, {0}, {});
  return code;
}

TEST(Optimizer, BorrowedRegistersAreSavedWhereTheyAreWanted) {
  EXPECT_EQ(optimized_as_one(with_borrowed_t0(Reg::t0)).lines.size(), 6u);
  EXPECT_EQ(opcodes(optimized_as_one(with_borrowed_t0(Reg::a1))),
            (std::vector{Op::kLoadImm, Op::kMaximum, Op::kAdd64, Op::kJumpIndirect}));
}

TEST(Optimizer, HostCallsNeedNoCall) {
  const Code code = optimized({{.in = {.opcode = Op::kLoadIndirectU64, .dst = Reg::s0, .base = Reg::sp}},
                               call(4, 2),
                               {.in = {.opcode = Op::kLoadIndirectU64, .dst = Reg::ra, .base = Reg::sp}},
                               ret(),
                               {.in = {.opcode = Op::kEcalli}, .import = "f"},
                               ret()});
  EXPECT_EQ(code.lines[1].in.opcode, Op::kEcalli);
  EXPECT_EQ(code.lines[1].import, "f");
  EXPECT_TRUE(code.pointed.empty());
}

TEST(Optimizer, HostCallsStayCallsWhereTheirReturnAddressIsWanted) {
  const Code code = optimized({call(3, 1),
                               {.in = {.opcode = Op::kMoveReg, .dst = Reg::a0, .src1 = Reg::ra}},
                               ret(),
                               {.in = {.opcode = Op::kEcalli}, .import = "f"},
                               ret()});
  EXPECT_EQ(code.lines[0].in.opcode, Op::kLoadImmAndJump);
}

TEST(Optimizer, JumpsGoStraightToTheEnd) {
  const Code code = optimized({{.in = {.opcode = Op::kBranchEqImm, .src1 = Reg::a0}, .target = 3},
                               jump(2),
                               ret(),
                               jump(5),
                               ret(),
                               {.in = {.opcode = Op::kTrap}}});
  ASSERT_EQ(opcodes(code),
            (std::vector{Op::kBranchEqImm, Op::kJumpIndirect, Op::kJump, Op::kJumpIndirect, Op::kTrap}));
  EXPECT_EQ(code.lines[0].target, 10u);
}

TEST(Optimizer, ACircleOfJumpsStays) {
  const Code code = optimized({jump(1), jump(2), jump(1)});
  ASSERT_FALSE(code.lines.empty());
  EXPECT_EQ(code.lines.back().in.opcode, Op::kJump);
}

}  // namespace
}  // namespace sandglass::linker
