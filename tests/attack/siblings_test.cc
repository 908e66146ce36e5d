// Rows 31, 32 and 39 of the attack list, aimed at the other workers of the intruder's own jail: same
// namespaces, same user, same filters, and numbers that are easily guessed.
#include <asm/unistd.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/ptrace.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include "sandbox/program/assembler.h"
#include "tests/attack/field.h"

namespace sandglass::attack {
namespace {

// Where the intruder has room for what a call points to: an area of eight bytes, whose content is itself.
constexpr uint64_t kArea = worker_space::kGuestMemory + kOrdersAddress + offsetof(Orders, forged_registers);

Orders orders_with_area() {
  Orders orders;
  orders.forged_registers[0] = kArea + 64;
  orders.forged_registers[1] = 8;
  return orders;
}

// What the jail calls it.
uint64_t number_in_jail(const Sandbox& sandbox) {
  const pid_t process = static_cast<const LinuxSandbox&>(sandbox).worker().process_id();
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("NSpid:")) return std::stoul(line.substr(line.find_last_of(" \t") + 1));
  }
  ADD_FAILURE() << "no number in the jail";
  return 0;
}

template <typename Fixture>
class WithSibling : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    module_ = Module::create(Program::from_parts(assemble("pub @main:\n a0 = a0 + 1\n ret").value()).value(),
                             {.backend = Backend::kLinux})
                  .value();
    victim_ = Sandbox::create(module_, {.workers = this->pool_}).value();
    number_ = number_in_jail(*victim_);
    ASSERT_GT(number_, 1u);
    expect_victim_works();
  }
  void TearDown() override {
    if (victim_ != nullptr) {
      expect_victim_works();
      end_worker(*victim_);
    }
    victim_.reset();
    module_.reset();  // its image is a descriptor
    Fixture::TearDown();
  }

  Result<uint64_t> run_victim() {
    SG_TRY(victim_->prepare_call("main", {41}));
    const Interrupt stop = SG_TRY(victim_->run({.deadline = std::chrono::seconds(5)}));
    EXPECT_EQ(stop.kind, InterruptKind::kFinished);
    return victim_->reg(Reg::a0);
  }
  void expect_victim_works() {
    const Result<uint64_t> sum = run_victim();
    ASSERT_TRUE(sum) << to_string(sum.error());
    EXPECT_EQ(*sum, 42u);
  }

  std::shared_ptr<const Module> module_;
  std::unique_ptr<Sandbox> victim_;
  uint64_t number_ = 0;
};

using Siblings = WithSibling<AttackTest>;
using SiblingsWithoutSeccomp = WithSibling<AttackWithoutSeccompTest>;

TEST_F(Siblings, Row31ReachingIntoThemIsKilled) {
  for (const uint64_t request : {uint64_t{PTRACE_ATTACH}, uint64_t{PTRACE_SEIZE}})
    expect_killed({.number = __NR_ptrace, .arguments = {request, number_}});
  for (const uint64_t call : {__NR_process_vm_readv, __NR_process_vm_writev})
    expect_killed({.number = call, .arguments = {number_, kArea, 1, kArea, 1}});
  expect_killed({.number = __NR_pidfd_open, .arguments = {number_}});
  expect_killed({.number = __NR_kcmp, .arguments = {number_, number_, KCMP_FILE}});
  expect_killed({.number = __NR_get_robust_list, .arguments = {number_, kArea, kArea + 8}});
  expect_killed({.number = __NR_move_pages, .arguments = {number_, 1, kArea, kArea, kArea}});
  expect_killed({.number = __NR_migrate_pages, .arguments = {number_, 8, kArea, kArea}});
  expect_killed({.number = __NR_perf_event_open, .arguments = {kArea, number_, ~uint64_t{0}, ~uint64_t{0}}});
}

TEST_F(Siblings, Row32SignalsToThemAreKilled) {
  for (const uint64_t signal : {0, SIGKILL, SIGSTOP, SIGUSR1}) {
    expect_killed({.number = __NR_kill, .arguments = {number_, signal}});
    expect_killed({.number = __NR_tkill, .arguments = {number_, signal}});
    expect_killed({.number = __NR_tgkill, .arguments = {number_, number_, signal}});
    expect_killed({.number = __NR_rt_sigqueueinfo, .arguments = {number_, signal, kArea}});
    expect_killed({.number = __NR_rt_tgsigqueueinfo, .arguments = {number_, number_, signal, kArea}});
  }
}

TEST_F(Siblings, Row39TheirLimitsAndCoresAreKilled) {
  expect_killed({.number = __NR_prlimit64, .arguments = {number_, 0, kArea}});
  expect_killed({.number = __NR_sched_setaffinity, .arguments = {number_, 8, kArea}});
  expect_killed({.number = __NR_sched_setscheduler, .arguments = {number_, 0, kArea}});
  expect_killed({.number = __NR_setpriority, .arguments = {0, number_, 19}});
  expect_killed({.number = __NR_ioprio_set, .arguments = {1, number_, 0}});
}

// The words that a worker sleeps on are in files of its own, so nobody else's wake-ups reach it: the
// intruder's calls are allowed and wake nobody.
TEST_F(Siblings, Row75NobodyElseIsWoken) {
  const auto& page = static_cast<const LinuxSandbox&>(*victim_).worker().shared();
  for (int tries = 0; tries < 5000 && __atomic_load_n(&page.worker_sleeps, __ATOMIC_SEQ_CST) == 0; ++tries)
    ::usleep(1000);
  ASSERT_NE(__atomic_load_n(&page.worker_sleeps, __ATOMIC_SEQ_CST), 0u);
  const uint64_t places[] = {worker_space::kHostPage + offsetof(HostPage, sequence), worker_space::kCode,
                             worker_space::kJumpTable, kArea};
  for (const uint64_t place : places) {
    const std::vector<int64_t> woken =
        results_of({{.number = __NR_futex, .arguments = {place, FUTEX_WAKE, INT_MAX}}});
    EXPECT_EQ(woken, std::vector<int64_t>{0}) << std::hex << place;
  }
}

// With the filters gone: they are not dumpable, and the intruder has no capability.
TEST_F(SiblingsWithoutSeccomp, Row31ReachingIntoThemIsRefused) {
  Orders orders = orders_with_area();
  for (const Call& call :
       {Call{.number = __NR_ptrace, .arguments = {PTRACE_ATTACH, number_}},
        Call{.number = __NR_ptrace, .arguments = {PTRACE_SEIZE, number_}},
        Call{.number = __NR_process_vm_readv, .arguments = {number_, kArea, 1, kArea, 1}},
        Call{.number = __NR_process_vm_writev, .arguments = {number_, kArea, 1, kArea, 1}},
        Call{.number = __NR_kcmp, .arguments = {number_, number_, KCMP_FILE}},
        Call{.number = __NR_get_robust_list, .arguments = {number_, kArea + 64, kArea + 72}},
        Call{.number = __NR_move_pages, .arguments = {number_, 1, kArea, 0, kArea + 64}},
        Call{.number = __NR_move_pages, .arguments = {number_, 1, kArea, kArea, kArea + 64, 2}}}) {
    orders.calls[orders.call_count++] = call;
  }
  Intrusion intrusion = intrude(intrude_with_calls, orders);
  const Result<Interrupt> stop = intrusion.run();
  ASSERT_TRUE(stop) << to_string(stop.error());
  const Orders left = intrusion.orders();
  for (uint64_t i = 0; i < left.call_count; ++i) {
    EXPECT_EQ(left.calls[i].result, -EPERM) << "call " << left.calls[i].number;
  }
}

// A pidfd is no more than the number: no descriptor comes out of it.
TEST_F(SiblingsWithoutSeccomp, Row31TheirDescriptorsAreRefused) {
  Intrusion intrusion =
      intrude(intrude_with_calls, orders_of({Call{.number = __NR_pidfd_open, .arguments = {number_}}}));
  ASSERT_TRUE(intrusion.run());
  const int64_t pidfd = intrusion.orders().calls[0].result;
  ASSERT_GE(pidfd, 0) << "the sibling is not where it was looked for";
  Orders orders = orders_with_area();
  for (uint64_t fd = 0; fd < 8; ++fd)
    orders.calls[orders.call_count++] = {.number = __NR_pidfd_getfd,
                                         .arguments = {static_cast<uint64_t>(pidfd), fd}};
  intrusion.give(orders);
  ASSERT_TRUE(intrusion.sandbox().prepare_call("main"));
  intrusion.sandbox().set_reg(Reg::a5, Intrusion::entry_of(intrude_with_calls));
  ASSERT_TRUE(intrusion.run());
  const Orders left = intrusion.orders();
  for (uint64_t i = 0; i < left.call_count; ++i) EXPECT_EQ(left.calls[i].result, -EPERM) << i;
}

TEST_F(SiblingsWithoutSeccomp, Row18TheirFilesAreNowhere) {
  for (const char* name : {"mem", "fd/2", "maps", "status"}) {
    Orders orders;
    const std::string path = "/proc/" + std::to_string(number_) + "/" + name;
    std::memcpy(orders.forged_registers, path.c_str(), path.size() + 1);
    orders.calls[orders.call_count++] = {.number = __NR_open, .arguments = {kArea, 2}};
    orders.calls[orders.call_count++] = {.number = __NR_open, .arguments = {kArea, 0}};
    Intrusion intrusion = intrude(intrude_with_calls, orders);
    ASSERT_TRUE(intrusion.run());
    for (const int i : {0, 1}) EXPECT_EQ(intrusion.orders().calls[i].result, -ENOENT) << path;
  }
}

// Landlock keeps signals inside of its domain, which is the jail's, so here nothing but the filters keeps
// siblings apart. What is left is that the host says who died, and that nobody else does.
TEST_F(SiblingsWithoutSeccomp, Row32SignalsToThemAreADeathAndNoMore) {
  const std::vector<int64_t> results = results_of({{.number = __NR_kill, .arguments = {number_, 0}},
                                                   {.number = __NR_kill, .arguments = {number_, SIGKILL}}});
  const bool is_reached = results[1] == 0;
  RecordProperty("reached", is_reached);
  EXPECT_EQ(results[0], results[1]);
  if (!is_reached) {
    EXPECT_EQ(results[1], -EPERM);
    return;
  }
  const Result<uint64_t> sum = run_victim();
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().kind, ErrorKind::kWorkerDied) << to_string(sum.error());
  victim_.reset();
  expect_unharmed();
}

}  // namespace
}  // namespace sandglass::attack
