#include "tests/attack/intruder.h"

#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <linux/futex.h>

#include "tests/attack/intruders.h"

// The first bytes of what is copied. The function to run, counted from their end on, comes in a5.
asm(R"(
.section intruder_entry, "ax"
  lea 1f(%rip), %rax
  add %r11, %rax
  jmp *%rax
  .balign 16
1:
.section intruder, "ax"
.globl intruder_int80_32, intruder_int80_32_end, intruder_sysenter_32
.code32
intruder_int80_32:
  mov $20, %eax
  int $0x80
intruder_int80_32_end:
  hlt
intruder_sysenter_32:
  mov $20, %eax
  mov %esp, %ebp
  sysenter
  hlt
.code64
.text
)");

namespace sandglass::attack {
namespace {

// Calls. ----------------------------------------------------------------------------------------------------

// The kernel takes the sixth argument from the stack, whose address is cut to 32 bits.
INTRUDER_INLINE int64_t sysenter_call(uint64_t number) {
  constexpr uint64_t kFlags = 0x4032;  // MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE
  system_call(__NR_mmap, kLowStack, 4096, 3, kFlags, ~0ull, 0);
  asm volatile("mov %0, %%rsp\n mov %%rsp, %%rbp\n sysenter"
               :
               : "r"(kLowStack + 2048), "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
               : "memory");
  __builtin_unreachable();
}

INTRUDER_INLINE int64_t vsyscall(uint64_t address) {
  int64_t result;
  asm volatile("call *%1"
               : "=a"(result)
               : "r"(address), "D"(0), "S"(0), "d"(0)
               : "rcx", "r8", "r9", "r10", "r11", "memory");
  return result;
}

INTRUDER_INLINE int64_t make(Call& call) {
  const uint64_t* const of = call.arguments;
  switch (call.entry) {
    case Entry::kSyscall: return system_call(call.number, of[0], of[1], of[2], of[3], of[4], of[5], &call.ip);
    case Entry::kInt80: return int80_call(call.number, of, &call.ip);
    case Entry::kSysenter: return sysenter_call(call.number);
    case Entry::kVsyscall: return vsyscall(call.number);
  }
  return 0;
}

// Forged signal frames. -------------------------------------------------------------------------------------

// What rt_sigreturn(2) finds at the stack pointer.
struct Frame {
  ucontext context;
};

INTRUDER_INLINE void clear(void* object, uint64_t size_bytes) {
  for (uint64_t i = 0; i < size_bytes; i += 8) *(volatile uint64_t*)((char*)object + i) = 0;
}

[[noreturn]] INTRUDER_INLINE void return_into(Frame& frame) {
  asm volatile("mov %0, %%rsp\n syscall" : : "r"(&frame), "a"(__NR_rt_sigreturn) : "memory");
  __builtin_unreachable();
}

constexpr uint16_t kCode64 = 0x33, kCode32 = 0x23, kData = 0x2b;

INTRUDER_INLINE void fill(Frame& frame, uint64_t ip, uint64_t stack, uint16_t code_segment) {
  clear(&frame, sizeof frame);
  sigcontext& machine = frame.context.uc_mcontext;
  frame.context.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  machine.rip = ip;
  machine.rsp = stack;
  machine.eflags = 0x202;
  machine.cs = code_segment;
  machine.ss = kData;
}

// Moves. ----------------------------------------------------------------------------------------------------

INTRUDER_INLINE void store_sequence(uint32_t number) {
  __atomic_store_n(&worker_page().sequence, number, __ATOMIC_SEQ_CST);
}

INTRUDER_INLINE void wake_host() {
  if (__atomic_load_n(&host_page().host_sleeps, __ATOMIC_SEQ_CST) == 0) return;
  system_call(__NR_futex, (uint64_t)&worker_page().sequence, FUTEX_WAKE, 1);
}

[[noreturn]] INTRUDER_INLINE void hang() {
  for (;;) asm volatile("pause");
}

[[noreturn]] INTRUDER_INLINE void flip() {
  uint32_t random = 1;
  for (;;) {
    const uint32_t now = __atomic_load_n(&host_page().sequence, __ATOMIC_RELAXED);
    store_sequence(now);
    store_sequence(now - 1);
    random = random * 1664525 + 1013904223;
    switch (random >> 29) {
      case 0: store_sequence(now + 1); break;
      case 1: store_sequence(kWorkerDied); break;
      case 2: store_sequence(kWorkerBorn); break;
      case 3: store_sequence(random); break;
      case 4: worker_page().exit_reason = (ExitReason)(random >> 8 & 15); break;
      case 5:
        worker_page().near_regs[random >> 8 & 3] ^= random;
        worker_page().next_regs[random >> 8 & 1] ^= random;
        worker_page().context.regs[random >> 8 & 7] ^= random;
        break;
      case 6: worker_page().change_errno = random & 3; break;
      default: worker_page().worker_sleeps = random >> 8 & 1; break;
    }
  }
}

[[noreturn]] INTRUDER_INLINE void block_signals_and_hang() {
  alignas(64) Frame frame;
  uint64_t ip;
  asm volatile("lea 1f(%%rip), %0" : "=r"(ip));
  fill(frame, ip, worker_space::kJumpTable - 256, kCode64);
  frame.context.uc_sigmask = ~0ull;
  asm volatile(
      "mov %0, %%rsp\n syscall\n"
      "1: pause\n jmp 1b"
      :
      : "r"(&frame), "a"(__NR_rt_sigreturn)
      : "memory");
  __builtin_unreachable();
}

// The same and goes on.
INTRUDER_INLINE void block_signals() {
  alignas(64) Frame frame;
  fill(frame, 0, 0, kCode64);
  frame.context.uc_sigmask = ~0ull;
  Frame* at = &frame;
  asm volatile(
      "mov %%rsp, %c[stack](%%rdi)\n"
      "mov %%rbp, %c[base](%%rdi)\n"
      "lea 1f(%%rip), %%rax\n"
      "mov %%rax, %c[ip](%%rdi)\n"
      "mov %%rdi, %%rsp\n"
      "mov $15, %%eax\n"
      "syscall\n"
      "1:"
      : "+D"(at)
      : [stack] "i"(offsetof(Frame, context.uc_mcontext.rsp)),
        [base] "i"(offsetof(Frame, context.uc_mcontext.rbp)),
        [ip] "i"(offsetof(Frame, context.uc_mcontext.rip))
      : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
        "cc");
}

INTRUDER_INLINE void copy(Move& to, const Move& from) {
  for (uint64_t i = 0; i < sizeof(Move) / 8; ++i) ((volatile uint64_t*)&to)[i] = ((const uint64_t*)&from)[i];
}

INTRUDER_INLINE void carry_out(const Move& move, uint32_t number) {
  for (uint64_t i = 0; i < move.write_count; ++i) {
    char* const to = (char*)&worker_page() + move.writes[i].offset;
    if (move.writes[i].size_bytes == 8) {
      *(volatile uint64_t*)to = move.writes[i].value;
    } else {
      *(volatile uint32_t*)to = (uint32_t)move.writes[i].value;
    }
  }
  switch (move.then) {
    case Then::kAnswer: store_sequence(number + (uint32_t)move.number); break;
    case Then::kStore: store_sequence((uint32_t)move.number); break;
    case Then::kExit: system_call(__NR_exit_group, 0); break;
    case Then::kHang: hang();
    case Then::kFlip:
      store_sequence(number);
      wake_host();
      flip();
    case Then::kForecast:
      store_sequence(number);
      wake_host();
      while (__atomic_load_n(&orders().argument, __ATOMIC_RELAXED) == 0) asm volatile("pause");
      store_sequence(number + 1);
      break;
    case Then::kCloseAll:
      for (uint64_t fd = 0; fd < 8; ++fd) system_call(__NR_close, fd);
      store_sequence(number);
      break;
    case Then::kForbidden: system_call(__NR_getpid, 0, 0, 0, 0, 0, 0, &orders().calls[0].ip); break;
    case Then::kFault: (void)*(volatile char*)nullptr; break;
    case Then::kBlockHang: block_signals_and_hang();
  }
  wake_host();
}

}  // namespace

INTRUDER intrude_with_calls() {
  Orders& all = orders();
  for (uint64_t i = 0; i < all.call_count; ++i) {
    all.calls_begun = i + 1;
    all.calls[i].result = make(all.calls[i]);
  }
  leave(ExitReason::kFinished);
}

INTRUDER intrude_with_moves() {
  if (orders().blocks_signals != 0) block_signals();
  uint32_t number = __atomic_load_n(&host_page().sequence, __ATOMIC_ACQUIRE);
  // The next move is read before this one lets the host go on, which may take the guest's memory away.
  alignas(8) Move move, next;
  copy(next, orders().moves[0]);
  const uint64_t last = orders().move_count - 1;
  for (uint64_t i = 0;;) {
    copy(move, next);
    if (i < last) copy(next, orders().moves[++i]);
    carry_out(move, number);
    // As a worker does, so that nobody is kept from the processor for long.
    for (int spins = 400; __atomic_load_n(&host_page().sequence, __ATOMIC_ACQUIRE) == number;) {
      if (--spins > 0) continue;
      __atomic_store_n(&worker_page().worker_sleeps, 1, __ATOMIC_SEQ_CST);
      system_call(__NR_futex, (uint64_t)&host_page().sequence, FUTEX_WAIT, number);
      __atomic_store_n(&worker_page().worker_sleeps, 0, __ATOMIC_RELAXED);
    }
    number = __atomic_load_n(&host_page().sequence, __ATOMIC_ACQUIRE);
  }
}

INTRUDER intrude_with_sigreturn() {
  const uint64_t* const forged = orders().forged_registers;
  alignas(64) Frame frame;
  fill(frame, forged[0], forged[1], (uint16_t)forged[2]);
  frame.context.uc_mcontext.fpstate = (_fpstate_64*)forged[3];
  return_into(frame);
}

INTRUDER intrude_through_far_jump() {
  constexpr uint64_t kFlags = 0x4032;
  system_call(__NR_mmap, kLowStack, 4096, 3, kFlags, ~0ull, 0);
  const uint64_t ip = orders().argument;
  asm volatile(
      "mov %0, %%rsp\n"
      "push %1\n"
      "push %2\n"
      "lretq"
      :
      : "r"(kLowStack + 2048), "r"((uint64_t)kCode32), "r"(ip)
      : "memory");
  __builtin_unreachable();
}

INTRUDER intrude_into_host_page() {
  Orders& all = orders();
  // The right to write: the page's own mapping, another one of its file, and one of memory in its place.
  all.calls[0].result = system_call(__NR_mprotect, worker_space::kHostPage, 4096, 3);
  all.calls[1].result = system_call(__NR_mmap, kLowStack, 4096, 3, 0x11, 2, 0);
  *(volatile uint32_t*)worker_space::kHostPage = 77;
  leave(ExitReason::kFinished);
}

INTRUDER intrude_with_clock() {
  Orders& all = orders();
  uint32_t low, high, core;
  switch (all.argument) {
    case 0: asm volatile("rdtsc" : "=a"(low), "=d"(high)); break;
    case 1: asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(core)); break;
    default: asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(0)); break;
  }
  all.calls[0].result = (int64_t)((uint64_t)high << 32 | low);
  leave(ExitReason::kFinished);
}

INTRUDER intrude_with_endless_gas() {
  for (;;) {
    *(volatile int64_t*)&worker_page().context.gas = INT64_MAX;
    *(volatile int64_t*)&worker_page().gas = INT64_MAX;
    asm volatile("movabs $0x7fffffffffffffff, %%r15" : : : "r15");
  }
}

}  // namespace sandglass::attack
