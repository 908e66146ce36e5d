// What the compiler wants to know of an opcode at compile time.
#pragma once

#include <string_view>

#include "sandbox/program/isa.h"

namespace sandglass {

struct OpcodeShape {
  Form form;
  Flow flow;
  uint8_t access_bytes;
  bool is_signed;  // a load that extends the sign
  bool is_narrow;  // computes in 32 bits and, in 64-bit sets, extends the sign of the result
};

namespace internal {

constexpr OpcodeShape make_shape(std::string_view mnemonic, Form form, uint8_t access_bytes, Flow flow) {
  const bool is_signed =
      mnemonic.ends_with("_i8") || mnemonic.ends_with("_i16") || mnemonic.ends_with("_i32");
  return {form, flow, access_bytes, is_signed, mnemonic.ends_with("_32")};
}

inline constexpr OpcodeShape kShapes[] = {
#define SG_OPCODE(enumerator, mnemonic, form, latest64, jam, revive, latest32, access, flow) \
  make_shape(mnemonic, Form::form, access, Flow::flow),
#include "sandbox/program/opcodes.def"
#undef SG_OPCODE
    {Form::None, Flow::NoFallthrough, 0, false, false},
};

}  // namespace internal

constexpr const OpcodeShape& shape_of(Opcode op) { return internal::kShapes[static_cast<size_t>(op)]; }
constexpr bool is_narrow(Opcode op) { return shape_of(op).is_narrow; }

// How a load widens or a store narrows: a machine instruction without its operands.
struct AccessForm {
  uint32_t opcode;  // 0F first when it has two bytes
  uint8_t opcode_bytes;
  bool wide;
  bool prefix16;
};

constexpr AccessForm load_form(uint32_t bytes, bool is_signed, bool is_64) {
  switch (bytes) {
    case 1: return is_signed ? AccessForm{0xbe0f, 2, is_64, false} : AccessForm{0xb60f, 2, false, false};
    case 2: return is_signed ? AccessForm{0xbf0f, 2, is_64, false} : AccessForm{0xb70f, 2, false, false};
    case 4: return is_signed && is_64 ? AccessForm{0x63, 1, true, false} : AccessForm{0x8b, 1, false, false};
    default: return {0x8b, 1, true, false};
  }
}

constexpr AccessForm store_form(uint32_t bytes) {
  return {bytes == 1 ? 0x88u : 0x89u, 1, bytes == 8, bytes == 2};
}

constexpr AccessForm store_imm_form(uint32_t bytes) {
  return {bytes == 1 ? 0xc6u : 0xc7u, 1, bytes == 8, bytes == 2};
}

}  // namespace sandglass
