// Many threads, one pool.
#include <atomic>
#include <random>

#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

constexpr int kThreads = 8;
constexpr int kCycles = 200;

void in_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

class PoolThreads : public ::testing::Test {
 protected:
  std::shared_ptr<const Module> modules_[2] = {linux_module(),
                                               linux_module("pub @main:\n a0 = a0 + 1\n a0 = a0 + 0\n ret")};
};

TEST_F(PoolThreads, ShareOnePool) {
  for (const auto profile : {JailProfile::kShared, JailProfile::kPerTenant}) {
    SCOPED_TRACE(name_of(profile));
    const auto pool = pool_with({.profile = profile, .max_idle = 4, .max_uses = 50});
    in_threads([&](int thread) {
      const std::string tenant = thread % 2 == 0 ? "alice" : "bob";
      for (int i = 0; i < kCycles; ++i) {
        use_once(pool, modules_[i / 4 % 2], tenant);
        if (i % 16 == 0) pool->trim();
        if (i % 64 == 63) pool->clear();
      }
    });
    const WorkerPoolStatistics statistics = pool->statistics();
    EXPECT_EQ(statistics.returned, uint64_t{kThreads} * kCycles);
    EXPECT_EQ(statistics.spawned + statistics.reused, uint64_t{kThreads} * kCycles);
    EXPECT_GT(statistics.reused, statistics.spawned);
    EXPECT_EQ(statistics.live, statistics.idle);
    EXPECT_LE(statistics.idle, 4u);
    EXPECT_EQ(statistics.failed_spawns, 0u);
    EXPECT_EQ(statistics.quarantined(), 0u);
    uint64_t dropped = 0;
    for (const uint64_t count : statistics.dropped) dropped += count;
    EXPECT_EQ(statistics.spawned, dropped + statistics.live);
  }
}

TEST_F(PoolThreads, MaxLiveHoldsAtEveryMoment) {
  const auto pool = pool_with({.max_live = 3});
  std::atomic<int> in_use = 0, refused = 0, served = 0;
  in_threads([&](int) {
    for (int i = 0; i < kCycles; ++i) {
      const Result<std::unique_ptr<Sandbox>> sandbox = try_sandbox(pool, modules_[0]);
      if (!sandbox) {
        EXPECT_EQ(sandbox.error().kind, ErrorKind::kExhausted) << to_string(sandbox.error());
        ++refused;
        continue;
      }
      EXPECT_LE(++in_use, 3);
      EXPECT_EQ(*run_main(**sandbox, 1), 2u);
      ++served;
      --in_use;
    }
  });
  EXPECT_EQ(refused + served, kThreads * kCycles);
  EXPECT_EQ(pool->statistics().exhausted, static_cast<uint64_t>(refused.load()));
  EXPECT_LE(pool->statistics().live, 3u);
}

TEST_F(PoolThreads, WorkersDieAllTheTime) {
  const auto pool = pool_with({.min_idle = 1});
  std::atomic<int> good = 0;
  in_threads([&](int thread) {
    std::mt19937 random(static_cast<uint32_t>(thread));
    for (int i = 0; i < kCycles; ++i) {
      const Result<std::unique_ptr<Sandbox>> sandbox = try_sandbox(pool, modules_[random() % 2]);
      ASSERT_TRUE(sandbox) << to_string(sandbox.error());
      if (random() % 4 == 0) ::kill(process_of(**sandbox), SIGKILL);
      const Result<uint64_t> sum = run_main(**sandbox, 1);
      if (sum) {
        EXPECT_EQ(*sum, 2u);
        ++good;
      } else {
        EXPECT_EQ(sum.error().kind, ErrorKind::kWorkerDied) << to_string(sum.error());
      }
    }
  });
  EXPECT_GT(good, kThreads * kCycles / 2);
  EXPECT_GT(pool->statistics().deaths(), 0u);
  use_once(pool, modules_[0]);
}

TEST_F(PoolThreads, TheLastSandboxEndsThePool) {
  for (int round = 0; round < 10; ++round) {
    auto pool = pool_with({});
    std::vector<std::unique_ptr<Sandbox>> sandboxes;
    for (int i = 0; i < kThreads; ++i) sandboxes.push_back(sandbox_of(pool, modules_[0]));
    pool.reset();
    in_threads([&](int thread) {
      EXPECT_EQ(*run_main(*sandboxes[thread], 1), 2u);
      sandboxes[thread].reset();
    });
  }
  EXPECT_TRUE(becomes_true([] { return descendants_of(::getpid()).empty(); }));
}

}  // namespace
}  // namespace sandglass
