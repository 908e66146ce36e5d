// Deadlines. Times are only compared with generous bounds: the machine may be busy.
#include <ctime>
#include <random>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class DeadlineTest : public BackendTest {
 protected:
  static std::unique_ptr<Sandbox> endless() { return start(kEndless, {.gas = GasMetering::kNone}); }
};
SG_ON_ALL_BACKENDS(DeadlineTest);

TEST_P(DeadlineTest, StopsAnEndlessGuestAndLetsItGoOn) {
  const auto sandbox = endless();
  uint64_t before = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = steady_clock::now();
    // Long enough for the guest to have its turn on a busy machine, too.
    EXPECT_EQ(sandbox->run({.deadline = milliseconds(20)})->kind, InterruptKind::kDeadlineExceeded);
    const auto time = steady_clock::now() - start;
    EXPECT_GE(time, milliseconds(20));
    EXPECT_LT(time, seconds(10));
    EXPECT_EQ(sandbox->program_counter(), sandbox->next_program_counter());
    EXPECT_GT(sandbox->reg(Reg::a0), before);
    before = sandbox->reg(Reg::a0);
  }
}

uint64_t clock_ns(clockid_t clock) {
  timespec now;
  ::clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

TEST_P(DeadlineTest, OfCpuTimeStopsAnEndlessGuestAndLetsItGoOn) {
  const auto sandbox = endless();
  for (int round = 0; round < 5; ++round) {
    const uint64_t before = sandbox->reg(Reg::a0);
    const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    EXPECT_EQ(sandbox->run({.cpu_time = milliseconds(5)})->kind, InterruptKind::kDeadlineExceeded);
    // One thread does not use more CPU time than time passes.
    EXPECT_GE(clock_ns(CLOCK_MONOTONIC) - begin, 5'000'000u);
    EXPECT_GT(sandbox->reg(Reg::a0), before);
  }
}

TEST_P(DeadlineTest, OfCpuTimeAndWallTimeEndWithTheFirst) {
  const auto sandbox = endless();
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(3), .cpu_time = seconds(1000)})->kind,
            InterruptKind::kDeadlineExceeded);
  EXPECT_EQ(sandbox->run({.deadline = seconds(1000), .cpu_time = milliseconds(3)})->kind,
            InterruptKind::kDeadlineExceeded);
}

TEST_P(DeadlineTest, OfCpuTimeIsNotNoticedByAGuestThatIsFaster) {
  const auto sandbox = start("pub @main:\n a0 = a0 + 1\n ecalli 1\n jump @main");
  for (uint64_t round = 1; round <= 100; ++round) {
    ASSERT_EQ(sandbox->run({.cpu_time = seconds(100)})->kind, InterruptKind::kHostCall);
    ASSERT_EQ(sandbox->reg(Reg::a0), round);
  }
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
}

TEST_P(DeadlineTest, IsNotNoticedByAGuestThatIsFaster) {
  const auto sandbox = start("pub @main:\n a0 = a0 + 1\n ecalli 1\n jump @main");
  for (uint64_t round = 1; round <= 100; ++round) {
    ASSERT_EQ(sandbox->run({.deadline = seconds(100)})->kind, InterruptKind::kHostCall);
    ASSERT_EQ(sandbox->reg(Reg::a0), round);
  }
}

// A timer that is still ticking, or a request nobody took, would stop a later run.
TEST_P(DeadlineTest, OfOneRunDoesNotStopALaterOne) {
  const auto sandbox = start("pub @main:\n a0 = a0 + 1\n ecalli 1\n jump @main", {.gas = GasMetering::kNone});
  std::minstd_rand random(1);
  for (int round = 0; round < 300; ++round) {
    const nanoseconds deadline(1 + random() % 30'000);
    const InterruptKind kind = sandbox->run({.deadline = deadline})->kind;
    ASSERT_TRUE(kind == InterruptKind::kHostCall || kind == InterruptKind::kDeadlineExceeded);
    ASSERT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  }
}

TEST_P(DeadlineTest, OfOneSandboxDoesNotStopAnother) {
  const auto late = endless();
  const auto other = start("pub @main:\n a0 = a0 + 1\n jump @main if a0 <u 100000\n trap");
  EXPECT_EQ(late->run({.deadline = nanoseconds(1)})->kind, InterruptKind::kDeadlineExceeded);
  EXPECT_EQ(other->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(late->run({.deadline = milliseconds(1)})->kind, InterruptKind::kDeadlineExceeded);
}

TEST_P(DeadlineTest, MayBeAsLongAsANumberCanSay) {
  const auto sandbox = start("a0 = 1\n trap");
  EXPECT_EQ(sandbox->run({.deadline = nanoseconds::max()})->kind, InterruptKind::kTrap);
}

TEST_P(DeadlineTest, StopsAMeteredGuestThatHasGas) {
  const auto sandbox = start(kEndless);
  sandbox->set_gas(INT64_MAX);
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(2)})->kind, InterruptKind::kDeadlineExceeded);
  const uint64_t paid_rounds = static_cast<uint64_t>(INT64_MAX - sandbox->gas()) / 2;
  EXPECT_GT(paid_rounds, 0u);
  EXPECT_LE(paid_rounds - sandbox->reg(Reg::a0), 1u);  // the last one may have been paid and not begun
}

TEST_P(DeadlineTest, GasThatEndsFirstIsReported) {
  const auto sandbox = start(kEndless);
  sandbox->set_gas(1000);
  EXPECT_EQ(sandbox->run({.deadline = seconds(100)})->kind, InterruptKind::kOutOfGas);
  EXPECT_EQ(sandbox->gas(), 0);
}

TEST_P(DeadlineTest, OfAnAsyncGuestInDebtReportsTheDebt) {
  const auto sandbox = start(kEndless, {.gas = GasMetering::kAsync});
  sandbox->set_gas(10);
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(2)})->kind, InterruptKind::kOutOfGas);
  EXPECT_LT(sandbox->gas(), 0);
  EXPECT_PCS(*sandbox, kNone, kNone);
}

TEST_P(DeadlineTest, HostAskingAtTheSameTimeComesFirst) {
  const auto sandbox = endless();
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run({.deadline = seconds(100)})->kind, InterruptKind::kInterrupted);
  EXPECT_EQ(sandbox->run({.deadline = milliseconds(1)})->kind, InterruptKind::kDeadlineExceeded);
}

}  // namespace
}  // namespace sandglass
