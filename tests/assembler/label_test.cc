// Labels, jumps to them, the jump table and exports.
#include <gtest/gtest.h>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

using Exports = std::vector<Export>;
using Offsets = std::vector<uint32_t>;

TEST(Label, EndsTheBlockBeforeItWithAFallthrough) {
  EXPECT_EQ(bytes_of("a0 = 0\n@x:\ntrap"), "33 07 | 01 | 00");
  EXPECT_EQ(bytes_of("ecalli 0\n@x:\ntrap"), "0a | 01 | 00");
  EXPECT_EQ(bytes_of("unlikely\n@x:\ntrap"), "03 | 01 | 00");
  EXPECT_EQ(bytes_of("a0 = 0\n@x:\n@y:\ntrap"), "33 07 | 01 | 00");
}

TEST(Label, AddsNothingAfterATerminatorOrAtTheStart) {
  EXPECT_EQ(bytes_of("@x:\ntrap"), "00");
  for (const char* terminator :
       {"trap", "fallthrough", "jump @x", "ret", "a0 = 1, jump @x", "a0 = 1, jump [a1]", "jump @x if a0 == 0",
        "jump @x if a0 == a1", "%raw 00 00"}) {
    const std::string text = std::string(terminator) + "\n@x:\nunlikely";
    EXPECT_EQ(bytes_of(text).find(" | 01"), std::string::npos) << text;
  }
}

TEST(Label, AddsNothingWhenToldSo) {
  for (const char* suffix : {":%no_fallthrough", ": %no_fallthrough", ":\t%no_fallthrough // c"}) {
    EXPECT_EQ(bytes_of("a0 = 0\n@x" + std::string(suffix) + "\ntrap"), "33 07 | 00") << suffix;
  }
}

TEST(Label, InMidBlockIsExportedExactlyButReachedAtTheBlockStart) {
  const ProgramParts parts = assembled(R"(
    trap
    @start:
    a0 = 0
    pub @middle: %no_fallthrough
    a0 = 1
    a1 = @middle
    jump @middle
  )");
  EXPECT_EQ(code_text(parts), "00 | 33 07 | 33 07 01 | 33 08 02 | 28 f8");
  EXPECT_EQ(parts.exports, (Exports{{3, "middle"}}));
  EXPECT_EQ(parts.jump_table, (Offsets{1}));
}

TEST(Label, MayHaveAnyName) {
  const ProgramParts parts =
      assembled("pub @a::b 'c' // d:\njump @\ntrap\npub @: // e\ntrap\n@ö:\njump @ö // x");
  EXPECT_EQ(code_text(parts), "28 03 | 00 | 00 | 28");
  EXPECT_EQ(parts.exports, (Exports{{3, ""}, {0, "a::b 'c' // d"}}));
}

TEST(Label, WithBlanksCanBeReachedWhereTheNameEndsTheLine) {
  EXPECT_EQ(bytes_of("@a b:\na0 = @a b\na0 = 1, jump @a b // c"), "33 07 02 | 50 17 01 fd");
}

TEST(Label, MustExistOnceAndHaveAnInstruction) {
  EXPECT_EQ(error_of("trap\njump @x if a0 == 0"), "2: the label does not exist: x");
  EXPECT_EQ(error_of("a0 = @x"), "1: the label does not exist: x");
  EXPECT_EQ(error_of("%jump_table @x"), "1: the label does not exist: x");
  EXPECT_EQ(error_of("%export @x 'x'"), "1: the label does not exist: x");
  EXPECT_EQ(error_of("@x:\ntrap\npub @x:\ntrap"), "3: the label exists already: x");
  EXPECT_EQ(error_of("@x\ntrap"), "1: a label ends with a colon: x");
  EXPECT_EQ(error_of("@x: trap"), "1: a label ends with a colon: x: trap");
  EXPECT_EQ(error_of("jump @x\n@x:"), "2: no instruction follows this label: x");
  EXPECT_EQ(error_of("trap\npub @x:"), "2: no instruction follows this label: x");
  EXPECT_EQ(error_of("trap\n@x:"), "ok");
}

TEST(Jump, TakesAsFewBytesAsTheDistanceNeeds) {
  const auto forward = [](int traps) {
    std::string text = "jump @x\n";
    for (int i = 0; i < traps; ++i) text += "trap\n";
    return assembled(text + "@x:\nunlikely").code.size() - static_cast<size_t>(traps) - 1;
  };
  EXPECT_EQ(forward(0), 2u);
  EXPECT_EQ(forward(125), 2u);
  EXPECT_EQ(forward(126), 3u);
  EXPECT_EQ(forward(32764), 3u);
  EXPECT_EQ(forward(32765), 4u);
  const auto backward = [](int traps) {
    std::string text = "@x:\n";
    for (int i = 0; i < traps; ++i) text += "trap\n";
    return assembled(text + "jump @x").code.size() - static_cast<size_t>(traps);
  };
  EXPECT_EQ(backward(0), 1u);
  EXPECT_EQ(backward(1), 2u);
  EXPECT_EQ(backward(128), 2u);
  EXPECT_EQ(backward(129), 3u);
  EXPECT_EQ(backward(32768), 3u);
  EXPECT_EQ(backward(32769), 4u);
}

TEST(Jump, GrowsWhenAJumpInsideItsSpanGrows) {
  // Alone, the outer jump would span 127 bytes; the inner one needs two bytes of distance and makes it 128.
  std::string text = "jump @outer\njump @inner\n";
  for (int i = 0; i < 123; ++i) text += "trap\n";
  text += "@outer:\n";
  for (int i = 0; i < 10; ++i) text += "trap\n";
  EXPECT_EQ(bytes_of(text + "@inner:\ntrap").substr(0, 19), "28 81 00 | 28 88 00");
}

TEST(Jump, CanNameACodeOffsetOrADistance) {
  EXPECT_EQ(bytes_of("trap\njump 1000"), "00 | 28 e7 03");
  EXPECT_EQ(bytes_of("trap\njump 0x0 if a0 == a1"), "00 | aa 87 ff");
  EXPECT_EQ(bytes_of("trap\na0 = 1, jump 5 // c"), "00 | 50 17 01 04");
  EXPECT_EQ(bytes_of("jump 4294967295"), "28 ff");
  EXPECT_EQ(bytes_of("trap\njump pc"), "00 | 28");
  EXPECT_EQ(bytes_of("trap\njump pc - 3"), "00 | 28 fd");
  EXPECT_EQ(bytes_of("jump pc + 0x80000000"), "28 00 00 00 80");
  EXPECT_EQ(bytes_of("jump pc - 128 if a0 != 7"), "52 17 07 80");
  EXPECT_EQ(error_of("jump 4294967296"), "1: not a code offset: 4294967296");
  EXPECT_EQ(error_of("jump -1"), "1: not a code offset: -1");
}

TEST(JumpTable, GetsAnEntryForEveryAddressThatIsTaken) {
  const ProgramParts parts = assembled("a0 = @y\na1 = @x\na2 = @y\ntrap\n@x:\ntrap\n@y:\ntrap");
  EXPECT_EQ(code_text(parts), "33 07 02 | 33 08 04 | 33 09 06 | 00 | 00 | 00");
  EXPECT_EQ(parts.jump_table, (Offsets{11, 10, 11}));
}

TEST(JumpTable, TakesLabelsAndOffsetsInTheOrderOfTheText) {
  const ProgramParts parts =
      assembled("%jump_table @x 7 0x100\na0 = @x\n%jump_table 4294967295 // c\n%jump_table\ntrap\n@x:\ntrap");
  EXPECT_EQ(code_text(parts), "33 07 08 | 00 | 00");
  EXPECT_EQ(parts.jump_table, (Offsets{4, 7, 256, 4, 4294967295}));
}

// PolkaVM's writer loses a table whose offsets end in a zero byte.
TEST(JumpTable, KeepsOffsets0And256) {
  std::string text = "@zero:\na0 = @far\na1 = @zero\n";
  for (int i = 0; i < 250; ++i) text += "trap\n";
  const auto program = program_from(assembled(text + "@far:\ntrap"));
  ASSERT_EQ(program->parts().jump_table, (Offsets{256, 0}));
  const auto again = Program::parse(serialize(*program));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->parts(), program->parts());
}

TEST(Exports, OfLabelsComeFirstAndSorted) {
  const ProgramParts parts = assembled(R"(
    %export 0x10 'b'
    pub @z:
    trap
    pub @a:
    trap
    @x:
    trap
    %export @x 'b'
    %export 7 '\x00\'\\ö')");
  EXPECT_EQ(parts.exports, (Exports{{1, "a"}, {0, "z"}, {16, "b"}, {2, "b"}, {7, std::string("\0'\\ö", 5)}}));
}

TEST(Exports, OfALabelNameItsExactPlace) {
  const ProgramParts parts = assembled("unlikely\n@x: %no_fallthrough\ntrap\n%export @x 'x'");
  EXPECT_EQ(parts.exports, (Exports{{1, "x"}}));
}

}  // namespace
}  // namespace sandglass::test
