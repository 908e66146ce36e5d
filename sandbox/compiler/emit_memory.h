// Translation of loads and stores: one machine instruction each, addressed through gs (registers.h), so an
// access is all or nothing and the temporary is never part of it.
#pragma once

#include "sandbox/compiler/emitter.h"

namespace sandglass {
namespace emit {

// How a load widens or a store narrows.
struct AccessForm {
  uint32_t opcode;  // 0F first when it has two bytes
  uint8_t opcode_bytes;
  bool wide;
  bool prefix16;
};

constexpr AccessForm load_form(uint32_t bytes, bool is_signed, bool is_64) {
  switch (bytes) {
    case 1:
      return is_signed ? AccessForm{0xbe0f, 2, is_64, false} : AccessForm{0xb60f, 2, false, false};
    case 2:
      return is_signed ? AccessForm{0xbf0f, 2, is_64, false} : AccessForm{0xb70f, 2, false, false};
    case 4:
      return is_signed && is_64 ? AccessForm{0x63, 1, true, false} : AccessForm{0x8b, 1, false, false};
    default:
      return {0x8b, 1, true, false};
  }
}

constexpr AccessForm store_form(uint32_t bytes) {
  return {bytes == 1 ? 0x88u : 0x89u, 1, bytes == 8, bytes == 2};
}

constexpr AccessForm store_imm_form(uint32_t bytes) {
  return {bytes == 1 ? 0xc6u : 0xc7u, 1, bytes == 8, bytes == 2};
}

inline void access(Emitter& e, const AccessForm& f, uint32_t reg, Reg base, uint32_t offset) {
  e.guest_op(f.opcode, f.opcode_bytes, f.wide, f.prefix16, reg, native(base), static_cast<int32_t>(offset));
}

inline void access_absolute(Emitter& e, const AccessForm& f, uint32_t reg, uint32_t address) {
  e.guest_op_absolute(f.opcode, f.opcode_bytes, f.wide, f.prefix16, reg, address);
}

}  // namespace emit

// Translates an instruction of the given form and access size; `is_signed` loads extend the sign.
template <Form form, uint32_t access_bytes, bool is_signed, bool is_64>
inline void emit_access(Emitter& e, const Instruction& in) {
  using namespace emit;
  constexpr size_t imm_bytes = access_bytes == 8 ? 4 : access_bytes;
  if constexpr (form == Form::DstBaseOff) {
    access(e, load_form(access_bytes, is_signed, is_64), native(in.dst), in.base, in.offset);
  } else if constexpr (form == Form::DstAddr) {
    access_absolute(e, load_form(access_bytes, is_signed, is_64), native(in.dst), in.offset);
  } else if constexpr (form == Form::SrcBaseOff) {
    access(e, store_form(access_bytes), native(in.src1), in.base, in.offset);
  } else if constexpr (form == Form::SrcAddr) {
    access_absolute(e, store_form(access_bytes), native(in.src1), in.offset);
  } else if constexpr (form == Form::BaseOffImm) {
    access(e, store_imm_form(access_bytes), 0, in.base, in.offset);
    e.bytes(in.imm, imm_bytes);
  } else {
    static_assert(form == Form::AddrImm);
    access_absolute(e, store_imm_form(access_bytes), 0, in.offset);
    e.bytes(in.imm, imm_bytes);
  }
}

}  // namespace sandglass
