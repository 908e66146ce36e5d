// Every spec program on every backend. SANDGLASS_SPEC_FOLDER replaces the folder they are read from.
#include <gtest/gtest.h>

#include <cstdlib>

#include <set>

#include "tests/spec/spec_file.h"
#include "tests/spec/spec_program.h"
#include "tests/spec/spec_run.h"

namespace sandglass::spec {
namespace {

std::vector<std::filesystem::path> spec_files() {
  const char* folder = std::getenv("SANDGLASS_SPEC_FOLDER");
  return find_spec_files(folder != nullptr ? folder : SANDGLASS_SPEC_FOLDER);
}

using Parameter = std::tuple<std::filesystem::path, Backend>;

class SpecTest : public ::testing::TestWithParam<Parameter> {};

TEST_P(SpecTest, HoldsOnThisBackend) {
  const auto& [path, backend] = GetParam();
  std::string error;
  const SpecFile file = read_spec_file(path, error);
  ASSERT_EQ(error, "");
  run_spec_file(file, backend);
}

// "add_32_wraps_generic"
std::string name_of_parameter(const ::testing::TestParamInfo<Parameter>& info) {
  return std::get<0>(info.param).stem().string() + "_" + std::string(name_of(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Spec, SpecTest,
                         ::testing::Combine(::testing::ValuesIn(spec_files()),
                                            ::testing::ValuesIn(kAllBackends)),
                         name_of_parameter);

using SetAndOpcode = std::pair<InstructionSet, Opcode>;

void add_opcodes(const SpecFile& file, std::set<SetAndOpcode>& found) {
  Items items = file.cases.front().runs.front().set;
  const std::optional<Setup> setup = take_setup(items);
  ASSERT_TRUE(setup);
  for (const InstructionSet set : setup->sets) {
    const std::shared_ptr<const Program> program = build_program(file, set);
    ASSERT_NE(program, nullptr) << file.path;
    for (uint32_t pc = 0; pc < program->code_bytes(); ++pc) found.insert({set, program->opcode_at(pc)});
  }
}

TEST(SpecFilesTest, ContainEveryOpcodeOfEverySet) {
  std::set<SetAndOpcode> found;
  for (const std::filesystem::path& path : spec_files()) {
    std::string error;
    add_opcodes(read_spec_file(path, error), found);
  }
  for (size_t i = 0; i < kOpcodeCount * kInstructionSetCount; ++i) {
    const auto set = static_cast<InstructionSet>(i % kInstructionSetCount);
    const auto opcode = static_cast<Opcode>(i / kInstructionSetCount);
    const bool exists = info_of(opcode).byte[static_cast<size_t>(set)] >= 0;
    EXPECT_TRUE(!exists || found.contains({set, opcode})) << name_of(opcode) << " of " << name_of(set);
  }
}

}  // namespace
}  // namespace sandglass::spec
