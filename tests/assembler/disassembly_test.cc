// The text of whole programs.
#include <gtest/gtest.h>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

std::string disassembled(std::string_view text, const DisassemblerOptions& options = {}) {
  return disassemble(*program_from(assembled(text)), options);
}

TEST(Disassembly, ShowsEveryPartOfAProgram) {
  constexpr std::string_view kText = R"(%isa = latest64
%ro_data_size = 4
%ro_data = 01 02
%rw_data_size = 8
%stack_size = 4096
%import 'get'
%import none
%import none
%import 'get'
%import '\x00\'\\\xff'
%export @.5 'again'
%export 0x63 'nowhere'
%export @.5 'not a label'
%jump_table @main 0x1 0x63
pub @main:
pub @other:
    ecalli 'get'
    ecalli 1
    ecalli 3
@.5: %no_fallthrough
    a0 = -a1
    jump @.10 if a0 == 7
    %raw 33 07 01 00                            // a0 = 0x1
    fallthrough
@.10:
    jump pc + 1
    ret
%debug_section 128 = 05
)";
  EXPECT_EQ(disassembled(kText), std::string(kText));
}

TEST(Disassembly, ShowsOffsetsAndBytesAsComments) {
  constexpr std::string_view kText = "a0 = 5\njump 0 if a0 == a1\n%raw ff 01";
  EXPECT_EQ(disassembled(kText, {.show_offsets = true}), R"(%isa = latest64
@.0:
    a0 = 0x5                                    // 0:
    jump @.0 if a0 == a1                        // 3:
    %raw ff 01                                  // 6:
)");
  EXPECT_EQ(disassembled(kText, {.show_offsets = true, .show_raw_bytes = true}), R"(%isa = latest64
@.0:
    a0 = 0x5                                    // 0: 33 07 05
    jump @.0 if a0 == a1                        // 3: aa 87 fd
    %raw ff 01                                  // 6: ff 01
)");
}

TEST(Disassembly, WritesOnlySortedPlainExportsAsLabels) {
  EXPECT_EQ(disassembled("pub @b:\ntrap\n%export 0 'c'\n%export 0 'a'\n%export 0 'd'"), R"(%isa = latest64
%export @b 'a'
%export @b 'd'
pub @b:
pub @c:
    trap
)");
  for (const char* name : {"", ".0", "a b", "a:", "1", "a\\x00", "\\xc3\\xa9"}) {
    const std::string quoted = "'" + std::string(name) + "'";
    EXPECT_NE(disassembled("%export 0 " + quoted + "\ntrap").find("%export @.0 " + quoted),
              std::string::npos);
  }
}

TEST(Disassembly, BreaksLongDataAndTables) {
  std::string text = "%ro_data =";
  for (int i = 0; i < 33; ++i) text += " 11";
  text += "\n%jump_table 1 2 3 4 5 6 7 8 9\n%raw ff";
  const std::string again = disassembled(text);
  EXPECT_NE(again.find(" 11\n%ro_data += 11\n"), std::string::npos);
  EXPECT_NE(again.find("%jump_table 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n%jump_table 0x9\n"), std::string::npos);
}

// Behind 25 bytes an instruction ends, and what follows a gap is no block start.
TEST(Disassembly, ShowsBytesThatBelongToNoInstruction) {
  std::string text = "%gap aa bb\ntrap\n%gap";
  for (int i = 0; i < 30; ++i) text += " 00";
  EXPECT_EQ(disassembled(text + "\n@x:\njump @x\n%export 0x1 'y'"), R"(%isa = latest64
%export 0x1 'y'
    %gap aa bb
    %raw 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 // trap
    %gap 00 00 00 00 00 00
    jump pc
)");
}

struct RawRow {
  std::string_view text, why;
};

TEST(Disassembly, IsRawWhereEncodingAgainWouldGiveOtherBytes) {
  constexpr RawRow kRows[] = {
      {"%raw 33 07 05 00", "a longer constant"},
      {"%raw 33 17 05", "a nibble that nobody reads"},
      {"%raw 64 f7", "register 15"},
      {"%raw 00 00", "operands of an instruction without any"},
      {"%raw 14 07 00", "a cut 64-bit constant"},
      {"%raw c8 98", "a missing byte"},
      {"%raw 28 05 00", "a longer distance"},
      {"%raw 1e 00 00 01", "a byte constant of 256"},
      {"%raw ff", "no opcode"},
      {"%raw 46 07 00 ff ff ff 00", "more bytes than the operands"},
  };
  for (const RawRow& row : kRows) {
    const auto program = program_from(assembled(row.text));
    EXPECT_TRUE(statements_of(*program).starts_with(row.text)) << row.why;
  }
}

TEST(Disassembly, UsesLabelsOnlyWhereJumpsCanLand) {
  EXPECT_EQ(disassembled("unlikely\njump 1\njump 1\njump 2\njump 3\njump 900"), R"(%isa = latest64
    unlikely
    jump pc
@.2:
    jump pc - 1
    jump @.2
    jump pc - 3
    jump pc + 892
)");
}

}  // namespace
}  // namespace sandglass::test
