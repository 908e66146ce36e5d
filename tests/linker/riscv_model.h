// What RISC-V instructions compute, written from the RISC-V manuals and not from our tables.
#pragma once

#include <cstdint>

#include "workloads/linker/riscv.h"

namespace sandglass::linker {

// The result of an instruction of form Imm, Shift64, Shift32, Reg or Unary (`rd` is the old value, which
// conditional moves may keep).
uint64_t riscv_result(const RiscvInstruction& in, uint64_t a, uint64_t b, uint64_t rd);

// What an AMO leaves in memory. `old` and `b` are as wide as the access.
uint64_t riscv_amo_result(RiscvOp op, uint64_t old, uint64_t b);

}  // namespace sandglass::linker
