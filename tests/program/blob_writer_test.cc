#include <gtest/gtest.h>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::Blob;
using test::code_parts;
using test::container;
using test::kTrapCode;
using test::must_make;
using test::section;

using Names = std::vector<std::optional<std::string>>;

const ProgramParts kTrap = code_parts({0}, {0});

void expect_round_trip(const ProgramParts& parts) {
  const auto program = Program::parse(serialize(*must_make(parts)));
  ASSERT_TRUE(program) << to_string(program.error());
  EXPECT_EQ((*program)->parts(), parts);
}

TEST(BlobWriter, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(serialize(*must_make(kTrap)), container({section(6, kTrapCode)}));
}

TEST(BlobWriter, StatesTheInstructionSet) {
  for (uint8_t version = 0; version < kInstructionSetCount; ++version) {
    ProgramParts parts = kTrap;
    parts.instruction_set = static_cast<InstructionSet>(version);
    EXPECT_EQ(serialize(*must_make(parts)), container({section(6, kTrapCode)}, version));
  }
}

TEST(BlobWriter, WritesTheMemoryConfigurationForAnySize) {
  for (int i = 0; i < 3; ++i) {
    ProgramParts parts = kTrap;
    (i == 0 ? parts.ro_data_bytes : i == 1 ? parts.rw_data_bytes : parts.stack_bytes) = 5;
    Blob sizes(3);
    sizes[static_cast<size_t>(i)] = 5;
    EXPECT_EQ(serialize(*must_make(parts)), container({section(1, sizes), section(6, kTrapCode)}));
  }
}

TEST(BlobWriter, WritesSectionsInTheOrderOfTheirIds) {
  ProgramParts parts = kTrap;
  parts.ro_data_bytes = 300;
  parts.rw_data_bytes = 1;
  parts.ro_data = {7};
  parts.rw_data = {8};
  parts.imports = {"ab", "", "c"};
  parts.exports = {{0, "f"}, {128, ""}};
  parts.debug_sections = {{130, {1}}, {129, {}}};
  EXPECT_EQ(serialize(*must_make(parts)),
            container({section(1, {0x81, 0x2c, 1, 0}), section(2, {7}), section(3, {8}),
                       section(4, {3, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 'a', 'b', 'c'}),
                       section(5, {2, 0, 1, 'f', 0x80, 0x80, 0}), section(6, kTrapCode), section(130, {1}),
                       section(129, {})}));
}

TEST(BlobWriter, RoundTripsEverything) { expect_round_trip(test::rich_parts()); }

TEST(BlobWriter, IsItsOwnFixedPoint) {
  const Blob blob = serialize(*must_make(test::rich_parts()));
  EXPECT_EQ(serialize(*Program::parse(blob).value()), blob);
}

// An entry whose low byte is 0 needs its high bytes all the same, and a table of zeroes still has entries.
TEST(BlobWriter, AJumpTableEntryIsAsLongAsItsLargestValueNeeds) {
  const struct {
    std::vector<uint32_t> table;
    uint8_t entry_bytes;
  } cases[] = {{{}, 0},          {{0}, 1},          {{0, 0, 0}, 1},    {{1, 255}, 1},
               {{256}, 2},       {{0, 0xff00}, 2},  {{0x10000, 1}, 3}, {{0xffff00}, 3},
               {{0x1000000}, 4}, {{0xffffffff}, 4}, {{0xff000000}, 4}};
  for (const auto& c : cases) {
    ProgramParts parts = kTrap;
    parts.jump_table = c.table;
    const Blob bare = serialize_bare_code(*must_make(parts));
    EXPECT_EQ(bare[0], c.table.size());
    EXPECT_EQ(bare[1], c.entry_bytes);
    EXPECT_EQ(bare.size(), kTrapCode.size() + c.table.size() * c.entry_bytes);
    expect_round_trip(parts);
  }
}

TEST(BlobWriter, RoundTripsImportsWithoutAName) {
  const Names lists[] = {
      {std::nullopt},
      {std::nullopt, std::nullopt},
      {std::nullopt, "a"},
      {std::nullopt, ""},
      {"", std::nullopt, std::nullopt},
      {"a", std::nullopt, std::nullopt},
      {"a", std::nullopt, std::nullopt, "b"},
      {"a", "b", std::nullopt, std::nullopt, std::nullopt, "", "c", std::nullopt, std::nullopt},
  };
  for (const Names& names : lists) {
    ProgramParts parts = kTrap;
    parts.imports = names;
    expect_round_trip(parts);
  }
}

TEST(BlobWriter, BareCodeIsThePayloadOfTheCodeSection) {
  ProgramParts parts = test::rich_parts();
  const Blob bare = serialize_bare_code(*must_make(parts));
  const auto program = Program::parse_bare_code(bare, parts.instruction_set);
  ASSERT_TRUE(program) << to_string(program.error());
  EXPECT_EQ((*program)->parts().code, parts.code);
  EXPECT_EQ((*program)->parts().bitmask, parts.bitmask);
  EXPECT_EQ((*program)->parts().jump_table, parts.jump_table);
  const Blob blob = serialize(*must_make(code_parts({0}, {0})));
  EXPECT_EQ(serialize_bare_code(*must_make(kTrap)), Blob(blob.begin() + 15, blob.end() - 1));
}

TEST(BlobWriter, WritesLengthsOfEverySize) {
  for (size_t size : {127u, 128u, 16383u, 16384u, 2097151u, 2097152u}) {
    ProgramParts parts = kTrap;
    parts.rw_data_bytes = static_cast<uint32_t>(size);
    parts.rw_data.assign(size, 0xaa);
    expect_round_trip(parts);
  }
}

}  // namespace
}  // namespace sandglass
