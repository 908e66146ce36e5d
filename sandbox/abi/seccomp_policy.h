// THE SECCOMP POLICY: every system call that a process of the jail may make, and why.
//
//   filter 1   installed by the template, inherited by each worker   kJailPolicy, turned into BPF by the host
//   filter 2   installed by each worker on top of it                 kWorkerFilter, written out below
//
// Filter 1 allows what the table lists. Everything else (another call, another argument, another
// architecture, a number of the x32 ABI) is a user notification: the caller stops inside the kernel, and the
// host, which alone holds the listener, reads number, architecture and instruction pointer from the kernel
// instead of believing the worker. The host never lets such a call go on; it kills the process.
//
// Filter 2 takes back what only the template needs and what would let a worker get out of hand: making
// processes, adding filters, opening a userfaultfd. It kills, because a chain of filters has one listener and
// filter 1 has it. The kernel runs every filter of a chain and obeys the strictest answer, so filter 2
// weakens nothing.
//
// Two numbers pass by every filter on newer kernels: uretprobe (335) and uprobe (336), which a probe set from
// outside makes its target call. To anybody else they give SIGILL or an error, so a worker gains nothing by
// them, and the host does not hear of it.
//
// Arguments are compared over all 64 bits, also where the kernel looks at 32 (descriptors, protections,
// flags, operations, advice): a call with a dirty upper half comes from somebody who tries out the filter.
// Our own code in the jail passes clean ones: it widens unsigned values, and no listed argument is negative.
//
// Freestanding: compiled into both binaries; includes headers of the kernel and of its own folder only.
// O_CLOEXEC, O_NONBLOCK and RLIMIT_NPROC are numbers here, because the kernel's headers for them do not go
// together with the C library's.
#pragma once

#include <asm/unistd.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/abi/launch.h"

namespace sandglass {

// Who makes a call. The template's calls are also made by a worker that has just been forked, until filter 2.
enum class SyscallUser : uint8_t { kTemplate, kWorker, kBoth };

// Holds when (argument & mask) == value. A mask of zero checks nothing.
struct ArgumentCheck {
  uint32_t index;
  uint64_t mask;
  uint64_t value;
};

inline constexpr uint32_t kSyscallArguments = 6;
inline constexpr size_t kMaxArgumentChecks = 3;

// Allows one call. Rows with the same number are alternatives; the checks of one row must all hold, each for
// an argument of its own.
struct SyscallRule {
  int number;
  const char* name;
  ArgumentCheck checks[kMaxArgumentChecks];
  SyscallUser user;
  const char* why;
};

namespace policy {

// The descriptors that rows name; which process has what at them is the launch protocol's. A worker
// has closed the control socket: what it has at descriptor 0 is an image, on which nothing can be sent.
inline constexpr uint64_t kTemplateControlFd = template_fd::kControl;
inline constexpr uint64_t kWorkerImageFd = worker_fd::kImage;
inline constexpr uint64_t kWorkerImageSocketFd = worker_fd::kImages;

inline constexpr uint64_t kCloseOnExec = 02000000;  // O_CLOEXEC
inline constexpr uint64_t kNonBlocking = 04000;     // O_NONBLOCK
inline constexpr uint64_t kProcessLimit = 6;        // RLIMIT_NPROC

// The argument is exactly this.
constexpr ArgumentCheck is(uint32_t index, uint64_t value) { return {index, ~uint64_t{0}, value}; }
// The argument has no other bits than these.
constexpr ArgumentCheck only(uint32_t index, uint64_t bits) { return {index, ~bits, 0}; }

inline constexpr uint64_t kSharedFile = MAP_SHARED | MAP_FIXED;
inline constexpr uint64_t kPrivateFile = MAP_PRIVATE | MAP_FIXED;
inline constexpr uint64_t kZeroes = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
inline constexpr uint64_t kData = PROT_READ | PROT_WRITE;
inline constexpr uint64_t kCode = PROT_READ | PROT_EXEC;

using enum SyscallUser;

// clang-format off
inline constexpr SyscallRule kJailPolicy[] = {
    // The turn. Shared futexes, because the other side is another process; an operation that moves or changes
    // waiters, takes a clock or a bitset has no use here.
    {__NR_futex, "futex", {is(1, FUTEX_WAIT)}, kBoth, "wait for the host's next command"},
    {__NR_futex, "futex", {is(1, FUTEX_WAKE)}, kBoth, "wake the host that sleeps for the answer"},

    // The address space. Nothing becomes executable later: what may be executed is mapped so from the start,
    // out of the file that the host has just sent. Seals keep that file from being written, and no call that
    // is left to a worker puts another file at its descriptor. mprotect can only take the right away.
    {__NR_mmap, "mmap", {only(2, kData), is(3, kSharedFile)}, kBoth,
     "map guest memory and the pages shared with the host"},
    {__NR_mmap, "mmap", {only(2, kData), is(3, kPrivateFile)}, kBoth, "map the data of a module's image"},
    {__NR_mmap, "mmap", {only(2, kData), is(3, kZeroes)}, kBoth,
     "map zeroes, and reservations in place of what was there"},
    {__NR_mmap, "mmap", {is(2, kCode), is(3, kPrivateFile), is(4, kWorkerImageFd)}, kWorker,
     "map the code of the module's image that has just been received"},
    {__NR_mprotect, "mprotect", {only(2, kData)}, kBoth, "open and close regions of guest memory"},
    {__NR_munmap, "munmap", {}, kBoth, "leave a module's image"},
    {__NR_madvise, "madvise", {is(2, MADV_DONTNEED)}, kBoth, "drop what the last guest wrote"},
    {__NR_madvise, "madvise", {is(2, MADV_POPULATE_WRITE)}, kBoth, "fault pages in before they are needed"},

    // Messages and descriptors.
    {__NR_recvmsg, "recvmsg", {is(0, kWorkerImageSocketFd)}, kWorker, "receive a module's image"},
    {__NR_recvmsg, "recvmsg", {is(0, kTemplateControlFd)}, kTemplate, "receive a request for a worker"},
    {__NR_sendmsg, "sendmsg", {is(0, kTemplateControlFd)}, kTemplate,
     "hand the listener and the pidfds of workers to the host"},
    {__NR_close, "close", {}, kBoth, "close what has been mapped or handed over"},

    // Processes.
    {__NR_rt_sigreturn, "rt_sigreturn", {}, kBoth, "leave the signal handler that took a guest out"},
    {__NR_exit_group, "exit_group", {}, kBoth, "end"},
    {__NR_clone3, "clone3", {}, kTemplate, "fork a worker; the flags lie in memory, where no filter looks"},
    {__NR_setrlimit, "setrlimit", {is(0, kProcessLimit)}, kTemplate,
     "a fresh worker forbids itself to fork; the template cannot, it has to"},
    {__NR_seccomp, "seccomp", {is(0, SECCOMP_SET_MODE_FILTER), is(1, 0)}, kTemplate,
     "a fresh worker installs filter 2"},
    {__NR_userfaultfd, "userfaultfd", {is(0, kCloseOnExec | kNonBlocking | UFFD_USER_MODE_ONLY)}, kTemplate,
     "a fresh worker opens the descriptor through which the host serves its faults"},
};
// clang-format on

}  // namespace policy

using policy::kJailPolicy;

// Filter 2. Every spawn waits for its installation, so it is the six instructions that do the work.
//
// It does not look at the architecture: filter 1 has, and answers a foreign one with a notification, which is
// stricter than the `allow` here. A foreign call whose number happens to be one of the three is killed
// instead of reported, which is stricter still. x32 numbers are none of the three and left to filter 1 too.
inline constexpr sock_filter kWorkerFilter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_seccomp, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_userfaultfd, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

namespace policy {

constexpr bool is_well_formed(const SyscallRule& rule) {
  uint32_t seen = 0;
  for (const ArgumentCheck& check : rule.checks) {
    if (check.mask == 0) continue;
    if (check.index >= kSyscallArguments || (seen >> check.index & 1) != 0) return false;
    if ((check.value & ~check.mask) != 0) return false;  // would never hold
    if (check.mask >> 32 != UINT32_MAX) return false;    // would let a dirty upper half pass
    seen |= 1u << check.index;
  }
  return true;
}

constexpr bool is_well_formed(const auto& rules) {
  for (const SyscallRule& rule : rules) {
    if (!is_well_formed(rule)) return false;
  }
  return true;
}

static_assert(is_well_formed(kJailPolicy));

}  // namespace policy
}  // namespace sandglass
