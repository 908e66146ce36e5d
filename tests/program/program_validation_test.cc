// What from_parts() refuses, and what a jam_v1 program may not contain.
#include <gtest/gtest.h>

#include "tests/program/samples.h"

namespace sandglass {
namespace {

using test::code_parts;
using test::make_program;

void expect_refused(const ProgramParts& parts, const char* what) {
  const auto program = Program::from_parts(parts);
  ASSERT_FALSE(program) << what;
  EXPECT_EQ(program.error().kind, ErrorKind::kBadProgram);
  EXPECT_STREQ(program.error().what, what);
}

template <typename Change>
ProgramParts trap_with(Change change) {
  ProgramParts parts = code_parts({0}, {0});
  change(parts);
  return parts;
}

TEST(ProgramParts, NeedCodeOfAtMost32MiB) {
  expect_refused(ProgramParts{}, "the program has no code");
  expect_refused(code_parts(std::vector<uint8_t>(kMaxCodeBytes + 1), {0}), "the code is longer than 32 MiB");
}

TEST(ProgramParts, NeedOneBitPerCodeByte) {
  const char* what = "the bitmask must have one bit per code byte";
  expect_refused(trap_with([](auto& parts) { parts.bitmask.clear(); }), what);
  expect_refused(trap_with([](auto& parts) { parts.bitmask = {1, 0}; }), what);
  expect_refused(trap_with([](auto& parts) { parts.code.resize(9); }), what);
}

TEST(ProgramParts, MayNotUseTheUnusedBits) {
  const char* what = "the unused bits at the end of the bitmask must be 0";
  for (int bit = 1; bit < 8; ++bit) {
    expect_refused(trap_with([bit](auto& parts) { parts.bitmask[0] |= static_cast<uint8_t>(1 << bit); }),
                   what);
  }
}

TEST(ProgramParts, NeedRegionsThatHoldTheirData) {
  expect_refused(trap_with([](auto& parts) { parts.ro_data = {1}; }),
                 "read-only data is longer than its region");
  expect_refused(trap_with([](auto& parts) { parts.rw_data = {1}; }),
                 "read-write data is longer than its region");
}

TEST(ProgramParts, HaveLimits) {
  expect_refused(trap_with([](auto& parts) { parts.imports.resize(1025); }), "more than 1024 imports");
  expect_refused(trap_with([](auto& parts) { parts.exports.resize((1 << 20) + 1); }),
                 "more than 1 Mi exports");
  expect_refused(trap_with([](auto& parts) { parts.jump_table.resize(kMaxJumpTableEntries + 1); }),
                 "the jump table has more than 16 Mi entries");
  expect_refused(trap_with([](auto& parts) { parts.debug_sections.resize(1025, {.id = 200}); }),
                 "more than 1024 optional sections");
}

TEST(ProgramParts, MayNotNameAKnownSectionAsAnOptionalOne) {
  for (uint8_t id : {0, 6, 7, 127}) {
    expect_refused(trap_with([id](auto& parts) {
                     parts.debug_sections = {{id, {}}};
                   }),
                   "an optional section needs an id from 128 on");
  }
}

TEST(ProgramParts, MayNotHaveImportsThatNoTableCanHold) {
  const std::vector<std::optional<std::string>> lists[] = {{"a", std::nullopt},
                                                           {"a", std::nullopt, "b"},
                                                           {"", std::nullopt, ""},
                                                           {std::nullopt, "a", std::nullopt}};
  for (const auto& names : lists) {
    expect_refused(trap_with([&names](auto& parts) { parts.imports = names; }),
                   "no table can have this import without a name");
  }
}

// jam_v1 code. Opcode bytes: 0 trap, 1 fallthrough, 2 unlikely, 10 ecalli, 40 jump, 170 branch_eq.

struct Verdict {
  const char* name;
  std::vector<uint8_t> code;
  std::vector<uint32_t> starts;
  std::optional<uint64_t> bad_at;
};

std::vector<uint8_t> gap_between(std::initializer_list<uint8_t> before, size_t gap,
                                 std::initializer_list<uint8_t> after) {
  std::vector<uint8_t> code(before);
  code.resize(code.size() + gap);
  code.insert(code.end(), after);
  return code;
}

const Verdict kVerdicts[] = {
    {"Trap", {0}, {0}, std::nullopt},
    {"JumpToNowhere", {40, 100}, {0}, std::nullopt},
    {"BranchToNowhere", {170, 0, 100, 0}, {0, 3}, std::nullopt},
    {"StraightLine", {2, 10, 5, 1, 0}, {0, 1, 3, 4}, std::nullopt},
    {"NothingAtTheStart", {0, 0}, {1}, 0},
    {"UndefinedOpcode", {0, 255, 0}, {0, 1, 2}, 1},
    {"OpcodeOfAnotherSet", {3, 0}, {0, 1}, 0},
    {"EndsWithEcalli", {10}, {0}, 1},
    {"EndsWithUnlikely", {0, 2}, {0, 1}, 2},
    {"EndsWithFallthrough", {1}, {0}, 1},
    {"EndsWithABranch", {0, 170, 0, 0}, {0, 1}, 4},
    {"LongestInstruction", gap_between({10}, 24, {0}), {0, 25}, std::nullopt},
    {"RunsIntoAGap", gap_between({10}, 25, {0}), {0, 26}, 25},
    {"BranchesBeforeAGap", gap_between({170}, 25, {0}), {0, 26}, 25},
    {"GapBehindATrap", gap_between({0}, 30, {0}), {0, 31}, std::nullopt},
    {"GapBehindAJump", gap_between({40}, 30, {0}), {0, 31}, std::nullopt},
    {"InvalidBehindAGap", gap_between({0}, 30, {255}), {0, 31}, 31},
    {"EndsInAGapBehindATrap", gap_between({0}, 30, {}), {0}, std::nullopt},
};

class JamCode : public testing::TestWithParam<Verdict> {};

TEST_P(JamCode, IsValidatedFromTheStart) {
  const Verdict& verdict = GetParam();
  const Status status = make_program(verdict.code, verdict.starts, InstructionSet::kJamV1)->validate_code();
  ASSERT_EQ(!status, verdict.bad_at.has_value());
  if (status) return;
  EXPECT_EQ(status.error().kind, ErrorKind::kBadProgram);
  EXPECT_EQ(status.error().where, verdict.bad_at);
}

TEST_P(JamCode, OfOtherSetsIsNotValidated) {
  const Verdict& verdict = GetParam();
  for (InstructionSet set :
       {InstructionSet::kReviveV1, InstructionSet::kLatest32, InstructionSet::kLatest64}) {
    EXPECT_TRUE(make_program(verdict.code, verdict.starts, set)->validate_code());
  }
}

INSTANTIATE_TEST_SUITE_P(All, JamCode, testing::ValuesIn(kVerdicts),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sandglass
