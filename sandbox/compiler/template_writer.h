// TemplateWriter: puts a template together, at compile time. Speaks like the encoder; its registers are
// operands of the guest instruction or fixed ones.
#pragma once

#include "sandbox/compiler/templates.h"

namespace sandglass {

// A register that a template names.
struct TemplateReg {
  bool is_fixed = false;
  uint8_t number = 0;  // of the machine's register, or of the operand
};

class TemplateWriter {
 public:
  using Reg = TemplateReg;
  static constexpr Reg kLow{false, 0}, kHigh{false, 1}, kThird{false, 2};
  static constexpr Reg fixed(uint8_t number) { return {true, number}; }

  constexpr TemplateWriter() {
    t_.first.fill(kNothing);
    t_.second.fill(kNothing);
  }
  constexpr Template done() const { return t_; }

  // `opcode` has one byte, or two with 0F first.
  constexpr void op(bool wide, uint32_t opcode, Reg reg, Reg rm) {
    rex(wide, reg, rm);
    opcode_bytes(opcode);
    modrm(0xc0, reg, rm);
  }
  constexpr void mov(bool wide, Reg dst, Reg src) { op(wide, 0x8b, dst, src); }
  constexpr void movsxd(Reg dst, Reg src) { op(true, 0x63, dst, src); }
  // One byte opcodes whose ModRM.reg is a part of the opcode.
  constexpr void op_n(bool wide, uint32_t opcode, uint8_t n, Reg rm) { op(wide, opcode, fixed(n), rm); }
  // The register is in the opcode: 0F C8 + r.
  constexpr void bswap(bool wide, Reg reg) {
    rex(wide, fixed(0), reg);
    byte(0x0f);
    byte(0xc8, kNothing, index(reg, kModrmRm));
  }
  // reg, [base + value] through gs with 32-bit addresses; `size` as in value().
  enum class Displacement : uint8_t { kNone, kByte, kFull };
  constexpr void memory(bool wide, uint32_t opcode, Reg reg, Reg base, Displacement displacement,
                        bool needs_sib) {
    constexpr uint8_t modes[] = {0x00, 0x40, 0x80};
    rex(wide, reg, base);
    opcode_bytes(opcode);
    modrm(modes[static_cast<size_t>(displacement)], reg, base);
    if (needs_sib) byte(0x24);
    if (displacement != Displacement::kNone) value(displacement == Displacement::kByte ? 1 : 4);
  }
  constexpr void absolute(bool wide, uint32_t opcode, Reg reg) {
    rex(wide, reg, fixed(0));
    opcode_bytes(opcode);
    byte(0x04, index(reg, kModrmReg));
    byte(0x25);
    value(4);
  }
  constexpr void byte(uint8_t fixed_bits, uint8_t first = kNothing, uint8_t second = kNothing) {
    t_.fixed[t_.code_bytes] = fixed_bits;
    t_.first[t_.code_bytes] = first;
    t_.second[t_.code_bytes] = second;
    ++t_.code_bytes;
  }
  constexpr void value(uint8_t bytes) {
    for (uint8_t i = 0; i < bytes; ++i) byte(0, kValueAt + i);
  }
  constexpr void tells_zero(ZeroFlag flag) { t_.zero_flag = flag; }

 private:
  static constexpr uint8_t kNothing = 0x80;                                    // pshufb makes 0 of it
  static constexpr uint8_t kRexR = 0, kModrmReg = 1, kRexB = 2, kModrmRm = 3;  // OperandTables::Register
  static constexpr uint8_t kValueAt = 12;

  static constexpr uint8_t index(Reg reg, uint8_t role) {
    return reg.is_fixed ? kNothing : static_cast<uint8_t>(4 * reg.number + role);
  }
  static constexpr uint8_t fixed_number(Reg reg) { return reg.is_fixed ? reg.number : 0; }

  constexpr void rex(bool wide, Reg reg, Reg rm) {
    const uint32_t bits =
        0x40 | uint32_t{wide} << 3 | (fixed_number(reg) & 8) >> 1 | (fixed_number(rm) & 8) >> 3;
    byte(static_cast<uint8_t>(bits), index(reg, kRexR), index(rm, kRexB));
  }
  constexpr void modrm(uint8_t mode, Reg reg, Reg rm) {
    const uint32_t bits = mode | (fixed_number(reg) & 7) << 3 | (fixed_number(rm) & 7);
    byte(static_cast<uint8_t>(bits), index(reg, kModrmReg), index(rm, kModrmRm));
  }
  constexpr void opcode_bytes(uint32_t opcode) {
    for (; opcode != 0; opcode >>= 8) byte(static_cast<uint8_t>(opcode));
  }

  Template t_{};
};

}  // namespace sandglass
