// System calls made by hand: any number, all 64 bits of each argument, and the address that the kernel
// reports as the caller's. For children in which a filter leaves nothing for a library to do.
#pragma once

#include <cstdint>

namespace sandglass {

struct RawAnswer {
  int64_t value = 0;  // negative: an errno
  uint64_t ip = 0;    // of the instruction behind the call
};

[[gnu::noinline]] inline RawAnswer raw_call(int64_t number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0,
                                            uint64_t d = 0, uint64_t e = 0, uint64_t f = 0) {
  RawAnswer answer;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile(
      "syscall\n"
      "1: lea 1b(%%rip), %%rcx"
      : "=a"(answer.value), "=&c"(answer.ip)
      : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
      : "r11", "memory");
  return answer;
}

// Through the 32-bit entry, with zeroes as the arguments that have a register to themselves.
[[gnu::noinline]] inline RawAnswer raw_call_32(int64_t number) {
  RawAnswer answer;
  asm volatile(
      "int $0x80\n"
      "1: lea 1b(%%rip), %1"
      : "=a"(answer.value), "=&r"(answer.ip)
      : "0"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
      : "r8", "r9", "r10", "r11", "memory");
  return answer;
}

}  // namespace sandglass
