// Translation of divisions: one machine division gives quotient, remainder or both, and never faults.
#pragma once

#include "sandbox/compiler/emit_arithmetic.h"
#include "sandbox/compiler/emitter.h"

namespace sandglass {

// A division whose divisor turned out to be special leaves the straight line; its rare cases are written
// behind the code. Positions are addresses in the buffer that is being written.
struct RareDivision {
  uint8_t* jump_end;  // behind the rel32 of the jump to patch
  uint8_t* return_to;
  uint8_t dividend, divisor;
  uint8_t quotient, remainder;  // destinations; kNoRegister when not wanted
  bool wide, is_signed;
};

namespace emit {

// Moves quotient (rax) and remainder (rdx) to where they are wanted.
inline void move_results(Emitter& e, bool wide, uint8_t quotient, uint8_t remainder) {
  if (quotient == x64::rdx && remainder == x64::rax) return e.op_rr(0x87, true, x64::rax, x64::rdx);  // xchg
  if (quotient == x64::rdx) {
    if (remainder != kNoRegister) move(e, wide, remainder, x64::rdx);
    return e.mov(wide, x64::rdx, x64::rax);
  }
  if (quotient != kNoRegister) move(e, wide, quotient, x64::rax);
  if (remainder != kNoRegister) move(e, wide, remainder, x64::rdx);
}

// One machine division for quotient, remainder or both (kNoRegister: not wanted). It must never fault: the
// divisors 0 and, for signed ones, −1 (where MIN / −1 overflows) leave for the rare cases.
inline RareDivision divide(Emitter& e, bool wide, bool is_signed, bool sign_extend, Reg dividend, Reg divisor,
                           uint8_t quotient, uint8_t remainder) {
  const auto wanted = [&](uint32_t reg) { return quotient == reg || remainder == reg; };
  e.mov(wide, kTemp, native(divisor));
  if (is_signed) {
    // 0 and −1 are the divisors for which divisor + 1 is at most 1, unsigned.
    e.alu_imm(Alu::kAdd, wide, kTemp, 1);
    e.alu_imm(Alu::kCmp, wide, kTemp, 1);
    e.jcc_rel32(Condition::kBelowEqual, 0);
  } else {
    e.test(wide, kTemp, kTemp);
    e.jcc_rel32(Condition::kEqual, 0);
  }
  uint8_t* const jump_end = e.cursor();
  if (is_signed) e.alu_imm(Alu::kSub, wide, kTemp, 1);
  if (!wanted(x64::rax)) e.push(x64::rax);
  if (!wanted(x64::rdx)) e.push(x64::rdx);
  move(e, wide, x64::rax, native(dividend));
  if (is_signed) {
    e.bytes(wide ? 0x9948u : 0x9940u, 2);  // cqo, cdq
  } else {
    e.alu(Alu::kXor, false, x64::rdx, x64::rdx);
  }
  e.unary(is_signed ? 7 : 6, wide, kTemp);
  move_results(e, wide, quotient, remainder);
  if (!wanted(x64::rdx)) e.pop(x64::rdx);
  if (!wanted(x64::rax)) e.pop(x64::rax);
  const RareDivision rare = {.jump_end = jump_end,
                             .return_to = e.cursor(),
                             .dividend = static_cast<uint8_t>(native(dividend)),
                             .divisor = static_cast<uint8_t>(native(divisor)),
                             .quotient = quotient,
                             .remainder = remainder,
                             .wide = wide,
                             .is_signed = is_signed};
  if (!sign_extend) return rare;
  if (quotient != kNoRegister) e.movsxd(quotient, quotient);
  if (remainder != kNoRegister) e.movsxd(remainder, remainder);
  return rare;
}

// The cases divide() left out: x / 0 = all ones and x % 0 = x; x / −1 = −x and x % −1 = 0. The temporary
// holds divisor + 1 for signed divisions, 0 for unsigned ones.
inline void rare_division(Emitter& e, const RareDivision& d) {
  // The quotient may overwrite the dividend that the remainder needs, so the dividend is read first.
  if (d.is_signed) {
    e.test(d.wide, kTemp, kTemp);
    e.mov(d.wide, kTemp, d.dividend);
    e.jcc_rel8(Condition::kEqual, 0);
    uint8_t* const to_minus_one = e.cursor();
    if (d.remainder != kNoRegister) e.mov(d.wide, d.remainder, kTemp);
    if (d.quotient != kNoRegister) e.load_constant(d.quotient, d.wide ? ~uint64_t{0} : UINT32_MAX);
    e.jmp(d.return_to);
    to_minus_one[-1] = static_cast<uint8_t>(e.cursor() - to_minus_one);
    if (d.quotient != kNoRegister) {
      e.mov(d.wide, d.quotient, kTemp);
      e.unary(3, d.wide, d.quotient);
    }
    if (d.remainder != kNoRegister) e.load_constant(d.remainder, 0);
  } else {
    e.mov(d.wide, kTemp, d.dividend);
    if (d.remainder != kNoRegister) e.mov(d.wide, d.remainder, kTemp);
    if (d.quotient != kNoRegister) e.load_constant(d.quotient, d.wide ? ~uint64_t{0} : UINT32_MAX);
  }
  e.jmp(d.return_to);
}

struct DivisionKind {
  bool is_division = false, is_signed = false, is_remainder = false;
};

constexpr DivisionKind division_kind(Opcode op) {
  switch (op) {
    case Opcode::kDivUnsigned32:
    case Opcode::kDivUnsigned64: return {true, false, false};
    case Opcode::kDivSigned32:
    case Opcode::kDivSigned64: return {true, true, false};
    case Opcode::kRemUnsigned32:
    case Opcode::kRemUnsigned64: return {true, false, true};
    case Opcode::kRemSigned32:
    case Opcode::kRemSigned64: return {true, true, true};
    default: return {};
  }
}

}  // namespace emit
}  // namespace sandglass
