// System calls without a C library: each returns what the kernel does, a value or -errno.
#pragma once

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

namespace sandglass::zygote {

inline long system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

template <typename... Arguments>
long call(long number, Arguments... arguments) {
  return system_call(number, (long)arguments...);
}

[[noreturn]] inline void exit_process(int status) {
  for (;;) call(__NR_exit_group, status);
}

}  // namespace sandglass::zygote
