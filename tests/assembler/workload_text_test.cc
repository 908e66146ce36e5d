// The programs of the workloads: what they assemble to, and that their text survives the round trip.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/assembler/helpers.h"

namespace sandglass::test {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WorkloadText, SurvivesTheRoundTripInWords) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("workloads")) {
    if (entry.path().extension() != ".s") continue;
    const auto program = program_from(assembled(read_file(entry.path())));
    ASSERT_NE(program, nullptr) << entry.path();
    EXPECT_EQ(round_trip_problem(*program), "") << entry.path();
    EXPECT_EQ(disassemble(*program).find("%raw"), std::string::npos) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 15u);
}

// Checked by hand against the encoding of each instruction.
TEST(WorkloadText, OfFibHasCallsThroughTheJumpTable) {
  const ProgramParts parts = assembled(read_file("workloads/fib/fib.s"));
  EXPECT_EQ(code_text(parts),
            "95 11 f0 | 7b 10 08 | 33 00 02 | 28 0a | 82 10 08 | 95 11 10 | 32 00 | "  // main
            "56 17 01 06 | 32 00 | "                                                   // fib
            "95 11 e8 | 7b 10 | 7b 17 08 | 95 77 ff | 33 00 04 | 28 ec | "             // recurse
            "7b 17 10 | 82 17 08 | 95 77 fe | 33 00 06 | 28 de | "                     // after1
            "82 18 10 | c8 87 07 | 82 10 | 95 11 18 | 32 00");                         // after2
  EXPECT_EQ(parts.jump_table, (std::vector<uint32_t>{0x0b, 0x29, 0x37}));
  EXPECT_EQ(parts.exports, (std::vector<Export>{{0, "main"}}));
  EXPECT_EQ(parts.stack_bytes, 65536u);
}

}  // namespace
}  // namespace sandglass::test
