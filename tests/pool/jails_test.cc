// Who shares a jail, and what happens when somebody ends one.
#include <csignal>

#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

using std::chrono::milliseconds;

class PoolJails : public ::testing::Test {
 protected:
  pid_t jail_of(const Sandbox& sandbox) { return parent_of(process_of(sandbox)); }
  std::shared_ptr<const Module> module_ = linux_module();
};

TEST_F(PoolJails, SharedIsOneForAll) {
  const auto pool = pool_with({});
  EXPECT_EQ(pool->statistics().jails, 1u) << "create() launches it";
  const auto alices = sandbox_of(pool, module_, "alice"), bobs = sandbox_of(pool, module_, "bob");
  EXPECT_NE(jail_of(*alices), 0);
  EXPECT_EQ(jail_of(*alices), jail_of(*bobs));
  EXPECT_EQ(pool->statistics().jails_made, 1u);
}

TEST_F(PoolJails, PerTenantIsOneForEachTenant) {
  const auto pool = pool_with({.profile = JailProfile::kPerTenant});
  EXPECT_EQ(pool->statistics().jails, 0u);
  const auto first = sandbox_of(pool, module_, "alice"), second = sandbox_of(pool, module_, "alice");
  const auto bobs = sandbox_of(pool, module_, "bob");
  EXPECT_EQ(jail_of(*first), jail_of(*second));
  EXPECT_NE(jail_of(*first), jail_of(*bobs));
  EXPECT_EQ(pool->statistics().jails, 2u);
}

TEST_F(PoolJails, PerTenantStaysForItsTenantUntilTrim) {
  const auto pool = pool_with({.profile = JailProfile::kPerTenant, .max_idle = 0});
  auto sandbox = sandbox_of(pool, module_, "alice");
  const pid_t jail = jail_of(*sandbox);
  const UniqueFd pidfd = pidfd_of(jail);
  sandbox.reset();
  EXPECT_EQ(pool->statistics().live, 0u);
  EXPECT_EQ(pool->statistics().jails, 1u);
  sandbox = sandbox_of(pool, module_, "alice");
  EXPECT_EQ(jail_of(*sandbox), jail);
  pool->trim();
  EXPECT_EQ(pool->statistics().jails, 1u) << "it has a worker";
  sandbox.reset();
  pool->trim();
  EXPECT_EQ(pool->statistics().jails, 0u);
  EXPECT_TRUE(has_ended(pidfd.get()));
}

TEST_F(PoolJails, PerTenantGoesAfterTheIdleTime) {
  const auto pool =
      pool_with({.profile = JailProfile::kPerTenant, .max_idle = 0, .max_idle_time = milliseconds(20)});
  use_once(pool, module_, "alice");
  std::this_thread::sleep_for(milliseconds(30));
  use_once(pool, module_, "bob");
  EXPECT_EQ(pool->statistics().jails, 1u);
  EXPECT_EQ(pool->statistics().jails_made, 2u);
}

TEST_F(PoolJails, PerTenantKeepsFewWithoutWorkers) {
  const auto pool = pool_with({.profile = JailProfile::kPerTenant, .max_idle = 0, .max_idle_jails = 2});
  for (const char* tenant : {"a", "b", "c", "d"}) use_once(pool, module_, tenant);
  EXPECT_EQ(pool->statistics().jails, 2u);
  use_once(pool, module_, "d");
  use_once(pool, module_, "c");
  EXPECT_EQ(pool->statistics().jails_made, 4u) << "the last two are kept";
  use_once(pool, module_, "a");
  EXPECT_EQ(pool->statistics().jails_made, 5u);
}

TEST_F(PoolJails, PrivateIsOneForEachWorker) {
  const auto pool = pool_with({.profile = JailProfile::kPrivate, .max_idle = 1});
  auto first = sandbox_of(pool, module_), second = sandbox_of(pool, module_);
  EXPECT_NE(jail_of(*first), jail_of(*second));
  const UniqueFd pidfd = pidfd_of(jail_of(*first));
  const pid_t process = process_of(*second);
  first.reset();
  second.reset();
  EXPECT_TRUE(has_ended(pidfd.get())) << "it ends with its worker";
  EXPECT_EQ(pool->statistics().jails, 1u);
  EXPECT_EQ(use_once(pool, module_), process);
}

TEST_F(PoolJails, PrivateOnesCanBeLaunchedAhead) {
  const auto pool = pool_with({.profile = JailProfile::kPrivate, .min_idle = 2});
  EXPECT_EQ(pool->statistics().jails, 2u);
  use_once(pool, module_);
  EXPECT_EQ(pool->statistics().reused_spare, 1u);
}

TEST_F(PoolJails, LostOneIsReplaced) {
  for (const auto profile : {JailProfile::kShared, JailProfile::kPerTenant, JailProfile::kPrivate}) {
    SCOPED_TRACE(name_of(profile));
    const auto pool = pool_with({.profile = profile});
    auto held = sandbox_of(pool, module_);
    auto idle = sandbox_of(pool, module_);
    const pid_t jail = jail_of(*held);
    const UniqueFd pidfd = pidfd_of(jail);
    idle.reset();
    const UniqueFd helds = pidfd_of(process_of(*held));
    ::kill(jail, SIGKILL);
    // The template ends after all of its workers. It is our child, so its end shows before it is reaped.
    ASSERT_TRUE(has_ended(pidfd.get()));
    ASSERT_TRUE(has_ended(helds.get()));
    const Result<uint64_t> result = run_main(*held, 1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kWorkerDied);
    const auto next = sandbox_of(pool, module_);
    EXPECT_EQ(*run_main(*next, 1), 2u);
    EXPECT_NE(jail_of(*next), jail);
    held.reset();
    EXPECT_TRUE(becomes_true([&] { return parent_of(jail) == 0; })) << "what is left of it";
    EXPECT_EQ(pool->statistics().jails_lost, profile == JailProfile::kPrivate ? 0u : 1u);
    use_once(pool, module_);
  }
}

TEST_F(PoolJails, LostOneIsReplacedForManyThreads) {
  const auto pool = pool_with({});
  for (int round = 0; round < 10; ++round) {
    kill_and_wait(pidfd_of(jail_of(*sandbox_of(pool, module_))).get());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { use_once(pool, module_); });
    for (std::thread& thread : threads) thread.join();
  }
  pool->trim();
  EXPECT_EQ(pool->statistics().jails, 1u);
  EXPECT_EQ(pool->statistics().jails_lost, 10u);
}

// A template that is stopped answers too late; its answer must not be taken for that of another request.
TEST_F(PoolJails, OneThatDoesNotAnswerIsReplaced) {
  const auto pool = pool_with({});
  auto held = sandbox_of(pool, module_);
  const pid_t jail = jail_of(*held);
  ASSERT_TRUE(stop_process(jail));
  const auto next = sandbox_of(pool, module_);
  EXPECT_NE(jail_of(*next), jail);
  EXPECT_EQ(*run_main(*next, 1), 2u);
  EXPECT_EQ(*run_main(*held, 1), 2u) << "its worker has not been stopped";
  EXPECT_EQ(pool->statistics().jails_lost, 1u);
  held.reset();
  pool->clear();
  EXPECT_TRUE(becomes_true([&] { return parent_of(jail) == 0; }));
}

}  // namespace
}  // namespace sandglass
