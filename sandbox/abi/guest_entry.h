// The last steps into emitted code, for whoever enters it: in-process or in a worker process.
//
// Assembly text that loads the guest's registers from the VmContext in rdi, switches to the guest's stack and
// jumps to resume_address. Loads keep the flags, so the guest finds the zero flag as the first test leaves
// it. compiler/registers.h is the home of the register map; backend/generic/enter.cc checks this text against
// it.
#pragma once

#include <stdint.h>

namespace sandglass {

// The guest's registers, in the order of VmContext::regs, by their numbers in x86-64 instructions; then the
// temporary and the gas counter. For signal handlers of worker processes.
inline constexpr uint8_t kMachineRegs[13] = {3, 6, 13, 5, 12, 8, 9, 7, 0, 2, 14, 10, 11};
inline constexpr uint8_t kMachineTemporary = 1, kMachineGas = 15;

}  // namespace sandglass

// What a function has to keep for its caller, before it goes into the guest and after it came back.
#define SG_SAVE_CALLERS_REGISTERS \
  "push %rbx\n"                   \
  "push %rbp\n"                   \
  "push %r12\n"                   \
  "push %r13\n"                   \
  "push %r14\n"                   \
  "push %r15\n"
#define SG_RESTORE_CALLERS_REGISTERS_AND_RETURN \
  "pop %r15\n"                                  \
  "pop %r14\n"                                  \
  "pop %r13\n"                                  \
  "pop %r12\n"                                  \
  "pop %rbp\n"                                  \
  "pop %rbx\n"                                  \
  "ret\n"

#define SG_LOAD_GUEST_AND_JUMP \
  "mov 128(%rdi), %rax\n"      \
  "test %rax, %rax\n"          \
  "mov 104(%rdi), %r15\n"      \
  "mov 0(%rdi), %rbx\n"        \
  "mov 8(%rdi), %rsi\n"        \
  "mov 16(%rdi), %r13\n"       \
  "mov 24(%rdi), %rbp\n"       \
  "mov 32(%rdi), %r12\n"       \
  "mov 40(%rdi), %r8\n"        \
  "mov 48(%rdi), %r9\n"        \
  "mov 64(%rdi), %rax\n"       \
  "mov 72(%rdi), %rdx\n"       \
  "mov 80(%rdi), %r14\n"       \
  "mov 88(%rdi), %r10\n"       \
  "mov 96(%rdi), %r11\n"       \
  "mov 144(%rdi), %rsp\n"      \
  "mov 56(%rdi), %rdi\n"       \
  "jmp *%gs:-4096+112\n"
