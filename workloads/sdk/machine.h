// The three things that a guest can do and C++ cannot say. Natively (tests) they are ordinary calls.
//
// Each is an instruction of the custom-2 space that the linker turns into the PVM instruction of that name.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sandglass::guest {

#if defined(__riscv) && !defined(SANDGLASS_PLAIN_RISCV)

// `bytes` more of heap: the new top, or 0. The memory is zero.
inline uintptr_t grow_heap(size_t bytes) {
  uintptr_t top;
  asm volatile(".insn r 0x5b, 0, 0, %0, %1, x0" : "=r"(top) : "r"(bytes));
  return top;
}

// Costs as much as some thirty stores to start with.
inline void fill_with_instruction(void* memory, int value, size_t bytes) {
  register void* a0 asm("a0") = memory;
  register long a1 asm("a1") = value;
  register size_t a2 asm("a2") = bytes;
  asm volatile(".insn r 0x5b, 1, 0, x0, x0, x0" : "+r"(a0), "+r"(a2) : "r"(a1) : "memory");
}

#endif

[[noreturn]] inline void trap() { __builtin_trap(); }

}  // namespace sandglass::guest
