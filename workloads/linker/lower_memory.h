// The part of lowering.h that touches memory.
#pragma once

#include <array>
#include <initializer_list>

#include "workloads/linker/lines.h"
#include "workloads/linker/riscv.h"

namespace sandglass::linker {

// Registers that an instruction does not name, for as long as this lives: saved right below the stack pointer
// when made, restored in the end.
class Borrowed {
 public:
  // `taken`: RISC-V registers that must not be used. At most two are lent.
  Borrowed(LineWriter& out, std::initializer_list<uint8_t> taken, size_t count);
  ~Borrowed();
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  Reg operator[](size_t index) const { return regs_[index]; }

 private:
  LineWriter& out_;
  std::array<Reg, 2> regs_{};
  size_t count_;
};

void lower_load(const RiscvInstruction& in, LineWriter& out);
void lower_store(const RiscvInstruction& in, LineWriter& out);
void lower_atomic(const RiscvInstruction& in, LineWriter& out);
void lower_sbrk(const RiscvInstruction& in, LineWriter& out);

}  // namespace sandglass::linker
