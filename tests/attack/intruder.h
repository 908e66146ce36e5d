// For code that runs inside of a worker in place of a guest, with all that a guest has that broke out of its
// code. It is compiled for any address into a section of its own, which tests copy into a module.
//
// So it has no library, no data and no constants in memory: it uses what lies in the orders. Its functions
// never return; they leave through what a guest leaves through, or go on for ever.
#pragma once

#include <asm/unistd.h>

#include "tests/attack/orders.h"

// A function of the section.
#define INTRUDER extern "C" [[gnu::section("intruder"), gnu::used, gnu::noinline, gnu::noreturn]] void
// What such functions use.
#define INTRUDER_INLINE [[gnu::always_inline]] static inline

namespace sandglass::attack {

INTRUDER_INLINE Orders& orders() {
  return *reinterpret_cast<Orders*>(worker_space::kGuestMemory + kOrdersAddress);
}
INTRUDER_INLINE WorkerPage& worker_page() {
  return *reinterpret_cast<WorkerPage*>(worker_space::kWorkerPage);
}
INTRUDER_INLINE const HostPage& host_page() {
  return *reinterpret_cast<const HostPage*>(worker_space::kHostPage);
}

INTRUDER_INLINE int64_t system_call(uint64_t number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0,
                                    uint64_t d = 0, uint64_t e = 0, uint64_t f = 0, uint64_t* ip = nullptr) {
  uint64_t unused;
  if (ip == nullptr) ip = &unused;
  int64_t result;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile(
      "lea 1f(%%rip), %%rcx\n"
      "mov %%rcx, (%[ip])\n"
      "syscall\n"
      "1:"
      : "=a"(result)
      : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9), [ip] "r"(ip)
      : "rcx", "r11", "memory");
  return result;
}

// Through the gate of 32-bit programs; rbp, which has the sixth argument, stays as it is.
INTRUDER_INLINE int64_t int80_call(uint64_t number, const uint64_t* arguments, uint64_t* ip) {
  int64_t result;
  asm volatile(
      "lea 1f(%%rip), %%rbx\n"
      "mov %%rbx, (%[ip])\n"
      "mov %[b], %%rbx\n"
      "int $0x80\n"
      "1:"
      : "=a"(result)
      : "0"(number), [b] "r"(arguments[0]), "c"(arguments[1]), "d"(arguments[2]), "S"(arguments[3]),
        "D"(arguments[4]), [ip] "r"(ip)
      : "rbx", "r8", "r9", "r10", "r11", "memory");
  return result;
}

// Leaves as a guest does, with a reason.
[[noreturn]] INTRUDER_INLINE void leave(ExitReason reason) {
  worker_page().context.exit_reason = reason;
  asm volatile("mov %0, %%rsp\n jmp *%1"
               :
               : "r"(worker_page().context.host_stack), "r"(worker_page().context.host_exit)
               : "memory");
  __builtin_unreachable();
}

}  // namespace sandglass::attack
