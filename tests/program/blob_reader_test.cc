#include <gtest/gtest.h>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::Blob;
using test::container;
using test::kTrapCode;
using test::section;

// A real program made by PolkaVM's own tools, typed in field by field.
const Blob kHelloWorld = {
    0x50, 0x56, 0x4d, 0x00,                          // magic
    0x01,                                            // latest32
    0x5d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // 93 bytes
    0x01, 0x04, 0x00, 0x00, 0xa0, 0x00,              // memory: no data, 8192 bytes of stack
    0x04, 0x15, 0x01,                                // one import
    0x00, 0x00, 0x00, 0x00,                          // … whose name begins at symbol byte 0
    'g',  'e',  't',  '_',  't',  'h',  'i',  'r',  'd', '_', 'n', 'u', 'm', 'b', 'e', 'r',  //
    0x05, 0x0e, 0x01,                                                                        // one export
    0x00, 0x0b, 'a',  'd',  'd',  '_',  'n',  'u',  'm', 'b', 'e', 'r', 's',  // at code offset 0
    0x06, 0x20, 0x00, 0x00, 0x19,                                             // 25 bytes of code
    0x83, 0x11, 0xf8,                                                         //  0 sp = sp - 8
    0x7a, 0x10, 0x04,                                                         //  3 u32 [sp + 4] = ra
    0x7a, 0x15,                                                               //  6 u32 [sp] = s0
    0xbe, 0x78, 0x05,                                                         //  8 s0 = a1 + a0
    0x0a,                                                                     // 11 ecalli 0
    0xbe, 0x57, 0x07,                                                         // 12 a0 = a0 + s0
    0x81, 0x10, 0x04,                                                         // 15 ra = [sp + 4]
    0x81, 0x15,                                                               // 18 s0 = [sp]
    0x83, 0x11, 0x08,                                                         // 20 sp = sp + 8
    0x32, 0x00,                                                               // 23 ret
    0x49, 0x99, 0x94, 0x00,                                                   // bitmask
    0x00,                                                                     // end
};

TEST(BlobReader, ReadsEveryFieldOfARealProgram) {
  ASSERT_EQ(kHelloWorld.size(), 93u);
  const auto program = Program::parse(kHelloWorld);
  ASSERT_TRUE(program) << to_string(program.error());
  const ProgramParts& parts = (*program)->parts();
  EXPECT_EQ(parts.instruction_set, InstructionSet::kLatest32);
  EXPECT_EQ(parts.ro_data_bytes, 0u);
  EXPECT_EQ(parts.rw_data_bytes, 0u);
  EXPECT_EQ(parts.stack_bytes, 8192u);
  EXPECT_TRUE(parts.ro_data.empty());
  EXPECT_TRUE(parts.rw_data.empty());
  EXPECT_EQ(parts.imports, (std::vector<std::optional<std::string>>{"get_third_number"}));
  EXPECT_EQ(parts.exports, (std::vector<Export>{{0, "add_numbers"}}));
  EXPECT_TRUE(parts.jump_table.empty());
  EXPECT_EQ(parts.code, Blob(kHelloWorld.begin() + 63, kHelloWorld.begin() + 88));
  EXPECT_EQ(parts.bitmask, (Blob{0x49, 0x99, 0x94, 0x00}));
  EXPECT_TRUE(parts.debug_sections.empty());
}

TEST(BlobReader, DecodesTheInstructionsOfARealProgram) {
  const auto program = Program::parse(kHelloWorld).value();
  const struct {
    uint32_t pc;
    Opcode opcode;
    Reg dst, src1, src2, base;
    uint32_t offset;
    uint64_t imm;
  } expected[] = {
      {0, Opcode::kAddImm32, Reg::sp, Reg::sp, {}, {}, 0, uint64_t{0} - 8},
      {3, Opcode::kStoreIndirectU32, {}, Reg::ra, {}, Reg::sp, 4, 0},
      {6, Opcode::kStoreIndirectU32, {}, Reg::s0, {}, Reg::sp, 0, 0},
      {8, Opcode::kAdd32, Reg::s0, Reg::a1, Reg::a0, {}, 0, 0},
      {11, Opcode::kEcalli, {}, {}, {}, {}, 0, 0},
      {12, Opcode::kAdd32, Reg::a0, Reg::a0, Reg::s0, {}, 0, 0},
      {15, Opcode::kLoadIndirectI32, Reg::ra, {}, {}, Reg::sp, 4, 0},
      {18, Opcode::kLoadIndirectI32, Reg::s0, {}, {}, Reg::sp, 0, 0},
      {20, Opcode::kAddImm32, Reg::sp, Reg::sp, {}, {}, 0, 8},
      {23, Opcode::kJumpIndirect, {}, {}, {}, Reg::ra, 0, 0},
  };
  uint32_t pc = 0;
  for (const auto& e : expected) {
    const Instruction in = program->decode(pc);
    EXPECT_EQ(in.pc, e.pc);
    EXPECT_EQ(in.opcode, e.opcode) << name_of(in.opcode) << " at " << pc;
    EXPECT_EQ(std::tie(in.dst, in.src1, in.src2, in.base), std::tie(e.dst, e.src1, e.src2, e.base)) << pc;
    EXPECT_EQ(in.offset, e.offset) << pc;
    EXPECT_EQ(in.imm, e.imm) << pc;
    pc = in.next_pc;
  }
  EXPECT_EQ(pc, program->code_bytes());
}

TEST(BlobReader, TheVersionByteIsTheInstructionSet) {
  for (uint8_t version = 0; version < kInstructionSetCount; ++version) {
    const auto program = Program::parse(container({section(6, kTrapCode)}, version));
    ASSERT_TRUE(program) << int{version};
    EXPECT_EQ((*program)->instruction_set(), static_cast<InstructionSet>(version));
  }
}

TEST(BlobReader, ReadsBackEverythingTheWriterCanWrite) {
  const auto program = Program::parse(serialize(*test::must_make(test::rich_parts())));
  ASSERT_TRUE(program) << to_string(program.error());
  EXPECT_EQ((*program)->parts(), test::rich_parts());
}

TEST(BlobReader, IgnoresWhatFollowsTheEndMarker) {
  Blob blob = container({section(6, kTrapCode)});
  blob.insert(blob.end(), {0xff, 1, 0, 6});
  EXPECT_TRUE(Program::parse(test::with_stated_length(blob)));
}

TEST(BlobReader, AcceptsLongVarints) {
  const auto program = Program::parse(container({{1, 0x80, 9, 0xc0, 1, 0, 0x80, 0, 0xe0, 2, 0, 0},
                                                 {2, 0xf0, 1, 0, 0, 0, 77},
                                                 {6, 0xc0, 7, 0, 0x80, 0x00, 0x00, 0x80, 0x01, 0x00, 0x01}}));
  ASSERT_TRUE(program) << to_string(program.error());
  EXPECT_EQ((*program)->parts().ro_data_bytes, 1u);
  EXPECT_EQ((*program)->parts().stack_bytes, 2u);
  EXPECT_EQ((*program)->parts().ro_data, Blob{77});
  EXPECT_EQ((*program)->parts().code, Blob{0});
}

TEST(BlobReader, AcceptsEmptyDataSections) {
  EXPECT_TRUE(Program::parse(container({section(2, {}), section(3, {}), section(6, kTrapCode)})));
}

TEST(BlobReader, CarriesOptionalSectionsAlongInTheirOrder) {
  const auto program = Program::parse(container(
      {section(6, kTrapCode), section(130, {1}), section(128, {}), section(255, {2, 3}), section(128, {4})}));
  ASSERT_TRUE(program);
  EXPECT_EQ((*program)->parts().debug_sections,
            (std::vector<DebugSection>{{130, {1}}, {128, {}}, {255, {2, 3}}, {128, {4}}}));
}

TEST(BlobReader, AJumpTableOfZeroSizedEntriesIsEmpty) {
  const auto program = Program::parse(container({section(6, {0x7f, 0x00, 0x01, 0x00, 0x01})}));
  ASSERT_TRUE(program);
  EXPECT_TRUE((*program)->parts().jump_table.empty());
}

TEST(BlobReader, ReadsJumpTableEntriesOfEverySize) {
  const Blob tables[] = {
      {1, 0xff}, {0, 1, 0xff, 0xfe}, {0, 0, 1, 0xff, 0xfe, 0xfd}, {0, 0, 0, 1, 4, 3, 2, 0xff}};
  const std::vector<uint32_t> expected[] = {
      {1, 0xff}, {0x100, 0xfeff}, {0x10000, 0xfdfeff}, {0x1000000, 0xff020304}};
  for (size_t i = 0; i < 4; ++i) {
    Blob code = {2, static_cast<uint8_t>(i + 1), 1};
    code.insert(code.end(), tables[i].begin(), tables[i].end());
    code.insert(code.end(), {0x00, 0x01});
    const auto program = Program::parse_bare_code(code);
    ASSERT_TRUE(program) << to_string(program.error());
    EXPECT_EQ((*program)->parts().jump_table, expected[i]);
  }
}

TEST(BlobReader, AnImportWhoseRangeMakesNoSenseHasNoName) {
  using Names = std::vector<std::optional<std::string>>;
  const auto imports_of = [](const Blob& payload) {
    return Program::parse(container({section(4, payload), section(6, kTrapCode)})).value()->parts().imports;
  };
  EXPECT_EQ(imports_of({1, 0, 0, 0, 0}), (Names{""}));
  EXPECT_EQ(imports_of({1, 0, 0, 0, 0, 'a', 'b'}), (Names{"ab"}));
  EXPECT_EQ(imports_of({1, 1, 0, 0, 0, 'a', 'b'}), (Names{"b"}));
  EXPECT_EQ(imports_of({1, 3, 0, 0, 0, 'a', 'b'}), (Names{std::nullopt}));  // behind the end
  EXPECT_EQ(imports_of({2, 1, 0, 0, 0, 0, 0, 0, 0, 'a', 'b'}), (Names{std::nullopt, "ab"}));  // backwards
  EXPECT_EQ(imports_of({2, 0, 0, 0, 0, 0, 0, 0, 1, 'a'}), (Names{std::nullopt, std::nullopt}));
  EXPECT_EQ(imports_of({2, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 'b'}), (Names{"ab", ""}));
}

TEST(BlobReader, AcceptsTheLimitsThemselves) {
  ProgramParts parts = test::code_parts(std::vector<uint8_t>(kMaxCodeBytes), {0});
  parts.imports.resize(kMaxImports);
  parts.debug_sections.resize(1024, {.id = 200});
  const auto program = Program::parse(serialize(*test::must_make(parts)));
  ASSERT_TRUE(program) << to_string(program.error());
  EXPECT_EQ((*program)->parts(), parts);
}

TEST(BlobReader, ReadsBareCode) {
  const auto program = Program::parse_bare_code(Blob(kHelloWorld.begin() + 60, kHelloWorld.begin() + 92),
                                                InstructionSet::kLatest32);
  ASSERT_TRUE(program) << to_string(program.error());
  ProgramParts expected = Program::parse(kHelloWorld).value()->parts();
  expected.stack_bytes = 0;
  expected.imports.clear();
  expected.exports.clear();
  EXPECT_EQ((*program)->parts(), expected);
}

TEST(BlobReader, BareCodeIsJamUnlessSaidOtherwise) {
  EXPECT_EQ(Program::parse_bare_code(kTrapCode).value()->instruction_set(), InstructionSet::kJamV1);
}

TEST(BlobWriter, WritesARealProgramBackByteForByte) {
  EXPECT_EQ(serialize(*Program::parse(kHelloWorld).value()), kHelloWorld);
}

}  // namespace
}  // namespace sandglass
