// The interpreter behind the Sandbox interface: what needs time, threads or much memory. Everything else
// about it is in tests/spec and tests/backend, which run on all backends.
#include <gtest/gtest.h>

#include <thread>

#include "sandbox/backend/sandbox.h"
#include "sandbox/program/assembler.h"

namespace sandglass {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unique_ptr<Sandbox> sandbox_for(std::string_view text, GasMetering gas = GasMetering::kNone) {
  const auto program = Program::from_parts(assemble(text).value()).value();
  const ModuleOptions options{.backend = Backend::kInterpreter, .gas = gas};
  return Sandbox::create(Module::create(program, options).value()).value();
}

constexpr std::string_view kEndless = "pub @main:\n i32 a0 = a0 + 1\n jump @main";

TEST(InterpretedSandboxTest, StopsAtItsDeadlineAndGoesOn) {
  const auto sandbox = sandbox_for(kEndless);
  sandbox->set_next_program_counter(0);
  const auto start = steady_clock::now();
  for (uint64_t rounds = 0, i = 0; i < 3; ++i) {
    EXPECT_EQ(sandbox->run({.deadline = milliseconds(5)})->kind, InterruptKind::kDeadlineExceeded);
    EXPECT_GT(sandbox->reg(Reg::a0), rounds);
    rounds = sandbox->reg(Reg::a0);
  }
  EXPECT_GE(steady_clock::now() - start, milliseconds(15));
}

TEST(InterpretedSandboxTest, TakesTheLargestDeadlineForOne) {
  const auto sandbox = sandbox_for("trap");
  sandbox->set_next_program_counter(0);
  EXPECT_EQ(sandbox->run({.deadline = std::chrono::nanoseconds::max()})->kind, InterruptKind::kTrap);
}

TEST(InterpretedSandboxTest, IsInterruptedByAnotherThread) {
  const auto sandbox = sandbox_for(kEndless);
  sandbox->set_next_program_counter(0);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(5));
    sandbox->interrupt();
  });
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  other.join();
  EXPECT_EQ(sandbox->program_counter(), sandbox->next_program_counter());
}

TEST(InterpretedSandboxTest, IsInterruptedAtOnceByARequestMadeBefore) {
  const auto sandbox = sandbox_for("a0 = 1\n trap");
  sandbox->set_next_program_counter(0);
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
}

TEST(InterpretedSandboxTest, LeavesALongMemsetAtItsDeadline) {
  const auto sandbox = sandbox_for("a1 = sbrk a0\n a0 = 0x20000\n a2 = i64 0x40000000\n memset\n trap");
  sandbox->set_reg(Reg::a0, 0x40000000);
  sandbox->set_next_program_counter(0);
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(2)})->kind, InterruptKind::kDeadlineExceeded);
  EXPECT_GT(sandbox->reg(Reg::a2), 0u);
  EXPECT_EQ(sandbox->reg(Reg::a0) + sandbox->reg(Reg::a2), 0x40020000u);
}

TEST(InterpretedSandboxTest, GivesMemoryBackOnReset) {
  const auto sandbox = sandbox_for("%rw_data_size = 4096\n%rw_data = 05\ntrap");
  ASSERT_TRUE(sandbox->sbrk(1 << 20));
  ASSERT_TRUE(sandbox->write(0x30000, std::vector<uint8_t>(1000, 7)));
  ASSERT_TRUE(sandbox->reset_memory());
  EXPECT_FALSE(sandbox->is_accessible(0x30000, 1, Access::kRead));
  ASSERT_TRUE(sandbox->sbrk(1 << 20));
  std::vector<uint8_t> bytes(1000, 1);
  ASSERT_TRUE(sandbox->read(0x30000, bytes));
  EXPECT_EQ(bytes, std::vector<uint8_t>(1000, 0));
}

}  // namespace
}  // namespace sandglass
