// Sandboxes and threads: one module for many threads, sandboxes that move, many that are alive at once.
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "tests/backend/guest.h"

namespace sandglass {
namespace {

class ThreadsTest : public BackendTest {};
SG_ON_ALL_BACKENDS(ThreadsTest);

// Sums up a0 numbers through memory, then asks the host, then traps on a bad address.
constexpr std::string_view kText =
    "%rw_data_size = 4096\npub @main:\n a1 = 0\n@loop:\n a2 = u64 [0x20000]\n a2 = a2 + a0\n u64 [0x20000] = "
    "a2\n"
    " a0 = a0 - 1\n jump @loop if a0 != 0\n ecalli 1\n a1 = a2\n a3 = u8 [0]\n ret";

void run_guest_once(Sandbox& sandbox, uint64_t rounds) {
  ASSERT_TRUE(sandbox.reset_memory());
  ASSERT_TRUE(sandbox.prepare_call("main", {rounds}));
  ASSERT_EQ(sandbox.run()->kind, InterruptKind::kHostCall);
  const Interrupt stop = sandbox.run().value();
  ASSERT_EQ(stop.kind, InterruptKind::kTrap);
  ASSERT_EQ(stop.trap, TrapKind::kMemoryAccess);
  ASSERT_EQ(sandbox.reg(Reg::a1), rounds * (rounds + 1) / 2);
}

void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ThreadsTest, EachRunsItsOwnSandboxOfOneModule) {
  const auto module = module_for(kText, here());
  in_threads(4, [&](int thread) {
    const auto sandbox = Sandbox::create(module).value();
    for (uint64_t round = 1; round <= 50; ++round) run_guest_once(*sandbox, 100 * round + thread);
  });
}

TEST_P(ThreadsTest, MakeAndDestroySandboxesOfOneModule) {
  const auto module = module_for(kText, here());
  in_threads(4, [&](int thread) {
    for (uint64_t round = 1; round <= 50; ++round) {
      const auto sandbox = Sandbox::create(module).value();
      EXPECT_EQ(read_bytes(*sandbox, 0x20000, 8), std::vector<uint8_t>(8, 0));
      run_guest_once(*sandbox, 10 * round + thread);
    }
  });
}

TEST_P(ThreadsTest, CompileAtTheSameTime) {
  in_threads(4, [&](int thread) {
    for (uint64_t round = 1; round <= 20; ++round) {
      const auto sandbox = Sandbox::create(module_for(kText, here())).value();
      run_guest_once(*sandbox, 5 * round + thread);
    }
  });
}

TEST_P(ThreadsTest, SandboxMovesBetweenThreadsInTheMiddleOfItsWork) {
  const auto sandbox = start(
      "pub @main:\n a0 = a0 + 1\n a1 = a1 ^ a0\n ecalli 1\n jump @main if a0 <u 300\n a2 = u8 [0]\n trap");
  Interrupt stop;
  int moves = 0;
  do {
    std::thread([&] { stop = sandbox->run().value(); }).join();
    ++moves;
    if (stop.kind == InterruptKind::kHostCall) stop = sandbox->run().value();
  } while (stop.kind == InterruptKind::kHostCall);
  EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
  EXPECT_EQ(sandbox->reg(Reg::a0), 300u);
  EXPECT_GT(moves, 100);
}

// The place where the guest runs changes all the time while others ask it to stop.
TEST_P(ThreadsTest, SandboxThatMovesCanBeInterrupted) {
  const auto sandbox = start("pub @main:\n a0 = a0 + 1\n ecalli 1\n jump @main");
  std::atomic<bool> is_over = false;
  std::thread disturber([&] {
    while (!is_over) sandbox->interrupt();
  });
  std::mutex turn;
  uint64_t calls = 0;
  in_threads(2, [&](int) {
    for (int round = 0; round < 300; ++round) {
      const std::lock_guard lock(turn);
      const Interrupt stop = sandbox->run().value();
      const bool is_call = stop.kind == InterruptKind::kHostCall;
      EXPECT_TRUE(is_call || stop.kind == InterruptKind::kInterrupted);
      calls += is_call ? 1 : 0;
    }
  });
  is_over = true;
  disturber.join();
  EXPECT_LE(sandbox->reg(Reg::a0) - calls, 1u);
}

TEST_P(ThreadsTest, NextThreadInLineIsNotDisturbedByALateRequest) {
  const auto first = start("ecalli 1\n trap");
  const auto second = start("pub @main:\n a0 = a0 + 1\n jump @main if a0 <u 20000\n trap");
  std::thread late([&] {
    for (int i = 0; i < 200; ++i) first->interrupt();
  });
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(first->prepare_call(0));
    ASSERT_TRUE(first->run());
    ASSERT_TRUE(second->prepare_call(0));
    ASSERT_EQ(second->run()->kind, InterruptKind::kTrap);  // nobody asked this one
  }
  late.join();
}

TEST_P(ThreadsTest, ThreadsComeAndGo) {
  const auto module = module_for(kText, here());
  for (int i = 1; i <= 50; ++i) {
    std::thread([&] {
      const auto sandbox = Sandbox::create(module).value();
      run_guest_once(*sandbox, i);
      ASSERT_TRUE(sandbox->prepare_call("main", {1}));
      ASSERT_EQ(sandbox->run({.deadline = std::chrono::seconds(100)})->kind, InterruptKind::kHostCall);
    }).join();
  }
}

}  // namespace
}  // namespace sandglass
