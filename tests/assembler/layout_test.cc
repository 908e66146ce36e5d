// Lengths of jumps in large, odd and hostile programs.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "sandbox/program/code_layout.h"
#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

TEST(DistanceBytes, AreTheShortestSignedNumber) {
  EXPECT_EQ(distance_bytes(0), 0u);
  EXPECT_EQ(distance_bytes(127), 1u);
  EXPECT_EQ(distance_bytes(0u - 128), 1u);
  EXPECT_EQ(distance_bytes(128), 2u);
  EXPECT_EQ(distance_bytes(0u - 32768), 2u);
  EXPECT_EQ(distance_bytes(32768), 3u);
  EXPECT_EQ(distance_bytes(0u - (1u << 23)), 3u);
  EXPECT_EQ(distance_bytes(1u << 23), 4u);
  EXPECT_EQ(distance_bytes(1u << 31), 4u);
}

// Every jump spans the next 63 and has no byte to spare, so that one long jump at the end makes all grow, 62
// in every round.
std::string wave(int jumps) {
  std::string text;
  for (int i = 0; i < jumps; ++i) {
    if (i == jumps - 5) text += "a0 = i64 0\ntrap\n";
    text += fmt::format("@l{}: %no_fallthrough\njump @l{}\n", i, i + 63);
    if (i % 63 == 62) text += "trap\n";
  }
  for (int i = 0; i < 63; ++i) text += fmt::format("@l{}:\n", jumps + i);
  return text + "trap";
}

// The target of each jump is the 63rd jump after it.
void expect_jumps_arrive(const Program& program, int jumps) {
  uint32_t pc = 0;
  std::vector<Instruction> found;
  while (pc < program.code_bytes()) {
    const Instruction in = program.decode(pc);
    if (in.opcode == Opcode::kJump) found.push_back(in);
    pc = in.next_pc;
  }
  ASSERT_EQ(found.size(), static_cast<size_t>(jumps));
  for (size_t i = 0; i + 63 < found.size(); ++i) {
    ASSERT_EQ(found[i].target, found[i + 63].pc) << i;
  }
}

TEST(Layout, GrowsToTheShortestInAWaveOfGrowth) {
  constexpr int kJumps = 20000;
  const auto program = program_from(assembled(wave(kJumps)));
  ASSERT_NE(program, nullptr);
  EXPECT_GT(program->code_bytes(), 3u * (kJumps - 100));
  expect_jumps_arrive(*program, kJumps);
  EXPECT_EQ(disassemble(*program).find("%raw"), std::string::npos);
  EXPECT_EQ(round_trip_problem(*program), "");
}

TEST(Layout, StopsLookingForTheShortestAfterItsLimit) {
  const JumpSite jump{.target = {200, 1}};
  EXPECT_EQ(lay_out_code({&jump, 1}, 3).jump_bytes(0), 3u);
  EXPECT_EQ(lay_out_code({&jump, 1}, 1).jump_bytes(0), 5u);
}

TEST(Layout, CutShortIsCorrectAndSurvivesTheRoundTrip) {
  constexpr int kJumps = 200000;  // 3200 rounds, more than kMaxLayoutSteps allows
  static_assert(uint64_t{kJumps} / 62 * kJumps > kMaxLayoutSteps);
  const auto program = program_from(assembled(wave(kJumps)));
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->skip_at(0), 4u);
  expect_jumps_arrive(*program, kJumps);
  EXPECT_EQ(round_trip_problem(*program), "");
}

// At first the offset seems far; then the branches before the jump grow and bring the jump close to it, or
// past it.
TEST(Layout, StretchesAJumpToAnOffsetThatComesCloser) {
  for (const auto& [branches, target] : {std::pair{30, 240u}, {80, 370u}}) {
    std::string text;
    for (int i = 0; i < branches; ++i) text += fmt::format("jump @far if a0 == {}\n", i);
    text += fmt::format("jump {}\n", target);
    for (int i = 0; i < 300; ++i) text += "trap\n";
    const auto program = program_from(assembled(text + "@far:\ntrap"));
    ASSERT_NE(program, nullptr);
    uint32_t pc = 0;
    while (program->decode(pc).opcode != Opcode::kJump) pc = program->decode(pc).next_pc;
    EXPECT_EQ(program->decode(pc).target, target);
    EXPECT_EQ(program->skip_at(pc), 2u);
    EXPECT_EQ(distance_bytes(target - pc), 1u);
    EXPECT_EQ(pc > target, target == 370);
    EXPECT_EQ(round_trip_problem(*program), "");
  }
}

TEST(Layout, OfAMillionLinesIsMadeInOneGo) {
  std::string text;
  for (int i = 0; i < 250000; ++i) {
    text += fmt::format("@l{}:\na0 = a0 - 1\nu64 [sp + 8] = ra\njump @l{} if a0 <u 17\n", i,
                        int64_t{i} * 7919 % 250000);
  }
  const auto program = program_from(assembled(text));
  ASSERT_NE(program, nullptr);
  EXPECT_EQ(program->decode(6).opcode, Opcode::kBranchLessUnsignedImm);
  EXPECT_EQ(program->decode(6).target, 0u);
}

}  // namespace
}  // namespace sandglass::test
