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

struct Layout {
  uint32_t ro_bytes, rw_bytes, data_bytes;  // of both regions, data_bytes are not zero
  uint32_t stack_bytes, aux_bytes;
  uint32_t jump_targets;
  MemoryStrategy memory = MemoryStrategy::kLazy;
};
// Whatever differs between two modules grows and shrinks; 512 slots are a page of the jump table.
constexpr Layout kLayouts[] = {
    {.rw_bytes = 16384, .stack_bytes = 4096, .jump_targets = 1},
    {.ro_bytes = 9000,
     .rw_bytes = 5000,
     .data_bytes = 4500,
     .stack_bytes = 65536,
     .aux_bytes = 4096,
     .jump_targets = 300},
    {.ro_bytes = 100, .rw_bytes = 100, .data_bytes = 100, .jump_targets = 5000},
    {.rw_bytes = 300'000, .data_bytes = 300'000, .stack_bytes = 4096, .jump_targets = 10},
    {.ro_bytes = 70'000,
     .rw_bytes = 200'000,
     .data_bytes = 70'000,
     .stack_bytes = 8192,
     .aux_bytes = 70'000,
     .jump_targets = 1100},
    {.rw_bytes = 60'000,
     .data_bytes = 50'000,
     .aux_bytes = 8192,
     .jump_targets = 600,
     .memory = MemoryStrategy::kEager},
    {.ro_bytes = 4096,
     .rw_bytes = 20'000,
     .data_bytes = 9000,
     .stack_bytes = 4096,
     .jump_targets = 2,
     .memory = MemoryStrategy::kImage},
};

std::shared_ptr<const Module> module_of(const Layout& layout, uint8_t seed) {
  ProgramParts parts =
      assemble("pub @main:\n jump [a0]\n@target:\n a0 = 77\n ret\n s0 = @target\n trap").value();
  parts.jump_table.resize(layout.jump_targets, parts.jump_table.at(0));
  parts.ro_data_bytes = layout.ro_bytes;
  parts.rw_data_bytes = layout.rw_bytes;
  parts.stack_bytes = layout.stack_bytes;
  std::vector<uint8_t> data(layout.data_bytes);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7 + i / 4096 + seed) | 1;
  parts.ro_data.assign(data.begin(), data.begin() + std::min(layout.ro_bytes, layout.data_bytes));
  parts.rw_data.assign(data.begin(), data.begin() + std::min(layout.rw_bytes, layout.data_bytes));
  return Module::create(Program::from_parts(std::move(parts)).value(),
                        {.backend = Backend::kLinux, .memory = layout.memory, .aux_bytes = layout.aux_bytes})
      .value();
}

void expect_content(const Sandbox& sandbox, const GuestRange& range, std::span<const uint8_t> data) {
  std::vector<uint8_t> expected(data.begin(), data.end());
  expected.resize(range.size());
  EXPECT_EQ(read_bytes(sandbox, static_cast<uint32_t>(range.begin), range.size()) == expected, true)
      << std::hex << range.begin;
}

void expect_jump(Sandbox& sandbox, uint64_t address, bool is_target) {
  ASSERT_TRUE(sandbox.prepare_call("main", {address}));
  const Result<Interrupt> stop = sandbox.run();
  ASSERT_TRUE(stop) << to_string(stop.error());
  EXPECT_EQ(stop->kind, is_target ? InterruptKind::kFinished : InterruptKind::kTrap) << address;
  if (is_target) {
    EXPECT_EQ(sandbox.reg(Reg::a0), 77u);
  } else {
    EXPECT_EQ(stop->trap, TrapKind::kInvalidDynamicJump) << address;
  }
}

// Everything as the module has it; then everything that can be written to is.
void check_and_soil(Sandbox& sandbox, const Layout& layout) {
  const ProgramParts& parts = sandbox.module().program().parts();
  const MemoryMap& map = sandbox.module().memory_map();
  expect_content(sandbox, map.ro_data(), parts.ro_data);
  expect_content(sandbox, map.rw_data(), parts.rw_data);
  expect_content(sandbox, map.stack(), {});
  expect_content(sandbox, map.aux(), {});
  const uint64_t last = uint64_t{2} * layout.jump_targets;
  expect_jump(sandbox, 2, true);
  expect_jump(sandbox, last, true);
  for (const uint32_t targets : {1u, 2u, 10u, 300u, 600u, 1100u, 1200u, 5000u}) {
    if (targets > layout.jump_targets) expect_jump(sandbox, uint64_t{2} * targets, false);
  }
  expect_jump(sandbox, last + 2, false);
  for (const GuestRange& range : {map.rw_data(), map.stack(), map.aux()}) {
    const std::vector<uint8_t> secret(range.size(), 0xee);
    ASSERT_TRUE(sandbox.write(static_cast<uint32_t>(range.begin), secret));
  }
}

TEST_F(PoolReuse, EveryModuleFindsWhatItHasAndNothingElse) {
  std::vector<std::shared_ptr<const Module>> modules;
  for (const Layout& layout : kLayouts)
    modules.push_back(module_of(layout, static_cast<uint8_t>(16 * modules.size())));
  const auto pool = pool_with({.reuse = WorkerReuse::kAny, .max_idle = 1});
  // After each module comes each other one, and the same.
  for (size_t first = 0; first < modules.size(); ++first) {
    for (size_t second = 0; second < modules.size(); ++second) {
      for (const size_t index : {first, second}) {
        SCOPED_TRACE(std::to_string(first) + " " + std::to_string(second) + " " + std::to_string(index));
        const auto sandbox = sandbox_of(pool, modules[index]);
        check_and_soil(*sandbox, kLayouts[index]);
        if (HasFailure()) return;
      }
    }
  }
  // A tracked module and the others do not share a worker.
  EXPECT_GE(pool->statistics().reused, 2 * modules.size() * (modules.size() - 2));
}

// Without the filter, a worker that was taken over can take one page of its file away and make another one:
// then there are as many as before, and the number says nothing.
TEST_F(PoolReuse, APageInTheStoredOnesPlaceIsFoundWithoutAFilter) {
  constexpr uint64_t kStored = 0x20000, kElsewhere = 0x5000'0000;
  const auto pool = pool_with({.jail = {.without_seccomp = true}});
  const auto sandbox = sandbox_of(pool, module_);
  ASSERT_EQ(*run_main(*sandbox, 1), 2u);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sandbox->reset_memory());
  const Worker& worker = worker_of(*sandbox);
  ASSERT_TRUE(discard_guest_file(worker.memory_file(), {kStored, kStored + kMinPageBytes}));
  worker.memory()[kElsewhere] = 1;
  ASSERT_TRUE(sandbox->reset_memory());
  EXPECT_EQ(worker.memory()[kElsewhere], 0);
}

}  // namespace
}  // namespace sandglass
