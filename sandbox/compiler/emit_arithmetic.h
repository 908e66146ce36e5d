// Translation of instructions that only compute: registers and immediates in, one register out.
//
// emit_arithmetic<op, is_64>() is a table in the shape of code: one line per opcode, chosen at compile time.
// `wide` operations use 64-bit operands. Mnemonics ending in _32 compute in 32 bits and, in 64-bit sets,
// extend the sign of the result; in 32-bit sets every operation is a 32-bit one and upper halves stay zero by
// itself.
#pragma once

#include "sandbox/compiler/emitter.h"
#include "sandbox/compiler/opcode_kinds.h"

namespace sandglass {
namespace emit {

using x64::Alu;
using x64::Condition;
using x64::Shift;

inline void move(Emitter& e, bool wide, uint32_t dst, uint32_t src) { e.mov_unless_same(wide, dst, src); }

inline void negate_and_add_imm(Emitter& e, bool wide, const Instruction& in) {
  const uint32_t d = native(in.dst), s = native(in.src1);
  if (d == s) {
    e.unary(3, wide, d);
    e.alu_imm(Alu::kAdd, wide, d, static_cast<int32_t>(in.imm));
  } else {
    e.load_imm32(wide, d, static_cast<int32_t>(in.imm));
    e.alu(Alu::kSub, wide, d, s);
  }
}

inline void compare_imm(Emitter& e, bool wide, uint32_t reg, int32_t value) {
  if (value == 0) return e.test(wide, reg, reg);
  e.alu_imm(Alu::kCmp, wide, reg, value);
}

inline void move_imm_if(Emitter& e, Condition condition, bool wide, const Instruction& in) {
  e.load_imm32(wide, kTemp, static_cast<int32_t>(in.imm));
  e.test(wide, native(in.src1), native(in.src1));
  e.cmov(condition, wide, native(in.dst), kTemp);
}

inline void rotate_imm(Emitter& e, bool wide, const Instruction& in) {
  e.rorx(wide, native(in.dst), native(in.src1), static_cast<uint32_t>(in.imm) & (wide ? 63 : 31));
}

// The hardware masks counts exactly as the guest's instructions demand.
inline void shift_by(Emitter& e, Shift op, bool wide, uint32_t dst, uint32_t value, uint32_t count) {
  const uint32_t pp = op == Shift::kShl ? 1 : op == Shift::kSar ? 2 : 3;
  e.vex_rrr(2, pp, 0xf7, wide, dst, count, value);
}

inline void shift(Emitter& e, Shift op, bool wide, const Instruction& in) {
  shift_by(e, op, wide, native(in.dst), native(in.src1), native(in.src2));
}

// The immediate is the value, the register the count.
inline void shift_alt(Emitter& e, Shift op, bool wide, const Instruction& in) {
  e.load_imm32(wide, kTemp, static_cast<int32_t>(in.imm));
  shift_by(e, op, wide, native(in.dst), kTemp, native(in.src1));
}

inline void rotate_right_alt(Emitter& e, bool wide, const Instruction& in) {
  e.mov(false, kTemp, native(in.src1));
  e.load_imm32(wide, native(in.dst), static_cast<int32_t>(in.imm));
  e.shift_cl(Shift::kRor, wide, native(in.dst));
}

// High halves of products. ---------------------------------------------------------------------------------

// 32-bit operands: one 64-bit product holds both halves.
inline void multiply_upper_32(Emitter& e, bool signed1, bool signed2, const Instruction& in) {
  const uint32_t d = native(in.dst), a = native(in.src1), b = native(in.src2);
  signed1 ? e.movsxd(kTemp, a) : e.mov(false, kTemp, a);
  signed2 ? e.movsxd(d, b) : e.mov(false, d, b);
  e.imul(true, d, kTemp);
  e.shift_imm(Shift::kShr, true, d, 32);
}

// mulx multiplies by rdx, which belongs to the guest: it waits in the temporary meanwhile.
inline void multiply_upper_unsigned_64(Emitter& e, const Instruction& in) {
  const uint32_t d = native(in.dst), a = native(in.src1), b = native(in.src2);
  e.mov(true, kTemp, x64::rdx);
  move(e, true, x64::rdx, a);
  e.vex_rrr(2, 3, 0xf6, true, d, d, b == x64::rdx ? uint32_t{kTemp} : b);
  if (d != x64::rdx) e.mov(true, x64::rdx, kTemp);
}

inline void multiply_upper_signed_64(Emitter& e, const Instruction& in) {
  const uint32_t d = native(in.dst);
  e.mov(true, kTemp, native(in.src2));
  if (d != x64::rax) e.push(x64::rax);
  if (d != x64::rdx) e.push(x64::rdx);
  move(e, true, x64::rax, native(in.src1));
  e.unary(5, true, kTemp);
  move(e, true, d, x64::rdx);
  if (d != x64::rdx) e.pop(x64::rdx);
  if (d != x64::rax) e.pop(x64::rax);
}

// The signed operand counts 2^64 less when it is negative, so its upper product is smaller by the other
// operand.
inline void multiply_upper_signed_unsigned_64(Emitter& e, const Instruction& in) {
  e.mov(true, kTemp, native(in.src1));
  e.shift_imm(Shift::kSar, true, kTemp, 63);
  e.alu(Alu::kAnd, true, kTemp, native(in.src2));
  e.push(kTemp);
  multiply_upper_unsigned_64(e, in);
  e.pop(kTemp);
  e.alu(Alu::kSub, true, native(in.dst), kTemp);
}

}  // namespace emit

template <Opcode op, bool is_64>
inline void emit_arithmetic(Emitter& e, const Instruction& in) {
  using namespace emit;
  using enum Opcode;
  constexpr bool wide = is_64 && !is_narrow(op);
  constexpr auto is = [](auto... ops) { return ((op == ops) || ...); };

  if constexpr (is(kLoadImm64)) {
    e.load_constant(native(in.dst), in.imm);
    return;
  } else if constexpr (is(kNegateAndAddImm32, kNegateAndAddImm64)) {
    negate_and_add_imm(e, wide, in);
  } else if constexpr (is(kCmovIfZeroImm)) {
    move_imm_if(e, Condition::kEqual, wide, in);
  } else if constexpr (is(kCmovIfNotZeroImm)) {
    move_imm_if(e, Condition::kNotEqual, wide, in);
  } else if constexpr (is(kShiftLogicalLeft32, kShiftLogicalLeft64)) {
    shift(e, Shift::kShl, wide, in);
  } else if constexpr (is(kShiftLogicalRight32, kShiftLogicalRight64)) {
    shift(e, Shift::kShr, wide, in);
  } else if constexpr (is(kShiftArithmeticRight32, kShiftArithmeticRight64)) {
    shift(e, Shift::kSar, wide, in);
  } else if constexpr (is(kShiftLogicalLeftImmAlt32, kShiftLogicalLeftImmAlt64)) {
    shift_alt(e, Shift::kShl, wide, in);
  } else if constexpr (is(kShiftLogicalRightImmAlt32, kShiftLogicalRightImmAlt64)) {
    shift_alt(e, Shift::kShr, wide, in);
  } else if constexpr (is(kShiftArithmeticRightImmAlt32, kShiftArithmeticRightImmAlt64)) {
    shift_alt(e, Shift::kSar, wide, in);
  } else if constexpr (is(kRotateRightImm32, kRotateRightImm64)) {
    rotate_imm(e, wide, in);
  } else if constexpr (is(kRotateRightImmAlt32, kRotateRightImmAlt64)) {
    rotate_right_alt(e, wide, in);
  } else if constexpr (is(kAndInverted)) {
    e.vex_rrr(2, 0, 0xf2, wide, native(in.dst), native(in.src2), native(in.src1));
  } else if constexpr (is(kMulUpperSignedSigned)) {
    is_64 ? multiply_upper_signed_64(e, in) : multiply_upper_32(e, true, true, in);
  } else if constexpr (is(kMulUpperUnsignedUnsigned)) {
    is_64 ? multiply_upper_unsigned_64(e, in) : multiply_upper_32(e, false, false, in);
  } else {
    static_assert(op == kMulUpperSignedUnsigned, "an opcode without a translation");
    is_64 ? multiply_upper_signed_unsigned_64(e, in) : multiply_upper_32(e, true, false, in);
  }
  if constexpr (is_64 && is_narrow(op)) e.movsxd(native(in.dst), native(in.dst));
}

}  // namespace sandglass
