// The smallest program that is worth starting: one static ELF file without a C library, a few pages in
// memory. tiny_program.h in the suite starts it; argv[1] says what it does, argv[2] is the number of its
// descriptor.
//
//   exit          exits with 42
//   pause FD      writes one byte to FD, then sleeps for ever
//   spin FD       the same, but keeps its CPU busy
//   serve FD      forks on request: reads a request of one byte, answers with one Answer
//                   'r'   run a child that exits with 42, and reap it; timed here
//                   'k'   keep one more child, asleep
//                   'd'   drop all that were kept
//                 Ends when the other end of FD is closed.
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

#include "bench/tiny/protocol.h"

namespace {

using sandglass::bench::ForkAnswer;
using sandglass::bench::kMostForksKept;

constexpr int kDidIt = 42;
constexpr int kWrongUsage = 64;
constexpr int kSignalKill = 9, kSignalChild = 17;
constexpr int kParentDeathSignal = 1;  // PR_SET_PDEATHSIG

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result = number;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}
long address_of(const void* object) { return reinterpret_cast<long>(object); }

[[noreturn]] void exit_with(int status) {
  for (;;) call(SYS_exit_group, status);
}
[[noreturn]] void sleep_for_ever() {
  for (;;) call(SYS_pause);
}
void say_ready(int fd) { call(SYS_write, fd, address_of("r"), 1); }

uint64_t now_ns() {
  struct {
    int64_t seconds, nanoseconds;
  } now;
  call(SYS_clock_gettime, CLOCK_MONOTONIC, address_of(&now));
  return static_cast<uint64_t>(now.seconds) * 1'000'000'000 + static_cast<uint64_t>(now.nanoseconds);
}

int reap(long pid) {
  int status = -1;
  call(SYS_wait4, pid, address_of(&status));
  return status;
}

ForkAnswer run_one() {
  const uint64_t start = now_ns();
  const long pid = call(SYS_clone, kSignalChild);
  if (pid == 0) exit_with(kDidIt);
  if (pid < 0) return {0, static_cast<int32_t>(pid)};
  const int status = reap(pid);
  return {now_ns() - start, status};
}

long kept[kMostForksKept];
size_t kept_count;

ForkAnswer keep_one() {
  if (kept_count == kMostForksKept) return {0, -1};
  const long pid = call(SYS_clone, kSignalChild);
  if (pid == 0) {
    call(SYS_prctl, kParentDeathSignal, kSignalKill);
    sleep_for_ever();
  }
  if (pid < 0) return {0, static_cast<int32_t>(pid)};
  kept[kept_count++] = pid;
  return {0, 0};
}

ForkAnswer drop_all() {
  for (size_t i = 0; i < kept_count; ++i) call(SYS_kill, kept[i], kSignalKill);
  for (size_t i = 0; i < kept_count; ++i) reap(kept[i]);
  kept_count = 0;
  return {0, 0};
}

[[noreturn]] void serve(int fd) {
  char request;
  while (call(SYS_read, fd, address_of(&request), 1) == 1) {
    const ForkAnswer answer = request == 'r' ? run_one() : request == 'k' ? keep_one() : drop_all();
    call(SYS_write, fd, address_of(&answer), sizeof answer);
  }
  drop_all();
  exit_with(0);
}

int number_in(const char* text) {
  int number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = 10 * number + (*text - '0');
  return number;
}

}  // namespace

// `stack` is what the kernel leaves there: argc, argv, a null pointer.
extern "C" [[noreturn, gnu::used]] void tiny_main(const long* stack) {
  const long count = stack[0];
  const auto* arguments = reinterpret_cast<const char* const*>(stack + 1);
  if (count < 2) exit_with(kWrongUsage);
  const char what = arguments[1][0];
  if (what == 'e') exit_with(kDidIt);
  if (count < 3) exit_with(kWrongUsage);
  const int fd = number_in(arguments[2]);
  if (arguments[1][1] == 'e') serve(fd);
  say_ready(fd);
  if (what == 'p') sleep_for_ever();
  for (;;) asm volatile("");
}

asm(R"(
  .globl _start
  .type _start, @function
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call tiny_main
)");
