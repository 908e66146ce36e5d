// RISC-V instructions as assembly text without aliases, as llvm-mc prints and reads it.
#pragma once

#include <string>

#include "workloads/linker/riscv.h"

namespace sandglass::linker {

// The operation must be one of RISC-V's, not of ours.
std::string riscv_text(const RiscvInstruction& in);

}  // namespace sandglass::linker
