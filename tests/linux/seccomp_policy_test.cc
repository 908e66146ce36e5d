// The policy, row by row, on the programs that the jail installs. Three witnesses have to agree: the program,
// run by bpf_machine.h; the table, read here in the simplest way; and lists written out below, which know
// neither.
#include "sandbox/abi/seccomp_policy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <climits>
#include <random>
#include <set>
#include <vector>

#include "sandbox/backend/linux/seccomp_filter.h"
#include "tests/linux/bpf_machine.h"

namespace sandglass {
namespace {

constexpr int kX32Bit = 0x4000'0000;
constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kNotify = SECCOMP_RET_USER_NOTIF;
constexpr uint32_t kKill = SECCOMP_RET_KILL_PROCESS;

using Arguments = std::array<uint64_t, kSyscallArguments>;

seccomp_data make_call(int number, const Arguments& arguments, uint32_t arch = AUDIT_ARCH_X86_64) {
  seccomp_data call = {.nr = number, .arch = arch, .instruction_pointer = 0x3'0000'1000};
  std::copy(arguments.begin(), arguments.end(), call.args);
  return call;
}

const SeccompProgram& jail_filter() {
  static const SeccompProgram program = build_worker_filter().value();
  return program;
}

uint32_t answer(std::span<const sock_filter> program, const seccomp_data& call) {
  const auto verdict = run_bpf(program, call);
  EXPECT_TRUE(verdict) << "the program is broken for call " << call.nr;
  return verdict ? verdict->action : 0;
}

uint32_t jail_answer(const seccomp_data& call) { return answer(jail_filter(), call); }

bool holds(const SyscallRule& rule, const seccomp_data& call) {
  for (const ArgumentCheck& check : rule.checks) {
    if ((call.args[check.index] & check.mask) != check.value) return false;
  }
  return true;
}

uint32_t answer_of_table(const seccomp_data& call) {
  if (call.arch != AUDIT_ARCH_X86_64) return kNotify;
  for (const SyscallRule& rule : kJailPolicy) {
    if (rule.number == call.nr && holds(rule, call)) return kAllow;
  }
  return kNotify;
}

class SeccompPolicy : public ::testing::Test {
 protected:
  Arguments random_arguments() {
    Arguments arguments;
    for (uint64_t& argument : arguments) argument = random_();
    return arguments;
  }

  // Satisfies the row, with anything in the arguments and bits that it does not check.
  seccomp_data satisfying(const SyscallRule& rule) {
    seccomp_data call = make_call(rule.number, random_arguments());
    for (const ArgumentCheck& check : rule.checks) {
      call.args[check.index] = (call.args[check.index] & ~check.mask) | check.value;
    }
    return call;
  }

  // A value that a comparison could get wrong.
  uint64_t interesting() {
    static constexpr uint64_t kValues[] = {0, 1, 2,    3,    4,    5,      6,       7,
                                           8, 9, 0x11, 0x12, 0x32, 0x4032, 0x80801, ~0ull};
    const uint64_t value = kValues[random_() % std::size(kValues)];
    switch (random_() % 8) {
      case 0: return value | 1ull << random_() % 64;
      case 1: return value << 32 | value;
      case 2: return value + 1;
      default: return value;
    }
  }

  std::mt19937_64 random_{20240607};
};

TEST_F(SeccompPolicy, EveryRowAllowsItsCall) {
  for (const SyscallRule& rule : kJailPolicy) {
    for (int repeat = 0; repeat < 100; repeat++) {
      EXPECT_EQ(jail_answer(satisfying(rule)), kAllow) << rule.name << ": " << rule.why;
    }
  }
}

TEST_F(SeccompPolicy, EveryCheckedBitCounts) {
  int refused = 0;
  for (const SyscallRule& rule : kJailPolicy) {
    for (const ArgumentCheck& check : rule.checks) {
      for (uint64_t bit = 1; bit != 0; bit <<= 1) {
        if ((check.mask & bit) == 0) continue;
        seccomp_data call = satisfying(rule);
        call.args[check.index] ^= bit;
        EXPECT_EQ(jail_answer(call), answer_of_table(call))
            << rule.name << " argument " << check.index << " bit " << bit;
        refused += jail_answer(call) == kNotify;
      }
    }
  }
  // 21 checks of 62 or 64 bits; few flipped bits lead to another row of the same call.
  EXPECT_GT(refused, 20 * 62);
}

TEST_F(SeccompPolicy, NeighboursOfEveryValueAreRefusedUnlessListed) {
  for (const SyscallRule& rule : kJailPolicy) {
    for (const ArgumentCheck& check : rule.checks) {
      if (check.mask == 0) continue;
      for (const uint64_t off_by : {uint64_t{1}, ~uint64_t{0}, uint64_t{1} << 32, ~uint64_t{0} << 32}) {
        seccomp_data call = satisfying(rule);
        call.args[check.index] = check.value + off_by;
        EXPECT_EQ(jail_answer(call), answer_of_table(call)) << rule.name << " " << call.args[check.index];
      }
    }
  }
}

TEST_F(SeccompPolicy, DirtyUpperHalvesOfCheckedArgumentsAreRefused) {
  for (const SyscallRule& rule : kJailPolicy) {
    for (const ArgumentCheck& check : rule.checks) {
      if (check.mask == 0) continue;
      std::vector<uint64_t> dirt = {~uint64_t{0} << 32};
      for (int bit = 32; bit < 64; bit++) dirt.push_back(uint64_t{1} << bit);
      for (const uint64_t upper : dirt) {
        seccomp_data call = satisfying(rule);
        call.args[check.index] |= upper;
        EXPECT_EQ(jail_answer(call), kNotify)
            << rule.name << " argument " << check.index << " with " << upper;
      }
    }
  }
}

TEST_F(SeccompPolicy, TheseAreAllTheCallsThatAreEverAllowed) {
  const std::set<int> expected = {SYS_futex,   SYS_mmap,      SYS_mprotect,     SYS_munmap,     SYS_madvise,
                                  SYS_recvmsg, SYS_sendmsg,   SYS_close,        SYS_exit_group, SYS_clone3,
                                  SYS_seccomp, SYS_setrlimit, SYS_rt_sigreturn, SYS_userfaultfd};
  std::set<int> allowed;
  for (int number = -4096; number < 4096; number++) {
    for (int repeat = 0; repeat < 20; repeat++) {
      const Arguments tries[] = {
          {},
          {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull},
          random_arguments(),
          {interesting(), interesting(), interesting(), interesting(), interesting(), 0}};
      for (const Arguments& arguments : tries) {
        const seccomp_data call = make_call(number, arguments);
        ASSERT_EQ(jail_answer(call), answer_of_table(call)) << number;
        if (jail_answer(call) == kAllow) allowed.insert(number);
      }
    }
  }
  // Rare combinations of arguments are left to EveryRowAllowsItsCall; nothing else may turn up.
  for (const SyscallRule& rule : kJailPolicy) allowed.insert(rule.number);
  EXPECT_EQ(allowed, expected);
}

TEST_F(SeccompPolicy, OddNumbersAreRefused) {
  for (const int number :
       {-1, -2, INT_MAX, INT_MIN, INT_MIN + 1, 0xffff, 0x1'0000, 0x3fff'ffff, kX32Bit, kX32Bit - 1}) {
    for (int repeat = 0; repeat < 100; repeat++) {
      EXPECT_EQ(jail_answer(make_call(number, random_arguments())), kNotify) << number;
    }
    EXPECT_EQ(jail_answer(make_call(number, {})), kNotify) << number;
  }
}

TEST_F(SeccompPolicy, NumbersWithTheX32BitAreRefused) {
  for (const SyscallRule& rule : kJailPolicy) {
    for (const int bits : {kX32Bit, INT_MIN, kX32Bit | INT_MIN}) {
      seccomp_data call = satisfying(rule);
      call.nr |= bits;
      EXPECT_EQ(jail_answer(call), kNotify) << rule.name;
    }
  }
  for (int number = 0; number < 1024; number++) {
    EXPECT_EQ(jail_answer(make_call(kX32Bit | number, {})), kNotify) << number;
  }
}

TEST_F(SeccompPolicy, OtherArchitecturesAreRefused) {
  std::vector<uint32_t> architectures = {AUDIT_ARCH_I386,    AUDIT_ARCH_ARM,     AUDIT_ARCH_AARCH64,
                                         AUDIT_ARCH_PPC64LE, AUDIT_ARCH_RISCV64, 0,
                                         ~uint32_t{0}};
  for (int bit = 0; bit < 32; bit++) architectures.push_back(AUDIT_ARCH_X86_64 ^ 1u << bit);
  for (const uint32_t arch : architectures) {
    for (const SyscallRule& rule : kJailPolicy) {
      seccomp_data call = satisfying(rule);
      call.arch = arch;
      EXPECT_EQ(jail_answer(call), kNotify) << rule.name << " on " << arch;
    }
  }
}

TEST_F(SeccompPolicy, TheInstructionPointerDoesNotMatter) {
  for (const SyscallRule& rule : kJailPolicy) {
    seccomp_data call = satisfying(rule);
    for (const uint64_t ip : {uint64_t{0}, ~uint64_t{0}, random_()}) {
      call.instruction_pointer = ip;
      EXPECT_EQ(jail_answer(call), kAllow) << rule.name;
    }
  }
}

TEST_F(SeccompPolicy, ProgramAndTableAgreeOnRandomCalls) {
  int allowed = 0;
  constexpr int kCalls = 500'000;
  for (int i = 0; i < kCalls; i++) {
    const SyscallRule& rule = kJailPolicy[random_() % std::size(kJailPolicy)];
    seccomp_data call = satisfying(rule);
    for (int changes = static_cast<int>(random_() % 4); changes > 0; changes--) {
      call.args[random_() % kSyscallArguments] = interesting();
    }
    ASSERT_EQ(jail_answer(call), answer_of_table(call)) << rule.name;
    allowed += jail_answer(call) == kAllow;
  }
  EXPECT_GT(allowed, kCalls / 10);
  EXPECT_LT(allowed, kCalls * 9 / 10);
}

// Sentences of the policy, spelled out without its table.
struct Sentence {
  const char* what;
  int number;
  Arguments arguments;
  uint32_t action;
};

constexpr uint64_t kAt = 0x3'0000'0000, kPage = 4096, kNoFd = ~uint64_t{0};
constexpr uint64_t kReadWrite = PROT_READ | PROT_WRITE, kReadExec = PROT_READ | PROT_EXEC;
constexpr uint64_t kShared = MAP_SHARED | MAP_FIXED, kPrivate = MAP_PRIVATE | MAP_FIXED;
constexpr uint64_t kZeroes = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
constexpr uint64_t kUserfault = O_CLOEXEC | O_NONBLOCK | 1;

const Sentence kSentences[] = {
    {"wait on a shared futex", SYS_futex, {kAt, 0, 5}, kAllow},
    {"wake a shared futex", SYS_futex, {kAt, 1, 1}, kAllow},
    {"wait on a private futex", SYS_futex, {kAt, 128, 5}, kNotify},
    {"wake a private futex", SYS_futex, {kAt, 129, 1}, kNotify},
    {"wait by the real-time clock", SYS_futex, {kAt, 256, 5}, kNotify},
    {"requeue waiters", SYS_futex, {kAt, 3, 1}, kNotify},
    {"change a word and wake", SYS_futex, {kAt, 5, 1}, kNotify},
    {"lock a futex with inheritance", SYS_futex, {kAt, 6, 0}, kNotify},
    {"wait on bits of a futex", SYS_futex, {kAt, 9, 5}, kNotify},

    {"map guest memory", SYS_mmap, {kAt, kPage, kReadWrite, kShared, 3, 0}, kAllow},
    {"map guest memory for reading", SYS_mmap, {kAt, kPage, PROT_READ, kShared, 3, kPage}, kAllow},
    {"reserve", SYS_mmap, {kAt, kPage, PROT_NONE, kZeroes, kNoFd, 0}, kAllow},
    {"map zeroes", SYS_mmap, {kAt, kPage, kReadWrite, kZeroes, kNoFd, 0}, kAllow},
    {"map an image's data", SYS_mmap, {kAt, kPage, kReadWrite, kPrivate, 0, 0}, kAllow},
    {"map an image's code", SYS_mmap, {kAt, kPage, kReadExec, kPrivate, 0, kPage}, kAllow},
    {"execute another descriptor", SYS_mmap, {kAt, kPage, kReadExec, kPrivate, 3, 0}, kNotify},
    {"execute no descriptor", SYS_mmap, {kAt, kPage, kReadExec, kPrivate, kNoFd, 0}, kNotify},
    {"execute what is shared", SYS_mmap, {kAt, kPage, kReadExec, kShared, 0, 0}, kNotify},
    {"execute anonymous memory", SYS_mmap, {kAt, kPage, kReadExec, kZeroes, 0, 0}, kNotify},
    {"execute only", SYS_mmap, {kAt, kPage, PROT_EXEC, kPrivate, 0, 0}, kNotify},
    {"write and execute an image", SYS_mmap, {kAt, kPage, 7, kPrivate, 0, 0}, kNotify},
    {"write and execute zeroes", SYS_mmap, {kAt, kPage, 7, kZeroes, kNoFd, 0}, kNotify},
    {"map wherever there is room", SYS_mmap, {0, kPage, kReadWrite, MAP_PRIVATE, 0, 0}, kNotify},
    {"map anonymous memory that counts",
     SYS_mmap,
     {kAt, kPage, kReadWrite, kZeroes & ~MAP_NORESERVE, kNoFd},
     kNotify},
    {"share anonymous memory", SYS_mmap, {kAt, kPage, kReadWrite, kShared | MAP_ANONYMOUS, kNoFd}, kNotify},
    {"lock what is mapped", SYS_mmap, {kAt, kPage, kReadWrite, kZeroes | MAP_LOCKED, kNoFd}, kNotify},
    {"populate what is mapped", SYS_mmap, {kAt, kPage, kReadWrite, kShared | MAP_POPULATE, 3}, kNotify},
    {"map huge pages", SYS_mmap, {kAt, kPage, kReadWrite, kZeroes | MAP_HUGETLB, kNoFd}, kNotify},
    {"map a stack that grows", SYS_mmap, {kAt, kPage, kReadWrite, kZeroes | MAP_GROWSDOWN, kNoFd}, kNotify},

    {"forbid pages", SYS_mprotect, {kAt, kPage, PROT_NONE}, kAllow},
    {"open pages", SYS_mprotect, {kAt, kPage, kReadWrite}, kAllow},
    {"make pages executable", SYS_mprotect, {kAt, kPage, kReadExec}, kNotify},
    {"protect downwards", SYS_mprotect, {kAt, kPage, PROT_READ | PROT_GROWSDOWN}, kNotify},
    {"protect with a key", SYS_pkey_mprotect, {kAt, kPage, PROT_READ, 0}, kNotify},
    {"unmap", SYS_munmap, {kAt, kPage}, kAllow},
    {"move a mapping", SYS_mremap, {kAt, kPage, kPage, 3, kAt + kPage}, kNotify},
    {"drop pages", SYS_madvise, {kAt, kPage, 4}, kAllow},
    {"populate pages", SYS_madvise, {kAt, kPage, 23}, kAllow},
    {"punch a hole into a file", SYS_madvise, {kAt, kPage, MADV_REMOVE}, kNotify},
    {"poison pages", SYS_madvise, {kAt, kPage, 100}, kNotify},
    {"merge pages", SYS_madvise, {kAt, kPage, MADV_MERGEABLE}, kNotify},
    {"page out", SYS_madvise, {kAt, kPage, MADV_PAGEOUT}, kNotify},

    {"receive a request", SYS_recvmsg, {0, kAt, 0}, kAllow},
    {"receive an image", SYS_recvmsg, {1, kAt, 0}, kAllow},
    {"receive elsewhere", SYS_recvmsg, {2, kAt, 0}, kNotify},
    {"receive from descriptor -1", SYS_recvmsg, {kNoFd, kAt, 0}, kNotify},
    {"answer on the control socket", SYS_sendmsg, {0, kAt, 0}, kAllow},
    {"send on the image socket", SYS_sendmsg, {1, kAt, 0}, kNotify},
    {"close", SYS_close, {3}, kAllow},
    {"close a range", SYS_close_range, {0, ~uint64_t{0}, 0}, kNotify},

    {"leave a signal handler", SYS_rt_sigreturn, {}, kAllow},
    {"end", SYS_exit_group, {1}, kAllow},
    {"end one thread", SYS_exit, {1}, kNotify},
    {"fork a worker", SYS_clone3, {kAt, 88}, kAllow},
    {"fork the old way", SYS_fork, {}, kNotify},
    {"clone the old way", SYS_clone, {CLONE_NEWUSER}, kNotify},
    {"limit the processes", SYS_setrlimit, {RLIMIT_NPROC, kAt}, kAllow},
    {"limit the descriptors", SYS_setrlimit, {RLIMIT_NOFILE, kAt}, kNotify},
    {"limit another process", SYS_prlimit64, {1, RLIMIT_NPROC, kAt}, kNotify},
    {"add a filter", SYS_seccomp, {1, 0, kAt}, kAllow},
    {"add a filter to all threads", SYS_seccomp, {1, 1, kAt}, kNotify},
    {"add a filter with a listener", SYS_seccomp, {1, 8, kAt}, kNotify},
    {"enter strict mode", SYS_seccomp, {0, 0, 0}, kNotify},
    {"add a filter through prctl", SYS_prctl, {22, 2, kAt}, kNotify},
    {"serve its own faults in user mode", SYS_userfaultfd, {kUserfault}, kAllow},
    {"serve faults of the kernel", SYS_userfaultfd, {O_CLOEXEC | O_NONBLOCK}, kNotify},
    {"serve faults blocking", SYS_userfaultfd, {O_CLOEXEC | 1}, kNotify},

    {"read", SYS_read, {0, kAt, 1}, kNotify},
    {"write", SYS_write, {1, kAt, 1}, kNotify},
    {"open", SYS_openat, {kNoFd, kAt}, kNotify},
    {"execute a program", SYS_execve, {kAt, kAt, kAt}, kNotify},
    {"trace", SYS_ptrace, {0}, kNotify},
    {"signal", SYS_kill, {1, 9}, kNotify},
    {"set up io_uring", SYS_io_uring_setup, {8, kAt}, kNotify},
    {"ask for the time", SYS_clock_gettime, {0, kAt}, kNotify},
    {"set a segment base", SYS_arch_prctl, {0x1002, kAt}, kNotify},
};

TEST_F(SeccompPolicy, SaysWhatTheSentencesSay) {
  for (const Sentence& sentence : kSentences) {
    EXPECT_EQ(jail_answer(make_call(sentence.number, sentence.arguments)), sentence.action) << sentence.what;
  }
}

TEST_F(SeccompPolicy, RowsCarryTheRightNameAndAReason) {
  for (const SyscallRule& rule : kJailPolicy) {
    EXPECT_EQ(name_of_syscall(rule.number), rule.name);
    EXPECT_GT(std::string_view(rule.why).size(), 2u) << rule.name;
  }
}

TEST_F(SeccompPolicy, WhatFilterTwoTakesBackIsTheTemplatesAlone) {
  for (const SyscallRule& rule : kJailPolicy) {
    const bool is_killed = answer(kWorkerFilter, satisfying(rule)) == kKill;
    EXPECT_TRUE(!is_killed || rule.user == SyscallUser::kTemplate) << rule.name;
  }
}

// An installation gets dearer with every instruction, a call with every one that is executed.
TEST_F(SeccompPolicy, IsShort) {
  EXPECT_LE(jail_filter().size(), 90u);
  EXPECT_EQ(std::size(kWorkerFilter), 6u);
  size_t longest = 0;
  for (const SyscallRule& rule : kJailPolicy) {
    longest = std::max(longest, run_bpf(jail_filter(), satisfying(rule))->executed);
  }
  EXPECT_LE(longest, 26u);
  EXPECT_LE(run_bpf(jail_filter(), make_call(SYS_futex, {kAt, FUTEX_WAIT, 0}))->executed, 15u);
}

bool is_taken_back(int number) {
  return number == SYS_clone3 || number == SYS_seccomp || number == SYS_userfaultfd;
}

TEST_F(SeccompPolicy, FilterTwoKillsThreeCallsAndNoOther) {
  for (int number = -4096; number < 4096; number++) {
    const seccomp_data call = make_call(number, random_arguments());
    EXPECT_EQ(answer(kWorkerFilter, call), is_taken_back(number) ? kKill : kAllow) << number;
  }
  for (const int number : {INT_MAX, INT_MIN, kX32Bit, kX32Bit | SYS_clone3}) {
    EXPECT_EQ(answer(kWorkerFilter, make_call(number, {})), kAllow) << number;
  }
}

// The kernel obeys the answer that is lowest as a signed number.
uint32_t answer_of_both(const seccomp_data& call) {
  const auto first = static_cast<int32_t>(jail_answer(call));
  const auto second = static_cast<int32_t>(answer(kWorkerFilter, call));
  return static_cast<uint32_t>(std::min(first, second));
}

TEST_F(SeccompPolicy, BothFiltersTogetherKeepAWorkerFromWhatTheTemplateMay) {
  for (const SyscallRule& rule : kJailPolicy) {
    const seccomp_data call = satisfying(rule);
    EXPECT_EQ(answer_of_both(call), is_taken_back(rule.number) ? kKill : kAllow) << rule.name;
  }
  EXPECT_EQ(answer_of_both(make_call(SYS_getpid, {})), kNotify);
}

// Filter 2 leaves architectures to filter 1: no foreign call gets through both.
TEST_F(SeccompPolicy, BothFiltersTogetherLetNoForeignCallThrough) {
  for (int number = 0; number < 512; number++) {
    EXPECT_NE(answer_of_both(make_call(number, {}, AUDIT_ARCH_I386)), kAllow) << number;
    EXPECT_NE(answer_of_both(make_call(number | kX32Bit, {})), kAllow) << number;
  }
}

}  // namespace
}  // namespace sandglass
