// Translation of stores of constants, which have no template: one machine instruction each, addressed through
// gs (registers.h), so an access is all or nothing and the temporary is never part of it.
#pragma once

#include "sandbox/compiler/emitter.h"
#include "sandbox/compiler/opcode_kinds.h"

namespace sandglass {
namespace emit {

inline void access(Emitter& e, const AccessForm& f, uint32_t reg, Reg base, uint32_t offset) {
  e.guest_op(f.opcode, f.opcode_bytes, f.wide, f.prefix16, reg, native(base), static_cast<int32_t>(offset));
}

inline void access_absolute(Emitter& e, const AccessForm& f, uint32_t reg, uint32_t address) {
  e.guest_op_absolute(f.opcode, f.opcode_bytes, f.wide, f.prefix16, reg, address);
}

}  // namespace emit

// Stores a constant; the form and the access size are those of the instruction.
template <Form form, uint32_t access_bytes>
inline void emit_store_imm(Emitter& e, const Instruction& in) {
  using namespace emit;
  constexpr size_t imm_bytes = access_bytes == 8 ? 4 : access_bytes;
  if constexpr (form == Form::BaseOffImm) {
    access(e, store_imm_form(access_bytes), 0, in.base, in.offset);
    e.bytes(in.imm, imm_bytes);
  } else {
    static_assert(form == Form::AddrImm);
    access_absolute(e, store_imm_form(access_bytes), 0, in.offset);
    e.bytes(in.imm, imm_bytes);
  }
}

}  // namespace sandglass
