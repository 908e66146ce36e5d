// The rows of the attack list about system calls: every way into the kernel, everything that makes or reaches
// processes. The intruder makes them from inside a worker.
#include <asm/unistd.h>
#include <errno.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>

#include "sandbox/abi/seccomp_policy.h"
#include "tests/attack/field.h"

namespace sandglass::attack {
namespace {

using Calls = AttackTest;
using CallsWithoutSeccomp = AttackWithoutSeccompTest;

constexpr uint64_t kAny = worker_space::kGuestMemory + kOrdersAddress + 0x7000;  // writable
constexpr uint64_t kX32Bit = 0x4000'0000;

// The ways into the kernel. ---------------------------------------------------------------------------------

TEST_F(Calls, Row01CallsOf32BitProgramsAreKilled) {
  constexpr uint64_t kExecve = 11, kRead = 3, kExit = 1, kOldMmap = 90, kMmap2 = 192, kFutex = 240;
  for (const uint64_t number : {kExecve, kRead, kExit, kOldMmap, kMmap2, kFutex, uint64_t{15}}) {
    expect_killed({.number = number, .entry = Entry::kInt80}, AUDIT_ARCH_I386);
  }
}

TEST_F(Calls, Row02SysenterIsKilled) {
  Intrusion intrusion =
      intrude(intrude_with_calls, orders_of({Call{.number = 11, .entry = Entry::kSysenter}}));
  (void)intrusion.run();
  const std::optional<Violation> violation = intrusion.worker().violation();
  const Error error = error_of(intrusion);
  if (error.kind == ErrorKind::kProtocolViolation) GTEST_SKIP() << "no sysenter on this processor";
  EXPECT_EQ(error.kind, ErrorKind::kViolation) << to_string(error);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->number, 11);
  EXPECT_EQ(violation->architecture, static_cast<uint32_t>(AUDIT_ARCH_I386));
}

// There is nothing to jump to in 32-bit mode, unless a worker that was taken over keeps an image.
TEST_F(Calls, Row02FarJumpTo32BitCodeFindsNone) {
  Orders orders;
  orders.argument = Intrusion::low_address(intruder_int80_32);
  Intrusion intrusion = intrude(intrude_through_far_jump, orders);
  expect_kind(intrusion, ErrorKind::kWorkerDied);
}

TEST_F(Calls, Row02FarJumpTo32BitCodeIsKilledAtItsFirstCall) {
  for (const char* code : {intruder_int80_32, intruder_sysenter_32}) {
    Orders orders;
    orders.argument = Intrusion::low_address(code);
    Intrusion intrusion = intrude(intrude_through_far_jump, orders);
    intrusion.map_low();
    (void)intrusion.run();
    const std::optional<Violation> violation = intrusion.worker().violation();
    expect_kind(intrusion, ErrorKind::kViolation);
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->number, 20);
    EXPECT_EQ(violation->architecture, static_cast<uint32_t>(AUDIT_ARCH_I386));
    if (code == intruder_int80_32) {
      EXPECT_EQ(violation->instruction_pointer, Intrusion::low_address(intruder_int80_32_end));
    }
  }
}

TEST_F(Calls, Row03NumbersOfX32AreKilled) {
  for (const SyscallRule& rule : kJailPolicy) {
    expect_killed({.number = static_cast<uint64_t>(rule.number) | kX32Bit});
  }
}

TEST_F(Calls, Row04NumbersBeyondTheTableAreKilled) {
  for (const uint64_t number : {0xffff'ffffull, 0x7fff'ffffull, 1000ull, 100'000ull, 0x8000'0000ull}) {
    expect_killed({.number = number});
  }
}

TEST_F(Calls, Row05VsyscallsGiveNoTime) {
  for (const uint64_t address : {0xffffffffff600000, 0xffffffffff600400, 0xffffffffff600800}) {
    Intrusion intrusion =
        intrude(intrude_with_calls, orders_of({Call{.number = address, .entry = Entry::kVsyscall}}));
    (void)intrusion.run();
    EXPECT_EQ(intrusion.orders().calls[0].result, 0);
    const Error error = error_of(intrusion);
    EXPECT_TRUE(error.kind == ErrorKind::kViolation || error.kind == ErrorKind::kWorkerDied)
        << to_string(error);
  }
}

// With arguments as the row wants them, and zeroes elsewhere.
Call call_of(const SyscallRule& rule) {
  Call call = {.number = static_cast<uint64_t>(rule.number)};
  for (const ArgumentCheck& check : rule.checks) {
    if (check.mask != 0) call.arguments[check.index] = check.value;
  }
  return call;
}

TEST_F(Calls, Row06DirtyUpperHalvesAreKilled) {
  for (const SyscallRule& rule : kJailPolicy) {
    SCOPED_TRACE(rule.name);
    for (const ArgumentCheck& check : rule.checks) {
      if (check.mask == 0) continue;
      for (const uint64_t bit : {uint64_t{1} << 32, uint64_t{1} << 63}) {
        Call dirty = call_of(rule);
        dirty.arguments[check.index] |= bit;
        const int number = rule.number;
        const bool is_second_filters =
            number == __NR_clone3 || number == __NR_seccomp || number == __NR_userfaultfd;
        is_second_filters ? expect_killed_silently(dirty) : expect_killed(dirty);
      }
    }
  }
}

TEST_F(Calls, Row08NoFurtherFilters) {
  for (const uint64_t flags :
       {0ul, SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_TSYNC_ESRCH}) {
    expect_killed_silently({.number = __NR_seccomp, .arguments = {SECCOMP_SET_MODE_FILTER, flags, kAny}});
  }
  expect_killed_silently({.number = __NR_seccomp, .arguments = {SECCOMP_SET_MODE_STRICT}});
  expect_killed({.number = __NR_prctl, .arguments = {PR_SET_SECCOMP, SECCOMP_MODE_FILTER, kAny}});
  expect_killed({.number = __NR_prctl, .arguments = {PR_SET_SECCOMP, SECCOMP_MODE_STRICT}});
}

// rt_sigreturn. ---------------------------------------------------------------------------------------------

constexpr uint64_t kCode64 = 0x33, kCode32 = 0x23;

Orders sigreturn(uint64_t ip, uint64_t stack, uint64_t code_segment, uint64_t fpstate = 0) {
  Orders orders;
  orders.forged_registers[0] = ip;
  orders.forged_registers[1] = stack;
  orders.forged_registers[2] = code_segment;
  orders.forged_registers[3] = fpstate;
  return orders;
}

TEST_F(Calls, Row09SigreturnInto32BitCodeIsKilledAtItsFirstCall) {
  Intrusion intrusion = intrude(intrude_with_sigreturn,
                                sigreturn(Intrusion::low_address(intruder_int80_32), kLowStack, kCode32));
  intrusion.map_low();
  (void)intrusion.run();
  const std::optional<Violation> violation = intrusion.worker().violation();
  expect_kind(intrusion, ErrorKind::kViolation);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->number, 20);
  EXPECT_EQ(violation->architecture, static_cast<uint32_t>(AUDIT_ARCH_I386));
  EXPECT_EQ(violation->instruction_pointer, Intrusion::low_address(intruder_int80_32_end));
}

TEST_F(Calls, Row10BadSignalFramesEndTheWorker) {
  const Orders frames[] = {
      sigreturn(0x8000'0000'0000'0000, worker_space::kJumpTable - 64, kCode64),  // not canonical
      sigreturn(0xffff'ffff'8000'0000, worker_space::kJumpTable - 64, kCode64),  // the kernel's
      sigreturn(0x1000, worker_space::kJumpTable - 64, 0x10),                    // the kernel's segment
      sigreturn(0x1000, worker_space::kJumpTable - 64, kCode64, kAny),           // zeroes as the FPU's state
      sigreturn(0x1000, worker_space::kJumpTable - 64, kCode64, kAny + 1),
      sigreturn(0x1000, worker_space::kJumpTable - 64, kCode64, ~uint64_t{0} << 63),
      sigreturn(0x1000, 0x8000'0000'0000'0000, kCode64),  // the stack is not canonical either
  };
  for (const Orders& orders : frames) {
    Intrusion intrusion = intrude(intrude_with_sigreturn, orders);
    expect_kind(intrusion, ErrorKind::kWorkerDied);
  }
}

TEST_F(Calls, Row11SegmentsAndPortsAreKilled) {
  constexpr uint64_t kSetGs = 0x1001, kSetFs = 0x1002, kGetFs = 0x1003, kGetGs = 0x1004, kSetCpuid = 0x1012;
  constexpr uint64_t kGetXcompPerm = 0x1022, kReqXcompPerm = 0x1023, kShadowStack = 0x5001;
  for (const uint64_t code :
       {kSetGs, kSetFs, kGetFs, kGetGs, kSetCpuid, kGetXcompPerm, kReqXcompPerm, kShadowStack}) {
    expect_killed({.number = __NR_arch_prctl, .arguments = {code, kAny}});
  }
  for (const uint64_t function : {0, 1, 2, 0x11})
    expect_killed({.number = __NR_modify_ldt, .arguments = {function, kAny, 16}});
  expect_killed({.number = __NR_iopl, .arguments = {3}});
  expect_killed({.number = __NR_ioperm, .arguments = {0, 65536, 1}});
}

TEST_F(Calls, Row12SyscallUserDispatchIsKilled) {
  constexpr uint64_t kSetSyscallUserDispatch = 59;
  for (const uint64_t mode : {0, 1, 2})
    expect_killed({.number = __NR_prctl, .arguments = {kSetSyscallUserDispatch, mode, 0, 0, kAny}});
}

// Processes. ------------------------------------------------------------------------------------------------

TEST_F(Calls, Row28NewProcessesAreKilled) {
  expect_killed({.number = __NR_fork});
  expect_killed({.number = __NR_vfork});
  for (const uint64_t flags :
       {0ul, 17ul, uint64_t{CLONE_VM | CLONE_VFORK}, uint64_t{CLONE_THREAD | CLONE_SIGHAND | CLONE_VM},
        uint64_t{CLONE_NEWUSER}, uint64_t{CLONE_PARENT}, ~0ul}) {
    expect_killed({.number = __NR_clone, .arguments = {flags}});
  }
  expect_killed_silently({.number = __NR_clone3, .arguments = {kAny, 88}});
  expect_killed_silently({.number = __NR_clone3});
}

TEST_F(CallsWithoutSeccomp, Row29ForkBombHasNoFuse) {
  Orders orders;
  while (orders.call_count < 30) orders.calls[orders.call_count++] = {.number = __NR_fork};
  Intrusion intrusion = intrude(intrude_with_calls, orders);
  const Result<Interrupt> stop = intrusion.run();
  ASSERT_TRUE(stop) << to_string(stop.error());
  const Orders left = intrusion.orders();
  for (uint64_t i = 0; i < left.call_count; ++i) EXPECT_EQ(left.calls[i].result, -EAGAIN);
}

TEST_F(Calls, Row30ProgramsAreKilled) {
  expect_killed({.number = __NR_execve, .arguments = {kAny}});
  constexpr uint64_t kEmptyPath = 0x1000;
  for (const int64_t fd : {0, 1, 3, -100}) {
    expect_killed(
        {.number = __NR_execveat, .arguments = {static_cast<uint64_t>(fd), kAny, 0, 0, kEmptyPath}});
  }
}

TEST_F(Calls, Row31ReachingIntoOthersIsKilled) {
  const auto host = static_cast<uint64_t>(::getpid());
  for (const uint64_t process : {uint64_t{1}, uint64_t{2}, host}) {
    for (const uint64_t request : {uint64_t{PTRACE_ATTACH}, uint64_t{PTRACE_SEIZE}})
      expect_killed({.number = __NR_ptrace, .arguments = {request, process}});
    expect_killed({.number = __NR_process_vm_readv, .arguments = {process, kAny, 1, kAny, 1}});
    expect_killed({.number = __NR_process_vm_writev, .arguments = {process, kAny, 1, kAny, 1}});
  }
  expect_killed({.number = __NR_ptrace, .arguments = {PTRACE_TRACEME}});
}

TEST_F(CallsWithoutSeccomp, Row31ReachingIntoOthersIsRefused) {
  // An area of eight bytes, with itself as the content.
  Orders orders;
  const auto area = worker_space::kGuestMemory + kOrdersAddress + offsetof(Orders, forged_registers);
  orders.forged_registers[0] = area + 64;
  orders.forged_registers[1] = 8;
  const auto host = static_cast<uint64_t>(::getpid());
  // The jail's own processes: the template is 1, workers follow.
  const uint64_t processes[] = {1, 2, 3, host};
  for (const uint64_t process : processes) {
    for (const Call& call :
         {Call{.number = __NR_ptrace, .arguments = {PTRACE_ATTACH, process}},
          Call{.number = __NR_ptrace, .arguments = {PTRACE_SEIZE, process}},
          Call{.number = __NR_process_vm_readv, .arguments = {process, area, 1, area, 1}},
          Call{.number = __NR_process_vm_writev, .arguments = {process, area, 1, area, 1}}})
      orders.calls[orders.call_count++] = call;
  }
  Intrusion intrusion = intrude(intrude_with_calls, orders);
  const Result<Interrupt> stop = intrusion.run();
  ASSERT_TRUE(stop) << to_string(stop.error());
  const Orders left = intrusion.orders();
  for (uint64_t i = 0; i < left.call_count; ++i) {
    const int64_t result = left.calls[i].result;
    EXPECT_TRUE(result == -EPERM || result == -ESRCH)
        << "call " << left.calls[i].number << " on process " << left.calls[i].arguments[1] << ": " << result;
  }
}

TEST_F(Calls, Row32SignalsToOthersAreKilled) {
  const auto host = static_cast<uint64_t>(::getpid());
  for (const uint64_t process : {~uint64_t{0}, uint64_t{0}, uint64_t{1}, uint64_t{2}, host}) {
    expect_killed({.number = __NR_kill, .arguments = {process, SIGKILL}});
    expect_killed({.number = __NR_tkill, .arguments = {process, SIGKILL}});
    expect_killed({.number = __NR_tgkill, .arguments = {process, process, SIGKILL}});
    expect_killed({.number = __NR_rt_sigqueueinfo, .arguments = {process, SIGKILL, kAny}});
    expect_killed({.number = __NR_rt_tgsigqueueinfo, .arguments = {process, process, SIGKILL, kAny}});
  }
  for (const uint64_t fd : {0, 1, 3})
    expect_killed({.number = __NR_pidfd_send_signal, .arguments = {fd, SIGKILL}});
}

// Landlock keeps signals inside of its domain, but the workers of one jail share it: see the test's last
// line for what is left when the filters are gone.
TEST_F(CallsWithoutSeccomp, Row32SignalsReachNobodyOutsideOfTheJail) {
  const auto host = static_cast<uint64_t>(::getpid());
  const std::vector<int64_t> results =
      results_of({{.number = __NR_kill, .arguments = {host, 0}},
                  {.number = __NR_kill, .arguments = {static_cast<uint64_t>(::getppid()), 0}},
                  {.number = __NR_kill, .arguments = {1, SIGKILL}}});
  EXPECT_LT(results[0], 0);
  EXPECT_LT(results[1], 0);
  expect_unharmed();
}

TEST_F(Calls, Row33SessionsAndProcessFlagsAreKilled) {
  expect_killed({.number = __NR_setsid});
  expect_killed({.number = __NR_setpgid, .arguments = {0, 0}});
  expect_killed({.number = __NR_prctl, .arguments = {PR_SET_PDEATHSIG, 0}});
  expect_killed({.number = __NR_prctl, .arguments = {PR_SET_DUMPABLE, 1}});
  expect_killed({.number = __NR_prctl, .arguments = {PR_SET_CHILD_SUBREAPER, 1}});
}

TEST_F(Calls, Row34BlockingSignalsIsKilled) {
  expect_killed({.number = __NR_rt_sigprocmask, .arguments = {0, kAny, 0, 8}});
  expect_killed({.number = __NR_rt_sigaction, .arguments = {SIGSEGV, kAny, 0, 8}});
  expect_killed({.number = __NR_sigaltstack, .arguments = {kAny}});
}

// A frame of a signal can still block them all.
TEST_F(Calls, Row34WorkerThatBlocksEverySignalIsKilled) {
  Intrusion intrusion = intrude(intrude_with_moves, orders_of({Move{.then = Then::kBlockHang}}));
  const uint64_t begin_ns = monotonic_ns();
  const Result<Interrupt> stop = intrusion.sandbox().run({.deadline = std::chrono::milliseconds(50)});
  EXPECT_LT(monotonic_ns() - begin_ns, 3'000'000'000u);
  ASSERT_FALSE(stop);
  EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied) << to_string(stop.error());
}

// Every number. ---------------------------------------------------------------------------------------------

bool is_allowed(const Call& call) {
  for (const SyscallRule& rule : kJailPolicy) {
    bool holds = static_cast<uint64_t>(rule.number) == call.number;
    for (const ArgumentCheck& check : rule.checks) {
      holds = holds && (call.arguments[check.index] & check.mask) == check.value;
    }
    if (holds) return true;
  }
  return false;
}

enum class Fate { kReturns, kKilled, kKilledSilently, kEnds };

Fate fate_of(const Call& call) {
  switch (call.number) {
    case __NR_clone3:
    case __NR_seccomp:
    case __NR_userfaultfd: return Fate::kKilledSilently;
    case __NR_exit_group:
    case __NR_rt_sigreturn:  // there is no frame
    case 335:                // no filter sees uretprobe and uprobe: an error, or SIGILL
    case 336: return Fate::kEnds;
    default: return is_allowed(call) ? Fate::kReturns : Fate::kKilled;
  }
}

class EveryCall : public AttackTest, public ::testing::WithParamInterface<const char*> {
 protected:
  static Call call_of(uint64_t number, std::string_view arguments) {
    Call call = {.number = number};
    uint64_t random = number * 0x9e37'79b9'7f4a'7c15 + 1;
    for (uint64_t& argument : call.arguments) {
      random = random * 6364136223846793005 + 1442695040888963407;
      argument = arguments == "zeroes" ? 0 : arguments == "ones" ? ~uint64_t{0} : random | 1;
    }
    return call;
  }

  void expect_returns(Orders& batch) {
    if (batch.call_count == 0) return;
    Intrusion intrusion = intrude(intrude_with_calls, batch);
    const Result<Interrupt> stop = intrusion.run();
    EXPECT_TRUE(stop) << to_string(stop.error()) << ", at call " << intrusion.orders().calls_begun;
    batch = Orders();
  }
};

TEST_P(EveryCall, Row07IsKilledUnlessItIsListed) {
  Orders returning;
  for (uint64_t number = 0; number <= 480; ++number) {
    const Call call = call_of(number, GetParam());
    switch (fate_of(call)) {
      case Fate::kReturns: returning.calls[returning.call_count++] = call; break;
      case Fate::kKilled: expect_killed(call); break;
      case Fate::kKilledSilently: expect_killed_silently(call); break;
      case Fate::kEnds: {
        Intrusion intrusion = intrude(intrude_with_calls, orders_of({call}));
        const Result<Interrupt> stop = intrusion.run();
        const bool is_error = stop && intrusion.orders().calls[0].result < 0;
        EXPECT_TRUE(!stop || is_error) << number;
        if (!stop) {
          EXPECT_NE(stop.error().kind, ErrorKind::kViolation) << number;
        }
        break;
      }
    }
    if (HasFatalFailure()) FAIL() << "number " << number;
  }
  expect_returns(returning);
}

INSTANTIATE_TEST_SUITE_P(Arguments, EveryCall, ::testing::Values("zeroes", "ones", "random"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace sandglass::attack
