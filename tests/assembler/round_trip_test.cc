// assemble(disassemble(p)) is p, for every valid program.
#include <gtest/gtest.h>

#include <random>

#include "tests/assembler/helpers.h"
#include "tests/assembler/random_program.h"

namespace sandglass::test {
namespace {

constexpr int kProgramsPerKind = 2000;

class RoundTrip : public testing::TestWithParam<InstructionSet> {
 protected:
  void expect_same(Disorder disorder) {
    for (int seed = 0; seed < kProgramsPerKind; ++seed) {
      std::mt19937_64 random(static_cast<uint64_t>(seed));
      const auto program = random_program(random, GetParam(), disorder);
      ASSERT_EQ(round_trip_problem(*program), "") << "seed " << seed;
    }
  }
};

TEST_P(RoundTrip, KeepsTidyPrograms) { expect_same(Disorder::kNone); }
TEST_P(RoundTrip, KeepsMutatedPrograms) { expect_same(Disorder::kMutated); }
TEST_P(RoundTrip, KeepsNoise) { expect_same(Disorder::kNoise); }

// The round trip must not succeed merely because everything is %raw.
TEST_P(RoundTrip, WritesTidyProgramsInWords) {
  size_t lines = 0, raw_lines = 0, labels = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = disassemble(*random_program(random, GetParam(), Disorder::kNone));
    const auto count = [&](std::string_view what) {
      size_t n = 0;
      for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
      return n;
    };
    lines += count("\n    ");
    raw_lines += count("\n    %raw");
    labels += count("jump @");
    EXPECT_EQ(count("%gap"), 0u);
  }
  EXPECT_GT(lines, 6000u);
  EXPECT_LT(raw_lines, lines / 10);  // constants too large for u8 and u16 stores
  EXPECT_GT(labels, 300u);
}

INSTANTIATE_TEST_SUITE_P(Sets, RoundTrip,
                         testing::Values(InstructionSet::kReviveV1, InstructionSet::kLatest32,
                                         InstructionSet::kLatest64, InstructionSet::kJamV1),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// Every byte with every length of an instruction, at the end of the code and before another one.
TEST(RoundTripOfOneInstruction, KeepsEveryOpcodeByteInEveryLength) {
  for (uint32_t set = 0; set < kInstructionSetCount; ++set) {
    for (uint32_t opcode = 0; opcode < 256; ++opcode) {
      for (size_t length = 1; length <= kMaxInstructionBytes + 2; ++length) {
        ProgramParts parts{.instruction_set = static_cast<InstructionSet>(set)};
        parts.code.assign(length, static_cast<uint8_t>(0x11 * length + opcode));
        parts.code[0] = static_cast<uint8_t>(opcode);
        parts.bitmask.assign((length + 7) / 8, 0);
        parts.bitmask[0] = 1;
        ASSERT_EQ(round_trip_problem(*program_from(parts)), "");
        parts.code.push_back(0);
        parts.bitmask.resize((length + 8) / 8);
        parts.bitmask[length / 8] |= static_cast<uint8_t>(1u << (length % 8));
        ASSERT_EQ(round_trip_problem(*program_from(parts)), "");
      }
    }
  }
}

// Two jumps across each other, each just out of reach of one byte because the other takes two. The assembler
// would choose one byte for both. A third jump, which is as it would choose, stays readable.
TEST(RoundTripOfJumps, PinsOnlyThoseWhoseLengthTheAssemblerWouldNotChoose) {
  std::string text = "trap\ntrap\ntrap\n%raw 28 81 00\n";
  for (int i = 0; i < 123; ++i) text += "trap\n";
  const auto program = program_from(assembled(text + "%raw 28 7f ff\n@x:\ntrap\njump @x"));
  EXPECT_EQ(program->decode(3).target, 132u);
  EXPECT_EQ(program->decode(129).target, 0u);
  EXPECT_EQ(round_trip_problem(*program), "");
  const std::string statements = statements_of(*program);
  EXPECT_NE(statements.find("%raw 28 81 00 "), std::string::npos);
  EXPECT_NE(statements.find("%raw 28 7f ff "), std::string::npos);
  EXPECT_TRUE(statements.ends_with("trap\njump @.84"));
}

}  // namespace
}  // namespace sandglass::test
