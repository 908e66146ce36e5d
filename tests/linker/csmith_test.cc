// Random C programs (csmith) give the same checksum natively and as guests, whatever the compiler made of
// them.
//
// Every program follows from its seed. A longer run:
//   SANDGLASS_CSMITH_FIRST=1000 SANDGLASS_CSMITH_COUNT=300 build/tests/tests/linker/csmith_test
#include <fmt/format.h>

#include <cstdlib>

#include "tests/linker/toolchain.h"

namespace sandglass::linker {
namespace {

constexpr const char* kLevels[] = {"-O0", "-O1", "-O2", "-O3", "-Os"};
constexpr const char* kModels[] = {"-mcmodel=medany", "-mcmodel=medany -fPIE", "-mcmodel=medlow"};

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RandomC : public ::testing::Test {
 protected:
  // What the seed's program answers natively; nothing when it takes too long, which csmith does not avoid.
  std::optional<uint64_t> native(uint64_t seed) {
    const std::string root = SANDGLASS_ROOT;
    // It also writes a file about the machine to where it is.
    const auto generated = run_command(
        fmt::format("cd {} && csmith --seed {} --quiet --concise > random.c", shop_.path("."), seed));
    EXPECT_EQ(generated.status, 0) << generated.text;
    source_ = shop_.write("guest.c",
                          "#include \"random.c\"\n"
                          "#undef main\n"
                          "uint64_t answer(void) { csmith_main(1, 0); return csmith_result; }\n"
                          "#ifdef __riscv\n#include <sandglass/guest.h>\nSANDGLASS_EXPORT(answer)\n"
                          "#else\n#undef printf\n#include <stdio.h>\n"
                          "int main(void) { printf(\"%llu\\n\", (unsigned long long)answer()); }\n#endif\n");
    const auto compiled = run_command(fmt::format(
        "clang-19 -w -O1 -fwrapv -I {}/tests/linker/random_c {} -o {}", root, source_, shop_.path("native")));
    EXPECT_EQ(compiled.status, 0) << compiled.text;
    const auto answer = run_command("timeout 2 " + shop_.path("native"));
    if (answer.status != 0) return std::nullopt;
    return std::strtoull(answer.text.c_str(), nullptr, 10);
  }

  void compare(uint64_t seed) {
    const auto expected = native(seed);
    if (!expected) return;
    const std::string root = SANDGLASS_ROOT;
    const std::string flags = fmt::format("-fwrapv -fsigned-char {} {} -I {}/tests/linker/random_c",
                                          kLevels[seed % 5], kModels[seed / 5 % 3], root);
    const auto elf = shop_.build({source_, sdk_library()}, flags);
    ASSERT_TRUE(elf) << "seed " << seed;
    const auto optimized = linked(*elf), plain = linked(*elf, {.optimize = false});
    ASSERT_TRUE(optimized && plain) << "seed " << seed << ", " << flags;
    const Backend others[] = {Backend::kLinux, Backend::kInterpreter};
    ASSERT_EQ(call(optimized, Backend::kGeneric, "answer"), expected) << "seed " << seed << ", " << flags;
    ASSERT_EQ(call(optimized, others[seed % 2], "answer"), expected) << "seed " << seed << ", " << flags;
    ASSERT_EQ(call(plain, Backend::kGeneric, "answer"), expected) << "seed " << seed << ", " << flags;
    ++compared_;
  }

  Workshop shop_;
  std::string source_;
  uint64_t compared_ = 0;
};

TEST_F(RandomC, AnswersAsNatively) {
  SG_NEEDS_GUEST_TOOLS();
  SG_NEEDS("csmith");
  const uint64_t first = number_from("SANDGLASS_CSMITH_FIRST", 1),
                 count = number_from("SANDGLASS_CSMITH_COUNT", 24);
  for (uint64_t seed = first; seed < first + count && !HasFatalFailure(); ++seed) compare(seed);
  EXPECT_GE(2 * compared_, count) << "most programs must be worth comparing";
  RecordProperty("compared", static_cast<int>(compared_));
  fmt::print("{} programs compared\n", compared_);
}

}  // namespace
}  // namespace sandglass::linker
