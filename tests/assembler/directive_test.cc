// Directives: sets, data, imports, optional sections, raw bytes.
#include <gtest/gtest.h>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(IsaDirective, OverridesTheSetOfTheCallerWhereverItStands) {
  EXPECT_EQ(assembled("trap").instruction_set, InstructionSet::kLatest64);
  EXPECT_EQ(assembled("trap", InstructionSet::kJamV1).instruction_set, InstructionSet::kJamV1);
  const ProgramParts parts = assembled("unlikely\n%isa = latest32\n%isa=jam_v1 // c");
  EXPECT_EQ(parts.instruction_set, InstructionSet::kJamV1);
  EXPECT_EQ(code_text(parts), "02");
  EXPECT_EQ(assembled("%isa = revive_v1").instruction_set, InstructionSet::kReviveV1);
  EXPECT_EQ(error_of("trap\n%isa = latest16"), "2: unknown instruction set: latest16");
  EXPECT_EQ(error_of("%isa latest64"), "1: expected something else here: latest64");
}

TEST(DataDirectives, ReplaceWithEqualsAndAppendWithPlusEquals) {
  const ProgramParts parts =
      assembled("%ro_data = 01\n%ro_data = 0a 0B0c // c\n%ro_data += FF\n%rw_data+=00 1 2");
  EXPECT_EQ(parts.ro_data, (Bytes{0x0a, 0x0b, 0x0c, 0xff}));
  EXPECT_EQ(parts.rw_data, (Bytes{0x00, 0x12}));
}

TEST(DataDirectives, MakeTheRegionAsLongAsTheDataUnlessASizeIsSaid) {
  EXPECT_EQ(assembled("%ro_data = 01 02\n%rw_data = 03").ro_data_bytes, 2u);
  EXPECT_EQ(assembled("%ro_data = 01 02\n%rw_data = 03").rw_data_bytes, 1u);
  const ProgramParts parts = assembled(
      "%ro_data_size = 7\n%rw_data_size = 0x10\n%rw_data_size = 9\n%stack_size = 4294967295\n%ro_data = 01");
  EXPECT_EQ(parts.ro_data_bytes, 7u);
  EXPECT_EQ(parts.rw_data_bytes, 9u);
  EXPECT_EQ(parts.stack_bytes, 4294967295u);
}

TEST(DataDirectives, RefuseWhatIsNotData) {
  EXPECT_EQ(error_of("%ro_data = 01 02\n%ro_data_size = 1\ntrap"),
            "3: %ro_data is longer than %ro_data_size: ");
  EXPECT_EQ(error_of("%rw_data = 01\n%rw_data_size = 0"), "2: %rw_data is longer than %rw_data_size: ");
  EXPECT_EQ(error_of("%rw_data ="), "1: expected pairs of hexadecimal digits: ");
  EXPECT_EQ(error_of("%rw_data = 01 2"), "1: expected pairs of hexadecimal digits: 2");
  EXPECT_EQ(error_of("%rw_data = 0x01"), "1: expected pairs of hexadecimal digits: 0x01");
  EXPECT_EQ(error_of("%rw_data 01"), "1: expected something else here: 01");
  EXPECT_EQ(error_of("%stack_size = -1"), "1: not a size: -1");
  EXPECT_EQ(error_of("%stack_size = 4294967296"), "1: not a size: 4294967296");
  EXPECT_EQ(error_of("%stack_size = 1 2"), "1: unexpected text at the end of the line: 2");
  EXPECT_EQ(error_of("%stack = 1"), "1: unknown directive: stack = 1");
  EXPECT_EQ(error_of("%"), "1: unknown directive: ");
}

TEST(ImportDirective, FillsTheTableInOrder) {
  const ProgramParts parts =
      assembled("%import 'b'\n%import none\n%import none\n%import 'a'\n%import 'b'\n%import ''");
  ASSERT_EQ(parts.imports.size(), 6u);
  EXPECT_EQ(parts.imports[0], "b");
  EXPECT_EQ(parts.imports[1], std::nullopt);
  EXPECT_EQ(parts.imports[3], "a");
  EXPECT_EQ(parts.imports[4], "b");
  EXPECT_EQ(parts.imports[5], "");
}

TEST(Ecalli, FindsTheFirstImportOfThatNameEvenIfItIsDeclaredLater) {
  const ProgramParts parts =
      assembled("ecalli 'b'\necalli 'a'\n%import 'x'\n%import 'a'\n%import 'b'\n%import 'a'");
  EXPECT_EQ(code_text(parts), "0a 02 | 0a 01");
  EXPECT_EQ(parts.imports.size(), 4u);
}

TEST(Ecalli, DeclaresAnImportThatIsNot) {
  const ProgramParts parts = assembled("ecalli 'new'\necalli 'old'\necalli 'new'\n%import 'old'");
  EXPECT_EQ(code_text(parts), "0a 01 | 0a | 0a 01");
  ASSERT_EQ(parts.imports.size(), 2u);
  EXPECT_EQ(parts.imports[1], "new");
}

TEST(Imports, AreAtMost1024) {
  std::string text;
  for (int i = 0; i < 1024; ++i) text += "%import 'a'\n";
  EXPECT_EQ(error_of(text + "ecalli 'a'"), "ok");
  EXPECT_EQ(error_of(text + "%import 'b'"), "1025: more than 1024 imports: b");
  EXPECT_EQ(error_of(text + "ecalli 'b'"), "1025: more than 1024 imports: b");
}

TEST(Names, HaveQuotesAndEscapes) {
  EXPECT_EQ(assembled(R"(%import 'a\'\\\x41\xfF // "' // c)").imports[0], "a'\\A\xff // \"");
  EXPECT_EQ(error_of("%import a"), "1: expected a name in quotes: a");
  EXPECT_EQ(error_of("%import 'a"), "1: the name has no closing quote: 'a");
  EXPECT_EQ(error_of(R"(%import 'a\)"), R"(1: unknown escape in a name: \)");
  EXPECT_EQ(error_of(R"(%import 'a\x4')"), R"(1: unknown escape in a name: \x4')");
  EXPECT_EQ(error_of(R"(%import 'a\n')"), R"(1: unknown escape in a name: \n')");
  EXPECT_EQ(error_of("%import 'a' 'b'"), "1: unexpected text at the end of the line: 'b'");
}

TEST(DebugSectionDirective, BeginsAndContinuesASection) {
  const ProgramParts parts = assembled(
      "%debug_section 128 = 01 02\n%debug_section 128 += 03\n%debug_section 255 =\n%debug_section 128 = 04");
  ASSERT_EQ(parts.debug_sections.size(), 3u);
  EXPECT_EQ(parts.debug_sections[0], (DebugSection{128, {1, 2, 3}}));
  EXPECT_EQ(parts.debug_sections[1], (DebugSection{255, {}}));
  EXPECT_EQ(parts.debug_sections[2], (DebugSection{128, {4}}));
}

TEST(DebugSectionDirective, RefusesOtherIdsAndAnythingToContinue) {
  EXPECT_EQ(error_of("%debug_section 127 = 01"), "1: the id of an optional section is 128 to 255: 127 = 01");
  EXPECT_EQ(error_of("%debug_section 256 ="), "1: the id of an optional section is 128 to 255: 256 =");
  EXPECT_EQ(error_of("%debug_section 128 += 01"), "1: only the section before can be continued: 128 += 01");
  EXPECT_EQ(error_of("%debug_section 128 =\n%debug_section 129 += 01"),
            "2: only the section before can be continued: 129 += 01");
  std::string text;
  for (int i = 0; i < 1024; ++i) text += "%debug_section 200 =\n";
  EXPECT_EQ(error_of(text), "ok");
  EXPECT_EQ(error_of(text + "%debug_section 200 ="), "1025: more than 1024 optional sections: 200 =");
}

TEST(RawDirective, IsOneInstructionAsItStands) {
  EXPECT_EQ(bytes_of("%raw 33 44 55\n%raw 00\n%raw ff ff"), "33 44 55 | 00 | ff ff");
  EXPECT_EQ(error_of("%raw"), "1: an instruction has 1 to 25 bytes: ");
  EXPECT_EQ(error_of("%raw 3"), "1: expected pairs of hexadecimal digits: 3");
  std::string longest = "%raw";
  for (int i = 0; i < 25; ++i) longest += " 00";
  EXPECT_EQ(error_of(longest), "ok");
  EXPECT_TRUE(error_of(longest + " 00").starts_with("1: an instruction has 1 to 25 bytes"));
}

TEST(GapDirective, IsBytesWithoutAnInstruction) {
  EXPECT_EQ(bytes_of("%gap 01 02\ntrap\n%gap 03\ntrap"), "~01 ~02 | 00 03 | 00");
  EXPECT_EQ(bytes_of("%gap\ntrap"), "00");
}

TEST(GapDirective, MovesLabelsButEndsNoBlock) {
  EXPECT_EQ(bytes_of("jump @x\n%gap 00\n@x:\ntrap"), "28 03 00 | 00");
  EXPECT_EQ(bytes_of("unlikely\n%gap 00\n@x:\ntrap"), "03 00 | 01 | 00");
}

TEST(CodeLength, IsAtMost32MiB) {
  std::string line = "%gap ";
  for (size_t i = 0; i < 1 << 16; ++i) line += "00";
  line += '\n';
  std::string text = "%raw 00\n";
  for (int i = 0; i < 511; ++i) text += line;
  EXPECT_EQ(error_of(text + line), "513: the code is longer than 32 MiB: ");
  text += line.substr(0, line.size() - 3) + "\n";
  EXPECT_EQ(assembled(text).code.size(), kMaxCodeBytes);
  EXPECT_EQ(error_of(text + "trap"), "514: the code is longer than 32 MiB: ");
}

}  // namespace
}  // namespace sandglass::test
