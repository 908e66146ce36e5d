#include "sandbox/backend/generic/enter.h"

#include <sys/auxv.h>

#include <cstddef>

#include "sandbox/compiler/registers.h"

namespace sandglass {

// The assembly below spells offsets of VmContext as numbers.
static_assert(offsetof(VmContext, regs) == 0 && offsetof(VmContext, gas) == 104);
static_assert(offsetof(VmContext, resume_address) == 112 && offsetof(VmContext, host_stack) == 120);
static_assert(offsetof(VmContext, guest_stack) == 128 && offsetof(VmContext, memory_base) == 136);
static_assert(offsetof(VmContext, zero_flag_value) == 168 && offsetof(VmContext, exit_reason) == 180);
static_assert(offsetof(VmContext, stop_requested) == 184);
static_assert(static_cast<uint32_t>(ExitReason::kInterrupted) == 8);
// … and the register map.
static_assert(native(Reg::ra) == x64::rbx && native(Reg::sp) == x64::rsi && native(Reg::t0) == x64::r13);
static_assert(native(Reg::t1) == x64::rbp && native(Reg::t2) == x64::r12 && native(Reg::s0) == x64::r8);
static_assert(native(Reg::s1) == x64::r9 && native(Reg::a0) == x64::rdi && native(Reg::a1) == x64::rax);
static_assert(native(Reg::a2) == x64::rdx && native(Reg::a3) == x64::r14 && native(Reg::a4) == x64::r10);
static_assert(native(Reg::a5) == x64::r11 && kGas == x64::r15 && kContextOffset == -4096);

asm(R"(
.text
.balign 64
.globl sandglass_enter
.type sandglass_enter, @function
sandglass_enter:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, 120(%rdi)
  mov 136(%rdi), %rax
  rdgsbase %rcx
  cmp %rax, %rcx
  je sandglass_enter_check
  wrgsbase %rax
.globl sandglass_enter_check
sandglass_enter_check:
  cmpl $0, 184(%rdi)
  jne 1f
  # Loads keep the flags, so the guest finds the zero flag as this test leaves it.
  mov 168(%rdi), %rax
  test %rax, %rax
  mov 104(%rdi), %r15
  mov 0(%rdi), %rbx
  mov 8(%rdi), %rsi
  mov 16(%rdi), %r13
  mov 24(%rdi), %rbp
  mov 32(%rdi), %r12
  mov 40(%rdi), %r8
  mov 48(%rdi), %r9
  mov 64(%rdi), %rax
  mov 72(%rdi), %rdx
  mov 80(%rdi), %r14
  mov 88(%rdi), %r10
  mov 96(%rdi), %r11
  mov 128(%rdi), %rsp
  mov 56(%rdi), %rdi
  jmp *%gs:-4096+112
.globl sandglass_enter_end
sandglass_enter_end:
1:
  movl $8, 180(%rdi)
.globl sandglass_host_exit
sandglass_host_exit:
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
.size sandglass_enter, .-sandglass_enter
)");

bool can_set_gs_base() {
  constexpr unsigned long kFsgsbase = 1 << 1;  // HWCAP2_FSGSBASE, asm/hwcap2.h
  return (::getauxval(AT_HWCAP2) & kFsgsbase) != 0;
}

}  // namespace sandglass
