// Whole programs give the same answer natively and as guests: every level of optimisation, every code model,
// every backend. What each program is about is in its first line.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/linker/toolchain.h"

namespace sandglass::linker {
namespace {

constexpr const char* kLevels[] = {"-O0", "-O1", "-O2", "-O3", "-Os"};
constexpr const char* kModels[] = {"-mcmodel=medany", "-mcmodel=medany -fPIE", "-mcmodel=medlow",
                                   "-mcmodel=medany -fPIC"};

const std::string kRoot = SANDGLASS_ROOT;

class Programs : public ::testing::TestWithParam<const char*> {
 protected:
  std::string source() const { return kRoot + "/tests/linker/programs/" + GetParam(); }

  uint64_t native() const {
    const std::string out = shop_.path("native");
    const auto compiled = run_command(fmt::format("clang++-19 -w -O1 -I {} {} {} -o {}", kRoot,
                                                  source().ends_with(".c") ? "-x c" : "", source(), out));
    EXPECT_EQ(compiled.status, 0) << compiled.text;
    return std::strtoull(run_command(out).text.c_str(), nullptr, 10);
  }

  Workshop shop_;
};

TEST_P(Programs, AnswerAsNatively) {
  SG_NEEDS_GUEST_TOOLS();
  const uint64_t expected = native();
  ASSERT_NE(expected, 0u);
  // What the compiler calls on its own.
  const std::string memory = sdk_library();
  for (const char* level : kLevels) {
    for (const char* model : kModels) {
      const std::string flags = fmt::format("{} {} -I {}", level, model, kRoot);
      const auto elf = shop_.build({source(), memory}, flags);
      ASSERT_TRUE(elf) << flags;
      for (const bool optimize : {false, true}) {
        const auto program = linked(*elf, {.optimize = optimize});
        ASSERT_TRUE(program) << flags;
        for (const Backend backend : kAllBackends) {
          EXPECT_EQ(call(program, backend, "answer"), expected)
              << flags << " on " << name_of(backend) << optimize;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Programs,
                         ::testing::Values("arithmetic.c", "atomics.c", "data.c", "functions.c", "objects.cc",
                                           "switches.c"),
                         [](const auto& info) {
                           const std::string name = info.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace sandglass::linker
