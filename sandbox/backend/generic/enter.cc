#include "sandbox/backend/generic/enter.h"

#include <sys/auxv.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "sandbox/abi/guest_entry.h"
#include "sandbox/compiler/registers.h"

namespace sandglass {

// The assembly below spells offsets of VmContext as numbers.
static_assert(offsetof(VmContext, regs) == 0 && offsetof(VmContext, gas) == 104);
static_assert(offsetof(VmContext, resume_address) == 112 && offsetof(VmContext, exit_reason) == 124);
static_assert(offsetof(VmContext, zero_flag_value) == 128 && offsetof(VmContext, host_stack) == 136);
static_assert(offsetof(VmContext, guest_stack) == 144 && offsetof(VmContext, memory_base) == 152);
static_assert(offsetof(VmContext, stop_requested) == 184);
static_assert(static_cast<uint32_t>(ExitReason::kInterrupted) == 8);
// … and the register map.
static_assert(native(Reg::ra) == x64::rbx && native(Reg::sp) == x64::rsi && native(Reg::t0) == x64::r13);
static_assert(native(Reg::t1) == x64::rbp && native(Reg::t2) == x64::r12 && native(Reg::s0) == x64::r8);
static_assert(native(Reg::s1) == x64::r9 && native(Reg::a0) == x64::rdi && native(Reg::a1) == x64::rax);
static_assert(native(Reg::a2) == x64::rdx && native(Reg::a3) == x64::r14 && native(Reg::a4) == x64::r10);
static_assert(native(Reg::a5) == x64::r11 && kGas == x64::r15 && kContextOffset == -4096);
static_assert(std::equal(std::begin(kNativeRegs), std::end(kNativeRegs), std::begin(kMachineRegs)));
static_assert(kTemp == kMachineTemporary && kGas == kMachineGas);

asm(R"(
.text
.balign 64
.globl sandglass_enter
.type sandglass_enter, @function
sandglass_enter:
)" SG_SAVE_CALLERS_REGISTERS R"(
  mov %rsp, 136(%rdi)
  mov 152(%rdi), %rax
  rdgsbase %rcx
  cmp %rax, %rcx
  je sandglass_enter_check
  wrgsbase %rax
.globl sandglass_enter_check
sandglass_enter_check:
  cmpl $0, 184(%rdi)
  jne 1f
)" SG_LOAD_GUEST_AND_JUMP R"(
.globl sandglass_enter_end
sandglass_enter_end:
1:
  movl $8, 124(%rdi)
.globl sandglass_host_exit
sandglass_host_exit:
)" SG_RESTORE_CALLERS_REGISTERS_AND_RETURN R"(
.size sandglass_enter, .-sandglass_enter
)");

bool can_set_gs_base() {
  constexpr unsigned long kFsgsbase = 1 << 1;  // HWCAP2_FSGSBASE, asm/hwcap2.h
  return (::getauxval(AT_HWCAP2) & kFsgsbase) != 0;
}

}  // namespace sandglass
