// How much a pool keeps, and how long.
#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class PoolLimits : public ::testing::Test {
 protected:
  std::vector<std::unique_ptr<Sandbox>> sandboxes(const std::shared_ptr<WorkerPool>& pool, int count) {
    std::vector<std::unique_ptr<Sandbox>> all;
    for (int i = 0; i < count; ++i) all.push_back(sandbox_of(pool, module_));
    return all;
  }
  std::shared_ptr<const Module> module_ = linux_module();
};

TEST_F(PoolLimits, MaxIdleKeepsTheOnesThatCameBackLast) {
  const auto pool = pool_with({.max_idle = 2});
  auto all = sandboxes(pool, 4);
  EXPECT_EQ(pool->statistics().live, 4u);
  const std::set<pid_t> last = {process_of(*all[2]), process_of(*all[3])};
  for (auto& sandbox : all) sandbox.reset();
  EXPECT_EQ(pool->statistics().idle, 2u);
  EXPECT_EQ(pool->statistics().live, 2u);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kTooManyIdle), 2u);
  all = sandboxes(pool, 2);
  EXPECT_EQ((std::set<pid_t>{process_of(*all[0]), process_of(*all[1])}), last);
}

TEST_F(PoolLimits, MaxIdleMayBeNone) {
  const auto pool = pool_with({.max_idle = 0});
  use_once(pool, module_);
  EXPECT_EQ(pool->statistics().live, 0u);
}

TEST_F(PoolLimits, MaxLiveRefusesByName) {
  const auto pool = pool_with({.max_live = 2});
  auto all = sandboxes(pool, 2);
  const auto third = try_sandbox(pool, module_);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, ErrorKind::kExhausted);
  EXPECT_NE(std::string(third.error().what).find("max_live"), std::string::npos);
  EXPECT_STREQ(third.error().detail, "2");
  EXPECT_EQ(pool->statistics().exhausted, 1u);
  all.pop_back();
  use_once(pool, module_);
}

TEST_F(PoolLimits, MaxLiveDropsAnIdleWorkerForOneThatIsNeeded) {
  const auto pool = pool_with({.max_live = 2});
  use_once(pool, module_, "alice");
  use_once(pool, module_, "bob");
  use_once(pool, module_, "carol");
  EXPECT_EQ(pool->statistics().live, 2u);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kMadePlace), 1u);
  const uint64_t spawned = pool->statistics().spawned;
  use_once(pool, module_, "bob");
  EXPECT_EQ(pool->statistics().spawned, spawned) << "alice's had waited longest";
}

TEST_F(PoolLimits, MaxUsesEndsAWorker) {
  const auto pool = pool_with({.max_uses = 3});
  const UniqueFd pidfd = [&] {
    const auto sandbox = sandbox_of(pool, module_);
    return pidfd_of(process_of(*sandbox));
  }();
  for (int i = 0; i < 2; ++i) use_once(pool, module_);
  EXPECT_TRUE(has_ended(pidfd.get()));
  EXPECT_EQ(pool->statistics().spawned, 1u);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kUses), 1u);
  use_once(pool, module_);
  EXPECT_EQ(pool->statistics().spawned, 2u);
}

TEST_F(PoolLimits, MaxAgeEndsAWorkerInUse) {
  const auto pool = pool_with({.max_age = nanoseconds(1)});
  use_once(pool, module_);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kAge), 1u);
  EXPECT_EQ(pool->statistics().live, 0u);
}

TEST_F(PoolLimits, MaxAgeEndsAWorkerThatWaits) {
  const auto pool = pool_with({.max_age = milliseconds(200)});
  use_once(pool, module_);
  ASSERT_EQ(pool->statistics().idle, 1u);
  std::this_thread::sleep_for(milliseconds(250));
  use_once(pool, module_);
  EXPECT_EQ(pool->statistics().spawned, 2u);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kAge), 1u);
  std::this_thread::sleep_for(milliseconds(250));
  pool->trim();
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kAge), 2u);
}

TEST_F(PoolLimits, MaxIdleTimeIsSeenByEveryCall) {
  const auto wait_for_expiry = [] { std::this_thread::sleep_for(milliseconds(60)); };
  const auto pool = pool_with({.max_idle_time = milliseconds(50)});
  auto held = sandbox_of(pool, module_, "alice");
  use_once(pool, module_, "bob");
  wait_for_expiry();
  pool->trim();
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kIdleTime), 1u);
  use_once(pool, module_, "bob");
  wait_for_expiry();
  const auto carols = sandbox_of(pool, module_, "carol");  // acquire()
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kIdleTime), 2u);
  use_once(pool, module_, "bob");
  wait_for_expiry();
  held.reset();  // give_back()
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kIdleTime), 3u);
}

TEST_F(PoolLimits, ZeroMeansNoLimitOfTime) {
  const auto pool = pool_with({.max_idle_time = nanoseconds(0)});
  const pid_t process = use_once(pool, module_);
  std::this_thread::sleep_for(milliseconds(20));
  pool->trim();
  EXPECT_EQ(use_once(pool, module_), process);
}

TEST_F(PoolLimits, MinIdleIsForkedAhead) {
  const auto pool = pool_with({.reuse = WorkerReuse::kNever, .min_idle = 2});
  EXPECT_EQ(pool->statistics().spare, 2u);
  EXPECT_EQ(pool->statistics().spawned, 2u);
  {
    const auto sandbox = sandbox_of(pool, module_, "alice");
    EXPECT_EQ(*run_main(*sandbox, 1), 2u);
    EXPECT_EQ(pool->statistics().spawned, 2u) << "acquire() forks nothing when there is a spare one";
    EXPECT_EQ(pool->statistics().reused_spare, 1u);
  }
  EXPECT_EQ(pool->statistics().spare, 2u);
  EXPECT_EQ(pool->statistics().spawned, 3u);
}

TEST_F(PoolLimits, SpareWorkersDoNotDropForWaiting) {
  const auto pool = pool_with({.max_idle = 2, .min_idle = 2, .max_idle_time = milliseconds(5)});
  std::this_thread::sleep_for(milliseconds(10));
  use_once(pool, module_);
  pool->trim();
  EXPECT_EQ(pool->statistics().spare, 2u);
  EXPECT_EQ(pool->statistics().dropped_for(DropReason::kIdleTime), 0u);
}

TEST_F(PoolLimits, SpareWorkersAreReplacedWhenTheyDie) {
  const auto pool = pool_with({.min_idle = 1});
  const std::set<pid_t> below = descendants_of(::getpid());
  for (const pid_t process : below) {
    if (below.count(parent_of(process)) != 0) kill_and_wait(pidfd_of(process).get());
  }
  pool->trim();
  EXPECT_EQ(pool->statistics().deaths(), 1u);
  EXPECT_EQ(pool->statistics().spare, 1u);
  use_once(pool, module_);
}

TEST_F(PoolLimits, ClearDropsEverythingThatIsNotInUse) {
  const auto pool = pool_with({.min_idle = 2});
  auto held = sandbox_of(pool, module_, "alice");
  use_once(pool, module_, "bob");
  pool->clear();
  EXPECT_EQ(pool->statistics().idle, 0u);
  EXPECT_EQ(pool->statistics().live, 1u);
  EXPECT_EQ(*run_main(*held, 1), 2u);
}

}  // namespace
}  // namespace sandglass
