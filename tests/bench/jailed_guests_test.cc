// Where benchmarks of the Linux backend put host and worker, and that nothing of it stays.
#include "bench/jailed_guests.h"

#include <gtest/gtest.h>

#include "bench/child.h"
#include "bench/guests.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

std::shared_ptr<const Module> module_that_returns() {
  const auto program = load("pub @main:\n    ret\n").value();
  return Module::create(program, {.backend = Backend::kLinux}).value();
}

cpu_set_t affinity_of(int pid) {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(pid, sizeof set, &set), 0);
  return set;
}

bool are_equal(const cpu_set_t& a, const cpu_set_t& b) { return CPU_EQUAL(&a, &b) != 0; }

cpu_set_t only(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return set;
}

class JailedGuestsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!need(Backend::kLinux)) GTEST_SKIP() << "this machine lets nobody make a jail";
  }

  // The test's own, before anything is pinned.
  const cpu_set_t before_ = affinity_of(0);
};

// The first test here: what a pinned thread leaves behind in a process shows in whatever it did first.
TEST_F(JailedGuestsTest, AreFreeEvenWhenAPinnedThreadHadTheFirstWorker) {
  const auto module = module_that_returns();
  {
    const auto pinned = JailedGuests::create(kSameCore, {.max_idle = 0}).value();
    EXPECT_TRUE(pinned->sandbox(module));
  }
  constexpr Seating kUnmoved = {"unmoved", Seating::Cores::kAny, WaitPolicy::Mode::kSpin};
  const auto guests = JailedGuests::create(kUnmoved, {.max_idle = 0}).value();
  const auto sandbox = guests->sandbox(module).value();
  EXPECT_TRUE(are_equal(affinity_of(worker_of(*sandbox).process_id()), before_));
}

TEST_F(JailedGuestsTest, SitWhereTheSeatingWantsThem) {
  const auto module = module_that_returns();
  for (const Seating& seating : kSeatings) {
    SCOPED_TRACE(seating.name);
    const Result<Cores> two = two_cores();
    if (seating.cores == Seating::Cores::kTwo && !two) continue;
    const auto guests = JailedGuests::create(seating, {.max_idle = 0}).value();
    const auto sandbox = guests->sandbox(module).value();
    const cpu_set_t caller = affinity_of(0), worker = affinity_of(worker_of(*sandbox).process_id());
    switch (seating.cores) {
      case Seating::Cores::kAny:
        EXPECT_TRUE(are_equal(caller, before_));
        EXPECT_EQ(CPU_COUNT(&worker), 1);  // near the caller, until it has earned another seat
        break;
      case Seating::Cores::kSame:
        EXPECT_EQ(CPU_COUNT(&caller), 1);
        EXPECT_TRUE(are_equal(worker, caller));
        break;
      case Seating::Cores::kTwo:
        EXPECT_TRUE(are_equal(caller, only(two->caller)));
        EXPECT_TRUE(are_equal(worker, only(two->peer)));
        break;
    }
    EXPECT_TRUE(call(*sandbox, module->program().find_export("main").value()));
  }
}

TEST_F(JailedGuestsTest, LeaveTheThreadAsItWas) {
  { const auto guests = JailedGuests::create(kSameCore, {.max_idle = 0}).value(); }
  EXPECT_TRUE(are_equal(affinity_of(0), before_));
  { const auto jail = SeatedJail::create(kSameCore).value(); }
  EXPECT_TRUE(are_equal(affinity_of(0), before_));
}

TEST_F(JailedGuestsTest, WaitAsTheSeatingWants) {
  const auto module = module_that_returns();
  for (const Seating& seating : {kAnywhere, kSameCore}) {
    const auto guests = JailedGuests::create(seating, {.max_idle = 0}).value();
    const auto sandbox = guests->sandbox(module).value();
    const bool never_looks = worker_of(*sandbox).host().looks == 0;
    EXPECT_EQ(never_looks, seating.mode == WaitPolicy::Mode::kSameCore) << seating.name;
  }
}

TEST_F(JailedGuestsTest, HaveNewWorkersUnlessSomeAreKept) {
  const auto module = module_that_returns();
  for (const size_t max_idle : {size_t{0}, size_t{1}}) {
    const auto guests = JailedGuests::create(kAnywhere, {.max_idle = max_idle}).value();
    const pid_t first = worker_of(*guests->sandbox(module).value()).process_id();
    const pid_t second = worker_of(*guests->sandbox(module).value()).process_id();
    EXPECT_EQ(first == second, max_idle == 1);
  }
}

TEST(UnsupportedTest, IsWhatTheKernelRefuses) {
  const Error refused{.kind = ErrorKind::kOs, .os_errno = EPERM, .what = "enter a user namespace"};
  EXPECT_EQ(unsupported_if_refused(refused).kind, ErrorKind::kUnsupported);
  const Error failed{.kind = ErrorKind::kOs, .os_errno = EIO, .what = "enter a user namespace"};
  EXPECT_EQ(unsupported_if_refused(failed).kind, ErrorKind::kOs);
  const Error hostile{.kind = ErrorKind::kProtocolViolation, .os_errno = EPERM, .what = "x"};
  EXPECT_EQ(unsupported_if_refused(hostile).kind, ErrorKind::kProtocolViolation);
}

}  // namespace
}  // namespace sandglass::bench
