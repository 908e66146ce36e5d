#include "sandbox/backend/linux/seccomp_filter.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "tests/linux/bpf_machine.h"

namespace sandglass {
namespace {

using policy::is;

constexpr SyscallRule kFirstRow = {SYS_getpid, "getpid", {}, SyscallUser::kBoth, "a row that is fine"};

uint32_t answer(const SeccompProgram& program, int number, uint64_t argument = 0) {
  seccomp_data call = {.nr = number, .arch = AUDIT_ARCH_X86_64};
  call.args[0] = argument;
  const auto verdict = run_bpf(program, call);
  return verdict ? verdict->action : SECCOMP_RET_LOG;
}

TEST(SeccompFilter, AllowsWhatIsListedAndNothingElse) {
  const SyscallRule rules[] = {kFirstRow, {SYS_dup, "dup", {is(0, 7)}, SyscallUser::kBoth, "with a check"}};
  const SeccompProgram program = build_filter(rules).value();
  EXPECT_EQ(answer(program, SYS_getpid), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_dup, 7), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_dup, 8), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(answer(program, SYS_getppid), SECCOMP_RET_USER_NOTIF);
}

TEST(SeccompFilter, WithoutRulesAllowsNothing) {
  const SeccompProgram program = build_filter({}).value();
  for (int number = -1; number < 512; number++) EXPECT_EQ(answer(program, number), SECCOMP_RET_USER_NOTIF);
}

TEST(SeccompFilter, NamesTheRowThatCannotBeTranslated) {
  const SyscallRule no_such_argument = {SYS_dup, "dup", {is(7, 1)}, SyscallUser::kBoth, "a seventh argument"};
  const SyscallRule twice = {SYS_dup3, "dup3", {is(0, 1), is(0, 2)}, SyscallUser::kBoth, "two checks of one"};
  for (const SyscallRule& bad : {no_such_argument, twice}) {
    const SyscallRule rules[] = {kFirstRow, bad};
    const auto program = build_filter(rules);
    ASSERT_FALSE(program) << bad.why;
    EXPECT_EQ(program.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(program.error().where, 1u);
    EXPECT_STREQ(program.error().detail, bad.name);
    EXPECT_NE(program.error().os_errno, 0);
  }
}

TEST(SeccompFilter, IsTheSameEveryTimeAndOnEveryThread) {
  const auto bytes_of = [](const SeccompProgram& program) {
    return std::string(reinterpret_cast<const char*>(program.data()), program.size() * sizeof program[0]);
  };
  const std::string expected = bytes_of(build_worker_filter().value());
  std::string built[4];
  std::vector<std::thread> threads;
  for (std::string& slot : built)
    threads.emplace_back([&] { slot = bytes_of(build_worker_filter().value()); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& slot : built) EXPECT_EQ(slot, expected);
}

// Ends with 7 when the builder says that this kernel cannot do it.
void build_where_seccomp_does_not_exist() {
  sock_filter no_seccomp[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(no_seccomp), no_seccomp};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(1);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(2);
  const auto built = build_worker_filter();
  if (built) _exit(3);
  _exit(built.error().kind == ErrorKind::kUnsupported ? 7 : 4);
}

// In a process of its own, because libseccomp asks the kernel once.
TEST(SeccompFilterDeathTest, SaysThatTheKernelCannotDoIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(build_where_seccomp_does_not_exist(), ::testing::ExitedWithCode(7), "");
}

TEST(SeccompFilter, ReportsThatNoDescriptorIsFree) {
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto program = build_worker_filter();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().kind, ErrorKind::kOs);
  EXPECT_EQ(program.error().os_errno, EMFILE);
}

TEST(SyscallNames, DependOnTheArchitecture) {
  EXPECT_EQ(name_of_syscall(11), "munmap");
  EXPECT_EQ(name_of_syscall(11, AUDIT_ARCH_I386), "execve");
  EXPECT_EQ(name_of_syscall(0x4000'0000 | 11), "munmap");
  EXPECT_EQ(name_of_syscall(0x4000'0000 | 520), "execve") << "a number that only x32 has";
}

TEST(SyscallNames, AreUnknownForWhatIsNoCall) {
  for (const int number : {513, 9999, 0x7fff'ffff}) EXPECT_EQ(name_of_syscall(number), "unknown") << number;
  EXPECT_EQ(name_of_syscall(11, 12345), "unknown") << "no such architecture";
}

// libseccomp has negative numbers for the calls that an architecture lacks.
TEST(SyscallNames, AreUnknownForNegativeNumbers) {
  for (int number = -20'000; number < 0; number++) {
    ASSERT_EQ(name_of_syscall(number), "unknown") << number;
    ASSERT_EQ(name_of_syscall(number, AUDIT_ARCH_I386), "unknown") << number;
  }
}

}  // namespace
}  // namespace sandglass
