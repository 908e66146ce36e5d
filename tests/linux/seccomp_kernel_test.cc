// The filters in the kernel: real children that install them as the jail does, make calls by hand, and are
// watched through the listener. Each case runs as whoever runs the tests, and as an ordinary user when that
// is root.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <vector>

#include "sandbox/abi/seccomp_policy.h"
#include "sandbox/backend/linux/seccomp_filter.h"
#include "tests/linux/filtered_child.h"

namespace sandglass {
namespace {

constexpr uint64_t kNoFd = ~uint64_t{0};
constexpr uint64_t kReadWrite = PROT_READ | PROT_WRITE;
constexpr uint64_t kReadExec = PROT_READ | PROT_EXEC;
constexpr uint64_t kShared = MAP_SHARED | MAP_FIXED;
constexpr uint64_t kPrivate = MAP_PRIVATE | MAP_FIXED;
constexpr uint64_t kZeroes = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
constexpr uint64_t kUserfault = O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY;
constexpr int64_t kX32Bit = 0x4000'0000;

struct Call {
  const char* what;
  int64_t number;
  uint64_t arguments[6];
  int64_t expected = -kNotifiedErrno;
};

RawAnswer perform_in_child(const Call& call) {
  const uint64_t* of = call.arguments;
  return raw_call(call.number, of[0], of[1], of[2], of[3], of[4], of[5]);
}

uint64_t address_of(const void* object) { return reinterpret_cast<uint64_t>(object); }

class SeccompKernel : public ::testing::TestWithParam<ChildUser> {
 protected:
  ChildOutcome run(const std::function<int(ChildReport&)>& body) {
    return run_filtered_child(GetParam(), image_, body);
  }

  // One child that installs filter 1, and filter 2 when asked to, and makes these calls.
  ChildOutcome run_calls(std::span<const Call> calls, bool with_second_filter = false) {
    return run([&](ChildReport& report) {
      install_in_child(filter_);
      if (with_second_filter && install_second_in_child(kWorkerFilter).value != 0) return kExitNoFilter;
      for (const Call& call : calls) report.add_in_child(perform_in_child(call));
      return 0;
    });
  }

  void expect_answers(const ChildOutcome& outcome, std::span<const Call> calls) {
    EXPECT_EQ(outcome.wait_status, 0);
    ASSERT_EQ(outcome.report.answer_count, calls.size());
    for (size_t i = 0; i < calls.size(); i++) {
      EXPECT_EQ(outcome.report.answers[i].value, calls[i].expected) << calls[i].what;
    }
  }

  // One notification per call, in order, with what the kernel knows about it.
  void expect_notified(const ChildOutcome& outcome, std::span<const Call> calls, uint32_t arch) {
    expect_answers(outcome, calls);
    ASSERT_EQ(outcome.notifications.size(), calls.size());
    for (size_t i = 0; i < calls.size(); i++) {
      const seccomp_data& seen = outcome.notifications[i].data;
      EXPECT_EQ(seen.nr, static_cast<int>(calls[i].number)) << calls[i].what;
      EXPECT_EQ(seen.arch, arch) << calls[i].what;
      EXPECT_EQ(seen.instruction_pointer, outcome.report.answers[i].ip) << calls[i].what;
    }
  }

  // mov eax, 42; ret
  std::vector<char> image_ = {'\xb8', 42, 0, 0, 0, '\xc3'};
  const SeccompProgram filter_ = build_worker_filter().value();
};

TEST_P(SeccompKernel, AllowedCallsReachTheKernel) {
  const rlimit limit = {1, 1};
  msghdr no_message = {};
  const auto at = [](size_t page) { return static_cast<int64_t>(guest_space(page)); };
  const Call calls[] = {
      {"map guest memory", SYS_mmap, {guest_space(0), 2 * kPageBytes, kReadWrite, kShared, 3, 0}, at(0)},
      {"wake nobody", SYS_futex, {guest_space(0), FUTEX_WAKE, 1}, 0},
      {"wait for another value", SYS_futex, {guest_space(0), FUTEX_WAIT, 5}, -EAGAIN},
      {"map a private file", SYS_mmap, {guest_space(2), kPageBytes, PROT_READ, kPrivate, 3, 0}, at(2)},
      {"map zeroes", SYS_mmap, {guest_space(3), 2 * kPageBytes, kReadWrite, kZeroes, kNoFd, 0}, at(3)},
      {"populate", SYS_madvise, {guest_space(3), 2 * kPageBytes, MADV_POPULATE_WRITE}, 0},
      {"drop", SYS_madvise, {guest_space(3), 2 * kPageBytes, MADV_DONTNEED}, 0},
      {"protect", SYS_mprotect, {guest_space(3), kPageBytes, PROT_READ}, 0},
      {"unmap", SYS_munmap, {guest_space(4), kPageBytes}, 0},
      {"look for a request", SYS_recvmsg, {0, address_of(&no_message), MSG_DONTWAIT}, -EAGAIN},
      {"limit the processes", SYS_setrlimit, {RLIMIT_NPROC, address_of(&limit)}, 0},
      {"close", SYS_close, {3}, 0},
      {"close again", SYS_close, {3}, -EBADF},
  };
  const ChildOutcome outcome = run([&](ChildReport& report) {
    install_in_child(filter_);
    for (const Call& call : calls) report.add_in_child(perform_in_child(call));
    *reinterpret_cast<volatile char*>(guest_space(1)) = 42;
    return 7;
  });
  EXPECT_EQ(WEXITSTATUS(outcome.wait_status), 7);
  EXPECT_TRUE(outcome.notifications.empty());
  EXPECT_EQ(outcome.guest_memory[kPageBytes], 42);
  for (size_t i = 0; i < std::size(calls); i++) {
    EXPECT_EQ(outcome.report.answers[i].value, calls[i].expected) << calls[i].what;
  }
}

// Receives what waits on descriptor 1; the number that its descriptor got.
int receive_image_in_child() {
  char byte;
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (raw_call(SYS_recvmsg, 1, address_of(&message), 0).value != 1) return -1;
  return *reinterpret_cast<const int*>(CMSG_DATA(CMSG_FIRSTHDR(&message)));
}

TEST_P(SeccompKernel, WorkerReceivesAnImageAndRunsIt) {
  const ChildOutcome outcome = run([&](ChildReport& report) {
    install_in_child(filter_);
    raw_call(SYS_close, 0);
    report.add_in_child({.value = receive_image_in_child()});
    report.add_in_child(raw_call(SYS_mmap, guest_space(), kPageBytes, kReadExec, kPrivate, 0, 0));
    raw_call(SYS_close, 0);
    return reinterpret_cast<int (*)()>(guest_space())();
  });
  EXPECT_TRUE(outcome.notifications.empty());
  EXPECT_EQ(outcome.report.answers[0].value, 0) << "the image is descriptor 0";
  EXPECT_EQ(outcome.report.answers[1].value, static_cast<int64_t>(guest_space()));
  EXPECT_EQ(WEXITSTATUS(outcome.wait_status), 42);
}

volatile bool g_was_handled = false;

TEST_P(SeccompKernel, SignalHandlersReturn) {
  const ChildOutcome outcome = run([&](ChildReport&) {
    ::signal(SIGTRAP, [](int) { g_was_handled = true; });
    install_in_child(filter_);
    asm volatile("int3");
    return g_was_handled ? 7 : 8;
  });
  EXPECT_TRUE(outcome.notifications.empty());
  EXPECT_EQ(WEXITSTATUS(outcome.wait_status), 7);
}

RawAnswer fork_in_child(int* pidfd) {
  const clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = address_of(pidfd), .exit_signal = SIGCHLD};
  return raw_call(SYS_clone3, address_of(&arguments), sizeof arguments);
}

TEST_P(SeccompKernel, TemplateForksAWorkerThatInheritsTheFilter) {
  const ChildOutcome outcome = run([&](ChildReport& report) {
    ::signal(SIGCHLD, SIG_IGN);
    install_in_child(filter_);
    int pidfd = -1;
    const RawAnswer forked = fork_in_child(&pidfd);
    if (forked.value == 0) {
      raw_call(SYS_getpid);
      report.word = 1;
      raw_call(SYS_futex, address_of(&report.word), FUTEX_WAKE, 1);
      return 0;
    }
    report.add_in_child(forked);
    report.add_in_child({.value = pidfd});
    while (*static_cast<volatile uint32_t*>(&report.word) == 0) {
      raw_call(SYS_futex, address_of(&report.word), FUTEX_WAIT, 0);
    }
    return 7;
  });
  EXPECT_EQ(WEXITSTATUS(outcome.wait_status), 7);
  EXPECT_GT(outcome.report.answers[0].value, 0);
  EXPECT_GE(outcome.report.answers[1].value, 0);
  ASSERT_EQ(outcome.notifications.size(), 1u);
  EXPECT_EQ(outcome.notifications[0].data.nr, SYS_getpid);
  EXPECT_NE(outcome.notifications[0].pid, 0u);
}

TEST_P(SeccompKernel, FreshWorkerOpensAUserfaultfd) {
  const int64_t without_filter = raw_call(SYS_userfaultfd, kUserfault).value;
  if (without_filter < 0)
    GTEST_SKIP() << "no userfaultfd here: " << std::strerror(static_cast<int>(-without_filter));
  ::close(static_cast<int>(without_filter));
  // The lowest number that is free: 0, 1, 2 and 3 are not.
  const Call calls[] = {{"open a userfaultfd", SYS_userfaultfd, {kUserfault}, 4}};
  const ChildOutcome outcome = run_calls(calls);
  expect_answers(outcome, calls);
  EXPECT_TRUE(outcome.notifications.empty());
}

TEST_P(SeccompKernel, RefusedCallsAreReportedAsTheyWere) {
  const uint64_t at = guest_space();
  const Call calls[] = {
      {"another call", SYS_getpid, {1, 2, 3, 4, 5, ~0ull}},
      {"open", SYS_openat, {kNoFd, at, O_RDONLY}},
      {"execute", SYS_execve, {at, at, at}},
      {"fork", SYS_fork, {}},
      {"clone", SYS_clone, {SIGCHLD}},
      {"end one thread", SYS_exit, {5}},
      {"read", SYS_read, {0, at, 1}},
      {"ioctl", SYS_ioctl, {0, 0x5412, at}},
      {"kill", SYS_kill, {1, 0}},
      {"io_uring", SYS_io_uring_setup, {8, at}},
      {"private futex", SYS_futex, {at, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1}},
      {"requeue", SYS_futex, {at, FUTEX_REQUEUE, 1}},
      {"write and execute", SYS_mmap, {at, kPageBytes, 7, kZeroes, kNoFd, 0}},
      {"execute guest memory", SYS_mmap, {at, kPageBytes, kReadExec, kPrivate, 3, 0}},
      {"map anywhere", SYS_mmap, {0, kPageBytes, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, kNoFd, 0}},
      {"make executable", SYS_mprotect, {at, kPageBytes, kReadExec}},
      {"punch a hole", SYS_madvise, {at, kPageBytes, MADV_REMOVE}},
      {"receive elsewhere", SYS_recvmsg, {2, at, 0}},
      {"send on the image socket", SYS_sendmsg, {1, at, 0}},
      {"another limit", SYS_setrlimit, {RLIMIT_NOFILE, at}},
      {"filter with flags", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, at}},
      {"serve the kernel's faults", SYS_userfaultfd, {O_CLOEXEC | O_NONBLOCK}},
      {"dirty operation", SYS_futex, {at, FUTEX_WAKE | 1ull << 32, 1}},
      {"dirty protection", SYS_mprotect, {at, kPageBytes, PROT_READ | 1ull << 63}},
      {"dirty advice", SYS_madvise, {at, kPageBytes, MADV_DONTNEED | 1ull << 40}},
      {"dirty descriptor", SYS_recvmsg, {1 | 1ull << 32, at, MSG_DONTWAIT}},
      {"dirty flags", SYS_mmap, {at, kPageBytes, PROT_READ, kShared | 1ull << 32, 3, 0}},
      {"x32 getpid", kX32Bit | SYS_getpid, {}},
      {"x32 munmap", kX32Bit | SYS_munmap, {at, kPageBytes}},
      {"x32 exit_group", kX32Bit | SYS_exit_group, {5}},
      {"minus one", -1, {}},
      {"largest number", INT_MAX, {}},
      {"no such call", 1000, {}},
      {"vsyscall's neighbour", SYS_time, {}},
  };
  const ChildOutcome outcome = run_calls(calls);
  ASSERT_NO_FATAL_FAILURE(expect_notified(outcome, calls, AUDIT_ARCH_X86_64));
  for (size_t i = 0; i < outcome.notifications.size(); i++) {
    EXPECT_TRUE(std::ranges::equal(outcome.notifications[i].data.args, calls[i].arguments)) << calls[i].what;
  }
}

// uretprobe and uprobe: newer kernels ask no filter about them, since a probe set from outside makes its
// target call them. Debian 12's headers do not know them.
constexpr int kUnfiltered[] = {335, 336};

bool is_listed(int number) {
  return std::ranges::any_of(kJailPolicy, [&](const SyscallRule& rule) { return rule.number == number; });
}

TEST_P(SeccompKernel, EveryNumberThatIsNotListedIsReported) {
  std::vector<int> numbers;
  for (int number = 0; number < 512; number++) {
    if (!is_listed(number) && std::ranges::count(kUnfiltered, number) == 0) numbers.push_back(number);
  }
  const ChildOutcome outcome = run([&](ChildReport&) {
    install_in_child(filter_);
    for (const int number : numbers) {
      if (raw_call(number).value != -kNotifiedErrno) return 1;
    }
    return 0;
  });
  EXPECT_EQ(outcome.wait_status, 0);
  EXPECT_TRUE(std::ranges::equal(outcome.notifications, numbers, {},
                                 [](const seccomp_notif& notification) { return notification.data.nr; }));
}

TEST_P(SeccompKernel, NumbersThatNoFilterSeesDoNothing) {
  for (const int number : kUnfiltered) {
    const Call calls[] = {{"a call of the kernel's probes", number, {}}};
    const ChildOutcome outcome = run_calls(calls);
    if (WIFSIGNALED(outcome.wait_status)) {
      EXPECT_EQ(WTERMSIG(outcome.wait_status), SIGILL) << number;
    } else {
      EXPECT_LT(outcome.report.answers[0].value, 0) << number;
    }
  }
}

// The kernel looks at 32 bits of a number, and so does the filter.
TEST_P(SeccompKernel, UpperHalfOfANumberIsNoWayAround) {
  const Call calls[] = {{"getpid", SYS_getpid | int64_t{1} << 32, {}}};
  expect_notified(run_calls(calls), calls, AUDIT_ARCH_X86_64);
}

// Whether int 0x80 is a system call here; a kernel without IA-32 emulation answers with SIGSEGV.
bool has_32_bit_calls() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    raw_call_32(20);
    ::_exit(0);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST_P(SeccompKernel, CallsThroughThe32BitEntryAreReported) {
  if (!has_32_bit_calls()) GTEST_SKIP() << "this kernel has no IA-32 emulation";
  // Numbers that are harmless or allowed on x86-64 and not on i386, the other way round, and neither.
  const Call calls[] = {{"exit", 1, {}},
                        {"read (close)", 3, {}},
                        {"execve (munmap)", 11, {}},
                        {"getpid", 20, {}},
                        {"munmap", 91, {}},
                        {"getegid (futex)", 202, {}},
                        {"exit_group", 252, {}},
                        {"fgetxattr (exit_group)", 231, {}},
                        {"clone3", 435, {}},
                        {"no such call", 1000, {}}};
  const ChildOutcome outcome = run([&](ChildReport& report) {
    install_in_child(filter_);
    for (const Call& call : calls) report.add_in_child(raw_call_32(call.number));
    return 0;
  });
  expect_notified(outcome, calls, AUDIT_ARCH_I386);
}

TEST_P(SeccompKernel, FilterTwoLeavesTheRestAsItWas) {
  const uint64_t at = guest_space();
  const Call calls[] = {
      {"map guest memory", SYS_mmap, {at, kPageBytes, kReadWrite, kShared, 3, 0}, static_cast<int64_t>(at)},
      {"getpid", SYS_getpid, {}},
      {"wake", SYS_futex, {at, FUTEX_WAKE, 1}, 0},
      {"clone", SYS_clone, {SIGCHLD}},
  };
  const ChildOutcome outcome = run_calls(calls, true);
  expect_answers(outcome, calls);
  ASSERT_EQ(outcome.notifications.size(), 2u);
  EXPECT_EQ(outcome.notifications[0].data.nr, SYS_getpid);
  EXPECT_EQ(outcome.notifications[1].data.nr, SYS_clone);
}

TEST_P(SeccompKernel, FilterTwoDoesNotOpenThe32BitEntry) {
  if (!has_32_bit_calls()) GTEST_SKIP() << "this kernel has no IA-32 emulation";
  const ChildOutcome outcome = run([&](ChildReport& report) {
    install_in_child(filter_);
    install_second_in_child(kWorkerFilter);
    report.add_in_child(raw_call_32(20));
    return 0;
  });
  ASSERT_EQ(outcome.notifications.size(), 1u);
  EXPECT_EQ(outcome.notifications[0].data.arch, uint32_t{AUDIT_ARCH_I386});
  EXPECT_EQ(outcome.report.answers[0].value, -kNotifiedErrno);
}

TEST_P(SeccompKernel, BothFiltersKillAWorkerThatForksOrFiltersOrServesFaults) {
  const clone_args process = {.exit_signal = SIGCHLD};
  const sock_filter allow_all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program = {1, const_cast<sock_filter*>(&allow_all)};
  const Call calls[] = {
      {"clone3", SYS_clone3, {address_of(&process), sizeof process}},
      {"clone3 with nonsense", SYS_clone3, {}},
      {"seccomp", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 0, address_of(&program)}},
      {"seccomp with other arguments", SYS_seccomp, {SECCOMP_GET_ACTION_AVAIL, 0, 0}},
      {"userfaultfd", SYS_userfaultfd, {kUserfault}},
      {"userfaultfd with other flags", SYS_userfaultfd, {0}},
  };
  for (const Call& call : calls) {
    const ChildOutcome outcome = run_calls({&call, 1}, true);
    ASSERT_TRUE(WIFSIGNALED(outcome.wait_status)) << call.what;
    EXPECT_EQ(WTERMSIG(outcome.wait_status), SIGSYS) << call.what;
    EXPECT_TRUE(outcome.notifications.empty()) << call.what;
    EXPECT_EQ(outcome.report.answer_count, 0u) << call.what;
  }
}

std::vector<ChildUser> possible_users() {
  if (::geteuid() != 0) return {ChildUser::kSame};
  return {ChildUser::kSame, ChildUser::kNobody};
}

INSTANTIATE_TEST_SUITE_P(, SeccompKernel, ::testing::ValuesIn(possible_users()),
                         [](const auto& user) { return user.param == ChildUser::kSame ? "same" : "nobody"; });

}  // namespace
}  // namespace sandglass
