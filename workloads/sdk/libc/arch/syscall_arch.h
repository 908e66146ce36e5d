/* musl's system calls: all end in one function, libc/system_call.c. */
#pragma once

#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

__attribute__((__visibility__("hidden"))) long __sandglass_system_call(long number, long a, long b, long c);

static inline long __syscall0(long n) { return __sandglass_system_call(n, 0, 0, 0); }
static inline long __syscall1(long n, long a) { return __sandglass_system_call(n, a, 0, 0); }
static inline long __syscall2(long n, long a, long b) { return __sandglass_system_call(n, a, b, 0); }
static inline long __syscall3(long n, long a, long b, long c) { return __sandglass_system_call(n, a, b, c); }
static inline long __syscall4(long n, long a, long b, long c, long d) {
  (void)d;
  return __sandglass_system_call(n, a, b, c);
}
static inline long __syscall5(long n, long a, long b, long c, long d, long e) {
  (void)d, (void)e;
  return __sandglass_system_call(n, a, b, c);
}
static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f) {
  (void)d, (void)e, (void)f;
  return __sandglass_system_call(n, a, b, c);
}

#define IPC_64 0
