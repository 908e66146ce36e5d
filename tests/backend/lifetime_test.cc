// How long things live: many sandboxes at once, and in which order they and their modules may go.
#include "tests/backend/guest.h"

namespace sandglass {
namespace {

// Each sandbox reserves 36 GiB, and ThreadSanitizer leaves a program a few TiB of address space.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SG_MANY 30
#endif
#endif
#ifndef SG_MANY
#define SG_MANY 300
#endif
constexpr uint64_t kMany = SG_MANY;

class LifetimeTest : public BackendTest {};
SG_ON_ALL_BACKENDS(LifetimeTest);

constexpr std::string_view kCounter =
    "%rw_data_size = 8\npub @main:\n a1 = u64 [0x20000]\n a1 = a1 + a0\n u64 "
    "[0x20000] = a1\n ecalli 1\n jump @main";

TEST_P(LifetimeTest, ManySandboxesAreAliveAtOnce) {
  const auto module = module_for(kCounter, here());
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (uint64_t i = 0; i < kMany; ++i) {
    sandboxes.push_back(Sandbox::create(module).value());
    ASSERT_TRUE(sandboxes.back()->prepare_call("main", {i}));
  }
  for (int round = 0; round < 3; ++round) {
    for (const auto& sandbox : sandboxes) ASSERT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  }
  for (uint64_t i = 0; i < kMany; ++i) EXPECT_EQ(sandboxes[i]->reg(Reg::a1), 3 * i);
}

TEST_P(LifetimeTest, SandboxKeepsItsModule) {
  auto module = module_for(kCounter, here());
  const auto sandbox = Sandbox::create(module).value();
  std::weak_ptr<const Module> watch = module;
  module.reset();
  ASSERT_FALSE(watch.expired());
  ASSERT_TRUE(sandbox->prepare_call("main", {5}));
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  EXPECT_EQ(sandbox->module().program().instruction_set(), InstructionSet::kLatest64);
}

TEST_P(LifetimeTest, LastSandboxTakesItsModuleAlong) {
  std::weak_ptr<const Module> watch;
  {
    auto module = module_for(kCounter, here());
    watch = module;
    auto one = Sandbox::create(module).value();
    auto two = Sandbox::create(std::move(module)).value();
    one.reset();
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

// An idle piece of address space that still knew the module before would serve its data and its jump table.
TEST_P(LifetimeTest, ModuleInThePlaceOfAnotherOneIsItself) {
  for (int i = 0; i < 40; ++i) {
    const std::string text =
        "%ro_data = " + std::string(i % 2 == 0 ? "aa" : "bb") +
        "\na1 = u8 [0x10000]\n a0 = @target\n jump [a0]\n trap\n@target:\n a2 = " + std::to_string(i) +
        "\n trap";
    const auto sandbox = start(text);
    EXPECT_EQ(sandbox->run()->trap, TrapKind::kInstruction);
    EXPECT_EQ(sandbox->reg(Reg::a1), i % 2 == 0 ? 0xaau : 0xbbu);
    EXPECT_EQ(sandbox->reg(Reg::a2), static_cast<uint64_t>(i));
  }
}

TEST_P(LifetimeTest, SandboxesOfDifferentModulesTakeTurns) {
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (int i = 0; i < 20; ++i) {
    sandboxes.push_back(start("pub @main:\n a0 = a0 + " + std::to_string(i) + "\n ecalli 1\n jump @main"));
  }
  for (uint64_t round = 1; round <= 5; ++round) {
    for (uint64_t i = 0; i < sandboxes.size(); ++i) {
      ASSERT_EQ(sandboxes[i]->run()->kind, InterruptKind::kHostCall);
      ASSERT_EQ(sandboxes[i]->reg(Reg::a0), i * round);
    }
  }
}

TEST_P(LifetimeTest, OneSandboxMayRunWhileAnotherOneServesAHostCall) {
  const auto outer = start("a0 = 1\n ecalli 1\n a0 = a0 + 1\n trap");
  const auto inner = start("a0 = 7\n a1 = u8 [0]\n trap");
  ASSERT_EQ(outer->run()->kind, InterruptKind::kHostCall);
  ASSERT_EQ(inner->run()->trap, TrapKind::kMemoryAccess);
  outer->set_reg(Reg::a0, inner->reg(Reg::a0));
  EXPECT_EQ(outer->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(outer->reg(Reg::a0), 8u);
}

}  // namespace
}  // namespace sandglass
