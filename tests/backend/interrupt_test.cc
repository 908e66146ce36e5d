// Requests to stop, made before a run and by other threads at any moment: the guest comes out at an
// instruction boundary, and what it computes is the same as if nobody had asked.
#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

class InterruptTest : public BackendTest {};
SG_ON_ALL_BACKENDS(InterruptTest);

// Touches everything whose interruption could go wrong: a branch that relies on the flags of the instruction
// before it, a pair of divisions, a load of constants, memset, stores, calls through the jump table, and a
// branch before a return. Ends by finishing; a0 is the result.
constexpr std::string_view kWork = R"(
%rw_data_size = 65536
pub @main:
    s0 = i64 0x5851f42d4c957f2d
    s1 = a0
    a5 = 1
@round:
    a5 = a5 * s0
    a5 = a5 + 12345
    a3 = a5 >> 40
    a3 = a3 | 1
    t0 = a5 /u a3
    t1 = a5 %u a3
    a4 = a4 ^ t0
    a4 = a4 + t1
    t2 = a5 & 0x7ff8
    u64 [t2 + 0x20000] = a4
    t0 = u64 [t2 + 0x20000]
    t1 = t0 & 1
    jump @even if t1 == 0
    a4 = a4 * 3
@even:
    a0 = a5 & 0xff
    a0 = a0 + 0x28000
    a1 = a4
    a2 = t2 >> 5
    memset
    a4 = a4 + a0
    t0 = u64 [a0 + -8]
    a4 = a4 ^ t0
    t0 = @leaf
    ra = 0, jump [t0]
@leaf:
    s1 = s1 - 1
    jump @round if s1 != 0
    a0 = a4
    ra = 0xffff0000
    ret
)";

struct Outcome {
  std::vector<uint64_t> regs;
  std::vector<uint8_t> memory;
  int64_t gas = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const Sandbox& sandbox) {
  Outcome outcome;
  for (size_t i = 0; i < kRegCount; ++i) outcome.regs.push_back(sandbox.reg(static_cast<Reg>(i)));
  outcome.memory = read_bytes(sandbox, 0x20000, 65536);
  outcome.gas = sandbox.gas();
  return outcome;
}

std::unique_ptr<Sandbox> about_to_work(std::unique_ptr<Sandbox> sandbox, uint64_t rounds) {
  EXPECT_TRUE(sandbox->prepare_call("main", {rounds}));
  return sandbox;
}

Outcome undisturbed(std::unique_ptr<Sandbox> sandbox) {
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kFinished);
  return outcome_of(*sandbox);
}

// Runs to the end and returns how often the guest was stopped on the way.
int run_through_stops(Sandbox& sandbox, InterruptKind expected, const RunLimits& limits = {}) {
  int stops = 0;
  for (;; ++stops) {
    const Interrupt stop = sandbox.run(limits).value();
    if (stop.kind == InterruptKind::kFinished) return stops;
    EXPECT_EQ(stop.kind, expected);
    EXPECT_TRUE(sandbox.program_counter());
    EXPECT_EQ(sandbox.program_counter(), sandbox.next_program_counter());
    EXPECT_TRUE(sandbox.module().program().is_instruction_start(*sandbox.program_counter()));
    if (stop.kind != expected) return stops;
  }
}

// Calls interrupt() again and again, after a random short time each, until it is destroyed.
class Disturber {
 public:
  Disturber(Sandbox& sandbox, uint32_t seed, uint32_t longest_pause) {
    thread_ = std::thread([this, &sandbox, seed, longest_pause] {
      std::minstd_rand random(seed);
      while (!is_over_.load(std::memory_order_relaxed)) {
        sandbox.interrupt();
        is_awake_.store(true, std::memory_order_relaxed);
        for (uint64_t i = random() % longest_pause; i > 0; --i) asm volatile("pause");
      }
    });
    while (!is_awake_.load(std::memory_order_relaxed)) std::this_thread::yield();
  }
  ~Disturber() {
    is_over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> is_over_{false}, is_awake_{false};
  std::thread thread_;
};

TEST_P(InterruptTest, BeforeARunStopsItAtOnceAndOnlyOnce) {
  const auto sandbox = start("a0 = 1\n trap");
  sandbox->interrupt();
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  EXPECT_PCS(*sandbox, at(0), at(0));
  EXPECT_EQ(sandbox->reg(Reg::a0), 0u);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
}

TEST_P(InterruptTest, AfterAHostCallStopsBehindIt) {
  const auto sandbox = start("ecalli 1\n a0 = 1\n trap");
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kHostCall);
  const auto next = sandbox->next_program_counter();
  sandbox->interrupt();
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
  EXPECT_PCS(*sandbox, next, next);
  EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
  EXPECT_EQ(sandbox->reg(Reg::a0), 1u);
}

// A branch on zero may use the flags of the instruction before it, which nobody has run here.
TEST_P(InterruptTest, HostMayChangeTheRegisterThatTheNextBranchLooksAt) {
  for (const bool jumps : {false, true}) {
    const auto sandbox =
        start("a1 = a1 - 1\n jump @zero if a1 == 0\n a0 = 1\n trap\n @zero:\n a0 = 2\n trap");
    sandbox->set_reg(Reg::a1, jumps ? 1 : 0);
    sandbox->set_next_program_counter(3);
    sandbox->interrupt();
    ASSERT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
    EXPECT_PCS(*sandbox, at(3), at(3));
    sandbox->set_reg(Reg::a1, jumps ? 0 : 1);
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kTrap);
    EXPECT_EQ(sandbox->reg(Reg::a0), jumps ? 2u : 1u);
  }
}

TEST_P(InterruptTest, EndlessGuestWithoutGasStops) {
  const auto sandbox = start(kEndless, {.gas = GasMetering::kNone});
  for (int round = 0; round < 20; ++round) {
    std::thread other([&] {
      std::this_thread::sleep_for(microseconds(50 * round));
      sandbox->interrupt();
    });
    EXPECT_EQ(sandbox->run()->kind, InterruptKind::kInterrupted);
    other.join();
  }
}

// The same work, disturbed, until there have been enough stops; the machine decides how often that is.
void disturb_until_it_counts(const std::function<std::unique_ptr<Sandbox>()>& make, int threads,
                             uint32_t longest_pause) {
  constexpr int kEnoughStops = 100;
  const Outcome expected = undisturbed(make());
  int stops = 0;
  for (uint32_t round = 0; stops < kEnoughStops && round < 1000; ++round) {
    const auto sandbox = make();
    {
      std::vector<std::unique_ptr<Disturber>> disturbers;
      for (int i = 0; i < threads; ++i) {
        disturbers.push_back(std::make_unique<Disturber>(*sandbox, round * 8 + i + 1, longest_pause));
      }
      stops += run_through_stops(*sandbox, InterruptKind::kInterrupted);
    }
    ASSERT_EQ(outcome_of(*sandbox), expected) << "round " << round;
  }
  EXPECT_GE(stops, kEnoughStops);
}

TEST_P(InterruptTest, AtRandomTimesChangesNothing) {
  const uint64_t rounds = GetParam() == Backend::kInterpreter ? 5000 : 100'000;
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
    disturb_until_it_counts([&] { return about_to_work(start(kWork, {.gas = gas}), rounds); }, 1, 2000);
  }
}

TEST_P(InterruptTest, StormFromThreeThreadsChangesNothing) {
  const uint64_t rounds = GetParam() == Backend::kInterpreter ? 1000 : 20'000;
  disturb_until_it_counts([&] { return about_to_work(start(kWork), rounds); }, 3, 100);
}

TEST_P(InterruptTest, DeadlinesOfAnyLengthChangeNothing) {
  const uint64_t rounds = GetParam() == Backend::kInterpreter ? 5000 : 100'000;
  const Outcome expected = undisturbed(about_to_work(start(kWork), rounds));
  std::minstd_rand random(7);
  int stops = 0;
  // Once is enough, unless the one who looks at the clock has to wait for a core, as a busy machine makes the
  // host of a worker process do.
  for (int repetition = 0; repetition < 20 && stops <= 5; ++repetition) {
    const auto sandbox = about_to_work(start(kWork), rounds);
    for (;; ++stops) {
      // Often shorter than the way to the guest, so that the request is there before it.
      const nanoseconds deadline(1 + random() % (stops % 2 == 0 ? 20'000 : 200'000));
      const Interrupt stop = sandbox->run({.deadline = deadline}).value();
      if (stop.kind == InterruptKind::kFinished) break;
      ASSERT_EQ(stop.kind, InterruptKind::kDeadlineExceeded);
      ASSERT_EQ(sandbox->program_counter(), sandbox->next_program_counter());
    }
    EXPECT_EQ(outcome_of(*sandbox), expected);
  }
  EXPECT_GT(stops, 5);
}

TEST_P(InterruptTest, OfTracedCodeChangesNothing) {
  const Outcome expected = undisturbed(about_to_work(start(kWork), 100));
  const auto sandbox = about_to_work(start(kWork, {.step_tracing = true}), 100);
  const Disturber disturber(*sandbox, 3, 5000);
  for (;;) {
    const Interrupt stop = sandbox->run().value();
    if (stop.kind == InterruptKind::kFinished) break;
    ASSERT_TRUE(stop.kind == InterruptKind::kStep || stop.kind == InterruptKind::kInterrupted);
  }
  EXPECT_EQ(outcome_of(*sandbox), expected);
}

// Interrupted at the branch, about to compare, and behind it: both ways are taken millions of times.
TEST_P(InterruptTest, BetweenComparisonAndBranchChangesNothing) {
  constexpr std::string_view kText =
      "pub @main:\n a1 = a1 ^ 1\n jump @odd if a1 != 0\n a2 = a2 + 1\n jump @main\n"
      "@odd:\n a3 = a3 + 1\n a0 = a0 - 1\n jump @main if a0 != 0\n ret";
  const uint64_t rounds = GetParam() == Backend::kInterpreter ? 20'000 : 2'000'000;
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync}) {
    int stops = 0;
    for (uint32_t seed = 1; stops < 50 && seed < 1000; ++seed) {
      const auto sandbox = about_to_work(start(kText, {.gas = gas}), rounds);
      {
        const Disturber disturber(*sandbox, seed, 1000);
        stops += run_through_stops(*sandbox, InterruptKind::kInterrupted);
      }
      ASSERT_EQ(sandbox->reg(Reg::a3), rounds);
      ASSERT_EQ(sandbox->reg(Reg::a2), rounds - 1);
    }
    EXPECT_GE(stops, 50);
  }
}

// Runs a memset of `bytes` bytes with deadlines that end in its middle, and counts the stops.
int stops_in_a_long_memset(Sandbox& sandbox, uint32_t begin, uint32_t bytes, bool is_metered) {
  int stops = 0;
  for (; sandbox.run({.deadline = microseconds(50)})->kind == InterruptKind::kDeadlineExceeded; ++stops) {
    const uint64_t done = sandbox.reg(Reg::a0) - begin;
    EXPECT_EQ(done + sandbox.reg(Reg::a2), bytes);
    if (*sandbox.program_counter() != 0) continue;
    // It may have been stopped before its block was charged, and then it has done nothing yet.
    const bool is_charged = done > 0 || sandbox.gas() != 1'000'000'000;
    if (is_metered && is_charged) {
      EXPECT_EQ(sandbox.gas(), 1'000'000'000 - 2 - static_cast<int64_t>(done));
    }
    // Nothing behind the place it stopped at.
    if (done < bytes) {
      EXPECT_EQ(read_bytes(sandbox, begin + static_cast<uint32_t>(done), 1)[0], 0);
    }
  }
  return stops;
}

TEST_P(InterruptTest, InALongMemsetGoesOnWhereItStopped) {
  constexpr uint32_t kBytes = 8 << 20, kBegin = 0x20000;
  for (const GasMetering gas : {GasMetering::kNone, GasMetering::kSync, GasMetering::kAsync}) {
    int stops = 0;
    // On a busy machine the memset may be over before the deadline is looked at.
    for (int round = 0; round < 50 && stops < 2; ++round) {
      const auto sandbox = start("%rw_data_size = 8388608\nmemset\n trap", {.gas = gas});
      sandbox->set_reg(Reg::a0, kBegin);
      sandbox->set_reg(Reg::a1, 0x42);
      sandbox->set_reg(Reg::a2, kBytes);
      stops += stops_in_a_long_memset(*sandbox, kBegin, kBytes, gas != GasMetering::kNone);
      EXPECT_EQ(read_bytes(*sandbox, kBegin, kBytes), std::vector<uint8_t>(kBytes, 0x42));
      EXPECT_EQ(sandbox->reg(Reg::a0), kBegin + uint64_t{kBytes});
      if (gas != GasMetering::kNone) {
        EXPECT_EQ(sandbox->gas(), 1'000'000'000 - 2 - kBytes);
      }
    }
    EXPECT_GT(stops, 1);
  }
}

TEST_P(InterruptTest, InAMemsetThatRunsOutOfGasKeepsCount) {
  constexpr uint32_t kBytes = 4 << 20, kBegin = 0x20000;
  const auto sandbox = start("%rw_data_size = 8388608\nmemset\n trap");
  sandbox->set_reg(Reg::a0, kBegin);
  sandbox->set_reg(Reg::a1, 0x42);
  sandbox->set_reg(Reg::a2, 2 * kBytes);
  sandbox->set_gas(2 + kBytes);
  Interrupt stop;
  do {
    stop = sandbox->run({.deadline = microseconds(50)}).value();
    ASSERT_EQ(sandbox->reg(Reg::a0) + sandbox->reg(Reg::a2), kBegin + 2u * kBytes);
  } while (stop.kind == InterruptKind::kDeadlineExceeded);
  EXPECT_EQ(stop.kind, InterruptKind::kOutOfGas);
  EXPECT_EQ(sandbox->reg(Reg::a2), kBytes);
  EXPECT_EQ(sandbox->gas(), 0);
}

}  // namespace
}  // namespace sandglass
