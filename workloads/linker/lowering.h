// Lowering: what RISC-V instructions that neither jump nor refer to a symbol become.
//
// Almost all of them become one instruction. The zero register, which guests lack, has forms of its own where
// one instruction can do; where it cannot, a register is borrowed: saved below the stack pointer, where
// nothing lives (a guest has no signals and no red zone), and restored. Atomic operations are plain loads and
// stores: a guest is one thread, and nothing comes between two of its instructions that could see them.
#pragma once

#include "workloads/linker/lines.h"
#include "workloads/linker/riscv.h"

namespace sandglass::linker {

// A register of RISC-V's: 0 is zero; 1, 2, 5 … 15 are those of guests. Others do not exist on rv64e, or have
// no place in a guest (gp, tp).
constexpr bool is_guest_register(uint8_t x) { return x <= 2 || (x >= 5 && x <= 15); }
// Of a guest's register but zero.
constexpr Reg reg_of(uint8_t x) { return static_cast<Reg>(x <= 2 ? x - 1 : x - 3); }

// Everything but lui, auipc, jal, jalr, branches, host calls and what stops; all registers must be a guest's.
void lower(const RiscvInstruction& in, LineWriter& out);

// A branch to `target`; it may turn out to be always or never taken.
void lower_branch(const RiscvInstruction& in, uint32_t target, LineWriter& out);

}  // namespace sandglass::linker
