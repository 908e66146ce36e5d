// What the reader refuses: one row per rule, with the offset it must blame.
#include <gtest/gtest.h>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::Blob;
using test::container;
using test::kTrapCode;
using test::open_container;
using test::section;

Blob changed(Blob blob, size_t offset, uint8_t value) {
  blob[offset] = value;
  return blob;
}

const Blob kCode = section(6, kTrapCode);
const Blob kMinimal = container({kCode});  // 13 bytes of header, 7 of code section, end marker at 20

struct Refusal {
  const char* name;
  Blob blob;
  const char* what;
  uint64_t where;
  const char* detail = "";
};

const Refusal kRefusals[] = {
    {"Empty", {}, "the blob is too short for a header", 0},
    {"MagicCutOff", {'P', 'V', 'M'}, "the blob is too short for a header", 0},
    {"VersionCutOff", {'P', 'V', 'M', 0}, "the blob is too short for a header", 4},
    {"LengthCutOff", {'P', 'V', 'M', 0, 2, 12, 0, 0, 0, 0, 0, 0}, "the blob is too short for a header", 5},
    {"WrongMagicAtTheStart", changed(kMinimal, 0, 'Q'), "the blob does not start with 'PVM\\0'", 0},
    {"WrongMagicAtTheEnd", changed(kMinimal, 3, 1), "the blob does not start with 'PVM\\0'", 3},
    {"UnknownVersion", changed(kMinimal, 4, 4), "the blob's version is unknown", 4, "4"},
    {"LargestVersion", changed(kMinimal, 4, 255), "the blob's version is unknown", 4, "255"},
    {"StatedTooLong", changed(kMinimal, 5, 22), "the blob does not have the length it states", 5},
    {"StatedTooShort", changed(kMinimal, 5, 20), "the blob does not have the length it states", 5},
    {"StatedTooLongBy2To32", changed(kMinimal, 9, 1), "the blob does not have the length it states", 5},
    {"StatedTooLongBy2To56", changed(kMinimal, 12, 1), "the blob does not have the length it states", 5},

    {"NoEndMarker", open_container({kCode}), "the blob ends without an end marker", 20},
    {"NoSections", open_container({}), "the blob ends without an end marker", 13},
    {"NoCodeSection", container({}), "the program has no code", 13},
    {"OnlyMemory", container({section(1, {0, 0, 0})}), "the program has no code", 18},
    {"UnknownSection", container({section(7, {})}), "this section may not be here", 13, "7"},
    {"LargestUnknownSection", container({section(127, {})}), "this section may not be here", 13, "127"},
    {"UnknownSectionBehindCode", container({kCode, section(7, {})}), "this section may not be here", 20, "7"},
    {"RepeatedSection", container({kCode, kCode}), "this section may not be here", 20, "6"},
    {"WrongOrder", container({section(3, {}), section(2, {}), kCode}), "this section may not be here", 15,
     "2"},
    {"MemoryBehindData", container({section(2, {}), section(1, {0, 0, 0}), kCode}),
     "this section may not be here", 15, "1"},
    {"CodeBehindOptional", container({section(128, {}), kCode}), "this section may not be here", 15, "6"},
    {"SectionLengthMissing", open_container({{6}}), "the length of a section is malformed", 14},
    {"SectionLengthCutOff", open_container({{6, 0x80}}), "the length of a section is malformed", 14},
    {"SectionLengthTooLarge", open_container({{6, 0xf1, 0, 0, 0, 0}}), "the length of a section is malformed",
     14},
    {"SectionCutOff", open_container({{6, 6, 0, 0, 1, 0, 1}}), "a section is cut off", 15},
    {"SectionOf4GiB", open_container({{6, 0xf0, 0xff, 0xff, 0xff, 0xff}}), "a section is cut off", 19},
    {"OptionalSectionCutOff", open_container({kCode, {200, 1}}), "a section is cut off", 22},

    {"MemoryTooShort", container({section(1, {0, 0}), kCode}),
     "the memory configuration has a malformed size", 17},
    {"MemorySizeLeavesItsSection", container({section(1, {0, 0, 0x80}), kCode}),
     "the memory configuration has a malformed size", 17},
    {"MemoryTooLong", container({section(1, {0, 0, 0, 0}), kCode}),
     "the memory configuration is longer than its three sizes", 18},
    {"RoDataWithoutRegion", container({section(2, {1}), kCode}),
     "the read-only data is longer than its region", 15},
    {"RoDataTooLong", container({section(1, {2, 9, 9}), section(2, {1, 2, 3}), kCode}),
     "the read-only data is longer than its region", 22},
    {"RwDataTooLong", container({section(1, {9, 2, 9}), section(3, {1, 2, 3}), kCode}),
     "the read-write data is longer than its region", 22},

    {"ImportCountMissing", container({section(4, {}), kCode}), "the number of imports is malformed", 15},
    {"TooManyImports", container({section(4, {0x84, 0x01}), kCode}), "the program has more than 1024 imports",
     15},
    {"ImportTableCutOff", container({section(4, {2, 0, 0, 0, 0, 0, 0, 0}), kCode}),
     "the imports section is too short for its table", 16},
    {"ImportsShareBytes",
     container({section(4, {3, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 'a', 'b', 'c'}), kCode}),
     "two imports share bytes of their names", 24},

    {"ExportCountMissing", container({section(5, {}), kCode}), "the number of exports is malformed", 15},
    {"TooManyExports", container({section(5, {0xd0, 0x01, 0x00}), kCode}),
     "the program has more than 1 Mi exports", 15},
    {"ExportOffsetMissing", container({section(5, {1}), kCode}), "the code offset of an export is malformed",
     16},
    {"ExportNameLengthMissing", container({section(5, {1, 0}), kCode}),
     "the name length of an export is malformed", 17},
    {"ExportNameCutOff", container({section(5, {1, 0, 4, 'm', 'a', 'i'}), kCode}),
     "the name of an export is cut off", 18},
    {"SecondExportMissing", container({section(5, {2, 0, 0}), kCode}),
     "the code offset of an export is malformed", 18},
    {"ExportsTooLong", container({section(5, {1, 0, 0, 0}), kCode}),
     "the exports section is longer than its exports", 18},

    {"EmptyCodeSection", container({section(6, {})}), "the number of jump table entries is malformed", 15},
    {"TooManyJumpTableEntries", container({section(6, {0xe1, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01})}),
     "the jump table has more than 16 Mi entries", 15},
    {"JumpTableEntrySizeMissing", container({section(6, {0})}), "the size of a jump table entry is missing",
     16},
    {"JumpTableEntryTooLong", container({section(6, {0, 5, 1, 0, 1})}),
     "a jump table entry is longer than 4 bytes", 16},
    {"CodeLengthMissing", container({section(6, {0, 0})}), "the length of the code is malformed", 17},
    {"NoCodeBytes", container({section(6, {0, 0, 0})}), "the program has no code", 17},
    {"CodeTooLong", container({section(6, {0, 0, 0xe2, 0x01, 0x00, 0x00})}), "the code is longer than 32 MiB",
     17},
    {"JumpTableCutOff", container({section(6, {3, 2, 1, 0, 0, 0, 1})}), "the jump table is cut off", 18},
    {"CodeCutOff", container({section(6, {1, 1, 4, 0, 0, 0, 0})}), "the code is cut off", 19},
    {"BitmaskMissing", container({section(6, {0, 0, 1, 0})}),
     "the bitmask is too short for one bit per code byte", 19},
    {"BitmaskTooShort", container({section(6, {0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})}),
     "the bitmask is too short for one bit per code byte", 27},
    {"BitmaskTooLong", container({section(6, {0, 0, 1, 0, 1, 0})}),
     "the bitmask is longer than one bit per code byte", 20},
    {"BitmaskPadding", container({section(6, {0, 0, 1, 0, 3})}),
     "the unused bits at the end of the bitmask must be 0", 19},
    {"BitmaskHighestBit", container({section(6, {0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0x80})}),
     "the unused bits at the end of the bitmask must be 0", 25},
};

class BlobRefusals : public testing::TestWithParam<Refusal> {};

TEST_P(BlobRefusals, NameTheRuleAndTheOffset) {
  const Refusal& refusal = GetParam();
  const auto program = Program::parse(refusal.blob);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().kind, ErrorKind::kBadProgram);
  EXPECT_STREQ(program.error().what, refusal.what);
  EXPECT_EQ(program.error().where, refusal.where);
  EXPECT_STREQ(program.error().detail, refusal.detail);
}

INSTANTIATE_TEST_SUITE_P(All, BlobRefusals, testing::ValuesIn(kRefusals),
                         [](const auto& info) { return info.param.name; });

TEST(BlobRefusal, TheRowsAboveDifferFromAProgramThatIsAccepted) { EXPECT_TRUE(Program::parse(kMinimal)); }

TEST(BlobRefusal, ABitmaskOfFullBytesHasNoUnusedBits) {
  EXPECT_TRUE(Program::parse(container({section(6, {0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff})})));
}

TEST(BlobRefusal, BareCodeOffsetsCountFromItsOwnStart) {
  const auto cut_off = Program::parse_bare_code(Blob{0, 0, 2, 0});
  ASSERT_FALSE(cut_off);
  EXPECT_STREQ(cut_off.error().what, "the code is cut off");
  EXPECT_EQ(cut_off.error().where, 3u);
  const auto too_long = Program::parse_bare_code(Blob{0, 0, 1, 0, 1, 0});
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().where, 5u);
}

TEST(BlobRefusal, TooManyOptionalSections) {
  Blob blob = kMinimal;
  blob.pop_back();
  for (int i = 0; i < 1025; ++i) blob.insert(blob.end(), {200, 0});
  blob.push_back(0);
  const auto program = Program::parse(test::with_stated_length(blob));
  ASSERT_FALSE(program);
  EXPECT_STREQ(program.error().what, "the program has more than 1024 optional sections");
  EXPECT_EQ(program.error().where, 20u + 2 * 1024);
}

}  // namespace
}  // namespace sandglass
