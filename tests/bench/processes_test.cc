// What benchmarks do to the machine: the processes they start end, and what is pinned is given back.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <thread>

#include "bench/affinity.h"
#include "bench/child.h"
#include "bench/cpu_hogs.h"
#include "bench/text_file.h"
#include "sandbox/base/units.h"

namespace sandglass::bench {
namespace {

bool is_alive(int pid) { return kill(pid, 0) == 0; }

cpu_set_t affinity() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  return set;
}

bool are_equal(const cpu_set_t& a, const cpu_set_t& b) { return CPU_EQUAL(&a, &b) != 0; }

int did_it_in_child(void*) { return kChildDidIt; }
int failed_in_child(void*) { return 1; }
int sleep_in_child(void*) {
  for (;;) pause();
}
int store_in_child(void* word) {
  *static_cast<volatile int*>(word) = 77;
  return kChildDidIt;
}

TEST(ChildTest, TellsWhetherTheFunctionDidIt) {
  EXPECT_TRUE(Child::fork(did_it_in_child, nullptr).value().reap_and_check());
  EXPECT_FALSE(Child::fork(failed_in_child, nullptr).value().reap_and_check());
}

TEST(ChildTest, SharesMemoryOnlyWhenAsked) {
  const Mapping stack = Mapping::anonymous(KiB(64)).value();
  int word = 0;
  EXPECT_TRUE(Child::fork(store_in_child, &word).value().reap_and_check());
  EXPECT_EQ(word, 0);
  EXPECT_TRUE(Child::start(kSharedMemory, store_in_child, &word, stack).value().reap_and_check());
  EXPECT_EQ(word, 77);
}

TEST(ChildTest, HasAPidfdWhenAsked) {
  Child child = Child::start(CLONE_PIDFD, sleep_in_child, nullptr, Mapping()).value();
  EXPECT_GE(child.pidfd(), 0);
  kill(child.pid(), SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(child.reap()));
}

TEST(ChildTest, IsKilledAndReapedWithItsOwner) {
  int pid = 0;
  {
    const Child child = Child::fork(sleep_in_child, nullptr).value();
    pid = child.pid();
    EXPECT_TRUE(is_alive(pid));
  }
  EXPECT_FALSE(is_alive(pid));
}

TEST(ChildTest, CallsAMissingRightUnsupported) {
  EXPECT_EQ(os_or_unsupported("x", EPERM).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(os_or_unsupported("x", ENOSYS).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(os_or_unsupported("x", ENOMEM).kind, ErrorKind::kOs);
}

// User and system time, in ticks.
long ticks_of(int pid) {
  const std::string stat = read_text_file(("/proc/" + std::to_string(pid) + "/stat").c_str());
  long user = 0, system = 0;
  const int found = std::sscanf(stat.c_str() + stat.rfind(')') + 1,
                                " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system);
  EXPECT_EQ(found, 2) << stat;
  return user + system;
}

TEST(CpuHogsTest, UseTheCpuAndEnd) {
  std::vector<int> pids;
  {
    const CpuHogs hogs = CpuHogs::start(2).value();
    for (const Child& hog : hogs.processes()) pids.push_back(hog.pid());
    ASSERT_EQ(pids.size(), 2u);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (ticks_of(pids[0]) < 2 || ticks_of(pids[1]) < 2) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  for (const int pid : pids) EXPECT_FALSE(is_alive(pid));
}

TEST(ScopedPinTest, PinsThisThreadAndGivesItsAffinityBack) {
  const cpu_set_t before = affinity();
  {
    const int core = same_core().caller;
    const ScopedPin pin = ScopedPin::to(core).value();
    const cpu_set_t pinned = affinity();
    EXPECT_EQ(CPU_COUNT(&pinned), 1);
    EXPECT_TRUE(CPU_ISSET(core, &pinned));
  }
  EXPECT_TRUE(are_equal(affinity(), before));
}

TEST(ScopedPinTest, RefusesACoreThatIsNotThere) {
  const cpu_set_t before = affinity();
  EXPECT_FALSE(ScopedPin::to(CPU_SETSIZE - 1));
  EXPECT_TRUE(are_equal(affinity(), before));
}

TEST(CoresTest, AreTwoOnlyWhereTheThreadMayUseTwo) {
  const ScopedPin pin = ScopedPin::to(same_core().caller).value();
  const Result<Cores> cores = two_cores();
  ASSERT_FALSE(cores);
  EXPECT_EQ(cores.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace sandglass::bench
