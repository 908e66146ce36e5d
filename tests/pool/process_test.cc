// The pool and processes: what it leaves behind, what a forked child may do, what the death of the host does.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <random>

#include "tests/linux/child.h"
#include "tests/pool/helpers.h"

namespace sandglass {
namespace {

class PoolProcess : public ::testing::Test {
 protected:
  std::shared_ptr<const Module> module_ = linux_module();
};

// A child fails by its exit status; the sentence says why.
void require(bool condition, const char* sentence) {
  if (condition) return;
  std::fprintf(stderr, "in a child: %s\n", sentence);
  ::_exit(1);
}
bool has_succeeded(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0; }

// Workers: the templates' children.
std::set<pid_t> grandchildren() {
  std::set<pid_t> found;
  const std::set<pid_t> below = descendants_of(::getpid());
  for (const pid_t process : below) {
    if (below.count(parent_of(process)) != 0) found.insert(process);
  }
  return found;
}

// Leaks. ----------------------------------------------------------------------------------------------------

TEST_F(PoolProcess, LeavesNothingBehind) {
  for (const auto profile : {JailProfile::kShared, JailProfile::kPerTenant, JailProfile::kPrivate}) {
    SCOPED_TRACE(name_of(profile));
    use_once(pool_with({}), module_);  // its image is the module's
    const LeakCheck leaks;
    const auto pool = pool_with({.profile = profile, .max_idle = 3});
    for (int round = 0; round < 20; ++round) {
      std::vector<std::unique_ptr<Sandbox>> sandboxes;
      for (const char* tenant : {"a", "b", "a", "c"}) sandboxes.push_back(sandbox_of(pool, module_, tenant));
      if (round % 5 == 0) ::kill(process_of(*sandboxes[1]), SIGKILL);
    }
  }
}

TEST_F(PoolProcess, LeavesNothingBehindWhenItCannotForkAWorker) {
  use_once(pool_with({}), module_);
  const LeakCheck leaks;
  const auto pool = pool_with({});
  std::vector<UniqueFd> hoard;
  rlimit limit = {}, low = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  // Fails at each step in turn, for want of a descriptor.
  for (rlim_t spare = 0; spare < 8; ++spare) {
    low = {.rlim_cur = open_descriptors() - 1 + spare, .rlim_max = limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const auto sandbox = try_sandbox(pool, module_);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (!sandbox) {
      EXPECT_NE(std::string(sandbox.error().what), "");
    }
    pool->clear();
  }
  EXPECT_GT(pool->statistics().failed_spawns, 0u);
  use_once(pool, module_);
}

TEST_F(PoolProcess, SurvivesAThousandCyclesWithRandomKills) {
  use_once(pool_with({}), module_);
  const LeakCheck leaks;
  const auto pool = pool_with({.max_idle = 4});
  std::atomic<bool> is_over = false;
  std::atomic<int> kills = 0;
  std::thread killer([&] {
    std::mt19937 random(7);
    while (!is_over) {
      // A worker, or one time in sixteen its template.
      const std::set<pid_t> workers = grandchildren();
      if (!workers.empty()) {
        auto victim = workers.begin();
        std::advance(victim, random() % workers.size());
        const pid_t process = random() % 16 == 0 ? parent_of(*victim) : *victim;
        if (process > 1 && process != ::getpid() && ::kill(process, SIGKILL) == 0) ++kills;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    }
  });
  std::mt19937 random(11);
  const auto other = linux_module("pub @main:\n a0 = a0 + 1\n a0 = a0 + 0\n ret");
  int good = 0, died = 0;
  std::chrono::nanoseconds longest{0};
  std::unique_ptr<Sandbox> held;
  for (int i = 0; i < 1000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    Result<std::unique_ptr<Sandbox>> sandbox = try_sandbox(pool, random() % 2 == 0 ? module_ : other);
    const Result<uint64_t> sum = sandbox ? run_main(**sandbox, 1) : Result<uint64_t>(sandbox.error());
    longest = std::max<std::chrono::nanoseconds>(longest, std::chrono::steady_clock::now() - begin);
    if (sum) {
      EXPECT_EQ(*sum, 2u);
    }
    if (!sum) {
      EXPECT_EQ(sum.error().kind, ErrorKind::kWorkerDied) << to_string(sum.error());
    }
    ++(sum ? good : died);
    if (sandbox && random() % 2 == 0) held = std::move(*sandbox);
    // So that workers are also killed while nobody uses them.
    if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
  }
  is_over = true;
  killer.join();
  std::printf("%d good, %d died, %d kills, longest %.3f ms, %zu jails lost\n", good, died, kills.load(),
              static_cast<double>(longest.count()) / 1e6, static_cast<size_t>(pool->statistics().jails_lost));
  EXPECT_GT(good, 500);
  EXPECT_GT(pool->statistics().deaths(), 0u);
  EXPECT_LT(longest, std::chrono::seconds(5)) << "nothing may wait for a time limit";
  held.reset();
  use_once(pool, module_);
}

TEST_F(PoolProcess, ExitsWithSandboxesAndPoolsAlive) {
  Child child([&] {
    const auto pool = pool_with({.min_idle = 2});
    const auto sandbox = sandbox_of(pool, module_);
    const auto of_default = Sandbox::create(module_).value();
    std::exit(0);
  });
  const std::set<pid_t> below = descendants_of(child.pid());
  EXPECT_TRUE(has_succeeded(child.wait()));
  for (const pid_t process : below) {
    EXPECT_TRUE(becomes_true([&] { return parent_of(process) == 0; }));
  }
}

// Forked children. ------------------------------------------------------------------------------------------

TEST_F(PoolProcess, ForkedChildMayNotUseItsParents) {
  const auto pool = pool_with({.min_idle = 1});
  const auto sandbox = sandbox_of(pool, module_, "alice");
  const UniqueFd pidfd = pidfd_of(process_of(*sandbox));
  Child child([&] {
    const auto refused = pool->acquire({});
    require(!refused && refused.error().kind == ErrorKind::kInvalidArgument, "acquire() is not refused");
    pool->trim();
    pool->clear();
    require(pool->statistics().live == 0, "the child has workers");
    const_cast<std::shared_ptr<WorkerPool>&>(pool).reset();
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
  EXPECT_EQ(pool->statistics().live, 1u) << "the spare one is in use";
  EXPECT_FALSE(has_ended(pidfd.get(), 0));
  EXPECT_EQ(*run_main(*sandbox, 1), 2u);
  use_once(pool, module_);
}

TEST_F(PoolProcess, DestroyingAPoolInAForkedChildKillsNobody) {
  auto pool = pool_with({});
  const pid_t process = use_once(pool, module_);
  Child child([&] {
    pool.reset();
    require(pool == nullptr, "it is gone");
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
  EXPECT_EQ(use_once(pool, module_), process);
}

TEST_F(PoolProcess, ForkedChildHasADefaultPoolOfItsOwn) {
  const auto mine = default_worker_source().value();
  EXPECT_EQ(default_worker_source().value(), mine);
  EXPECT_EQ(*run_main(*Sandbox::create(module_).value(), 1), 2u);
  Child child([&] {
    const auto its = default_worker_source();
    require(its && *its != mine, "the default pool is the parent's");
    auto sandbox = Sandbox::create(module_);
    require(sandbox.has_value(), "no sandbox in a child");
    require(parent_of(parent_of(process_of(**sandbox))) == ::getpid(), "its jail is not its own");
    const Result<uint64_t> sum = run_main(**sandbox, 1);
    require(sum && *sum == 2, "wrong sum");
  });
  EXPECT_TRUE(has_succeeded(child.wait()));
  EXPECT_EQ(*run_main(*Sandbox::create(module_).value(), 1), 2u);
}

TEST_F(PoolProcess, ForksWhileThreadsUseTheDefaultPool) {
  // The child's own: the lock of a module that a thread was using when the process forked is never released.
  const auto childs = linux_module();
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!is_over) EXPECT_EQ(*run_main(*Sandbox::create(module_).value(), 1), 2u);
    });
  }
  for (int i = 0; i < 20; ++i) {
    Child child([&] {
      const auto sandbox = Sandbox::create(childs);
      require(sandbox.has_value(), "no sandbox in a child");
      require(run_main(**sandbox, 1).has_value(), "it does not run");
    });
    EXPECT_TRUE(has_succeeded(child.wait()));
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
}

// The death of the host. ------------------------------------------------------------------------------------

// Kills a host and tells how many milliseconds later the last of its processes was gone.
double milliseconds_to_die(const Child& host, size_t expected_processes) {
  std::vector<pollfd> pidfds;
  std::vector<UniqueFd> owned;
  EXPECT_TRUE(becomes_true([&] { return descendants_of(host.pid()).size() == expected_processes; }));
  for (const pid_t process : descendants_of(host.pid())) {
    owned.push_back(pidfd_of(process));
    EXPECT_TRUE(owned.back());
    pidfds.push_back({.fd = owned.back().get(), .events = POLLIN, .revents = 0});
  }
  EXPECT_EQ(pidfds.size(), expected_processes);
  const auto begin = std::chrono::steady_clock::now();
  host.kill();
  for (pollfd& pidfd : pidfds) EXPECT_EQ(::poll(&pidfd, 1, 5'000), 1) << "a process outlives its host";
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count();
}

struct Host {
  std::shared_ptr<const Module> module, endless;
  // Idle workers, workers of sandboxes and one that runs an endless guest; then tells that it is ready.
  [[noreturn]] void live(int ready, const JailProfile profile) const {
    const auto pool = pool_with({.profile = profile, .min_idle = 2});
    const auto waiting = sandbox_of(pool, module);
    const auto busy = Sandbox::create(endless, {.gas = INT64_MAX, .workers = pool}).value();
    busy->set_next_program_counter(0);
    require(::write(ready, "x", 1) == 1, "nobody listens");
    (void)busy->run();
    ::_exit(1);
  }
};

TEST_F(PoolProcess, NothingOutlivesAKilledHost) {
  const Host host{module_, linux_module(kEndless)};
  for (const auto profile : {JailProfile::kShared, JailProfile::kPrivate}) {
    // Two sandboxes have taken the spare workers; nothing was given back that would fork others.
    const size_t processes = profile == JailProfile::kShared ? 3 : 4;
    std::vector<double> times;
    for (int round = 0; round < 10; ++round) {
      int ends[2];
      ASSERT_EQ(::pipe(ends), 0);
      const UniqueFd reader(ends[0]);
      UniqueFd writer(ends[1]);
      const Child child([&] { host.live(writer.get(), profile); });
      writer = UniqueFd();  // so that a child that fails is not waited for
      char byte;
      ASSERT_EQ(::read(reader.get(), &byte, 1), 1);
      times.push_back(milliseconds_to_die(child, processes));
    }
    std::sort(times.begin(), times.end());
    std::printf("%s: host killed, all gone after %.2f ms (median), %.2f ms (longest)\n",
                std::string(name_of(profile)).c_str(), times[times.size() / 2], times.back());
    EXPECT_LT(times.back(), 2'000);
  }
}

// A child of the host inherits every descriptor; it must not keep the jail alive.
TEST_F(PoolProcess, AForkedChildDoesNotKeepTheWorkersOfAKilledHost) {
  const Host host{module_, linux_module(kEndless)};
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  pid_t grandchild = 0;
  {
    const Child child([&] {
      const auto pool = pool_with({.min_idle = 2});
      const auto sandbox = sandbox_of(pool, module_);
      const pid_t process = ::fork();
      while (process == 0) ::pause();
      require(::write(writer.get(), &process, sizeof process) == sizeof process, "nobody listens");
      for (;;) ::pause();
    });
    writer = UniqueFd();
    ASSERT_EQ(::read(reader.get(), &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
    const UniqueFd grandchild_pidfd = pidfd_of(grandchild);
    std::vector<UniqueFd> jailed;
    for (const pid_t process : descendants_of(child.pid())) {
      if (process != grandchild) jailed.push_back(pidfd_of(process));
    }
    EXPECT_EQ(jailed.size(), 3u);
    child.kill();
    for (const UniqueFd& pidfd : jailed) EXPECT_TRUE(has_ended(pidfd.get(), 2'000));
    EXPECT_FALSE(has_ended(grandchild_pidfd.get(), 0)) << "the grandchild should have lived until here";
    ::kill(grandchild, SIGKILL);
  }
}

}  // namespace
}  // namespace sandglass
