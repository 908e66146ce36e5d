// Module::create: what its options refuse, and by what name; and that the limit on machine code is exact.
#include "sandbox/compiler/module.h"

#include <gtest/gtest.h>

#include <string_view>

#include "sandbox/compiler/native_code.h"
#include "sandbox/program/assembler.h"

namespace sandglass {
namespace {

std::shared_ptr<const Program> program_of(std::string_view text) {
  return Program::from_parts(assemble(text).value()).value();
}

// Something of everything that is written behind the code: a division pair, a paired block, rare divisions,
// out-of-gas exits, a forward jump that is no target.
constexpr std::string_view kMixed = R"(
pub @main:
    a2 = a0 /u a1
    a3 = a0 %u a1
    a4 = a2 /s a3
    jump @more if a4 != 0
    ret
@more:
    a0 = a0 - 1
    jump @more if a0 != 0
    ret
)";

ErrorKind refusal(const Result<std::shared_ptr<const Module>>& module) {
  EXPECT_FALSE(module.has_value());
  return module ? ErrorKind::kOs : module.error().kind;
}

class ModuleTest : public testing::TestWithParam<GasMetering> {};

TEST_P(ModuleTest, TakesExactlyAsMuchMachineCodeAsItNeeds) {
  const auto program = program_of(kMixed);
  ModuleOptions options = {.gas = GetParam()};
  const size_t needed = Module::create(program, options).value()->native_code()->size_bytes();
  options.max_native_bytes = needed;
  EXPECT_TRUE(Module::create(program, options).has_value());
  for (size_t limit = 0; limit < needed; ++limit) {
    options.max_native_bytes = limit;
    ASSERT_EQ(refusal(Module::create(program, options)), ErrorKind::kExhausted) << limit << " of " << needed;
  }
}

TEST_P(ModuleTest, TakesAnyLimit) {
  for (const size_t limit : {SIZE_MAX, SIZE_MAX - 4096, size_t{1} << 40}) {
    EXPECT_TRUE(
        Module::create(program_of(kMixed), {.gas = GetParam(), .max_native_bytes = limit}).has_value());
  }
}

TEST_P(ModuleTest, RefusesHostileCodeThatGrowsBeyondTheLimit) {
  ProgramParts parts;
  parts.code.assign(1 << 20, 0);  // trap after trap, each a block of its own
  parts.bitmask.assign(parts.code.size() / 8, 0xff);
  const auto program = Program::from_parts(std::move(parts)).value();
  EXPECT_EQ(refusal(Module::create(program, {.gas = GetParam(), .max_native_bytes = 4 << 20})),
            ErrorKind::kExhausted);
  const auto module = Module::create(program, {.gas = GetParam()});
  ASSERT_TRUE(module.has_value());
  EXPECT_LE((*module)->native_code()->size_bytes(), size_t{64} << 20);
}

INSTANTIATE_TEST_SUITE_P(Gas, ModuleTest,
                         testing::Values(GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync));

class ModuleOptionsTest : public testing::TestWithParam<Backend> {};

TEST_P(ModuleOptionsTest, RefusePageSizesOutsideOfTheRange) {
  for (const uint32_t page_bytes : {0u, 1u, 2048u, 4097u, 12288u, 131072u}) {
    const auto module = Module::create(program_of("trap"), {.backend = GetParam(), .page_bytes = page_bytes});
    EXPECT_EQ(refusal(module), ErrorKind::kInvalidArgument) << page_bytes;
  }
}

TEST_P(ModuleOptionsTest, RefuseRegionsThatDoNotFit) {
  const auto program = program_of("%rw_data_size = 4000000000\n%stack_size = 400000000\ntrap");
  EXPECT_EQ(refusal(Module::create(program, {.backend = GetParam()})), ErrorKind::kBadProgram);
}

TEST_P(ModuleOptionsTest, AreStrictOnlyWhenAsked) {
  constexpr std::string_view kOdd[] = {
      "%jump_table 100\ntrap",
      "%export 100 'a'\ntrap",
      "%export 0 'a'\n%export 0 'a'\ntrap",
  };
  for (std::string_view text : kOdd) {
    const auto parts = assemble(text);
    ASSERT_TRUE(parts.has_value()) << text << ": " << to_string(parts.error());
    const auto program = Program::from_parts(*parts).value();
    EXPECT_TRUE(Module::create(program, {.backend = GetParam()}).has_value()) << text;
    EXPECT_EQ(refusal(Module::create(program, {.backend = GetParam(), .strict = true})),
              ErrorKind::kBadProgram)
        << text;
  }
}

TEST_P(ModuleOptionsTest, TellTheCostOfBlocksOnly) {
  const auto module = Module::create(program_of("a0 = 1\na0 = 2\ntrap"), {.backend = GetParam()}).value();
  EXPECT_EQ(module->gas_cost(0), 3u);
  EXPECT_EQ(module->gas_cost(3), std::nullopt);  // inside the block
  EXPECT_EQ(module->gas_cost(1000), 1u);         // behind the code: the missing instruction
}

INSTANTIATE_TEST_SUITE_P(Backends, ModuleOptionsTest, testing::ValuesIn(kAllBackends),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace sandglass
