// Who gets whose worker, under each policy.
#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

class PoolReuse : public ::testing::Test {
 protected:
  std::shared_ptr<const Module> module_ = linux_module();
  std::shared_ptr<const Module> other_ = linux_module("pub @main:\n a0 = a0 + 1\n a0 = a0 + 0\n ret");
};

struct Policy {
  WorkerReuse reuse;
  // Whether a worker that ran module 1 of alice goes to …
  bool same_module, other_module, other_tenant, other_tenant_and_module;
};
constexpr Policy kPolicies[] = {
    {WorkerReuse::kNever, false, false, false, false},
    {WorkerReuse::kSameModule, true, false, false, false},
    {WorkerReuse::kSameTenant, true, true, false, false},
    {WorkerReuse::kAny, true, true, true, true},
};

TEST_F(PoolReuse, FollowsThePolicy) {
  for (const Policy& policy : kPolicies) {
    SCOPED_TRACE(name_of(policy.reuse));
    const auto goes_to = [&](const std::shared_ptr<const Module>& module, const char* tenant) {
      const auto pool = pool_with({.reuse = policy.reuse});
      // A process id cannot come back as long as its pidfd is open.
      auto first = sandbox_of(pool, module_, "alice");
      const UniqueFd pidfd = pidfd_of(process_of(*first));
      const pid_t process = process_of(*first);
      EXPECT_EQ(*run_main(*first, 1), 2u);
      first.reset();
      const bool is_same = use_once(pool, module, tenant) == process;
      const WorkerPoolStatistics statistics = pool->statistics();
      EXPECT_EQ(statistics.reused, is_same ? 1u : 0u);
      EXPECT_EQ(statistics.reused_loaded, is_same && module == module_ ? 1u : 0u);
      EXPECT_EQ(statistics.spawned, is_same ? 1u : 2u);
      return is_same;
    };
    EXPECT_EQ(goes_to(module_, "alice"), policy.same_module);
    EXPECT_EQ(goes_to(other_, "alice"), policy.other_module);
    EXPECT_EQ(goes_to(module_, "bob"), policy.other_tenant);
    EXPECT_EQ(goes_to(other_, "bob"), policy.other_tenant_and_module);
  }
}

TEST_F(PoolReuse, IsOfTheSameTenantByDefault) {
  EXPECT_EQ(WorkerPoolOptions{}.reuse, WorkerReuse::kSameTenant);
  const auto pool = pool_with({});
  const pid_t process = use_once(pool, module_);
  EXPECT_EQ(use_once(pool, other_), process) << "nobody's workers are nobody's";
  EXPECT_NE(use_once(pool, module_, "alice"), process);
}

// Under `any`, a worker belongs to whom it served last.
TEST_F(PoolReuse, RemembersTheLastTenant) {
  const auto pool = pool_with({.reuse = WorkerReuse::kAny});
  const pid_t process = use_once(pool, module_, "alice");
  ASSERT_EQ(use_once(pool, module_, "bob"), process);
  auto held = sandbox_of(pool, module_, "carol");
  ASSERT_EQ(process_of(*held), process);
  const pid_t alices = use_once(pool, module_, "alice");
  held.reset();
  EXPECT_EQ(use_once(pool, module_, "alice"), alices);
  EXPECT_EQ(use_once(pool, module_, "carol"), process);
}

TEST_F(PoolReuse, PrefersTheWorkerThatHasTheModule) {
  const auto pool = pool_with({});
  auto first = sandbox_of(pool, module_);
  auto second = sandbox_of(pool, other_);
  const pid_t loaded = process_of(*first), unsuited = process_of(*second);
  first.reset();
  second.reset();
  EXPECT_EQ(use_once(pool, module_), loaded);
  EXPECT_EQ(use_once(pool, other_), unsuited);
  EXPECT_EQ(use_once(pool, module_), loaded);
  EXPECT_EQ(pool->statistics().reused_loaded, 3u);
}

TEST_F(PoolReuse, PrefersAFreshWorkerToAStrangers) {
  const auto pool = pool_with({.reuse = WorkerReuse::kAny, .min_idle = 1});
  const pid_t alices = use_once(pool, module_, "alice");
  EXPECT_NE(use_once(pool, other_, "bob"), alices);
  EXPECT_EQ(use_once(pool, module_, "carol"), alices) << "but its module is worth more";
}

TEST_F(PoolReuse, KeepsDynamicPagingApart) {
  const auto dynamic = linux_module(kLinuxGuest, {.dynamic_paging = true});
  const auto pool = pool_with({.reuse = WorkerReuse::kAny, .min_idle = 1});
  auto first = try_sandbox(pool, dynamic);
  if (!first && first.error().kind == ErrorKind::kUnsupported) GTEST_SKIP() << to_string(first.error());
  ASSERT_TRUE(first) << to_string(first.error());
  const pid_t process = process_of(**first);
  first->reset();
  EXPECT_NE(use_once(pool, module_), process);
  EXPECT_EQ(process_of(*sandbox_of(pool, dynamic)), process);
}

// What PolkaVM lets the next tenant read: everything that a guest or its host can write.
TEST_F(PoolReuse, LeavesNothingOfTheLastGuest) {
  constexpr std::string_view kText =
      "%rw_data_size = 8192\n%stack_size = 8192\npub @main:\n a0 = sbrk a0\n ret";
  const ModuleOptions options = {.aux_bytes = 8192};
  const auto module = linux_module(kText, options);
  const auto same_layout = linux_module(std::string(kText) + "\n fallthrough\n ret", options);
  for (const auto& next : {module, same_layout}) {
    const auto pool = pool_with({.reuse = WorkerReuse::kAny});
    auto secretive = sandbox_of(pool, module, "alice");
    const pid_t process = process_of(*secretive);
    const MemoryMap& map = module->memory_map();
    const uint32_t heap = static_cast<uint32_t>(map.rw_data().end);
    ASSERT_TRUE(secretive->sbrk(8192));
    const std::vector<uint8_t> secret(4096, 0x5a);
    const uint32_t places[] = {static_cast<uint32_t>(map.rw_data().begin), heap,
                               static_cast<uint32_t>(map.stack().begin),
                               static_cast<uint32_t>(map.aux().begin)};
    for (const uint32_t place : places) ASSERT_TRUE(secretive->write(place, secret)) << std::hex << place;
    secretive.reset();
    const auto curious = sandbox_of(pool, next, "bob");
    ASSERT_EQ(process_of(*curious), process);
    ASSERT_TRUE(curious->sbrk(8192));
    for (const uint32_t place : places) {
      EXPECT_EQ(read_bytes(*curious, place, 4096), std::vector<uint8_t>(4096, 0)) << std::hex << place;
    }
  }
}

}  // namespace
}  // namespace sandglass
