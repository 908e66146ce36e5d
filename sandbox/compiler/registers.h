// Which native register holds what while a guest runs.
//
//   13 guest registers   rbx rsi r13 rbp r12 r8 r9 rdi rax rdx r14 r10 r11, all the time
//   rcx                  temporary of the translated instruction; nothing lives in it between instructions
//   r15                  the gas counter (unused when gas is not metered)
//   rsp                  top of a small stack of the sandbox, which is also the base of the jump table
//   gs                   guest address 0; the context lies at a fixed negative offset from it
//
// Reasons. a0, a1, a2 sit where rep stosb wants them (rdi, al, and rdx whose count goes to rcx). t1, t2 and
// t0 got rbp, r12 and r13, which cost a byte more as a base address. Emitted code pushes little, so its stack
// pointer can double as the base of the table of dynamic jumps, and the memory base needs no register because
// gs:[r32 + disp32] adds a segment base, for a little more latency of a load. That leaves a register for the
// gas counter.
#pragma once

#include "sandbox/abi/vm_context.h"
#include "sandbox/compiler/x64_encoder.h"
#include "sandbox/program/isa.h"

namespace sandglass {

inline constexpr x64::Register kNativeRegs[kRegCount] = {
    x64::rbx, x64::rsi, x64::r13, x64::rbp, x64::r12, x64::r8,  x64::r9,
    x64::rdi, x64::rax, x64::rdx, x64::r14, x64::r10, x64::r11,
};
inline constexpr x64::Register kTemp = x64::rcx;
inline constexpr x64::Register kGas = x64::r15;

constexpr uint32_t native(Reg reg) { return kNativeRegs[static_cast<size_t>(reg)]; }

// The context lies in the page below guest address 0.
inline constexpr int32_t kContextOffset = -4096;
constexpr int32_t context_field(size_t offset) { return kContextOffset + static_cast<int32_t>(offset); }

}  // namespace sandglass
