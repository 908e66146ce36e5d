// Every golden file against what the compiler emits now.
//
//   codegen_test             compare
//   codegen_test --update    rewrite the expectations; read the difference before you commit it
//
// SANDGLASS_CODEGEN_FOLDER replaces the folder the files are in.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/codegen/golden_file.h"

namespace sandglass::codegen {
namespace {

std::vector<std::filesystem::path> golden_files() {
  const char* folder = std::getenv("SANDGLASS_CODEGEN_FOLDER");
  return find_golden_files(folder != nullptr ? folder : SANDGLASS_CODEGEN_FOLDER);
}

class CodegenTest : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(CodegenTest, EmitsWhatWasReviewed) {
  const GoldenFile file = read_golden_file(GetParam());
  const GoldenFile now = translate(file.program);
  for (size_t i = 0; i < kMeterings.size(); ++i) {
    EXPECT_FALSE(file.expected[i].empty()) << kMeterings[i].name << ": no expectation";
    EXPECT_EQ(file.expected[i], now.expected[i]) << kMeterings[i].name;
  }
}

std::string name_of_file(const ::testing::TestParamInfo<std::filesystem::path>& info) {
  return info.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, CodegenTest, ::testing::ValuesIn(golden_files()), name_of_file);

TEST(CodegenFilesTest, WereFound) { EXPECT_GE(golden_files().size(), 40u); }

int update_files() {
  for (const std::filesystem::path& path : golden_files()) {
    write_golden_file(path, translate(read_golden_file(path).program));
  }
  std::printf("%zu files written\n", golden_files().size());
  return 0;
}

}  // namespace
}  // namespace sandglass::codegen

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--update") return sandglass::codegen::update_files();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
